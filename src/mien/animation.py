"""Animation: the result. Plain data from which every output is made."""

from dataclasses import dataclass, replace

import numpy as np

from mien.errors import MienError
from mien.face import Face
from mien.lips import ease

PIVOT = (0.0, -0.07, -0.08)
"""metres: the point of the head that stays where it is while the head turns, in the upper neck"""
NECK_TOP, NECK_BOTTOM = -0.112, -0.19
"""metres up the neck: above the first the skin turns with the head, below the second not at all"""
NECK_SLOPE = 0.35
"""how much higher the neck begins behind than in front: metres up for metres back"""


@dataclass(frozen=True, eq=False)
class Animation:
    """A face's movement over time, as the weights of its units and the turning of the head.

    Every output (film, glTF, curves, vertices) comes from these same weights, so that they agree.
    """

    weights: np.ndarray
    """(T, U) float32 within the face's limits: in [0, 1], unless the face is signed."""
    fps: float
    """Frames per second; frame t shows the time t / fps."""
    face: Face
    speech: np.ndarray | None = None
    """(S,) float32 in [-1, 1], 16 kHz; what the film lets hear."""
    head: np.ndarray | None = None
    """(T, 3) float32, radians: yaw, pitch and roll of the head on its neck; see `rotations`. None
    where the head stays still."""

    @property
    def frames(self) -> int:
        """Number of frames T."""
        return len(self.weights)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames / self.fps

    @property
    def coefficients(self) -> np.ndarray:
        """(T, K) float32, metres: displacement from the template in the face's basis."""
        return self.face.weights_to_coefficients(self.weights)

    def on(self, face: Face) -> "Animation":
        """Return the same weights on another face, unit by unit of the same name.

        Units that the other face lacks are dropped, and its own others stay at rest. Raises
        MienError as `shared_units` does.
        """
        weights = np.zeros((self.frames, len(face.unit_names)), np.float32)
        for name in shared_units(self.face, face):
            source = self.weights[:, self.face.unit_names.index(name)]
            weights[:, face.unit_names.index(name)] = source
        return replace(self, weights=face.limit(weights), face=face)

    def vertices(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return (t, V, 3) float32, metres, for the frames start ≤ t < stop; made on demand.

        The head's turning is left out, so that what the face does can be compared point by point.
        """
        return self.face.weights_to_vertices(self.weights[start:stop])

    def turned_vertices(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Return `vertices` with the head turned, as the film shows them."""
        vertices = self.vertices(start, stop)
        if self.head is None:
            return vertices
        return turn(vertices, self.head[start:stop], turning_share(self.face))


def shared_units(face: Face, other: Face) -> list[str]:
    """Return the names of the units that both faces have.

    Raises MienError where there are none, or the units of one are components, which mean nothing
    on another face.
    """
    names = [name for name in other.unit_names if name in face.unit_names]
    if face.signed or other.signed or not names:
        raise MienError(
            f"the face {face.name!r} cannot drive {other.name!r}: units of the same names are "
            "wanted on both; train a pack on that face"
        )
    return names


def rotations(head: np.ndarray) -> np.ndarray:
    """Yaw, pitch and roll (..., 3), radians → rotation matrices (..., 3, 3), R = Ry · Rx · Rz.

    Each turns by the right-hand rule about the face's own axes: yaw about y (positive: toward the
    face's own left), pitch about x (positive: down, as in a nod) and roll about z (positive:
    toward its own right shoulder).
    """
    (y, x, z), (sin_y, sin_x, sin_z) = _split(np.cos(head)), _split(np.sin(head))
    rows = (
        (y * z + sin_y * sin_x * sin_z, sin_y * sin_x * z - y * sin_z, sin_y * x),
        (x * sin_z, x * z, -sin_x),
        (y * sin_x * sin_z - sin_y * z, sin_y * sin_z + y * sin_x * z, y * x),
    )
    return np.stack([np.stack(row, -1) for row in rows], -2)


def turn(vertices: np.ndarray, head: np.ndarray, share: np.ndarray) -> np.ndarray:
    """vertices (..., V, 3), metres, turned about `PIVOT` by head (..., 3), radians.

    Each vertex goes its `share` (V,) of the way: linear blend skinning with one joint.
    """
    pivot = np.array(PIVOT, np.float32)
    apart = vertices - pivot
    moved = apart @ np.swapaxes(rotations(head), -1, -2).astype(np.float32) - apart
    return vertices + share[:, None] * moved


def turning_share(face: Face) -> np.ndarray:
    """How far each vertex (V,) follows the head's turning: 1, but for the skin of the neck."""
    share = np.ones(len(face.template), np.float32)
    skin = face.parts["skin"]
    _, y, z = face.template[skin].T
    share[skin] = ease((y + NECK_SLOPE * z - NECK_BOTTOM) / (NECK_TOP - NECK_BOTTOM))
    return share


def _split(angles: np.ndarray) -> tuple[np.ndarray, ...]:
    return angles[..., 0], angles[..., 1], angles[..., 2]
