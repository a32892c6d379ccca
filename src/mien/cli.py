"""The command line: verbs, their options, and nothing that the Python interface cannot do."""

import argparse
import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

import mien
from mien import audio
from mien.errors import MienError


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; status 2 is argparse's own."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise MienError(f"{message}; see: {self.prog} --help")


def run(arguments: list[str] | None = None) -> None:
    """Parse the arguments (default: those of the process) and run the verb."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.verb is None:
        parser.print_help()
        return
    options.act(options)


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="mien", description=mien.__doc__.split("\n")[0])
    parser.add_argument("--version", action="version", version=f"mien {mien.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=_Parser)
    for add in (_add_animate, _add_bench, _add_simulate, _add_train, _add_evaluate):
        add(verbs)
    return parser


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number") from None


# animate


def _add_animate(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("animate", help="animate a recording under a description")
    verb.add_argument("speech", type=Path, help="any audio file, or a video whose sound is used")
    verb.add_argument("description", help='what the face expresses, e.g. "quietly furious"')
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        required=True,
        help=".mp4 film, .glb glTF, .csv Live Link curves or .npz vertices; may be repeated",
    )
    verb.add_argument("--strength", type=_number, default=1.0, help="0 (neutral) to 1.5; default 1")
    verb.add_argument("--fps", type=_number, default=audio.FPS, help="frames a second; default 30")
    verb.add_argument("--seed", type=int, default=0, help="seed of the blinks; default 0")
    verb.add_argument("--no-blinks", action="store_true", help="add no blinks")
    verb.add_argument("--pack", type=Path, help="a trained pack (.mien) instead of the default")
    verb.add_argument("--overwrite", action="store_true", help="replace existing files")
    verb.add_argument("--quiet", action="store_true", help="no progress bars")
    verb.set_defaults(act=_animate)


def _animate(options: argparse.Namespace) -> None:
    from mien import animator, export

    # Everything that can be refused is refused before anything is computed.
    for path in options.output:
        export.check(path, overwrite=options.overwrite)
    audio.check_fps(options.fps)
    animator.check_strength(options.strength)
    speech = audio.decode(options.speech)
    if not options.description.strip():
        print("mien: the description is empty, so the face stays neutral", file=sys.stderr)
    actor = animator.load(options.pack)
    with tqdm(desc="animate", unit="frame", disable=options.quiet) as bar:
        animation = actor.animate(
            speech,
            options.description,
            strength=options.strength,
            fps=options.fps,
            blinks=None if options.no_blinks else options.seed,
            progress=_shown_on(bar),
        )
    for path in options.output:
        export.save(animation, path, overwrite=options.overwrite, progress=not options.quiet)
        print(path)


def _shown_on(bar: tqdm):
    def show(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)

    return show


# bench


def _add_bench(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("bench", help="measure speed and memory on this machine")
    verb.add_argument("--pack", type=Path, help="a trained pack (.mien) instead of the default")
    verb.set_defaults(act=_bench)


def _bench(options: argparse.Namespace) -> None:
    from mien import bench

    print(bench.report(options.pack))


# simulate, train, evaluate: for those who make packs


def _add_simulate(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("simulate", help="make a corpus with the simulated actor (needs flite)")
    verb.add_argument("corpus", type=Path, help="folder to write or to go on with")
    verb.add_argument("--minutes", type=_number, default=60.0, help="length; default 60")
    verb.add_argument("--seed", type=int, default=0)
    verb.set_defaults(act=_simulate)


def _simulate(options: argparse.Namespace) -> None:
    from mien.data.simulate.corpus import simulate

    simulate(options.corpus, minutes=options.minutes, seed=options.seed)


def _add_train(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("train", help="train a pack by a recipe (needs the extra `train`)")
    verb.add_argument("recipe", type=Path, help="a recipe file, e.g. recipes/default.json")
    verb.add_argument("corpus", type=Path, help="corpus; simulated by the recipe where missing")
    verb.add_argument("run", type=Path, help="run folder; one that was killed is resumed")
    verb.set_defaults(act=_train)


def _train(options: argparse.Namespace) -> None:
    recipe_module, run_module = _extra("mien.train.recipe"), _extra("mien.train.run")
    from mien.data.clips import Corpus
    from mien.data.simulate.corpus import simulate

    recipe = recipe_module.read_recipe(options.recipe)
    simulate(options.corpus, minutes=recipe.corpus.minutes, seed=recipe.corpus.seed)
    print(run_module.train_run(recipe, Corpus(options.corpus), options.run))


def _add_evaluate(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("evaluate", help="measure a pack on recordings with transcripts")
    verb.add_argument("what", choices=["lips"])
    verb.add_argument("recordings", type=Path, help="folder with metadata.csv (id|text) and wavs")
    verb.add_argument("--pack", type=Path, help="a trained pack (.mien) instead of the default")
    verb.add_argument("--descriptions", nargs="*", help="under which expressions")
    verb.add_argument("--json", type=Path, help="also write the rows as JSON")
    verb.set_defaults(act=_evaluate)


def _evaluate(options: argparse.Namespace) -> None:
    from mien import animator

    lips = _extra("mien.evaluate.lips")
    report = lips.study(animator.load(options.pack), options.recordings, options.descriptions)
    print(report.markdown())
    if options.json:
        options.json.write_text(json.dumps(report.rows(), indent=1))


def _extra(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MienError(
            f"{error.name} is not installed; install it with: pip install 'mien[train]'"
        ) from error
