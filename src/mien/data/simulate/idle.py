"""Slow movement that nobody asks for: how an expression drifts, how a mouth at rest breathes."""

import numpy as np

from mien.face import UNIT_NAMES

MOVEMENT, MOUTH_MOVEMENT = 0.05, 0.02
"""Standard deviation of an expression's drift, as a share of each unit's weight: of the face, and
of what shows a small change at once, the mouth and the lids, which would leak if they were shut."""

ASYMMETRY, MOST_ASYMMETRY = 0.03, 0.07
"""How much stronger one side of the face moves than the other: standard deviation and most, as a
share of each pair's weight. No face is even; lids and gaze go together and are left out."""

SLOWEST, FASTEST = 0.08, 0.45
"""Hz: the band of all drift."""

WAVES = 4
"""How many waves make a movement that does not seem to repeat."""

BREATH_HZ = 0.25
"""Breaths a second, at rest."""

BREATH = {"jawOpen": 0.007}
"""Weights that come and go with the breath: a quarter of a millimetre between the lips."""

RESTLESS = {
    "mouthStretch": 0.010, "mouthPucker": 0.012, "mouthUpperUp": 0.008, "mouthLowerDown": 0.010,
}  # fmt: skip
"""Mean weights that wander on their own: each moves the lips by about a tenth of a millimetre."""

ARRIVES = 0.5
"""Seconds from the start of a clip until the idle motion is whole; a clip begins at the neutral."""


def idle(times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return weights (T, 52), at `times` (T,) s, of a mouth that breathes: well below 1 mm."""
    breath = 0.5 - 0.5 * np.cos(2 * np.pi * BREATH_HZ * times)
    weights = breath[:, None] * _amounts(BREATH)
    amounts = _amounts(RESTLESS)
    units = np.flatnonzero(amounts)
    weights[:, units] += amounts[units] * np.maximum(1 + _wander(times, random, units), 0.0)
    return weights * np.clip(times / ARRIVES, 0, 1)[:, None]


def drift(times: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return slow movement (T, 52) around 0, by which an expression's weights are multiplied."""
    quiet = ("mouth", "jaw", "tongue", "eyeBlink", "eyeLook")
    still = np.array([name.startswith(quiet) for name in UNIT_NAMES])
    units = np.arange(len(UNIT_NAMES))
    return _wander(times, random, units) * np.where(still, MOUTH_MOVEMENT, MOVEMENT)


def asymmetry(random: np.random.Generator) -> np.ndarray:
    """Return how much stronger (52,), as a share around 0, each unit is on its side of a face."""
    stems = sorted({_stem(name) for name in UNIT_NAMES})
    drawn = np.clip(random.normal(0.0, ASYMMETRY, len(stems)), -MOST_ASYMMETRY, MOST_ASYMMETRY)
    by_stem = dict(zip(stems, drawn, strict=True))
    together = ("eyeBlink", "eyeLook", "eyeWide", "jaw")
    uneven = [not name.startswith(together) for name in UNIT_NAMES]
    return np.array([_side(name) * by_stem[_stem(name)] for name in UNIT_NAMES]) * uneven


def _wander(times: np.ndarray, random: np.random.Generator, units: np.ndarray) -> np.ndarray:
    """Return noise (T, units) of unit variance; both sides of the face wander mostly together."""
    stems = [_stem(UNIT_NAMES[unit]) for unit in units]
    shared, own = _waves(times, random, len(set(stems))), _waves(times, random, len(stems))
    places = sorted(set(stems))
    return 0.9 * shared[:, [places.index(stem) for stem in stems]] + 0.4 * own


def _waves(times: np.ndarray, random: np.random.Generator, count: int) -> np.ndarray:
    """Return band-limited noise (T, count) of unit variance: a few slow waves each."""
    rates = random.uniform(SLOWEST, FASTEST, (WAVES, count))
    phases = random.uniform(0, 2 * np.pi, (WAVES, count))
    waves = np.sin(2 * np.pi * times[:, None, None] * rates + phases)
    return waves.sum(axis=1) / np.sqrt(WAVES / 2)


def _amounts(by_stem: dict[str, float]) -> np.ndarray:
    """Return weights (52,); a name without Left or Right stands for both sides."""
    return np.array([by_stem.get(_stem(name), 0.0) for name in UNIT_NAMES])


def _side(name: str) -> float:
    """Return 1 for a unit of the left side, -1 for one of the right, 0 for one of both."""
    return float(name.endswith("Left")) - float(name.endswith("Right"))


def _stem(name: str) -> str:
    return name.removesuffix("Left").removesuffix("Right")
