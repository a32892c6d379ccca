"""The face that a description settles to: animated over silence, read where it has arrived.

The measures of words look at a still face, so that what is said does not count. A description is
animated over a second and a half of silence from rest, and the mean of the last third of a second
is what it settles to.
"""

from typing import Protocol

import numpy as np

from mien import audio
from mien.data.simulate.expressions import STATES
from mien.face import Face

SECONDS = 1.5
SETTLED = 10  # frames at the end that are averaged
NEUTRAL = "neutral"
"""The state at rest, and the description that asks for it."""


class Animates(Protocol):
    """What the measures of words need of an animator."""

    face: Face

    def encode_speech(self, speech: np.ndarray) -> np.ndarray: ...

    def run(
        self, features: np.ndarray, description: str, *, strength: float = 1.0
    ) -> np.ndarray: ...

    def solve(self, coefficients: np.ndarray) -> np.ndarray: ...


def silence(animator: Animates) -> np.ndarray:
    """Return the speech_features (45, 384) of the silence, which are heard once for all."""
    return animator.encode_speech(np.zeros(audio.seconds_to_samples(SECONDS), np.float32))


def settled_coefficients(
    animator: Animates, features: np.ndarray, description: str, *, strength: float = 1.0
) -> np.ndarray:
    """Return the coefficients (K,), metres, that a description settles to over the features."""
    return animator.run(features, description, strength=strength)[-SETTLED:].mean(0)


def settled_weights(animator: Animates, features: np.ndarray, description: str) -> np.ndarray:
    """Return the weights (U,) in [0, 1] that a description settles to over the features."""
    return animator.solve(animator.run(features, description))[-SETTLED:].mean(0)


def state_coefficients(face: Face, state: str, level: float) -> np.ndarray:
    """Return the coefficients (K,), metres, of a state as the simulated actor holds it."""
    return face.weights_to_coefficients(
        face.limit(STATES[state].weights_at(level, face.unit_names))
    )
