"""Does a phrase of parts move the right units, on the right side, and leave the others alone?

Each phrase of `phrases` is animated over silence (`settled`); its demands are held against the
weights that it settles to, less those of "neutral". A phrase is right when all its demands are met.
A face that never moves meets all demands to stay: what it would reach is printed beside.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from mien.evaluate.phrases import KINDS, Demand, Phrase
from mien.evaluate.samples import Share
from mien.evaluate.shown import percent, table
from mien.face import UNIT_NAMES
from mien.settled import NEUTRAL, Animates, settled_weights, silence

TARGET = 0.85  # phrases that should be right


@dataclass(frozen=True)
class Judged:
    """A phrase and what the face did."""

    phrase: Phrase
    measured: tuple[float, ...]
    """for each demand, how much its unit changed; see `Demand.measured`"""
    met: tuple[bool, ...]
    """for each demand, whether it was met"""


@dataclass(frozen=True)
class Composition:
    """All phrases, judged."""

    judged: tuple[Judged, ...]

    @property
    def phrases(self) -> Share:
        """Phrases with all demands met."""
        return _share(all(one.met) for one in self.judged)

    def demands(self, sign: str | None = None) -> Share:
        """Demands that are met: all, or those of one of `phrases.KINDS`."""
        return _share(met for demand, met in self._demands() if sign in (None, demand.sign))

    def still(self, sign: str | None = None) -> Share:
        """Demands that a face which never moves would meet."""
        return _share(d.sign == "-" for d, _ in self._demands() if sign in (None, d.sign))

    def rows(self) -> dict[str, Any]:
        """Return every phrase and the shares as plain data, ready for JSON."""
        shares = {"phrases": self.phrases, "demands": self.demands()}
        shares |= {kind: self.demands(sign) for sign, kind in KINDS.items()}
        counted = {
            name: {"hits": one.hits, "total": one.total, "value": one.value,
                   "interval": one.interval}
            for name, one in shares.items()
        }  # fmt: skip
        judged = [
            {
                "phrase": one.phrase.text,
                "demands": [
                    {"demand": demand.text, "measured": found, "met": met}
                    for demand, found, met in zip(
                        one.phrase.demands, one.measured, one.met, strict=True
                    )
                ],
            }
            for one in self.judged
        ]
        return counted | {"judged": judged}

    def markdown(self) -> str:
        """Return a table of the shares, and the phrases that are not right with what they did."""
        lines = [["phrases with all demands met", f"≥ {TARGET:.0%}",
                  percent(self.phrases, least=TARGET),
                  percent(_share(all(d.sign == "-" for d in one.phrase.demands)
                                 for one in self.judged))],
                 ["demands met", "", percent(self.demands()), percent(self.still())]]  # fmt: skip
        said = {"+": "… to rise", "-": "… to stay", ">": "… on a side"}
        lines += [
            [said[sign], "", percent(self.demands(sign)), percent(self.still(sign))]
            for sign in KINDS
        ]
        parts = [table(["measure", "target", "found", "a still face"], lines)]
        wrong = [one for one in self.judged if not all(one.met)]
        if wrong:
            parts.append("Not right, with the changes that were found:")
            parts.append("\n".join(f"- {one.phrase.text}: {_missed(one)}" for one in wrong))
        return "\n\n".join(parts)

    def _demands(self) -> list[tuple[Demand, bool]]:
        return [
            pair for one in self.judged for pair in zip(one.phrase.demands, one.met, strict=True)
        ]


def composition(
    animator: Animates, phrases: Sequence[Phrase], *, progress: bool = False
) -> Composition:
    """Animate every phrase and judge it."""
    features = silence(animator)
    rest = settled_weights(animator, features, NEUTRAL)
    judged = []
    for phrase in tqdm(phrases, "compose phrases", unit="phrase", disable=not progress):
        moved = settled_weights(animator, features, phrase.text) - rest
        judged.append(judge(phrase, moved))
    return Composition(tuple(judged))


def judge(phrase: Phrase, moved: np.ndarray) -> Judged:
    """Hold a phrase's demands against changes of the weights (U,), in the order of UNIT_NAMES."""
    changes = dict(zip(UNIT_NAMES, moved.tolist(), strict=True))
    return Judged(
        phrase,
        tuple(demand.measured(changes) for demand in phrase.demands),
        tuple(demand.met(changes) for demand in phrase.demands),
    )


def _share(hits: Iterable[bool]) -> Share:
    found = list(hits)
    return Share(sum(found), len(found))


def _missed(one: Judged) -> str:
    """Return the demands that are not met, with what was measured."""
    told = zip(one.phrase.demands, one.measured, one.met, strict=True)
    return ", ".join(f"`{demand.text}` {found:+.2f}" for demand, found, met in told if not met)
