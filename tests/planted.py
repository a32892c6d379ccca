"""An animator with planted answers and a bank of a few wordings, for the measures of words."""

import numpy as np

from mien.animation import Animation
from mien.audio import FPS, frame_count
from mien.data.simulate.bank import SPLITS, Bank, Description
from mien.data.simulate.expressions import STATES
from mien.face import UNIT_NAMES, Face

REST = np.zeros(len(UNIT_NAMES), np.float32)


class Planted:
    """Shows the weights (U,) planted for a description, times the strength; else the rest's.

    The expression arrives late, over the first half: what counts is where it settles.
    """

    def __init__(self, answers, *, rest=REST):
        self.face, self.answers, self.rest = Face.load(), answers, rest

    def encode_speech(self, speech):
        return np.zeros((frame_count(len(speech)), 384), np.float32)

    def run(self, features, description, *, strength=1.0):
        asked = self.answers.get(description, self.rest) if strength else self.rest
        weights = self.face.limit(np.clip(strength * asked, 0, 1))
        arrived = np.linspace(0, 2, len(features)).clip(0, 1)[:, None]
        return arrived * self.face.weights_to_coefficients(weights)

    def solve(self, coefficients, features=None):
        return self.face.coefficients_to_weights(coefficients)

    def animate(self, speech, description, *, features):
        """One description throughout; a timeline needs a twin that knows how to change."""
        coefficients = self.run(features, description)
        return Animation(self.solve(coefficients), FPS, self.face, speech)


def weights_of(**amounts):
    """Weights (U,) with these amounts of units, the others 0."""
    return np.array([amounts.get(name, 0.0) for name in UNIT_NAMES], np.float32)


def weights_of_state(name, level=1.0):
    """Weights (U,) of a state at a level."""
    return STATES[name].weights_at(level, UNIT_NAMES)


def small_bank(**wordings):
    """A bank of states -> split -> descriptions; a text stands for words without a level."""
    return Bank(
        {
            state: {
                split: tuple(
                    Description(one) if isinstance(one, str) else one
                    for one in splits.get(split, ())
                )
                for split in SPLITS
            }
            for state, splits in wordings.items()
        }
    )
