"""The simulated actor: speaks known phones under a known expression.

`perform` is a pure function, so the truth of a sentence under any other expression, at any level,
is one more call with the same phones: it is what cross-reconstruction is measured against.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.clips import Phone
from mien.data.simulate import lips
from mien.data.simulate.articulation import Content, Style, articulate
from mien.data.simulate.expressions import State
from mien.face import UNIT_NAMES, Face

MOVEMENT, MOUTH_MOVEMENT = 0.05, 0.02
"""Standard deviation of an expression's slow drift, as a share of each unit's weight."""

CLENCH = 0.4
"""How much of the jaw's opening is lost when the lips are pressed fully."""

KEPT_OPENING = 0.85
"""Under every expression the lips part at least this share of what neutral speech does."""

SLOWEST, FASTEST = 0.08, 0.45
"""Hz: the band of that drift."""

LATEST_START = 0.15
"""Seconds: the expression begins between 0 and this."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What the actor did."""

    weights: np.ndarray
    """(T, 52) float32 in [0, 1], within the face's limits"""
    steady: tuple[int, int]
    """frames start ≤ t < stop within which the expression has its full level"""


def perform(
    phones: Sequence[Phone],
    frames: int,
    *,
    fps: float,
    state: State,
    level: float,
    style: Style,
    seed: int,
    face: Face,
) -> Performance:
    """Return the performance of `phones` over `frames` frames at t / fps.

    `level` 0 is neutral, 1 the state as written, up to 1.5. `seed` moves only the expression's
    start and its slow drift. The same arguments give the same performance.
    """
    random = np.random.default_rng([seed, 11])
    content = articulate(phones, frames, fps=fps, style=style, face=face)
    start = random.uniform(0, LATEST_START)
    times = np.arange(frames) / fps
    arrived = _ease((times - start) / state.onset)
    expression = arrived[:, None] * state.weights_at(level, UNIT_NAMES).astype(np.float64)
    expression *= 1 + _drift(times, random)
    weights = combine(content, expression)
    weights = lips.meet_demands(
        weights,
        closure=content.closure,
        labiodental=content.labiodental,
        floor=_least_gap(content, expression, face),
        face=face,
    )
    return Performance(
        weights=weights.astype(np.float32),
        steady=(min(int(np.ceil((start + state.onset) * fps)), frames), frames),
    )


def combine(content: Content, expression: np.ndarray) -> np.ndarray:
    """Return weights (T, 52) of speech and expression together, before limits and demands.

    Speech and expression compete for the mouth: while speaking, an expression keeps its lips
    corners and its shape but not its own open jaw or sealed lips; a smile flattens rounding and
    rounding narrows the smile; pressed lips mean a clenched jaw, which opens less.
    """
    said, shown = content.weights.copy(), np.clip(expression, 0.0, 1.0)
    smile, pressed = _mean(shown, "mouthSmile"), _mean(shown, "mouthPress")
    rounding = np.minimum(_sum(said, "mouthFunnel", "mouthPucker"), 1.0)
    speaking = content.speaking
    _scale(shown, ("jawOpen",), 1 - 0.75 * speaking)
    _scale(shown, ("mouthPress", "mouthRoll", "mouthShrug"), 1 - 0.75 * speaking)
    _scale(shown, ("mouthFunnel", "mouthPucker"), 1 - 0.4 * speaking)
    _scale(shown, ("mouthUpperUp", "mouthLowerDown"), 1 - 0.35 * speaking)
    _scale(shown, ("mouthSmile", "mouthStretch", "mouthDimple"), 1 - 0.55 * rounding)
    _scale(said, ("mouthFunnel", "mouthPucker"), 1 - 0.3 * smile)
    _scale(said, ("jawOpen",), 1 - CLENCH * pressed)
    # What both want is not doubled: the larger holds, and the smaller adds half of itself.
    return np.maximum(said, shown) + 0.5 * np.minimum(said, shown)


def _least_gap(content: Content, expression: np.ndarray, face: Face) -> np.ndarray:
    """Return the least gap (T,) in metres that keeps speech readable under the expression.

    A smile draws the lips together and would mumble; only a clenched jaw may narrow the opening.
    """
    clenched = CLENCH * np.clip(_mean(expression, "mouthPress"), 0.0, 1.0)
    opening = lips.gap_of(face.limit(content.weights), face)
    return np.maximum(content.floor, KEPT_OPENING * (1 - clenched) * opening)


def _scale(weights: np.ndarray, stems: tuple[str, ...], factor: np.ndarray) -> None:
    weights[:, _columns(*stems)] *= factor[:, None]


def _mean(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].mean(axis=1)


def _sum(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].sum(axis=1)


def _columns(*stems: str) -> list[int]:
    """Return the places of all units whose names begin so."""
    return [place for place, name in enumerate(UNIT_NAMES) if name.startswith(stems)]


def _drift(times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return slow movement (T, 52) around 0; both sides of the face drift mostly together."""
    stems = [name.removesuffix("Left").removesuffix("Right") for name in UNIT_NAMES]
    shared = {stem: _wander(times, random) for stem in sorted(set(stems))}
    drift = np.stack([0.9 * shared[stem] + 0.4 * _wander(times, random) for stem in stems], axis=1)
    mouth = np.array([name.startswith(("mouth", "jaw", "tongue")) for name in UNIT_NAMES])
    return drift * np.where(mouth, MOUTH_MOVEMENT, MOVEMENT)


def _wander(times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return band-limited noise (T,) of unit variance: a few slow waves."""
    waves = 4
    rates = random.uniform(SLOWEST, FASTEST, waves)
    phases = random.uniform(0, 2 * np.pi, waves)
    return np.sin(2 * np.pi * times[:, None] * rates + phases).sum(axis=1) / np.sqrt(waves / 2)


def _ease(x: np.ndarray) -> np.ndarray:
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)
