"""mien explain: what a description is taken for."""

import argparse

from mien.cli.options import add_pack, number


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("explain", help="say what a description is taken for")
    verb.add_argument("description", help='what a face expresses, e.g. "quietly furious"')
    verb.add_argument("--strength", type=number, default=1.0, help="0 (neutral) to 1.5; default 1")
    add_pack(verb)
    verb.set_defaults(act=_explain)


def _explain(options: argparse.Namespace) -> None:
    from mien import explain

    print(explain.report(options.pack, options.description, strength=options.strength).text())
