"""The grammar of descriptions: texts about parts of the face, with the exact weights they mean.

Four kinds: unit-level phrases ("brows raised, lips pressed, left eye closing"), denials ("happy but
not smiling"), regions ("sad eyes but a small smile") and mixtures ("a mix of fear and disgust");
and strength wordings for the bank's texts. Left and right are the face's own. Train, validation and
test differ in words, frames and combinations (see lists.py): no test draw, nor one that differs by
a word, can be drawn for training.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mien.data.simulate.grammar.lists import SPLITS, check_split, held_stems, is_held_out
from mien.data.simulate.grammar.mixtures import draw_mixture
from mien.data.simulate.grammar.negation import draw_negation
from mien.data.simulate.grammar.regions import draw_region
from mien.data.simulate.grammar.strength import strengthened
from mien.data.simulate.grammar.units import draw_units
from mien.errors import MienError

__all__ = ["KINDS", "SPLITS", "Composition", "draw", "held_stems", "strengthened"]

DRAWERS = {
    "units": draw_units,
    "negation": draw_negation,
    "region": draw_region,
    "mixture": draw_mixture,
}
KINDS = tuple(DRAWERS)
SHARES = np.cumsum([0.38, 0.25, 0.24, 0.13])
"""Up to which number in [0, 1) each kind is drawn."""


@dataclass(frozen=True)
class Composition:
    """A description made by the grammar."""

    text: str
    weights: Mapping[str, float]
    """Unit -> weight in (0, 1] at level 1; absent units are 0, so rest is empty."""
    kind: str
    """One of KINDS."""


def draw(random: np.random.Generator, split: str, kind: str | None = None) -> Composition:
    """A description that belongs to a split, of any kind or a given one.

    The same generator state gives the same draw. Raises MienError for an unknown split or kind.
    """
    check_split(split)
    if kind is not None and kind not in DRAWERS:
        raise MienError(f"no kind {kind!r} in the grammar; choose from {', '.join(KINDS)}")
    chosen = kind or KINDS[int(np.searchsorted(SHARES, random.random(), side="right"))]
    while True:
        text, weights = DRAWERS[chosen](random, split)
        if is_held_out(text, split):
            return Composition(text, {u: round(a, 4) for u, a in weights.items() if a}, chosen)
