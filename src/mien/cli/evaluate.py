"""mien evaluate: measures of a pack."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli.options import Parser, add_jobs, add_pack, extra, whole
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.animator import Animator

SPLITS = ("train", "validation", "test")
PARTS = ("retrieval", "composition", "strength", "transition")
"""What is measured of words; the last only where there is speech."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("evaluate", help="measure a pack")
    measures = verb.add_subparsers(metavar="MEASURE", required=True, parser_class=Parser)
    lips = measures.add_parser("lips", help="the lips, on recordings with transcripts")
    _add_recordings(lips)
    lips.add_argument(
        "--descriptions", nargs="*", help="under which expressions; default: neutral and twelve"
    )
    lips.add_argument("--truth", action="store_true", help="also measure the simulated actor")
    lips.add_argument("--json", type=Path, help="also write the numbers to this new file")
    lips.set_defaults(act=_evaluate_lips)
    shift = measures.add_parser("shift", help="whether moved sentences keep their lips")
    _add_recordings(shift)
    shift.add_argument("--description", default="neutral", help="default: neutral")
    shift.add_argument("--json", type=Path, help="also write the numbers to this new file")
    shift.set_defaults(act=_evaluate_shift)
    replay = measures.add_parser("replay", help="the paper's errors, on a corpus")
    replay.add_argument("corpus", type=Path, help="folder that simulate or prepare wrote")
    replay.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    replay.add_argument("--json", type=Path, help="also write the numbers to this new file")
    add_jobs(replay)
    replay.set_defaults(act=_evaluate_replay)
    words = measures.add_parser("words", help="whether descriptions are read and followed rightly")
    _add_words(words)
    words.set_defaults(act=_evaluate_words)
    leakage = measures.add_parser("leakage", help="whether voice and description leak")
    leakage.add_argument("--pairs", type=whole, default=40, help="of states, default: 40")
    leakage.add_argument(
        "--wordings", choices=SPLITS, default="train", help="of the bank; default: train"
    )
    leakage.add_argument("--json", type=Path, help="also write the numbers to this new file")
    leakage.set_defaults(act=_evaluate_leakage)
    capture = measures.add_parser("capture", help="jaw and lips, on a held-out real capture")
    capture.add_argument("root", type=Path, help="the folder of FACEGOOD-Audio2Face")
    capture.add_argument("--json", type=Path, help="also write the numbers to this new file")
    capture.set_defaults(act=_evaluate_capture)
    for measure in (lips, shift, replay, words, leakage, capture):
        add_pack(measure)
    alignment = measures.add_parser("alignment", help="of a corpus: how its sentences are aligned")
    alignment.add_argument("corpus", type=Path, help="folder that simulate or prepare wrote")
    alignment.add_argument("--split", choices=SPLITS, default="train", help="default: train")
    alignment.add_argument(
        "--picture", type=Path, metavar="FILE", help="also draw lip gaps into this new .png"
    )
    alignment.add_argument("--json", type=Path, help="also write the numbers to this new file")
    alignment.set_defaults(act=_evaluate_alignment)


def _add_recordings(measure: argparse.ArgumentParser) -> None:
    measure.add_argument(
        "recordings", nargs="+", type=Path, help="folders with metadata.csv (id|text) and wavs"
    )


def _add_words(measure: argparse.ArgumentParser) -> None:
    measure.add_argument(
        "--only", nargs="+", choices=PARTS, metavar="PART", help=f"of {', '.join(PARTS)}"
    )
    measure.add_argument(
        "--split", choices=SPLITS, default="test", help="of the bank, for retrieval; default: test"
    )
    measure.add_argument(
        "--phrases", type=Path, metavar="FILE", help="for composition, instead of Mien's own"
    )
    measure.add_argument(
        "--speech", nargs="+", type=Path, default=[], metavar="FILE",
        help="recordings for transition, 4 s or more",
    )  # fmt: skip
    measure.add_argument("--json", type=Path, help="also write the numbers to this new file")


def _evaluate_lips(options: argparse.Namespace) -> None:

    _check_new(options.json)
    lips = extra("mien.evaluate.lips")
    actor = _on_our_head(options.pack)
    report = lips.study(
        actor, options.recordings, options.descriptions, truth=options.truth, progress=True
    )
    _say(report, options.json)


def _evaluate_shift(options: argparse.Namespace) -> None:

    _check_new(options.json)
    shift = extra("mien.evaluate.shift")
    actor = _on_our_head(options.pack)
    report = shift.moving(actor, options.recordings, options.description, progress=True)
    _say(report, options.json)


def _evaluate_replay(options: argparse.Namespace) -> None:
    from mien import animator
    from mien.data.clips import Corpus

    _check_new(options.json)
    replay = extra("mien.evaluate.replay")
    actor = animator.load(options.pack, face=Corpus(options.corpus).face)
    report = replay.replay(
        actor,
        options.corpus,
        split=options.split,
        actors=actor.pack.card.actors,
        jobs=options.jobs,
        scheduler=options.dask,
        pack=options.pack,
        progress=True,
    )
    _say(report, options.json)


def _evaluate_words(options: argparse.Namespace) -> None:
    from mien import audio
    from mien.evaluate import composition, phrases, strength, transition, words

    # Retrieval takes minutes: what can be refused is refused before.
    _check_new(options.json)
    parts = options.only or [part for part in PARTS if part != "transition" or options.speech]
    if "transition" in parts and not options.speech:
        raise MienError("transition is measured in running speech; name recordings with --speech")
    asked = phrases.read_phrases(options.phrases) if "composition" in parts else ()
    speeches = [audio.decode(path) for path in options.speech]
    for speech in speeches:
        transition.check_length(speech)
    actor = _on_our_head(options.pack)
    measured = {
        "retrieval": lambda: words.reading(actor, split=options.split, progress=True),
        "composition": lambda: composition.composition(actor, asked, progress=True),
        "strength": lambda: strength.strength(actor, progress=True),
        "transition": lambda: transition.transition(actor, speeches, progress=True),
    }
    rows = {}
    for part in dict.fromkeys(parts):
        report = measured[part]()
        rows[part] = report.rows()
        print(f"## {part.capitalize()}\n\n{report.markdown()}\n", flush=True)
    _write(rows, options.json)


def _evaluate_leakage(options: argparse.Namespace) -> None:

    _check_new(options.json)
    leakage = extra("mien.evaluate.leakage")
    actor = _on_our_head(options.pack)
    report = leakage.leakage(actor, pairs=options.pairs, wordings=options.wordings, progress=True)
    _say(report, options.json)


def _evaluate_capture(options: argparse.Namespace) -> None:

    captures, facegood = extra("mien.evaluate.captures"), extra("mien.data.facegood")
    _check_new(options.json)
    facegood.sequences(options.root)  # another folder is refused before seconds go into loading
    report = captures.study(_on_our_head(options.pack), options.root, progress=True)
    _say(report, options.json)


def _on_our_head(pack: Path | None) -> "Animator":
    """Return the animator of a pack; MienError for one of another face than the default head."""
    from mien import animator
    from mien.face import Face
    from mien.packfile import Pack

    if pack and Pack.read(pack).card.face != Face.load().fingerprint:
        raise MienError(
            f"{pack} was trained on another face than the default head, whose units and lips this "
            "measures; only mien evaluate replay measures other faces, on their own corpora"
        )
    return animator.load(pack)


def _evaluate_alignment(options: argparse.Namespace) -> None:
    from mien.evaluate import alignment, lip_gaps

    _check_new(options.json)
    if options.picture:
        lip_gaps.check_picture(options.picture)
    found = alignment.align_split(options.corpus, split=options.split, progress=True)
    _say(alignment.report(found), options.json)
    if options.picture:
        lip_gaps.draw(options.picture, found)


def _check_new(path: Path | None) -> None:
    """Refuse a file that is there, or whose folder is not, before anything is computed."""
    if path and (path.exists() or not path.parent.is_dir()):
        raise MienError(f"cannot write {path} as a new file; choose another name")


def _say(report: Any, path: Path | None) -> None:
    """Print a report, and write its numbers where a file is named."""
    print(report.markdown())
    _write(report.rows(), path)


def _write(rows: dict[str, Any], path: Path | None) -> None:
    """Write numbers as JSON where a file is named."""
    if path:
        path.write_text(json.dumps(_plain(rows), indent=1, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return plain data with null for what is no number: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
