"""The command line: verbs, their options, and nothing that the Python interface cannot do."""

import argparse

import mien
from mien.cli import (
    animate,
    bench,
    describe,
    evaluate,
    explain,
    prepare,
    simulate,
    study,
    train,
)
from mien.cli.options import Parser


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
    parser = Parser(prog="mien", description=(mien.__doc__ or "").split("\n")[0])
    parser.add_argument("--version", action="version", version=f"mien {mien.__version__}")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", parser_class=Parser)
    for verb in (animate, explain, bench, simulate, prepare, describe, train, evaluate, study):
        verb.add(verbs)
    return parser
