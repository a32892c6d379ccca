"""mien study: two systems' films side by side, judged by people on a web page."""

import argparse
import json
import shlex
import socket
from pathlib import Path
from types import ModuleType

from mien.cli.options import add_pack, extra, whole
from mien.errors import MienError

ANSWERS = "answers.sqlite"
PORT = 8000
MAX_CHECKS = 20


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser("study", help="ask people which of two systems' films are better")
    verb.add_argument(
        "folder",
        type=Path,
        nargs="?",
        help="two subfolders of films with equal names, and descriptions.csv: name|description",
    )
    verb.late = "folder"
    verb.add_argument("--ours", metavar="NAME", help="the subfolder that holds ours")
    verb.add_argument(
        "--answers", type=Path, metavar="FILE", help=f"default: {ANSWERS} in the folder"
    )
    verb.add_argument("--pairs", type=whole, metavar="N", help="judged by each person; default all")
    verb.add_argument(
        "--checks", type=whole, metavar="N", default=2, help="attention checks; default 2"
    )
    verb.add_argument("--host", default="127.0.0.1", help="where to listen; default 127.0.0.1")
    verb.add_argument("--port", type=whole, default=PORT, help=f"default {PORT}; 0: any free one")
    make = verb.add_argument_group("make the films first, in a new folder or one begun before")
    make.add_argument("--against", type=Path, metavar="PACK", help="the other system's pack")
    add_pack(make)
    make.add_argument("--speech", nargs="+", type=Path, metavar="FILE", help="recordings")
    make.add_argument("--descriptions", nargs="+", metavar="TEXT", help="each for every recording")
    report = verb.add_argument_group("read the answers")
    report.add_argument("--report", type=Path, metavar="FILE", help="say what an answers file says")
    report.add_argument("--json", type=Path, help="also write the report's numbers to this file")
    verb.set_defaults(act=_study)


def _study(options: argparse.Namespace) -> None:
    if options.report:
        _report(options)
        return
    if options.folder is None:
        raise MienError("a folder of films is required, or --report; see: mien study --help")
    if options.json:
        raise MienError("--json belongs to --report; give both or neither")
    if options.pairs == 0 or options.checks > MAX_CHECKS:
        raise MienError(f"give --pairs of 1 or more and --checks of 0 to {MAX_CHECKS}")
    server = extra("mien.study.server", "study")
    # The port is taken before hours go into films.
    taken = server.listen(options.host, options.port)
    try:
        _make(options)
        _serve(options, server, taken)
    finally:
        taken.close()


def _make(options: argparse.Namespace) -> None:
    """Make the films where that is asked for."""
    wanted = {name: getattr(options, name) for name in ("against", "speech", "descriptions")}
    missing = [f"--{name}" for name, value in wanted.items() if value is None]
    if len(missing) == len(wanted) and not options.pack:
        return
    if missing:
        raise MienError(
            f"{' and '.join(missing)} must be given too; films are made of two packs (--against, "
            "--pack), --speech and --descriptions"
        )
    from mien.study import making

    making.make(
        options.folder,
        theirs=options.against,
        ours=options.pack,
        recordings=options.speech,
        descriptions=options.descriptions,
        progress=True,
    )


def _serve(options: argparse.Namespace, server: ModuleType, taken: socket.socket) -> None:
    from mien.study.films import read_films
    from mien.study.store import Store

    films = read_films(options.folder, ours=options.ours)
    store = Store(options.answers or options.folder / ANSWERS, films)
    try:
        site = server.Site(films, store, options.pairs, options.checks)
        print(f"The study runs at {server.address(taken)}")
        print(f"{len(films.pairs)} pairs of {films.ours} (ours) and {films.theirs} (theirs)")
        print(f"Answers are kept in {store.path}. Ctrl-C stops the study.", flush=True)
        server.serve(site, taken)
        people, tasks = store.counts()
        print(f"Stopped. Judged so far: {tasks} pairs and checks, by {people} people.")
        print(f"mien study --report {shlex.quote(str(store.path))}")
    finally:
        store.close()


def _report(options: argparse.Namespace) -> None:
    from mien.study import report

    if options.folder is not None:
        raise MienError("--report takes the answers file alone; leave the folder out")
    found = report.report(options.report)
    if options.json:
        numbers = json.dumps(found.numbers(), indent=1, allow_nan=False)
        try:
            with open(options.json, "x", encoding="utf-8") as file:
                file.write(numbers + "\n")
        except OSError as error:
            raise MienError(
                f"cannot write {options.json} as a new file ({error.strerror}); choose another name"
            ) from error
    print(found.markdown())
