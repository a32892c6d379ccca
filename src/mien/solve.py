"""Bounded least squares for many frames: find weights in [0, 1] whose shapes add up to a pose.

For each frame, minimise |weights @ shapes - pose|^2 over 0 <= weights <= 1. Only the shapes' inner
products enter (the Gram matrix, and products = shapes . pose), so a frame costs nothing that grows
with the number of vertices.
"""

import numba
import numpy as np

_SWEEPS = 1000
"""Most passes over the units of a frame; frames that settle earlier stop earlier."""
_TOLERANCE = 1e-5
"""A frame has settled when no weight moved further than this in a pass."""
_ROUNDS = 20
"""Times that smoothing passes over the frames, the even ones and the odd ones in turn."""


def bounded_least_squares(
    gram: np.ndarray, products: np.ndarray, *, smoothing: float = 0.0
) -> np.ndarray:
    """Weights (T, U) float64 in [0, 1] from the Gram matrix (U, U) and the products (T, U).

    `smoothing` s >= 0 adds, for each unit and each two neighbouring frames, s times the squared
    change of its weight, measured by the unit's own size; 0 solves every frame alone.
    """
    gram = np.ascontiguousarray(gram, np.float64)
    products = np.ascontiguousarray(products, np.float64)
    # The unbounded answer is already exact wherever it lies inside the bounds.
    weights = np.ascontiguousarray(np.clip(np.linalg.solve(gram, products.T).T, 0.0, 1.0))
    everything = np.arange(len(products))
    _descend(gram, products, weights, weights.copy(), np.zeros(len(products)), everything)
    if smoothing > 0:
        _smooth(gram, products, weights, smoothing)
    return weights


def _smooth(
    gram: np.ndarray, products: np.ndarray, weights: np.ndarray, smoothing: float
) -> None:
    """Pull every frame's weights (T, U) toward its neighbours', in place."""
    count = len(weights)
    neighbours = np.full(count, 2.0)
    neighbours[0] -= 1
    neighbours[-1] -= 1
    for _ in range(_ROUNDS):
        for first in (0, 1):
            mean = np.zeros_like(weights)
            mean[1:] += weights[:-1]
            mean[:-1] += weights[1:]
            mean /= np.maximum(neighbours, 1.0)[:, None]
            chosen = np.arange(first, count, 2)
            _descend(gram, products, weights, mean, smoothing * neighbours, chosen)


@numba.njit(cache=True, nogil=True)
def _descend(
    gram: np.ndarray,
    products: np.ndarray,
    weights: np.ndarray,
    goals: np.ndarray,
    pulls: np.ndarray,
    chosen: np.ndarray,
) -> None:
    """Coordinate descent on the chosen frames, in place: each weight takes its best bounded value.

    `pulls` (T,) times the unit's squared size is the strength that pulls toward `goals` (T, U).
    """
    units = gram.shape[0]
    slope = np.empty(units)
    for frame in chosen:
        current, goal, pull = weights[frame], goals[frame], pulls[frame]
        slope[:] = gram @ current - products[frame]
        for _ in range(_SWEEPS):
            largest = 0.0
            for unit in range(units):
                size = gram[unit, unit]
                downhill = slope[unit] + pull * size * (current[unit] - goal[unit])
                best = current[unit] - downhill / (size * (1.0 + pull))
                step = min(max(best, 0.0), 1.0) - current[unit]
                if step != 0.0:
                    current[unit] += step
                    slope += step * gram[unit]
                    largest = max(largest, abs(step))
            if largest < _TOLERANCE:
                break
