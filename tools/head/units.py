"""Correct MakeHuman's 52 units where one of them alone goes wrong.

MakeHuman's shapes were modelled one by one. Used as they are, these go wrong:

- eyeBlink closes the lids at 0.7 and ends up to 5 mm past the lower one. Corrected here: at weight
  1 the lids just meet along the whole rim. And eyeLookUp leaves the lid where it is; here it
  follows the gaze, as it does in MakeHuman's eyeLookDown.
- many mouth units push the lips through each other (mouthShrugLower by 5.2 mm, mouthPucker and
  mouthRollLower by 3.2 mm, mouthLeft by 2.1 mm). Corrected here: no unit alone brings any pair of
  facing lip vertices closer than PRESS allows.
- mouthClose does not quite undo jawOpen. Corrected here: together they leave the lips where they
  rest against each other, so equal weights close the mouth at any opening.

What remains are sums of units, which the rules of `clashes` hold apart.
"""

from dataclasses import replace

import numpy as np

from head.lips import LipColumns, sealed
from head.quads import steps_from
from head.types import Skin
from mien.face import UNIT_NAMES

LID_OVERLAP = 0.0002
"""metres: how far the closed upper lid covers the lower one, so that no slit shows."""
LOOK_UP_LIFT = 0.4
"""The part of eyeWide that goes with eyeLookUp, whose upper lid otherwise stays behind the gaze."""
_SIDES = ("Left", "Right")


def corrected(skin: Skin) -> Skin:
    """The skin with its units corrected, and its lips closed in the neutral."""
    skin = replace(skin, template=sealed(skin))
    deltas = skin.unit_deltas.copy()
    for side, name in enumerate(_SIDES):
        blink = UNIT_NAMES.index(f"eyeBlink{name}")
        deltas[blink] = _closing_lid(skin, deltas[blink], side)
        wide, up = UNIT_NAMES.index(f"eyeWide{name}"), UNIT_NAMES.index(f"eyeLookUp{name}")
        deltas[up] += LOOK_UP_LIFT * deltas[wide]
    lips = LipColumns(skin)
    for unit, name in enumerate(UNIT_NAMES):
        if name not in ("jawOpen", "mouthClose", "tongueOut"):
            deltas[unit] = lips.pressed(deltas[unit])
    jaw, close = UNIT_NAMES.index("jawOpen"), UNIT_NAMES.index("mouthClose")
    deltas[close] = lips.joined(deltas[close], deltas[jaw])
    return replace(skin, unit_deltas=deltas)


def _closing_lid(skin: Skin, delta: np.ndarray, side: int) -> np.ndarray:
    """The blink (V, 3) with each upper-lid column stopped where it meets the lower lid."""
    upper, lower = skin.landmarks.lid_upper[side], skin.landmarks.lid_lower[side]
    upper, lower = _by_x(skin, upper), _by_x(skin, lower)
    delta = delta * _closed_at(skin, delta, upper, lower)
    posed = skin.template + delta
    overlap = np.array([0.0, -LID_OVERLAP, LID_OVERLAP])
    stop = _facing(posed, upper, lower) + overlap - posed[upper]
    stop[[0, -1]] = 0.0
    travel = np.maximum(np.linalg.norm(delta[upper], axis=1), 1e-3)
    x = skin.template[:, 0]
    share = np.linalg.norm(delta, axis=1) / np.interp(x, skin.template[upper, 0], travel)
    on_upper = steps_from(skin.quads, upper) < steps_from(skin.quads, lower)
    share = np.clip(share, 0.0, 1.0) * on_upper
    stop_at = [np.interp(x, skin.template[upper, 0], stop[:, axis]) for axis in range(3)]
    return delta + share[:, None] * np.stack(stop_at, axis=1)


def _closed_at(skin: Skin, delta: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> float:
    """The weight at which the middle of the upper lid meets the lower lid."""
    middle = len(upper) // 2

    def opening(vertices: np.ndarray) -> float:
        return float((vertices[upper] - _facing(vertices, upper, lower))[middle, 1])

    rest = opening(skin.template)
    return rest / (rest - opening(skin.template + delta))


def _facing(vertices: np.ndarray, upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """(n, 3): the points of the lower lid's rim that lie below the upper rim's vertices."""
    x, rim = vertices[upper, 0], vertices[lower]
    return np.stack([np.interp(x, rim[:, 0], rim[:, axis]) for axis in range(3)], axis=1)


def _by_x(skin: Skin, row: np.ndarray) -> np.ndarray:
    return row[np.argsort(skin.template[row, 0])]
