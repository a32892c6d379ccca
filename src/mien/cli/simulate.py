"""mien simulate: a corpus with the simulated actor."""

import argparse
from pathlib import Path

from mien.cli.options import add_jobs, positive, whole


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser(
        "simulate", help="make a corpus with the simulated actor (needs flite and espeak-ng)"
    )
    verb.add_argument("corpus", type=Path, help="folder to write or to go on with")
    verb.add_argument("--minutes", type=positive, default=60.0, help="length; default 60")
    verb.add_argument("--seed", type=whole, default=0, help="seed of everything; default 0")
    verb.add_argument(
        "--prosody",
        metavar="KIND",
        help="independent of the expression, or confounded: rate, pitch and loudness follow it; "
        "default: what the folder's corpus has, else independent",
    )
    add_jobs(verb)
    verb.set_defaults(act=_simulate)


def _simulate(options: argparse.Namespace) -> None:
    from mien.data.simulate.corpus import simulate
    from mien.data.simulate.cover import cover

    corpus = simulate(
        options.corpus,
        minutes=options.minutes,
        seed=options.seed,
        prosody=options.prosody,
        jobs=options.jobs,
        scheduler=options.dask,
    )
    covered = cover(corpus)
    (options.corpus / "cover.md").write_text(covered.markdown(), encoding="utf-8")
    print(covered.summary())
