"""Markdown tables of the lips' study, with the targets in the head and misses in bold."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from mien.evaluate.samples import Estimate, Share

COSTS = 3.0  # points of contact recall that a description may cost against neutral


@dataclass(frozen=True)
class Column:
    """One measure in a table."""

    field: str
    """name of the row's field"""
    heading: str
    low: float = -math.inf
    """the least value that meets the target"""
    high: float = math.inf
    """the largest"""
    scale: float = 1.0
    """what the value is multiplied by to be printed"""
    digits: int = 1


TARGETED = (
    Column("contact", "p, b, m in contact, ≥ 95 %", low=0.95),
    Column("penetration", "lips in each other, ≤ 1 %", high=0.01),
    Column("false_contacts", "vowels shut, ≤ 3 %", high=0.03),
    Column("labiodentals", "f, v on the teeth, ≥ 85 %", low=0.85),
    Column("order", "openness order, ≥ 0.8", low=0.8, digits=2),
    Column("opening", "opening ÷ truth's, 0.8-1.2", low=0.8, high=1.2, digits=2),
    Column("lag", "lag, frames, within ±1", low=-1, high=1, digits=2),
    Column("speed", "speed in silence, mm/s, ≤ 2", high=2),
)
FURTHER = (
    Column("closure_ratio", "closure ÷ phone, median", digits=2),
    Column("closure_seconds", "closure, ms, median", scale=1e3, digits=0),
    Column("vowel_gap", "vowels' gap, mm"),
    Column("narrowing", "narrower when rounded, mm"),
    Column("told_apart", "rounded told from spread", digits=2),
    Column("voice_lag", "lag after the voice, frames, median"),
    Column("jitter", "above 10 Hz, mm", digits=3),
    Column("resting", "shut in silence"),
)


def table(rows: Sequence[Any], columns: Sequence[Column]) -> str:
    """Return a Markdown table: a row for each description, a cell for each column.

    In brackets stand the number of cases and the 95 % interval: Wilson's of a share, else the
    bootstrap's.
    """
    heads = ["description", *(column.heading for column in columns)]
    lines = [heads, ["---"] * len(heads)]
    for row in rows:
        name = row.description.replace("|", " ")
        lines.append([name, *(_cell(getattr(row, column.field), column) for column in columns)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(measured: Share | Estimate, column: Column) -> str:
    value = measured.value
    if math.isnan(value):
        return "-"
    if isinstance(measured, Share):
        low, high = (100 * end for end in measured.interval)
        shown = f"{100 * value:.1f} %"
        around = f"{measured.hits}/{measured.total}, {low:.0f}-{high:.0f}"
    else:
        ends = (value, measured.low, measured.high)
        shown, low, high = (f"{column.scale * end:.{column.digits}f}" for end in ends)
        around = f"{measured.cases}, {low} to {high}"
    missed = not column.low <= value <= column.high
    return f"{'**' if missed else ''}{shown}{'**' if missed else ''} ({around})"
