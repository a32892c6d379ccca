"""How well a corpus's performances of one sentence are aligned, and which pairs are dropped.

Every pair that training would cross is aligned and judged as training does it (`data.pairs`). Where
the words' phones are known in both clips, they say independently how far the path is off.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mien.data.clips import Clip, Corpus
from mien.data.pairs import Aligned, Settings, aligned, without_speech
from mien.data.phones import SILENCE
from mien.errors import MienError
from mien.evaluate.shown import marked, table
from mien.face import Face

MOST_SHOWN = 60
"""Pairs in the printed table: those with the least agreement; the JSON has all."""

HEADS = (
    "n", "m", "frames", "path slope", "lips apart straight, mm", "along the path, mm",
    "longest freeze, s", "frozen", "agreement", "off the words, frames", "dropped because",
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One pair; all but the last three as in `data.quality.Quality`."""

    n: str
    """ids of the clips"""
    m: str
    expressions: tuple[str, str]
    """of n and m, with their levels"""
    frames: int
    """of n that are crossed"""
    slowest: float
    fastest: float
    before: float
    after: float
    freeze: float
    frozen: float
    agreement: float
    off_words: float
    """frames: the median distance of the path from the phones' beginnings, within the frames that
    are crossed; NaN where the phones are not known or not the same"""
    fault: str
    """why the pair is dropped; empty where it is kept"""


@dataclass(frozen=True)
class Alignment:
    """All pairs of a split."""

    pairs: tuple[Row, ...]
    clips: int
    steady: float
    """share of the clips' frames that are steady"""

    def rows(self) -> dict[str, Any]:
        """Return the numbers as plain data, ready for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """Return a Markdown table of the pairs with the least agreement, and the sum of all."""
        worst = sorted(self.pairs, key=lambda row: row.agreement)[:MOST_SHOWN]
        shown = f", {len(worst)} of them shown" if len(worst) < len(self.pairs) else ""
        return (
            f"{table(HEADS, map(_cells, worst))}\n\n{self.clips} clips, {self.steady:.0%} of their "
            f"frames steady; {len(self.pairs)} pairs{shown}. {self._summary()}"
        )

    def _summary(self) -> str:
        kept = [row for row in self.pairs if not row.fault]
        reasons: dict[str, int] = {}
        for row in self.pairs:
            if row.fault:
                reason = row.fault.partition(":")[0]
                reasons[reason] = reasons.get(reason, 0) + 1
        dropped = "".join(f"; {count} dropped: {why}" for why, count in sorted(reasons.items()))
        said = f"{len(kept)} kept{dropped}."
        if kept:
            before, after = (_median(kept, name) for name in ("before", "after"))
            said += (
                f" Medians of the kept: lips {1e3 * before:.2f} mm apart straight, "
                f"{1e3 * after:.2f} mm along the path, agreement {_median(kept, 'agreement'):.2f}"
            )
            off = _median(kept, "off_words")
            said += "." if math.isnan(off) else f", {off:.2f} frames off the words."
        return said


@dataclass(frozen=True, eq=False)
class Found:
    """What `align_split` found: all pairs of a split, over its clips, on the corpus's face."""

    clips: list[Clip]
    """without their speech"""
    pairs: list[Aligned]
    face: Face


def align_split(folder: Path | str, *, split: str = "train", progress: bool = False) -> Found:
    """Align and judge the pairs of a corpus's split.

    MienError where the folder is no corpus or no sentence of it is there under two expressions.
    """
    corpus = Corpus(folder)
    chosen = [record for record in corpus.records if record.split == split]
    bar = tqdm(chosen, "read clips", disable=not progress, leave=False)
    clips = [without_speech(corpus.clip(record.id)) for record in bar]
    pairs = list(aligned(clips, corpus.face, Settings(split=split), progress=progress))
    if not pairs:
        raise MienError(
            f"{folder} holds no sentence of the split {split!r} by one actor under two "
            "expressions; choose another split or add clips of the same sentence"
        )
    return Found(clips, pairs, corpus.face)


def report(found: Found) -> Alignment:
    """Return the numbers of all pairs."""
    frames = sum(clip.frames for clip in found.clips)
    return Alignment(
        pairs=tuple(_row(pair, found.clips) for pair in found.pairs),
        clips=len(found.clips),
        steady=sum(clip.steady[1] - clip.steady[0] for clip in found.clips) / frames,
    )


def _row(pair: Aligned, clips: Sequence[Clip]) -> Row:
    n, m = clips[pair.n], clips[pair.m]
    return Row(
        n=n.id,
        m=m.id,
        expressions=(_expression(n), _expression(m)),
        frames=2 * pair.half,
        **asdict(pair.quality),
        off_words=off_words(pair, n, m),
        fault=pair.fault,
    )


def off_words(pair: Aligned, n: Clip, m: Clip) -> float:
    """Return how far the path is off the phones, in frames of m: as `Row.off_words`."""
    said_n, said_m = ([p for p in clip.phones if p.name != SILENCE] for clip in (n, m))
    if [phone.name for phone in said_n] != [phone.name for phone in said_m]:
        return float("nan")
    on_n = np.array([phone.start * n.fps for phone in said_n])
    on_m = np.array([phone.start * m.fps for phone in said_m])
    crossed = (on_n >= pair.start) & (on_n < pair.start + 2 * pair.half)
    if not crossed.any():
        return float("nan")
    found = np.interp(on_n[crossed], np.arange(len(pair.clock)), pair.clock)
    return float(np.median(np.abs(found - on_m[crossed])))


def _expression(clip: Clip) -> str:
    return f"{clip.emotion} {clip.level:.2g}"


def _median(rows: Sequence[Row], name: str) -> float:
    values = np.array([getattr(row, name) for row in rows])
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else float("nan")


def _cells(row: Row) -> list[str]:
    names = (
        f"{clip} ({expression})"
        for clip, expression in zip((row.n, row.m), row.expressions, strict=True)
    )
    return [
        *names,
        str(row.frames),
        f"{row.slowest:.2f} to {row.fastest:.2f}",
        f"{1e3 * row.before:.2f}",
        f"{1e3 * row.after:.2f}",
        f"{row.freeze:.2f}",
        f"{row.frozen:.0%}",
        marked(f"{row.agreement:.2f}", not row.fault),
        "-" if math.isnan(row.off_words) else f"{row.off_words:.2f}",
        row.fault or "kept",
    ]
