"""mien evaluate: measures of a pack."""

import argparse
import json
from pathlib import Path

from mien.cli.options import Parser, add_pack, extra
from mien.errors import MienError

SPLITS = ("train", "validation", "test")


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("evaluate", help="measure a pack")
    measures = verb.add_subparsers(metavar="MEASURE", required=True, parser_class=Parser)
    lips = measures.add_parser("lips", help="the lips, on recordings with transcripts")
    lips.add_argument("recordings", type=Path, help="folder with metadata.csv (id|text) and wavs")
    lips.add_argument("--descriptions", nargs="*", help="under which expressions")
    lips.add_argument("--json", type=Path, help="also write the rows to this new file")
    lips.set_defaults(act=_evaluate_lips)
    words = measures.add_parser("words", help="whether the bank's descriptions are read rightly")
    words.add_argument("--split", choices=SPLITS, default="test", help="default: test")
    words.set_defaults(act=_evaluate_words)
    for measure in (lips, words):
        add_pack(measure)


def _evaluate_lips(options: argparse.Namespace) -> None:
    from mien import animator

    if options.json and (options.json.exists() or not options.json.parent.is_dir()):
        raise MienError(f"cannot write {options.json} as a new file; choose another name")
    lips = extra("mien.evaluate.lips")
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
