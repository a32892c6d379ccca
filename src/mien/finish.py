"""Contacts that the networks nearly make are made: p, b, m shut, f, v bitten.

A network that is a millimetre off has heard the closure and shows none. So where the lips come
together on their way and stay just apart, they are moved to what the simulated actor's constraints
solve (`lips`); the nearer they are, the further. Lips that rest a little apart, as under a smile,
are not on their way and are left alone.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from mien import lips
from mien.face import Face

GAP = (1.4e-3, 2.8e-3)
"""Metres: lips this near are shut, and from the second on they are left as they are."""

BITE = (2.1e-3, 3.6e-3)
"""The same of the lower lip and the upper teeth: 1.1e-3 in the face's own f, 5.2e-3 at rest."""

OPEN = 1.5e-3
"""Metres: lips nearer than this are about to shut, not to bite."""

REACH = 4
"""Frames before and after, within which a mouth on its way has been and will be further open."""

ON_ITS_WAY = (0.3e-3, 1.5e-3)
"""Metres further open: from the first on the mouth counts as moving, from the second wholly."""


def finish(weights: np.ndarray, face: Face) -> np.ndarray:
    """Return weights (T, 52) float32 at 30 frames a second, near contacts made, within the limits.

    Frame t depends on the frames t - 4 … t + 4 alone.
    """
    weights = face.limit(np.asarray(weights, np.float64))
    gap, bite = lips.gap_of(weights, face), lips.bite_of(weights, face)
    shut = _nearness(gap, GAP) * _moving(gap)
    bitten = _nearness(bite, BITE) * _moving(bite) * (gap > OPEN)
    weights = lips.moved_toward(weights, bitten, lips.biting(face), face)
    weights = lips.moved_toward(weights, shut, lips.closing(face), face)
    return face.limit(weights).astype(np.float32)


def _nearness(distance: np.ndarray, near: tuple[float, float]) -> np.ndarray:
    """Return 1 up to the first of `near` and 0 from the second on, eased between."""
    return lips.ease((near[1] - distance) / (near[1] - near[0]))


def _moving(distance: np.ndarray) -> np.ndarray:
    """Return how surely (T,) the distance is a passing low, 0 to 1: larger before and after."""
    around = sliding_window_view(np.pad(distance, REACH, mode="edge"), 2 * REACH + 1)
    before, after = around[:, : REACH + 1].max(axis=-1), around[:, REACH:].max(axis=-1)
    first, wholly = ON_ITS_WAY
    return lips.ease((np.minimum(before, after) - distance - first) / (wholly - first))
