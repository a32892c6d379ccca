"""Are descriptions read rightly? Each wording must land nearest to its own state.

Convention: the description is animated over silence (`settled`) as it stands, and what it settles
to is compared, in coefficients, with every state at the wording's own level. Top-1 counts wordings
whose own state is nearest, top-3 those whose own state is among the three nearest. Beside it stands
the baseline of `nearest`, on the same wordings.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from tqdm import tqdm

from mien.data.simulate.bank import KINDS, Bank
from mien.errors import MienError
from mien.evaluate.nearest import Embed, minilm, nearest_states
from mien.evaluate.samples import Estimate, Share, estimate
from mien.evaluate.shown import marked, percent, table
from mien.settled import (
    Animates,
    settled_coefficients,
    silence,
    state_coefficients,
)

NEAR = 3  # states that count as near
TOP_1, TOP_3, AHEAD = 0.80, 0.93, 10.0  # wanted; the last in points of top-1 over the baseline
SHOWN = 12  # confusions that are printed


@dataclass(frozen=True)
class Read:
    """One wording, and what it was taken for."""

    text: str
    state: str
    kind: str
    """words or sentences"""
    nearest: tuple[str, ...]
    """the three states nearest to the animation, the nearest first"""
    baseline: tuple[str, ...]
    """the baseline's three"""


@dataclass(frozen=True)
class Retrieval:
    """How many of some wordings were read rightly."""

    top1: Share
    top3: Share
    baseline_top1: Share
    baseline_top3: Share
    ahead: Estimate
    """points of top-1 over the baseline's; a case is a wording"""

    @classmethod
    def of(cls, reads: Iterable[Read]) -> "Retrieval":
        """Count."""
        reads = list(reads)
        ours, theirs = [r.nearest for r in reads], [r.baseline for r in reads]
        own = [read.state for read in reads]
        first = [[a[:1], b[:1]] for a, b in zip(ours, theirs, strict=True)]
        gained = [(s in a) - float(s in b) for s, (a, b) in zip(own, first, strict=True)]
        return cls(
            top1=_share(own, [one[:1] for one in ours]),
            top3=_share(own, ours),
            baseline_top1=_share(own, [one[:1] for one in theirs]),
            baseline_top3=_share(own, theirs),
            ahead=estimate(100 * np.array(gained)),
        )


@dataclass(frozen=True)
class Reading:
    """Every wording of a split, read."""

    reads: tuple[Read, ...]
    states: int
    """how many states there are to choose from"""

    @property
    def total(self) -> Retrieval:
        """All wordings together."""
        return Retrieval.of(self.reads)

    def by(self, field: str) -> dict[str, Retrieval]:
        """The wordings of each `kind` or `state`, in their order."""
        names = dict.fromkeys(getattr(read, field) for read in self.reads)
        return {n: Retrieval.of(r for r in self.reads if getattr(r, field) == n) for n in names}

    def confusions(self) -> list[tuple[str, str, int]]:
        """(state, read as, how often), the most frequent first."""
        pairs = ((read.state, read.nearest[0]) for read in self.reads)
        counted = Counter(pair for pair in pairs if pair[0] != pair[1])
        return [(state, other, times) for (state, other), times in counted.most_common()]

    def rows(self) -> dict[str, Any]:
        """Return the counts and every wording as plain data, ready for JSON."""
        return {
            "states": self.states,
            "total": _row(self.total),
            "kinds": {name: _row(one) for name, one in self.by("kind").items()},
            "by_state": {name: _row(one) for name, one in self.by("state").items()},
            "confusions": self.confusions(),
            "wordings": [
                {"text": r.text, "state": r.state, "kind": r.kind, "nearest": list(r.nearest),
                 "baseline": list(r.baseline)}
                for r in self.reads
            ],
        }  # fmt: skip

    def markdown(self) -> str:
        """Return tables of all wordings, of kinds and of states, and the commonest confusions.

        Targets stand in the heads, misses are bold.
        """
        total = self.total
        heads = ["wordings", f"top-1, ≥ {TOP_1:.0%}", f"top-3, ≥ {TOP_3:.0%}", "baseline top-1",
                 "baseline top-3", f"points ahead, ≥ {AHEAD:g}"]  # fmt: skip
        lines = [["all", *_cells(total, TOP_1, TOP_3, AHEAD)]]
        lines += [[name, *_cells(one)] for name, one in self.by("kind").items()]
        parts = [
            f"{len(self.reads)} wordings, {self.states} states; chance is "
            f"{1 / self.states:.1%} and {min(1, NEAR / self.states):.1%}.",
            table(heads, lines),
            self._states(),
        ]
        if confusions := self.confusions()[:SHOWN]:
            said = (f"{state} read as {other} ({times})" for state, other, times in confusions)
            parts.append(f"The most frequent confusions: {', '.join(said)}.")
        return "\n\n".join(parts)

    def _states(self) -> str:
        """Return the table of states, the worst read first."""
        confusions = self.confusions()
        rows = sorted(self.by("state").items(), key=lambda row: (row[1].top1.value, row[0]))
        lines = []
        for name, one in rows:
            taken = [f"{other} ({times})" for state, other, times in confusions if state == name]
            lines.append([name, percent(one.top1), f"{one.top3.value:.0%}",
                          f"{one.baseline_top1.value:.0%}", ", ".join(taken[:3])])  # fmt: skip
        return table(["state", "top-1", "top-3", "baseline top-1", "read as"], lines)


def reading(
    animator: Animates,
    *,
    split: str = "test",
    bank: Bank | None = None,
    embed: Embed | None = None,
    progress: bool = False,
) -> Reading:
    """Read every wording of a split of the bank (default: ours).

    `embed` makes the baseline's embeddings; MiniLM does by default. Raises MienError for a split
    that is not there, or is empty.
    """
    bank = bank or Bank.load()
    names = list(bank.entries)
    wordings = [(name, wording) for name in names for wording in bank.descriptions(name, split)]
    if not wordings:
        raise MienError(f"the bank has no wording in its split {split!r}; choose another split")
    embed = embed or minilm(progress=progress)
    baseline = nearest_states(embed, bank, [wording.text for _, wording in wordings])
    features, face = silence(animator), animator.face

    @cache
    def targets(level: float) -> np.ndarray:
        return np.stack([state_coefficients(face, name, level) for name in names])

    reads = []
    bar = tqdm(wordings, "read wordings", unit="wording", disable=not progress)
    for (state, wording), likest in zip(bar, baseline, strict=True):
        made = settled_coefficients(animator, features, wording.text)
        distances = np.linalg.norm(targets(wording.level or 1.0) - made, axis=1)
        nearest = tuple(names[place] for place in np.argsort(distances)[:NEAR])
        reads.append(Read(wording.text, state, wording.kind, nearest, tuple(likest[:NEAR])))
    reads.sort(key=lambda read: KINDS.index(read.kind))
    return Reading(tuple(reads), len(names))


def _share(own: list[str], found: list[tuple[str, ...]]) -> Share:
    return Share(sum(s in names for s, names in zip(own, found, strict=True)), len(own))


def _row(one: Retrieval) -> dict[str, Any]:
    shares = ("top1", "top3", "baseline_top1", "baseline_top3")
    row: dict[str, Any] = {
        name: {"hits": share.hits, "total": share.total, "value": share.value,
               "interval": share.interval}
        for name in shares
        for share in [getattr(one, name)]
    }  # fmt: skip
    ahead = one.ahead
    return row | {"ahead": {"value": ahead.value, "low": ahead.low, "high": ahead.high}}


def _cells(
    one: Retrieval, top1: float = 0.0, top3: float = 0.0, ahead: float = -np.inf
) -> list[str]:
    points = marked(f"{one.ahead.value:.1f}", one.ahead.value >= ahead)
    return [
        percent(one.top1, least=top1),
        percent(one.top3, least=top3),
        percent(one.baseline_top1),
        percent(one.baseline_top3),
        f"{points} ({one.ahead.low:.1f} to {one.ahead.high:.1f})",
    ]
