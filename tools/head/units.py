"""Correct MakeHuman's 52 units where they overshoot, and state where they clash.

MakeHuman's shapes were modelled one by one. Three things go wrong when they are used as they are:

- eyeBlink pushes the upper lid up to 5 mm past the lower one. Corrected here: at weight 1 the lids
  just meet along the whole rim.
- many mouth units push the lips through each other (mouthShrugLower by 5.2 mm, mouthPucker and
  mouthRollLower by 3.2 mm, mouthLeft by 2.1 mm). Corrected here: no unit alone brings any pair of
  facing lip vertices closer than PRESS allows.
- mouthClose does not quite undo jawOpen. Corrected here: together they leave the lips where they
  rest against each other, so equal weights close the mouth at any opening.

What remains are sums of units, which `limits` holds apart.
"""

from collections import deque
from dataclasses import replace

import numpy as np

from head.types import LEFT, Skin
from mien.face import UNIT_NAMES
from mien.limits import Limits

PRESS = -0.0003
"""metres: how far one unit may press facing lip vertices together, and half their distance at rest
besides; a left and a right unit add up to twice that."""
LID_OVERLAP = 0.0002
"""metres: how far the closed upper lid covers the lower one, so that no slit shows."""
LIP_SPREAD = 0.005
"""metres: a correction of the lip line fades with distance like a Gaussian of this width."""
UPPER_SHARE = 0.5
"""The part of a lip correction that the upper lip takes."""
_ROUNDS = 6
_SIDES = ("Left", "Right")


def corrected(skin: Skin) -> Skin:
    """The skin with its units corrected; the template stays as it is."""
    deltas = skin.unit_deltas.copy()
    for side, name in enumerate(_SIDES):
        blink = UNIT_NAMES.index(f"eyeBlink{name}")
        deltas[blink] = _closing_lid(skin, deltas[blink], side)
    lips = LipColumns(skin)
    for unit, name in enumerate(UNIT_NAMES):
        if name not in ("jawOpen", "mouthClose", "tongueOut"):
            deltas[unit] = lips.pressed(deltas[unit])
    jaw, close = UNIT_NAMES.index("jawOpen"), UNIT_NAMES.index("mouthClose")
    deltas[close] = lips.joined(deltas[close], deltas[jaw])
    return replace(skin, unit_deltas=deltas)


# Lids


def _closing_lid(skin: Skin, delta: np.ndarray, side: int) -> np.ndarray:
    """The blink (V, 3) with each upper-lid column stopped where it meets the lower lid."""
    upper, lower = skin.landmarks.lid_upper[side], skin.landmarks.lid_lower[side]
    upper, lower = _by_x(skin, upper), _by_x(skin, lower)
    posed = skin.template + delta
    meeting = np.stack(
        [np.interp(posed[upper, 0], posed[lower, 0], posed[lower, axis]) for axis in range(3)], 1
    )
    stop = meeting + [0.0, -LID_OVERLAP, LID_OVERLAP] - posed[upper]
    stop[[0, -1]] = 0.0
    travel = np.maximum(np.linalg.norm(delta[upper], axis=1), 1e-3)
    x = skin.template[:, 0]
    share = np.linalg.norm(delta, axis=1) / np.interp(x, skin.template[upper, 0], travel)
    share = np.clip(share, 0.0, 1.0) * _on_first(skin, upper, lower)
    stop_at = [np.interp(x, skin.template[upper, 0], stop[:, axis]) for axis in range(3)]
    return delta + share[:, None] * np.stack(stop_at, axis=1)


def _by_x(skin: Skin, row: np.ndarray) -> np.ndarray:
    return row[np.argsort(skin.template[row, 0])]


def _on_first(skin: Skin, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(V,) 1 for vertices that are fewer edges from row `first` than from row `second`, else 0."""
    return (_steps(skin, first) < _steps(skin, second)).astype(float)


def _steps(skin: Skin, row: np.ndarray) -> np.ndarray:
    """(V,): least number of edges to a vertex of `row`, its two ends not counted as starts."""
    neighbours: list[set[int]] = [set() for _ in skin.template]
    for quad in skin.quads.tolist():
        for here, there in zip(quad, quad[1:] + quad[:1], strict=True):
            neighbours[here].add(there)
            neighbours[there].add(here)
    steps = np.full(len(neighbours), np.inf)
    steps[row[1:-1]] = 0
    queue = deque(row[1:-1].tolist())
    while queue:
        here = queue.popleft()
        for there in neighbours[here]:
            if np.isinf(steps[there]):
                steps[there] = steps[here] + 1
                queue.append(there)
    return steps


# Lips


class LipColumns:
    """Facing vertices of the lips over the mouth's whole width, and how to move them apart."""

    def __init__(self, skin: Skin) -> None:
        x = skin.template[:, 0]
        marks = skin.landmarks
        self.pairs = np.array(
            [
                (row[np.abs(x[row] - x[vertex]).argmin()], vertex)
                for row, facing in marks.lip_rows
                for vertex in facing[1:-1]
            ]
        )
        upper = _on_first(skin, marks.lip_upper, marks.lip_lower)
        distance = np.linalg.norm(
            skin.template[:, None] - skin.template[np.r_[marks.lip_upper, marks.lip_lower]], axis=2
        ).min(axis=1)
        fade = np.exp(-((distance / LIP_SPREAD) ** 2))
        self._pull = fade * np.where(upper > 0, UPPER_SHARE, UPPER_SHARE - 1.0)
        self._x = x
        self._allowed = PRESS - np.maximum(self.apart(skin.template)[:, 1], 0.0) / 2

    def apart(self, delta: np.ndarray) -> np.ndarray:
        """(C, 3): how each upper lip vertex moves against the lower one that it faces."""
        return delta[self.pairs[:, 0]] - delta[self.pairs[:, 1]]

    def pressed(self, delta: np.ndarray) -> np.ndarray:
        """The unit (V, 3) with no facing pair brought closer than PRESS allows."""
        for _ in range(_ROUNDS):
            lift = np.zeros((len(self.pairs), 3))
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
        columns, place = np.unique(self._x[self.pairs[:, 1]].round(4), return_inverse=True)
        profile = np.zeros((len(columns), 3))
        for axis in range(3):
            order = np.argsort(np.abs(parting[:, axis]))
            profile[place[order], axis] = parting[order, axis]
        fields = [np.interp(self._x, columns, profile[:, axis]) for axis in range(3)]
        return self._pull[:, None] * np.stack(fields, axis=1)


def limits(skin: Skin) -> Limits:
    """No rules yet."""
    return Limits(np.zeros(0,np.int32), np.zeros((0,52),np.float32), np.zeros(0,np.float32), np.zeros(0,np.float32))
