"""Errors of an animation whose truth is known: the paper's MAX and MSE, velocity, and FDD.

Vertices are (T, N, 3), metres, of one vertex set: frames first, so that N names what is compared.
Papers differ in the set and in whether lengths are squared; hence both forms of all but velocity,
and `vertex_sets` names and counts what is compared. The paper's Table 2 is ×1e-4; its size fits
metres, not their squares.
"""

from dataclasses import dataclass

import numpy as np

from mien.errors import MienError
from mien.face import Face


@dataclass(frozen=True)
class VertexErrors:
    """How far the vertices of one clip are from the truth's, over one vertex set."""

    largest: float
    """MAX, rooted: the mean over frames of the largest distance of a vertex, metres"""
    largest_squared: float
    """MAX, squared: the mean over frames of the largest squared distance, square metres"""
    mean: float
    """MSE, rooted: the mean over frames and vertices of the distance, metres"""
    mean_squared: float
    """MSE, squared: the mean over frames and vertices of the squared distance, square metres"""
    velocity: float
    """the mean over steps and vertices of the difference of velocities, metres a second"""


def vertex_sets(face: Face) -> dict[str, np.ndarray]:
    """Return the vertices (n,) on which errors are counted: lips, upper_face and the face, which is
    all skin."""
    skin = face.parts["skin"]
    return {
        "lips": face.regions["lips"],
        "face": np.arange(skin.start, skin.stop),
        "upper_face": face.regions["upper_face"],
    }


def vertex_errors(found: np.ndarray, truth: np.ndarray, *, fps: float) -> VertexErrors:
    """Return the errors of vertices (T, N, 3) against the truth's of equal shape, T ≥ 2."""
    found, truth = _pair(found, truth)
    distances = np.linalg.norm(found - truth, axis=2)
    velocities = np.linalg.norm(np.diff(found - truth, axis=0), axis=2) * fps
    return VertexErrors(
        largest=float(distances.max(1).mean()),
        largest_squared=float((distances.max(1) ** 2).mean()),
        mean=float(distances.mean()),
        mean_squared=float((distances**2).mean()),
        velocity=float(velocities.mean()),
    )


def dynamics_deviation(
    found: np.ndarray, truth: np.ndarray, template: np.ndarray, *, squared: bool = False
) -> float:
    """Return one clip's dynamics deviation (FDD on the upper face), metres, for (T, N, 3).

    The mean over vertices of how much more the length of the truth's displacement from the
    template (N, 3) varies in time (standard deviation) than that of the animation's: positive where
    the animation moves too little. Over clips, the mean of its absolute value says what the mean
    hides, since clips of either sign cancel. `squared` takes squared lengths, as released code
    does: square metres.
    """
    found, truth = _pair(found, truth)
    power = 2 if squared else 1
    lengths = (np.linalg.norm(vertices - template, axis=2) for vertices in (truth, found))
    true_spread, found_spread = ((length**power).std(0) for length in lengths)
    return float((true_spread - found_spread).mean())


def _pair(found: np.ndarray, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if found.shape != truth.shape or found.ndim != 3 or found.shape[2] != 3 or len(found) < 2:
        raise MienError(
            f"vertices are {found.shape} and the truth's {truth.shape}; "
            "two equal (frames, vertices, 3) of at least two frames are wanted"
        )
    return np.asarray(found, np.float64), np.asarray(truth, np.float64)
