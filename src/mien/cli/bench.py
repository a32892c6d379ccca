"""mien bench: speed and memory on this machine."""

import argparse

from mien.cli.options import add_pack, positive


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("bench", help="measure speed and memory on this machine")
    verb.add_argument(
        "--seconds",
        type=positive,
        nargs="+",
        default=[10.0, 60.0],
        help="lengths of speech to animate; default 10 60",
    )
    add_pack(verb)
    verb.set_defaults(act=_bench)


def _bench(options: argparse.Namespace) -> None:
    from mien import bench

    print(bench.report(options.pack, seconds=options.seconds).markdown())
