"""The command line: verbs, their options, and nothing that the Python interface cannot do."""

import argparse
import importlib
import json
import math
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from tqdm import tqdm

import mien
from mien import audio
from mien.errors import MienError

SPLITS = ("train", "validation", "test")


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one sentence; status 2 is argparse's own."""

    def error(self, message: str) -> None:  # type: ignore[override]
        raise MienError(f"{message}; see: {self.prog} --help")


def run(arguments: list[str] | None = None) -> None:
    """Parse the arguments (default: those of the process) and run the verb."""
    parser = new_parser()
    options = parser.parse_args(arguments)
    if options.verb is None:
        parser.print_help()
        return
    options.act(options)


def new_parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs; its errors are MienErrors."""
    parser = _Parser(prog="mien", description=(mien.__doc__ or "").split("\n")[0])
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


def _positive(text: str) -> float:
    if not 0 < _number(text) < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return float(text)


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 0 on")
    return int(text)


def _add_pack(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--pack", type=Path, help="a trained pack (.mien) instead of the default")


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
    verb.add_argument("--seed", type=_seed, default=0, help="seed of the blinks; default 0")
    verb.add_argument("--no-blinks", action="store_true", help="add no blinks")
    _add_pack(verb)
    verb.add_argument("--overwrite", action="store_true", help="replace existing files")
    verb.add_argument("--quiet", action="store_true", help="no progress bars")
    verb.set_defaults(act=_animate)


def _animate(options: argparse.Namespace) -> None:
    from mien import animator, export
    from mien.features import check_description

    # Everything that can be refused is refused before anything is computed.
    _check_outputs(options)
    audio.check_fps(options.fps)
    animator.check_strength(options.strength)
    described = check_description(options.description)
    speech = audio.decode(options.speech)
    actor = animator.load(options.pack)
    if not described:
        print("mien: the description is empty, so the face stays neutral", file=sys.stderr)
    with _bar("animate", quiet=options.quiet) as show:
        animation = actor.animate(
            speech,
            described,
            strength=options.strength,
            fps=options.fps,
            blinks=None if options.no_blinks else options.seed,
            progress=show,
        )
    for path in options.output:
        export.save(animation, path, overwrite=options.overwrite, progress=not options.quiet)
        print(path)


def _check_outputs(options: argparse.Namespace) -> None:
    """MienError where an output cannot be written, is an input, or is named twice."""
    from mien import export

    taken = {os.path.realpath(path) for path in (options.speech, options.pack) if path}
    for path in options.output:
        place = os.path.realpath(path)
        if place in taken:
            raise MienError(f"{path} is named twice in this command; choose another output")
        taken.add(place)
        export.check(path, overwrite=options.overwrite)


@contextmanager
def _bar(title: str, *, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Yield what shows progress. The bar comes with its first call: an error before it is alone."""
    bars: list[tqdm] = []

    def show(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(desc=title, total=total, unit="frame", disable=quiet))
        bars[0].update(done - bars[0].n)

    try:
        yield show
    finally:
        for bar in bars:
            bar.close()


# bench


def _add_bench(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("bench", help="measure speed and memory on this machine")
    verb.add_argument(
        "--seconds",
        type=_positive,
        nargs="+",
        default=[10.0, 60.0],
        help="lengths of speech to animate; default 10 60",
    )
    _add_pack(verb)
    verb.set_defaults(act=_bench)


def _bench(options: argparse.Namespace) -> None:
    from mien import bench

    print(bench.report(options.pack, seconds=options.seconds).markdown())


# simulate, train, evaluate: for those who make packs


def _add_simulate(verbs: argparse._SubParsersAction) -> None:
    verb = verbs.add_parser("simulate", help="make a corpus with the simulated actor (needs flite)")
    verb.add_argument("corpus", type=Path, help="folder to write or to go on with")
    verb.add_argument("--minutes", type=_positive, default=60.0, help="length; default 60")
    verb.add_argument("--seed", type=_seed, default=0, help="seed of everything; default 0")
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
    verb = verbs.add_parser("evaluate", help="measure a pack")
    measures = verb.add_subparsers(metavar="MEASURE", required=True, parser_class=_Parser)
    lips = measures.add_parser("lips", help="the lips, on recordings with transcripts")
    lips.add_argument("recordings", type=Path, help="folder with metadata.csv (id|text) and wavs")
    lips.add_argument("--descriptions", nargs="*", help="under which expressions")
    lips.add_argument("--json", type=Path, help="also write the rows to this new file")
    lips.set_defaults(act=_evaluate_lips)
    words = measures.add_parser("words", help="whether the bank's descriptions are read rightly")
    words.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    words.set_defaults(act=_evaluate_words)
    for measure in (lips, words):
        _add_pack(measure)


def _evaluate_lips(options: argparse.Namespace) -> None:
    from mien import animator

    if options.json and (options.json.exists() or not options.json.parent.is_dir()):
        raise MienError(f"cannot write {options.json} as a new file; choose another name")
    lips = _extra("mien.evaluate.lips")
    actor = animator.load(options.pack)
    report = lips.study(actor, options.recordings, options.descriptions, progress=True)
    print(report.markdown())
    if options.json:
        options.json.write_text(json.dumps(report.rows(), indent=1))


def _evaluate_words(options: argparse.Namespace) -> None:
    from mien import animator
    from mien.evaluate import words

    report = words.reading(animator.load(options.pack), split=options.split, progress=True)
    print(report.markdown())


def _extra(module: str) -> ModuleType:
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MienError(
            f"{error.name} is not installed; install it with: pip install 'mien[train]'"
        ) from error
