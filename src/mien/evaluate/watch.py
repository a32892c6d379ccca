"""What is watched of an animation: a few curves over time, from the weights alone."""

from dataclasses import dataclass

import numpy as np

from mien.face import Face
from mien.lips import bite_of, f_pose, gap_of


@dataclass(frozen=True, eq=False)
class Watched:
    """The mouth over T frames, metres; the measures in `metrics` say what each curve is."""

    gap: np.ndarray
    """(T,): how far the lips stand apart, less what they do at rest; `Face.gap`"""
    width: np.ndarray
    """(T,): between the corners, the outermost vertices of the region lips"""
    bite: np.ndarray
    """(T,): from the upper teeth to the lower lip; `Face.lip_to_teeth`"""
    lips: np.ndarray
    """(T, L, 3): the vertices of the region lips"""


def watch(weights: np.ndarray, face: Face) -> Watched:
    """Return what the mouth does under weights (T, U); the face's other vertices are not made."""
    lips = face.regions["lips"]
    across = face.template[lips, 0]
    corners = _positions(weights, face, lips[[across.argmax(), across.argmin()]])
    return Watched(
        gap=gap_of(weights, face),
        width=np.linalg.norm(corners[:, 0] - corners[:, 1], axis=-1),
        bite=bite_of(weights, face),
        lips=_positions(weights, face, lips),
    )


def own_f(face: Face) -> float:
    """Return how near the lower lip is to the upper teeth in the face's own f, metres."""
    return float(bite_of(face.limit(f_pose()[None]), face)[0])


def _positions(weights: np.ndarray, face: Face, vertices: np.ndarray) -> np.ndarray:
    """Return where some vertices (n,) of the face are, (T, n, 3), metres."""
    deltas = face.unit_deltas[:, vertices].astype(np.float64)
    return face.template[vertices] + np.tensordot(np.asarray(weights), deltas, axes=1)
