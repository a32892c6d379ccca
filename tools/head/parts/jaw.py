"""How the lower jaw moves: the best rigid motion for each jaw unit."""

from dataclasses import dataclass

import numpy as np

from head.types import Skin

JAW_UNITS = ("jawOpen", "jawForward", "jawLeft", "jawRight")


@dataclass(frozen=True, eq=False)
class Jaw:
    """A rotation (3, 3) and a shift (3,) metres for each jaw unit at weight 1."""

    motions: dict[str, tuple[np.ndarray, np.ndarray]]

    @classmethod
    def of(cls, skin: Skin) -> "Jaw":
        """Fits the motions to MakeHuman's proxy of the lower teeth."""
        points = skin.landmarks.helpers["teeth_lower"]
        moved = skin.landmarks.helper_deltas["teeth_lower"]
        index = skin.unit_names.index
        return cls({u: _rigid(points, points + moved[index(u)]) for u in JAW_UNITS})

    def deltas(self, unit_names: tuple[str, ...], points: np.ndarray) -> np.ndarray:
        """Displacements (52, n, 3) of points fixed to the jaw, at weight 1."""
        out = np.zeros((len(unit_names), len(points), 3))
        for unit, (turn, shift) in self.motions.items():
            out[unit_names.index(unit)] = points @ turn.T + shift - points
        return out


def _rigid(before: np.ndarray, after: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The rotation and shift that best carry points (n, 3) onto others (Kabsch)."""
    a, b = before.mean(0), after.mean(0)
    u, _, vt = np.linalg.svd((before - a).T @ (after - b))
    flip = np.diag([1, 1, np.sign(np.linalg.det(vt.T @ u.T))])
    turn = vt.T @ flip @ u.T
    return turn, b - turn @ a
