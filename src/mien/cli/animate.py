"""mien animate: a recording and a description to a face."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tqdm import tqdm

from mien import audio
from mien.cli.options import add_pack, number, seed
from mien.errors import MienError


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
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
    verb.add_argument("--strength", type=number, default=1.0, help="0 (neutral) to 1.5; default 1")
    verb.add_argument("--fps", type=number, default=audio.FPS, help="frames a second; default 30")
    verb.add_argument("--seed", type=seed, default=0, help="seed of the blinks; default 0")
    verb.add_argument("--no-blinks", action="store_true", help="add no blinks")
    add_pack(verb)
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
