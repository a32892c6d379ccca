"""What speech demands of the lips, solved per frame as constraints on the unit weights.

Blended targets never quite shut the lips, and an expression on top pulls them apart: 17 % of p, b
and m were shut that way, none under disgust. So contact is not hoped for but solved. The gap of
every pair of inner-lip vertices is linear in the weights, hence each demand is a small bounded
least-squares problem (or one division), and solutions move smoothly when the weights do.
"""

import functools
from dataclasses import dataclass

import numba
import numpy as np

from mien.face import UNIT_NAMES, Face

SHUT_GAP = -0.0003
"""Metres: where p, b and m hold every pair of the inner lips, lightly pressed together."""

LEAST_GAP = -0.0008
"""Metres: the lips never go further through each other than this at their widest place."""

CLOSING_COSTS = {
    "mouthClose": 1.0, "jawOpen": 2.0,
    "mouthUpperUp": 0.3, "mouthLowerDown": 0.3, "mouthFunnel": 0.5, "mouthShrugUpper": 0.3,
    "mouthShrugLower": 1.0, "mouthRollLower": 1.0, "mouthRollUpper": 1.0, "mouthPress": 1.0,
}  # fmt: skip
"""Units that may change to shut the lips, and how reluctantly: what lifts a lip gives way first.
The corners (smile, stretch, dimple, frown) stay, or a smile would flicker at every closure."""

BITING_COSTS = {
    "mouthClose": 1.0, "jawOpen": 0.6, "mouthRollLower": 0.6, "mouthLowerDown": 0.2,
    "mouthShrugLower": 0.3, "mouthFunnel": 0.2, "mouthPucker": 0.2, "mouthPress": 1.0,
    "jawForward": 5.0,
}  # fmt: skip
"""Units that may change to lay the lower lip on the upper teeth."""

F_POSE = {
    "jawOpen": 0.06, "mouthRollLower": 0.8, "mouthUpperUpLeft": 0.22, "mouthUpperUpRight": 0.22,
}  # fmt: skip
"""The face's own f: the lower lip drawn in under the upper teeth, on a neutral face."""

MILLIMETRE_PENALTY = 25.0
"""How much a millimetre off the goal costs, squared, against a whole unit's change."""

RISING = {"jawOpen": None, "mouthRollLower": None, "mouthClose": "jawOpen"}
"""Only these may be raised by a constraint, up to 1 or to the weight of the unit named: mouthClose
undoes an open jaw and no more. Everything else may only give way."""

SWEEPS = 60
"""Passes of the coordinate descent; the largest change of the last pass is below 1e-4."""


@dataclass(frozen=True, eq=False)
class Constraint:
    """A wish about linear measures of the pose: weights @ rows should be `goal`."""

    units: np.ndarray
    """(n,) places of the units that may change"""
    rising: np.ndarray
    """(n, 53) of 0 and 1: which unit's weight (or the last, 1) each of them may rise to"""
    costs: np.ndarray
    """(n,) cost of a squared change of weight"""
    rows: np.ndarray
    """(52, R) millimetres per unit of weight"""
    goal: np.ndarray
    """(R,) millimetres"""

    def solve(self, weights: np.ndarray) -> np.ndarray:
        """Return weights (T, 52) near the given ones that come closest to the goal."""
        start = weights[:, self.units]
        ceilings = np.pad(weights, ((0, 0), (0, 1)), constant_values=1.0) @ self.rising.T
        upper = np.maximum(start, ceilings)
        moved = self.rows[self.units] * np.sqrt(MILLIMETRE_PENALTY)
        missing = (self.goal - weights @ self.rows) * np.sqrt(MILLIMETRE_PENALTY)
        gram = moved @ moved.T + np.diag(self.costs)
        change = _bounded_change(gram, missing @ moved.T, -start, upper - start, SWEEPS)
        result = weights.copy()
        result[:, self.units] += change
        return result


def meet_demands(
    weights: np.ndarray,
    *,
    closure: np.ndarray,
    labiodental: np.ndarray,
    floor: np.ndarray,
    face: Face,
) -> np.ndarray:
    """Return weights (T, 52), within the face's limits, that do what speech demands of the lips.

    `closure`, `labiodental` (T,) in [0, 1] blend in the shut and the bitten mouth; `floor` (T,)
    metres is the least gap of a vowel. Frames without a demand change only where the lips would
    go through each other.
    """
    weights = face.limit(open_to(face.limit(weights), np.maximum(floor, LEAST_GAP), face))
    weights = moved_toward(weights, labiodental, biting(face), face)
    weights = moved_toward(weights, closure, closing(face), face)
    return face.limit(open_to(weights, np.full(len(weights), LEAST_GAP), face))


def moved_toward(
    weights: np.ndarray, demand: np.ndarray, constraint: Constraint, face: Face
) -> np.ndarray:
    """Return weights (T, 52) moved toward the constraint's solution by the demand (T,), 0 to 1."""
    frames = np.flatnonzero(demand > 0)
    if not len(frames):
        return weights
    solved = face.limit(constraint.solve(weights[frames]))
    result = weights.copy()
    result[frames] += demand[frames, None] * (solved - weights[frames])
    return result


def ease(x: np.ndarray) -> np.ndarray:
    """Return x clipped to [0, 1] with level ends (smoothstep): so demands come and go."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)


def open_to(weights: np.ndarray, floor: np.ndarray, face: Face) -> np.ndarray:
    """Return weights (T, 52) with the jaw opened just so far that the gap is at least `floor` (T,).

    Exact: every pair's gap grows linearly with jawOpen, and the gap is that of the widest pair.
    """
    jaw = UNIT_NAMES.index("jawOpen")
    rows = gap_rows(face)
    missing = (floor[:, None] - weights @ rows) / rows[jaw]
    result = weights.copy()
    result[:, jaw] = np.clip(weights[:, jaw] + np.maximum(missing.min(axis=1), 0.0), 0.0, 1.0)
    return result


def gap_of(weights: np.ndarray, face: Face) -> np.ndarray:
    """Return the face's gap (T,) in metres, computed from weights (T, 52) without vertices."""
    return (weights @ gap_rows(face)).max(axis=1)


def bite_of(weights: np.ndarray, face: Face) -> np.ndarray:
    """Return the face's lip_to_teeth (T,) in metres, computed from weights (T, 52) alone."""
    crest = face.labiodental.lip
    deltas = face.unit_deltas[:, crest].astype(np.float64)
    lip = face.template[crest] + np.tensordot(np.asarray(weights), deltas, axes=1)
    teeth = face.template[face.labiodental.teeth]
    return np.linalg.norm(teeth[:, None] - lip[:, None], axis=-1).min(axis=-1).mean(axis=-1)


@functools.lru_cache(maxsize=4)
def gap_rows(face: Face) -> np.ndarray:
    """Return (52, P): how far a unit at weight 1 parts each pair of the inner lips, metres."""
    return face.unit_coefficients @ face.contact_coefficients.T


@functools.lru_cache(maxsize=4)
def closing(face: Face) -> Constraint:
    """Return the constraint of p, b and m: every pair of the inner lips lightly pressed."""
    rows = gap_rows(face) * 1e3
    return _constraint(CLOSING_COSTS, rows, np.full(rows.shape[1], SHUT_GAP * 1e3))


@functools.lru_cache(maxsize=4)
def biting(face: Face) -> Constraint:
    """Return the constraint of f and v: the lower lip's crest where the face's own f has it."""
    moved = face.unit_deltas[:, face.labiodental.lip].astype(np.float64) * 1e3
    rows = moved.reshape(len(moved), -1)
    return _constraint(BITING_COSTS, rows, f_pose() @ rows)


def f_pose() -> np.ndarray:
    """Return the weights (52,) of the face's own f."""
    return np.array([F_POSE.get(name, 0.0) for name in UNIT_NAMES])


@numba.njit(cache=True, nogil=True)
def _bounded_change(
    gram: np.ndarray, pull: np.ndarray, lowest: np.ndarray, highest: np.ndarray, sweeps: int
) -> np.ndarray:
    """Return changes (T, n) within bounds that minimise x·gram·x / 2 - pull·x for each frame."""
    changes = np.zeros(pull.shape)
    for frame in range(len(pull)):
        slope = -pull[frame].copy()
        for _ in range(sweeps):
            for k in range(len(gram)):
                wanted = changes[frame, k] - slope[k] / gram[k, k]
                wanted = min(max(wanted, lowest[frame, k]), highest[frame, k])
                slope += (wanted - changes[frame, k]) * gram[k]
                changes[frame, k] = wanted
    return changes


def _constraint(costs: dict[str, float], rows: np.ndarray, goal: np.ndarray) -> Constraint:
    """Make a constraint; a name without Left or Right stands for both sides."""
    by_unit = {u: c for stem, c in costs.items() for u in (stem, f"{stem}Left", f"{stem}Right")}
    names = [name for name in UNIT_NAMES if name in by_unit]
    return Constraint(
        units=np.array([UNIT_NAMES.index(name) for name in names]),
        rising=np.array([_ceiling(name) for name in names]),
        costs=np.array([by_unit[name] for name in names]),
        rows=rows,
        goal=goal,
    )


def _ceiling(name: str) -> np.ndarray:
    """Return (53,) of 0 and 1: which weight, or the 1 after them, this unit may rise to."""
    ceiling = np.zeros(len(UNIT_NAMES) + 1)
    if name in RISING:
        other = RISING[name]
        ceiling[UNIT_NAMES.index(other) if other else -1] = 1.0
    return ceiling
