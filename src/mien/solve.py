"""Bounded least squares for many frames: find weights in [0, 1] whose shapes add up to a pose.

For each frame, minimise |weights @ shapes - pose|^2 over 0 <= weights <= 1. Only the shapes' inner
products enter (the Gram matrix, and products = shapes . pose), so a frame costs nothing that grows
with the number of vertices.
"""

import numba
import numpy as np

_ROUNDS = 60
"""Most rounds per frame; almost every frame settles within ten."""
_SWEEPS = 2
"""Passes over the units in each round, before the free weights are solved for at once."""
_TOLERANCE = 1e-6
"""A frame has settled when no weight moved further than this in a round."""
_PASSES = 100
"""Most times that smoothing passes over the frames."""


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
    everything, alone = np.arange(len(products)), np.zeros(len(products))
    _settle(gram, products, weights, weights.copy(), alone, everything)
    if smoothing > 0 and len(products) > 1:
        _smooth(gram, products, weights, smoothing)
    return weights


def _smooth(gram: np.ndarray, products: np.ndarray, weights: np.ndarray, smoothing: float) -> None:
    """Pull every frame's weights (T, U) toward its neighbours', in place.

    The even frames are solved while the odd ones stand still, then the other way round.
    """
    count = len(weights)
    neighbours = np.full(count, 2.0)
    neighbours[[0, -1]] = 1.0
    for _ in range(_PASSES):
        before = weights.copy()
        for first in (0, 1):
            mean = np.zeros_like(weights)
            mean[1:] += weights[:-1]
            mean[:-1] += weights[1:]
            mean /= neighbours[:, None]
            chosen = np.arange(first, count, 2)
            _settle(gram, products, weights, mean, smoothing * neighbours, chosen)
        if np.abs(weights - before).max() < 100 * _TOLERANCE:
            break


@numba.njit(cache=True, nogil=True)
def _settle(
    gram: np.ndarray,
    products: np.ndarray,
    weights: np.ndarray,
    goals: np.ndarray,
    pulls: np.ndarray,
    chosen: np.ndarray,
) -> None:
    """Solve the chosen frames in place, each pulled to its `goals` (T, U) with strength `pulls`.

    A round takes two passes of coordinate descent, which finds out which bounds hold, and then one
    step to the minimum over all weights between their bounds, shortened where it would cross one.
    Both only ever go downhill.
    """
    units = gram.shape[0]
    matrix, wanted = gram.copy(), np.empty(units)
    for frame in chosen:
        current = weights[frame]
        for unit in range(units):
            pull = pulls[frame] * gram[unit, unit]
            matrix[unit, unit] = gram[unit, unit] + pull
            wanted[unit] = products[frame, unit] + pull * goals[frame, unit]
        for _ in range(_ROUNDS):
            moved = _sweep(matrix, wanted, current)
            if moved < _TOLERANCE:
                break
            _leap(matrix, wanted, current)


@numba.njit(cache=True, nogil=True)
def _sweep(matrix: np.ndarray, wanted: np.ndarray, current: np.ndarray) -> float:
    """Passes of coordinate descent, in place; returns the furthest that a weight moved."""
    largest = 0.0
    for _ in range(_SWEEPS):
        for unit in range(len(current)):
            slope = -wanted[unit]
            for other in range(len(current)):
                slope += matrix[unit, other] * current[other]
            best = min(max(current[unit] - slope / matrix[unit, unit], 0.0), 1.0)
            largest = max(largest, abs(best - current[unit]))
            current[unit] = best
    return largest


@numba.njit(cache=True, nogil=True)
def _leap(matrix: np.ndarray, wanted: np.ndarray, current: np.ndarray) -> None:
    """Move the weights between their bounds toward their joint minimum, as far as bounds allow."""
    free = np.flatnonzero((current > 0.0) & (current < 1.0))
    count = len(free)
    factor, step = np.empty((count, count)), np.empty(count)
    for row in range(count):
        residual = wanted[free[row]]
        for other in range(len(current)):
            residual -= matrix[free[row], other] * current[other]
        step[row] = residual
        for column in range(row + 1):
            value = matrix[free[row], free[column]]
            for k in range(column):
                value -= factor[row, k] * factor[column, k]
            factor[row, column] = (
                np.sqrt(value) if row == column else value / factor[column, column]
            )
    _solve_factored(factor, step)
    length = 1.0
    for row in range(count):
        room = (1.0 if step[row] > 0 else 0.0) - current[free[row]]
        if abs(step[row]) > abs(room):
            length = min(length, room / step[row])
    for row in range(count):
        current[free[row]] = min(max(current[free[row]] + length * step[row], 0.0), 1.0)


@numba.njit(cache=True, nogil=True)
def _solve_factored(factor: np.ndarray, values: np.ndarray) -> None:
    """Solve (factor @ factor.T) x = values in place, for a lower-triangular factor."""
    count = len(values)
    for row in range(count):
        for k in range(row):
            values[row] -= factor[row, k] * values[k]
        values[row] /= factor[row, row]
    for row in range(count - 1, -1, -1):
        for k in range(row + 1, count):
            values[row] -= factor[k, row] * values[k]
        values[row] /= factor[row, row]
