"""Facing vertices of the lips, and how to move the lips together or apart where they clash."""

import numpy as np

from head.quads import steps_from
from head.types import Skin

REST = -0.0001
"""metres: how far the lips are apart in the neutral, everywhere along their line: they overlap just
enough that no tooth shines through (at +0.1 mm, a ray test saw teeth at 72 points)."""
FRONT_REST = 0.0007
"""metres: how far at most they are apart in front of that line; more looks like a parted mouth."""
BACK_REST = 0.0008
"""metres: how far at most they are apart behind it, at the pairs that still count for contact."""
SEAL_SPREAD = 0.0016
"""metres: closing the neutral fades with distance from its row like a Gaussian of this width."""
PRESS = -0.0002
"""metres: how far one unit may press facing lip vertices together, and half their distance at rest
besides; a left and a right unit add up to twice that."""
SPREAD = 0.005
"""metres: a correction of the lip line fades with distance like a Gaussian of this width."""
UPPER_SHARE = 0.5
"""The part of a lip correction that the upper lip takes."""
_ROUNDS = 8
"""Repetitions of a correction, as it fades from row to row and one pass falls short."""


def sealed(skin: Skin) -> np.ndarray:
    """The neutral (V, 3) with its lips closed: the line between them, and the groove before it."""
    template = skin.template
    front, (line, back) = skin.landmarks.lip_front, skin.landmarks.lip_rows
    for _ in range(_ROUNDS):
        template = template + _brought_to(template, skin, front, most=FRONT_REST)
        template = template + _brought_to(template, skin, back, most=BACK_REST)
        template = template + _brought_to(template, skin, line, most=REST, least=REST)
    return template


def _brought_to(
    template: np.ndarray,
    skin: Skin,
    rows: tuple[np.ndarray, np.ndarray],
    *,
    most: float,
    least: float = -np.inf,
) -> np.ndarray:
    """Displacements (V, 3) that bring two facing rows to a height between `least` and `most`."""
    upper, lower = rows
    x, below = template[upper, 0], template[lower]
    height = template[upper, 1] - np.interp(x, below[:, 0], below[:, 1])
    lift = np.clip(height, least, most) - height
    fade = [_fading(skin, row, SEAL_SPREAD) for row in rows]
    profile = np.interp(template[:, 0], x, lift, left=0.0, right=0.0)
    moved = np.zeros_like(template)
    moved[:, 1] = profile * (UPPER_SHARE * fade[0] - (1 - UPPER_SHARE) * fade[1])
    return moved


def _fading(skin: Skin, row: np.ndarray, width: float) -> np.ndarray:
    """(V,): 1 on a row of vertices, falling off with the distance to it."""
    away = np.linalg.norm(skin.template[:, None] - skin.template[row], axis=2).min(axis=1)
    return np.exp(-((away / width) ** 2))


class LipColumns:
    """One column per upper-lip vertex, in each row, and the point of the lower lip below it."""

    def __init__(self, skin: Skin) -> None:
        marks = skin.landmarks
        self._x = skin.template[:, 0]
        columns = [
            (vertex, *self._below(vertex, facing))
            for row, facing in marks.lip_rows
            for vertex in row[1:-1]
        ]
        table = np.array(columns)
        self.upper, self.first, self.second = table[:, :3].T.astype(int)
        self._share = table[:, 3]
        lines = np.concatenate([marks.lip_upper, marks.lip_lower])
        above = steps_from(skin.quads, marks.lip_upper) < steps_from(skin.quads, marks.lip_lower)
        self._pull = _fading(skin, lines, SPREAD) * np.where(above, UPPER_SHARE, UPPER_SHARE - 1.0)
        self._allowed = PRESS - np.maximum(self.apart(skin.template)[:, 1], 0.0) / 2

    def _below(self, vertex: int, facing: np.ndarray) -> tuple[int, int, float]:
        """The two vertices of the lower lip beside `vertex`, and how far it is to the second."""
        x = self._x[facing]
        place = int(np.clip(np.searchsorted(x, self._x[vertex]), 1, len(x) - 1))
        share = (self._x[vertex] - x[place - 1]) / (x[place] - x[place - 1])
        return int(facing[place - 1]), int(facing[place]), float(np.clip(share, 0.0, 1.0))

    def apart(self, values: np.ndarray) -> np.ndarray:
        """(C, 3): upper lip minus the lower lip below it, of positions or displacements (V, 3)."""
        share = self._share[:, None]
        return values[self.upper] - (1 - share) * values[self.first] - share * values[self.second]

    def pressed(self, delta: np.ndarray) -> np.ndarray:
        """The unit (V, 3) with no facing pair brought closer than PRESS allows."""
        for _ in range(_ROUNDS):
            lift = np.zeros((len(self.upper), 3))
            lift[:, 1] = np.maximum(self._allowed - self.apart(delta)[:, 1], 0.0)
            delta = delta + self._spread(lift)
        return delta

    def joined(self, close: np.ndarray, jaw: np.ndarray) -> np.ndarray:
        """mouthClose (V, 3) with every facing pair held together when the jaw opens."""
        for _ in range(_ROUNDS):
            close = close - self._spread(self.apart(close + jaw))
        return close

    def _spread(self, parting: np.ndarray) -> np.ndarray:
        """(V, 3): move the lips apart by the largest `parting` (C, 3) at each x, fading away."""
        columns, place = np.unique(self._x[self.upper].round(4), return_inverse=True)
        profile = np.zeros((len(columns), 3))
        for axis in range(3):
            order = np.argsort(np.abs(parting[:, axis]))
            profile[place[order], axis] = parting[order, axis]
        fields = [np.interp(self._x, columns, profile[:, axis]) for axis in range(3)]
        return self._pull[:, None] * np.stack(fields, axis=1)
