"""mien evaluate: measures of a pack."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from mien.cli.options import Parser, add_pack, extra, whole
from mien.errors import MienError

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
    replay = measures.add_parser("replay", help="the paper's errors, on a simulated corpus")
    replay.add_argument("corpus", type=Path, help="folder that mien simulate wrote")
    replay.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    replay.add_argument("--json", type=Path, help="also write the numbers to this new file")
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
    from mien import animator

    _check_new(options.json)
    lips = extra("mien.evaluate.lips")
    actor = animator.load(options.pack)
    report = lips.study(
        actor, options.recordings, options.descriptions, truth=options.truth, progress=True
    )
    _say(report, options.json)


def _evaluate_shift(options: argparse.Namespace) -> None:
    from mien import animator

    _check_new(options.json)
    shift = extra("mien.evaluate.shift")
    actor = animator.load(options.pack)
    report = shift.moving(actor, options.recordings, options.description, progress=True)
    _say(report, options.json)


def _evaluate_replay(options: argparse.Namespace) -> None:
    from mien import animator

    _check_new(options.json)
    replay = extra("mien.evaluate.replay")
    actor = animator.load(options.pack)
    _say(replay.replay(actor, options.corpus, split=options.split, progress=True), options.json)


def _evaluate_words(options: argparse.Namespace) -> None:
    from mien import animator, audio
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
    actor = animator.load(options.pack)
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
    from mien import animator

    _check_new(options.json)
    leakage = extra("mien.evaluate.leakage")
    actor = animator.load(options.pack)
    report = leakage.leakage(actor, pairs=options.pairs, wordings=options.wordings, progress=True)
    _say(report, options.json)


def _evaluate_capture(options: argparse.Namespace) -> None:
    from mien import animator

    captures, facegood = extra("mien.evaluate.captures"), extra("mien.data.facegood")
    _check_new(options.json)
    facegood.sequences(options.root)  # another folder is refused before seconds go into loading
    report = captures.study(animator.load(options.pack), options.root, progress=True)
    _say(report, options.json)


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
