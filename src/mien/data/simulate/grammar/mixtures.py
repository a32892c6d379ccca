"""Draws of two feelings shown at once, in equal parts or with one of them the stronger."""

import numpy as np

from mien.data.simulate.expressions import STATES, mixture
from mien.data.simulate.grammar.clauses import Speaker
from mien.data.simulate.grammar.feelings import filled, two_feelings
from mien.data.simulate.grammar.lists import chance, frames
from mien.data.simulate.grammar.units import Drawn, belongs, finished

SHARES = {"equal": 0.5, "mostly": 0.7}
"""What the first feeling has of a mixture; the second has the rest."""


def draw_mixture(random: np.random.Generator, split: str) -> Drawn:
    """A text and its weights."""
    kind = "equal" if chance(random, 0.5) else "mostly"
    while True:
        x, y = two_feelings(random)
        if belongs([x.name, y.name], split):
            break
    text = filled(random, split, frames(f"mixture.{kind}").pick(random, split), x=x, y=y)
    text = finished(text.replace("{subject}", Speaker(random, split).subject))
    return text, dict(mixture(STATES[x.name], STATES[y.name], SHARES[kind]).weights)
