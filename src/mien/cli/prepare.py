"""mien prepare: real performances into a corpus."""

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli import mead
from mien.cli.options import Parser, number, several, whole
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.captures import Capture


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("prepare", help="real performances into a corpus")
    sources = verb.add_subparsers(metavar="SOURCE", required=True, parser_class=Parser)
    facegood = sources.add_parser("facegood", help="the folder of FACEGOOD-Audio2Face")
    facegood.add_argument("root", type=Path, help="the folder that holds code/train")
    facegood.set_defaults(act=_facegood)
    video = sources.add_parser("video", help="videos with sound (needs the extra `track`)")
    video.add_argument("video", type=Path, nargs="+", help="videos of one actor's face")
    video.add_argument("--model", type=Path, required=True, help="MediaPipe's face_landmarker.task")
    video.add_argument("--neutral", type=Path, help="a neutral video of the same actor")
    video.add_argument("--largest", action="store_true", help="of two faces track the larger")
    video.set_defaults(act=_video)
    livelink = sources.add_parser("livelink", help="a table of Live Link Face and its sound")
    livelink.add_argument("table", type=Path, help="the .csv that the app recorded")
    livelink.add_argument("sound", type=Path, help="the sound, or the video, of the same take")
    livelink.set_defaults(act=_livelink)
    for source in (video, livelink):
        source.add_argument("--actor", help="who it is; default: the file's name")
        source.add_argument("--emotion", default="neutral", help="a state; default neutral")
        source.add_argument("--level", type=number, help="0 to 1.5; default 1, neutral 0")
        source.add_argument("--sentence", help="the words, in English; then it is not cut")
    for source in (facegood, video, livelink):
        source.add_argument("corpus", type=Path, help="folder to write or to add to")
        source.add_argument(
            "--takes", type=several, default=4, help="clips of a neutral cut; default 4"
        )
        source.add_argument("--seed", type=whole, default=0, help="of the expressions; default 0")
    mead.add(sources)


def _facegood(options: argparse.Namespace) -> None:
    from mien.data import facegood

    names = facegood.sequences(options.root)
    _add(options, (facegood.read(options.root, name) for name in names))


def _video(options: argparse.Namespace) -> None:
    from mien.data import tracks, video

    about = _about(options)
    video.check_model(options.model)
    if about["emotion"] != "neutral" and not options.neutral:
        print(
            "mien: without --neutral what the tracker reads of a resting face stays in",
            file=sys.stderr,
        )

    def track(path: Path) -> tracks.Track:
        with video.MediaPipe(options.model, largest=options.largest) as seen_by:
            return video.read_track(path, seen_by, progress=True)

    def read() -> Iterator["Capture"]:
        resting = tracks.rest(track(options.neutral)) if options.neutral else None
        for path in options.video:
            yield _said(options, video.read(path, track(path), resting=resting, **about))

    _add(options, read())


def _livelink(options: argparse.Namespace) -> None:
    from mien.data import livelink

    about = _about(options)
    _add(options, [_said(options, livelink.read(options.table, options.sound, **about))])


def _about(options: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a capture that the options give."""
    from mien.data.phones import check_transcript
    from mien.data.simulate.expressions import STATES
    from mien.timeline import MAX_LEVEL

    if options.sentence is not None:
        check_transcript(options.sentence)
    if options.emotion not in STATES:
        raise MienError(
            f"{options.emotion!r} is no state that the bank has wordings for; one of: "
            f"{', '.join(STATES)}"
        )
    neutral = options.emotion == "neutral"
    level = (0.0 if neutral else 1.0) if options.level is None else options.level
    if not 0 <= level <= MAX_LEVEL or (neutral and level):
        raise MienError(f"the level is {level:g}; 0 to {MAX_LEVEL:g} is possible, and 0 of neutral")
    about = {"emotion": options.emotion, "level": level}
    return {**about, "actor": options.actor} if options.actor else about


def _said(options: argparse.Namespace, capture: "Capture") -> "Capture":
    from mien.data.captures import with_words

    return with_words(capture, options.sentence) if options.sentence else capture


def _add(options: argparse.Namespace, performances: Iterable["Capture"]) -> None:
    """Add captures to the corpus, whose folder is made when the first of them could be read."""
    from mien.data import captures
    from mien.data.clips import CorpusWriter
    from mien.face import Face

    if options.corpus.is_file():  # seen before hours of video are tracked
        raise MienError(f"{options.corpus} is a file; the corpus, a folder, comes last")
    face, done = Face.load(), captures.Added(0, 0, 0.0, 0.0)
    for capture in performances:
        done += captures.add(
            CorpusWriter(options.corpus),
            capture,
            face,
            takes=options.takes,
            seed=options.seed,
            progress=True,
        )
    print(
        f"{options.corpus}: {done.clips} clips written ({done.seconds:.1f} s), {done.there} "
        f"were there, {done.unseen:.1f} s left out because no face was seen"
    )
