"""How the measures of words print: Markdown tables, shares and averages with their intervals."""

import math
from collections.abc import Iterable, Sequence

from mien.evaluate.samples import Estimate, Share


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table; bars inside cells become spaces, for they would part them."""
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', ' ') for cell in row)} |" for row in lines)


def percent(share: Share, *, least: float = -math.inf) -> str:
    """Return a share with its hits, total and 95 % Wilson interval in per cent; bold where it is
    under `least`, "-" of nothing."""
    if not share.total:
        return "-"
    low, high = (100 * end for end in share.interval)
    shown = marked(f"{100 * share.value:.1f} %", share.value >= least)
    return f"{shown} ({share.hits}/{share.total}, {low:.0f}-{high:.0f})"


def average(one: Estimate, *, scale: float = 1.0, digits: int = 2) -> str:
    """Return an estimate with its cases and 95 % bootstrap interval; "-" where it is no number."""
    if math.isnan(one.value):
        return "-"
    value, low, high = (f"{scale * end:.{digits}f}" for end in (one.value, one.low, one.high))
    return f"{value} ({one.cases}, {low} to {high})"


def marked(text: str, met: bool) -> str:
    """Return the text, in bold where what it says misses its target."""
    return text if met else f"**{text}**"
