"""mien animate: a recording and a description, or several over time, to a face."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from mien import audio
from mien.cli.options import add_face, add_pack, number, whole
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.animator import Animator
    from mien.face import Face
    from mien.timeline import Timeline


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("animate", help="animate a recording under a description")
    verb.add_argument("speech", type=Path, help="any audio file, or a video whose sound is used")
    verb.add_argument(
        "description", nargs="?", help='what the face expresses, e.g. "quietly furious"'
    )
    verb.late = "description"
    verb.add_argument(
        "--at",
        nargs=2,
        action="append",
        metavar=("SECONDS", "DESCRIPTION"),
        help="instead: what it expresses from a time on; repeated, in order",
    )
    verb.add_argument(
        "--timeline", type=Path, metavar="FILE", help="instead: what it expresses when, as JSON"
    )
    verb.add_argument(
        "-o",
        "--output",
        type=Path,
        action="append",
        required=True,
        help=".mp4 film, .glb glTF, .csv Live Link curves or .npz vertices; may be repeated",
    )
    verb.add_argument(
        "--strength",
        type=number,
        default=1.0,
        help="0 (neutral) to 1.5; default 1; a timeline's strengths are multiplied, to 1.5 at most",
    )
    verb.add_argument("--actor", help="whose ways, of those that the pack tells apart")
    verb.add_argument("--fps", type=number, default=audio.FPS, help="frames a second; default 30")
    verb.add_argument("--seed", type=whole, default=0, help="seed of the life; default 0")
    verb.add_argument(
        "--no-life", action="store_true", help="add no blinks, glances or head movement"
    )
    add_pack(verb)
    add_face(verb, "the head to show it on; the default is the one that ships with mien")
    verb.add_argument("--overwrite", action="store_true", help="replace existing files")
    verb.add_argument("--quiet", action="store_true", help="no progress bars")
    verb.set_defaults(act=_animate)


def _animate(options: argparse.Namespace) -> None:
    from mien import explain, export
    from mien.features import check_description
    from mien.timeline import MAX_LEVEL

    # Everything that can be refused is refused before anything is computed.
    _check_outputs(options)
    audio.check_fps(options.fps)
    asked = _timeline(options)
    timeline = asked.scaled(options.strength)
    described = [check_description(cue.description) for cue in timeline.cues]
    speech = audio.decode(options.speech)
    timeline.check_within(audio.samples_to_seconds(len(speech)))
    actor, shown_on = _animator(options)
    if not any(described):
        print("mien: the description is empty, so the face stays neutral", file=sys.stderr)
    if any(cue.strength * options.strength > MAX_LEVEL for cue in asked.cues):
        print(f"mien: strengths above {MAX_LEVEL} count as {MAX_LEVEL}", file=sys.stderr)
    shown = (text for text, cue in zip(described, timeline.cues, strict=True) if cue.strength)
    for text in dict.fromkeys(filter(None, shown)):
        if warning := explain.warning(actor, text):
            print(f"mien: {warning}", file=sys.stderr)
    with _bar("animate", quiet=options.quiet) as show:
        animation = actor.animate(
            speech,
            timeline,
            fps=options.fps,
            life=None if options.no_life else options.seed,
            actor=options.actor,
            progress=show,
        )
    if shown_on is not None:
        animation = animation.on(shown_on)
    for path in options.output:
        export.save(animation, path, overwrite=options.overwrite, progress=not options.quiet)
        print(path)


def _animator(options: argparse.Namespace) -> "tuple[Animator, Face | None]":
    """The pack, loaded with its face, and another face to show it on, if that is asked for.

    A pack of the given face is run on it; any other keeps its own face, whose weights then move
    the given one.
    """
    from mien import animator, faces
    from mien.animation import shared_units
    from mien.export import curves
    from mien.packfile import Pack

    given = faces.read(options.face) if options.face else None
    own = given and Pack.read(options.pack).card.face == given.fingerprint
    actor = animator.load(options.pack, face=given if own else None)
    other = None if own else given
    if other:
        shared_units(actor.face, other)
    if any(path.suffix.lower() == ".csv" for path in options.output):
        curves.check(other or actor.face)
    return actor, other


def _timeline(options: argparse.Namespace) -> "Timeline":
    """Return what is to be expressed; MienError unless it is asked for in exactly one way."""
    from mien.timeline import Timeline

    ways = ("description", "--at", "--timeline")
    values = (options.description, options.at, options.timeline)
    given = [way for way, value in zip(ways, values, strict=True) if value is not None]
    if not given:
        raise MienError(f"one of these is required: {', '.join(ways)}; see: mien animate --help")
    if len(given) > 1:
        raise MienError(f"{' and '.join(given)} came together; give one of {', '.join(ways)}")
    if options.at:
        return Timeline.parse(options.at)
    if options.timeline:
        return Timeline.from_json(options.timeline)
    return Timeline.of(options.description)


def _check_outputs(options: argparse.Namespace) -> None:
    """MienError where an output cannot be written, is an input, or is named twice."""
    from mien import export

    inputs = (options.speech, options.pack, options.timeline, options.face)
    taken = {os.path.realpath(path) for path in inputs if path}
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
