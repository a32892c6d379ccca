"""mien describe: a language model describes the clips of a corpus, and its labels."""

import argparse
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from mien.cli.options import add_jobs, number, positive, several, whole
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.asked import Asked, Plan
    from mien.data.clips import Corpus
    from mien.data.describe import Report
    from mien.data.line import Price
    from mien.data.vision import Service

PICTURE_TOKENS = 1100.0
"""What a picture counts with Gemini 3; with Gemini 2 it is 258, elsewhere 85 to 500."""


def add(verbs: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    verb = verbs.add_parser(
        "describe", help="let a language model that sees describe a corpus (needs a key)"
    )
    verb.add_argument("corpus", type=Path, help="folder with the corpus")
    verb.add_argument("--model", required=True, help="gemini-…, or any that the endpoint has")
    verb.add_argument(
        "--endpoint", metavar="URL", help="an OpenAI-compatible service, up to its /v1"
    )
    verb.add_argument(
        "--key",
        metavar="VARIABLE",
        help="environment variable that holds the key; default GEMINI_API_KEY or GOOGLE_API_KEY, "
        "OPENAI_API_KEY for api.openai.com, none for other endpoints",
    )
    verb.add_argument("--pieces", type=several, default=5, help="of each clip; default 5")
    verb.add_argument("--pictures", type=several, default=15, help="of each piece; default 15")
    verb.add_argument("--drawn", action="store_true", help="draw faces, also where there is video")
    verb.add_argument("--clips", type=several, help="only so many clips, the first ones")
    verb.add_argument("--seed", type=whole, default=0, help="of the choice of pieces; default 0")
    add_jobs(verb, jobs=4, what="clips at a time")
    verb.add_argument("--per-minute", type=positive, help="requests at most; for each worker")
    verb.add_argument("--timeout", type=positive, default=60.0, help="seconds; default 60")
    verb.add_argument(
        "--prices", type=Path, help='JSON: {"model": {"input": …, "output": …}}, $ a million tokens'
    )
    verb.add_argument(
        "--picture-tokens",
        type=number,
        default=PICTURE_TOKENS,
        help=f"of a picture, for the estimate; default {PICTURE_TOKENS:.0f}",
    )
    verb.add_argument("--dry-run", action="store_true", help="write the prompts, and ask nothing")
    verb.add_argument("--yes", action="store_true", help="start without asking back")
    verb.set_defaults(act=_describe)


def _describe(options: argparse.Namespace) -> None:
    from mien.data import asked, describe, line, vision
    from mien.data.clips import Corpus

    service = vision.Service(options.model, options.endpoint, options.key, timeout=options.timeout)
    wanted = asked.Asked(
        pieces=options.pieces,
        pictures=min(options.pictures, asked.PIECE),
        seed=options.seed,
        drawn=options.drawn,
        clips=options.clips,
    )
    price = line.read_price(options.prices, options.model) if options.prices else None
    corpus = Corpus(options.corpus)
    work = asked.plan(corpus, service, wanted)
    if options.dry_run:
        _write_prompts(corpus, wanted, work)
        return
    service.check()
    print(_estimate(work, wanted, service, price, options.picture_tokens), file=sys.stderr)
    if not work.questions:
        return
    _agree(options.yes)
    with tqdm(total=work.questions, desc="describe", unit="question") as bar:

        def heard(report: "Report") -> None:
            bar.set_postfix_str(_cost(report.tokens, price), refresh=False)
            bar.update()

        report = describe.describe(
            corpus,
            service,
            wanted,
            work,
            manners=line.Manners(per_minute=options.per_minute),
            at_once=options.jobs,
            scheduler=options.dask,
            heard=heard,
        )
    print(f"{options.corpus}: {_summary(report, price)}")
    for reason, detail in sorted(report.details.items()):
        print(f"mien: {report.lost[reason]:,} {reason}, for one: {detail}", file=sys.stderr)
    again = sum(n for reason, n in report.lost.items() if reason not in vision.LASTING)
    if again:
        print(f"mien: run it again for {again:,} that may be answered then", file=sys.stderr)


def _estimate(
    work: "Plan",
    asked: "Asked",
    service: "Service",
    price: "Price | None",
    picture_tokens: float,
) -> str:
    before = f"{work.answered:,} answered before, {work.given_up:,} given up"
    if not work.questions:
        return f"mien: nothing is left to ask ({before})"
    read, written = (round(count, -2) for count in work.tokens(asked, picture_tokens))
    return (
        f"mien: {work.questions:,} questions about {len(work.clips):,} clips and "
        f"{len({one.label for one in work.labels}):,} labels ({before}) go to {service.model} at "
        f"{service.host}, with pictures of the faces; about {_cost((read, written), price)}"
        + ("" if price else "; give --prices for dollars")
    )


def _agree(yes: bool) -> None:
    """Ask back on a terminal; MienError where the answer is no, or nobody can answer."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise MienError("nobody can be asked whether to start; give --yes to start")
    print("start? [y/N] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise MienError("not started; nothing was sent")


def _cost(tokens: tuple[float, float], price: "Price | None") -> str:
    text = f"{tokens[0]:,.0f} tokens read, {tokens[1]:,.0f} written"
    return f"{text}, {price.dollars(tokens):,.2f} dollars" if price else text


def _summary(report: "Report", price: "Price | None") -> str:
    lost = "".join(f", {count:,} {reason}" for reason, count in sorted(report.lost.items()))
    return f"{report.answers:,} answers{lost}; {_cost(report.tokens, price)}"


def _write_prompts(corpus: "Corpus", asked: "Asked", work: "Plan") -> None:
    """Write all prompts, and the pictures of the first clip, to the folder `prompts`."""
    from mien.data import asked as asking
    from mien.data import describe

    folder = corpus.folder / "prompts"
    folder.mkdir(exist_ok=True)
    lines = [json.dumps(one, ensure_ascii=False) for one in asking.prompts(asked, work)]
    _put(folder / "prompts.jsonl", "".join(f"{line}\n" for line in lines).encode())
    shown = 0
    for one in work.clips[:1]:
        frames = [t for _, piece in one.questions for t in asking.shown_frames(piece, asked)]
        found = describe.clip_pictures(corpus.folder, one.record, frames, drawn=asked.drawn)
        shown = len(found)
        for frame, picture in found.items():
            _put(folder / f"{one.record.id}-{frame:05d}.jpg", picture)
    print(f"{folder}: {len(lines):,} prompts, and {shown} pictures of the first clip")


def _put(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    os.replace(part, path)
