"""Which frames of a recording hold one expression: real actors build it up and let it go.

Halving a clip assumes one expression throughout, so quads are cut from these frames alone. The
rule looks at the upper face, which speech leaves alone; a running median takes blinks and accents
out of it. Within the stretch no two moments are further apart than a share of the expression
itself, and of all such stretches the one is kept in which the lips travel furthest.
"""

import numpy as np

from mien.data.align import lip_rows
from mien.errors import MienError
from mien.face import Face

WINDOW = 0.4
"""Seconds of the running median: what lasts less than half of it is a blink or an accent."""

SHARE = 0.4
"""By this share of its own size, its distance from the neutral, the pose may change."""

STILL = 0.5e-3
"""Metres, root mean square over the upper face's vertices: so much may change in any case."""

GLANCES = ("eyeBlink", "eyeLook")
"""Beginnings of the names of units that belong to no expression."""


def steady(weights: np.ndarray, fps: float, face: Face | None = None) -> tuple[int, int]:
    """Return (start, stop) frames of the stretch of a recording that holds one expression.

    weights (T, U) of the face's units (default: the Mien head's), the actor's own neutral at 0.
    (0, 0) of no frames. MienError where the weights do not fit the face or are not finite.
    """
    face = face or Face.load()
    weights = np.asarray(weights, np.float64)
    if weights.ndim != 2 or weights.shape[1] != len(face.unit_names):
        raise MienError(
            f"weights are {weights.shape}; (frames, {len(face.unit_names)}) is wanted, the units "
            f"of {face.name!r}"
        )
    if not np.isfinite(weights).all():
        raise MienError("weights are not all finite; leave out frames without a face")
    if not len(weights):
        return 0, 0
    poses = running_median(weights @ upper_rows(face), WINDOW * fps)
    size = float(np.linalg.norm(np.median(poses, axis=0)))
    lips = weights @ lip_rows(face)
    steps = np.linalg.norm(np.diff(lips, axis=0, prepend=lips[:1]), axis=1)
    return widest(poses, max(SHARE * size, STILL), steps)


def upper_rows(face: Face) -> np.ndarray:
    """Return (U, R) metres: `weights @ upper_rows` is the upper face in R <= U orthogonal axes.

    Distances between such rows are root mean squares over the upper face's vertices; units of
    blinks and glances are 0.
    """
    upper = face.unit_deltas[:, face.regions["upper_face"], :].astype(np.float64)
    for unit, name in enumerate(face.unit_names):
        if name.startswith(GLANCES):
            upper[unit] = 0.0
    _, rows = np.linalg.qr(upper.reshape(len(upper), -1).T)
    return rows.T / np.sqrt(max(upper.shape[1], 1))


def widest(poses: np.ndarray, most: float, worth: np.ndarray) -> tuple[int, int]:
    """Return (start, stop) of the stretch worth most of poses (T, R), no two further than `most`.

    worth (T,): what each frame adds, 0 or more; of equals the longer and then the later wins.
    """
    total = np.concatenate([[0.0], np.cumsum(worth)])
    best, most_worth, start = (0, 0), (0.0, 0), 0
    for now in range(len(poses)):
        far = np.flatnonzero(np.linalg.norm(poses[start:now] - poses[now], axis=1) > most)
        start += int(far[-1]) + 1 if len(far) else 0
        found = (float(total[now + 1] - total[start]), now + 1 - start)
        if found >= most_worth:
            best, most_worth = (start, now + 1), found
    return best


def running_median(curves: np.ndarray, frames: float) -> np.ndarray:
    """Return the median of curves (T, R) over so many frames around each; the ends are held."""
    reach = max(round(frames / 2), 0)
    padded = np.pad(curves, ((reach, reach), (0, 0)), mode="edge")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1, axis=0)
    return np.median(windows, axis=-1)
