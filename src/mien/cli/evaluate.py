"""mien evaluate: measures of a pack."""

import argparse
import json
import math
from pathlib import Path
from typing import Any

from mien.cli.options import Parser, add_pack, extra
from mien.errors import MienError

SPLITS = ("train", "validation", "test")


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
    words = measures.add_parser("words", help="whether the bank's descriptions are read rightly")
    words.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    words.set_defaults(act=_evaluate_words)
    capture = measures.add_parser("capture", help="jaw and lips, on a held-out real capture")
    capture.add_argument("root", type=Path, help="the folder of FACEGOOD-Audio2Face")
    capture.add_argument("--json", type=Path, help="also write the numbers to this new file")
    capture.set_defaults(act=_evaluate_capture)
    for measure in (lips, shift, replay, words, capture):
        add_pack(measure)


def _add_recordings(measure: argparse.ArgumentParser) -> None:
    measure.add_argument(
        "recordings", nargs="+", type=Path, help="folders with metadata.csv (id|text) and wavs"
    )


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
    from mien import animator
    from mien.evaluate import words

    report = words.reading(animator.load(options.pack), split=options.split, progress=True)
    print(report.markdown())


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
    if path:
        path.write_text(json.dumps(_plain(report.rows()), indent=1, allow_nan=False))


def _plain(value: Any) -> Any:
    """Return plain data with null for what is no number: JSON has no NaN."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
