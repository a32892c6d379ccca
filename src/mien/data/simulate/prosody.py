"""How a take is spoken: rate, pitch and loudness, apart from the expression or led by it.

Independent prosody is the default's: an expression must not be read from the voice, since the
description alone decides it. Confounded prosody follows the acted emotion as actors' voices do;
with it the experiments show what disentanglement is worth.
"""

from dataclasses import dataclass

import numpy as np

from mien.data.simulate.expressions import State

KINDS = ("independent", "confounded")

# Mean changes at arousal 1, level 1. Directions and order of size after Scherer (2003, table 2) and
# Banse and Scherer (1996): hot anger, panic and elation raise mean F0, its range, intensity and
# speech rate; sadness and boredom lower all four. Valence is heard much less, mostly in the range.
RATE_BY_AROUSAL = 0.20
PITCH_BY_AROUSAL = 0.18
SPAN_BY_AROUSAL, SPAN_BY_VALENCE = 0.45, 0.15
LOUDNESS_BY_AROUSAL = 6.0  # dB
DYNAMICS_BY_AROUSAL = 0.2
SPREAD, LOUDNESS_SPREAD = 0.03, 1.0  # standard deviations of what is left to chance: share, dB


@dataclass(frozen=True)
class Prosody:
    """The fields of `speech.Voice` that a take sets; 1 or 0 dB is the voice's own."""

    rate: float
    pitch: float
    span: float
    loudness: float
    dynamics: float


def independent(random: np.random.Generator, *, rate: float) -> Prosody:
    """Draw how a take is spoken, whatever it expresses."""
    return _rounded(
        rate=rate,
        pitch=random.uniform(0.85, 1.2),
        span=random.uniform(0.6, 1.5),
        loudness=random.uniform(-6.0, 6.0),
        dynamics=random.uniform(0.8, 1.25),
    )


def confounded(random: np.random.Generator, *, state: State, level: float) -> Prosody:
    """Draw how a take is spoken under an expression at a level, led by its arousal and valence."""
    arousal, valence = level * state.arousal, level * state.valence
    chance = 1 + random.normal(0.0, SPREAD, 4)
    return _rounded(
        rate=(1 + RATE_BY_AROUSAL * arousal) * chance[0],
        pitch=(1 + PITCH_BY_AROUSAL * arousal) * chance[1],
        span=(1 + SPAN_BY_AROUSAL * arousal + SPAN_BY_VALENCE * valence) * chance[2],
        loudness=LOUDNESS_BY_AROUSAL * arousal + random.normal(0.0, LOUDNESS_SPREAD),
        dynamics=(1 + DYNAMICS_BY_AROUSAL * arousal) * chance[3],
    )


def _rounded(**values: float) -> Prosody:
    return Prosody(**{name: round(float(value), 3) for name, value in values.items()})
