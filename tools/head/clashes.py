"""State which units clash, as rules for `mien.limits`, measured on the corrected shapes.

In words:
- a lid can travel no further than shut: the blink yields to whatever else lowers the lid
  (eyeLookDown, eyeSquint and so on), and eyeWide and eyeLookUp yield to the blink
- opposites share one range: looking up and down, in and out, jaw and mouth left and right
- the funnel yields to an open jaw, a smile and a pucker, and the pucker to a smile: they pull the
  same stretch of lip in different directions and tear it
- mouthClose undoes an opening and does no more
- the tongue comes out only as far as the jaw is open
- all that presses the lips together shares LIP_BUDGET; what opens them adds to it
"""

import numpy as np

from head.marks import contact
from head.types import Skin
from mien.face import UNIT_NAMES
from mien.limits import Limits

LIP_BUDGET = 0.0014
"""metres: how far the lips may be pressed together beyond their rest, by all units in sum."""
TONGUE_ROOM = 3.3
"""How much of tongueOut a unit of open jaw allows: the whole tongue from jawOpen 0.3."""
LEAST_LID_SHARE = 0.05
"""Units that lower the lid by less than this part of its opening are let be."""
LEAST_PRESS = 0.0001
"""metres: units that press the lips by less than this are let be."""
_LIDS = ("eyeLookDown", "eyeLookUp", "eyeSquint", "cheekSquint", "browDown")
_OPPOSITES = (
    ("eyeLookDownLeft", "eyeLookUpLeft"),
    ("eyeLookDownRight", "eyeLookUpRight"),
    ("eyeLookInLeft", "eyeLookOutLeft"),
    ("eyeLookInRight", "eyeLookOutRight"),
    ("jawLeft", "jawRight"),
    ("mouthLeft", "mouthRight"),
)
_OPENERS = ("jawForward", "mouthFunnel", "mouthShrugUpper", "mouthUpperUp", "mouthLowerDown")
_PRESSERS = (
    "mouthPucker",
    "mouthFrown",
    "mouthShrugLower",
    "cheekPuff",
    "mouthLeft",
    "mouthRight",
    "mouthRollUpper",
    "mouthRollLower",
    "mouthPress",
)
"""What presses the lips besides mouthSmile, which is never lowered, and mouthClose, by rank: each
may use what those before it have left of the budget."""


class _Rules:
    """Collects rules by the units' names."""

    def __init__(self) -> None:
        self._rows: list[tuple[int, np.ndarray, float]] = []

    def add(self, target: str, ceiling: float, **taken: float) -> None:
        """`target` may reach `ceiling` less each named weight times its factor, at least 0."""
        sources = np.zeros(len(UNIT_NAMES), np.float32)
        for name, factor in taken.items():
            for unit in _named(name):
                sources[unit] = factor
        self._rows += [(unit, sources, ceiling) for unit in _named(target)]

    def limits(self) -> Limits:
        targets, sources, ceilings = zip(*self._rows, strict=True)
        return Limits(
            targets=np.array(targets, np.int32),
            sources=np.stack(sources),
            ceilings=np.array(ceilings, np.float32),
        )


def _named(name: str) -> list[int]:
    """A unit's index, or those of its left and right forms."""
    if name in UNIT_NAMES:
        return [UNIT_NAMES.index(name)]
    return [UNIT_NAMES.index(name + side) for side in ("Left", "Right")]


def rules(skin: Skin) -> Limits:
    """All rules, in the order in which they must be applied."""
    found = _Rules()
    for first, second in _OPPOSITES:
        found.add(second, 1.0, **{first: 1.0})
    for side in ("Left", "Right"):
        _lid_rules(found, skin, side)
    found.add("mouthFunnel", 1.15, jawOpen=0.6, mouthSmile=0.45, mouthPucker=0.5)
    found.add("mouthPucker", 1.0, mouthSmile=0.3)
    _lip_rules(found, skin)
    found.add("tongueOut", 0.0, jawOpen=-TONGUE_ROOM, mouthClose=TONGUE_ROOM)
    return found.limits()


def _lid_rules(found: _Rules, skin: Skin, side: str) -> None:
    index = ("Left", "Right").index(side)
    upper, lower = skin.landmarks.lid_upper[index], skin.landmarks.lid_lower[index]
    middle = upper[len(upper) // 2]
    facing = lower[np.abs(skin.template[lower, 0] - skin.template[middle, 0]).argmin()]
    opening = (skin.template[middle] - skin.template[facing])[1]
    shares = {}
    for name in _LIDS:
        delta = skin.delta(name + side)
        shares[name + side] = (delta[facing] - delta[middle])[1] / opening
    large = {name: float(share) for name, share in shares.items() if share >= LEAST_LID_SHARE}
    large.pop(f"eyeLookUp{side}", None)
    found.add(f"eyeBlink{side}", 1.0, **large)
    found.add(f"eyeWide{side}", 1.0, **{f"eyeBlink{side}": 1.0})
    found.add(f"eyeLookUp{side}", 1.0, **{f"eyeBlink{side}": 1.0})


def _lip_rules(found: _Rules, skin: Skin) -> None:
    """mouthClose first, then the pressers by rank; both sides of a unit count together."""
    close, jaw = _pressed(skin, "mouthClose"), _opened(skin, "jawOpen")
    smile = {"mouthSmile": _pressed(skin, "mouthSmile") / 2}
    # mouthClose may undo what an opener opens on average, so that even a funnel can be closed.
    undone = {name: -_pair_gaps(skin, name).mean() / len(_named(name)) for name in _OPENERS}
    found.add("mouthClose", LIP_BUDGET / close, jawOpen=-1.0, **_per(undone | smile, close))
    # The jaw counts by what it opens least, and so does mouthClose, for equal weights cancel.
    taken = {name: -_opened(skin, name) for name in _OPENERS} | smile
    taken |= {"jawOpen": -jaw, "mouthClose": jaw}
    for name in _PRESSERS:
        press = _pressed(skin, name)
        if press >= LEAST_PRESS:
            found.add(name, LIP_BUDGET / press, **_per(taken, press))
            taken[name] = press / len(_named(name))


def _per(taken: dict[str, float], press: float) -> dict[str, float]:
    return {name: share / press for name, share in taken.items()}


def _pressed(skin: Skin, name: str) -> float:
    """metres: how far a unit (both sides of it) presses the lips where it presses them most."""
    return -float(_pair_gaps(skin, name).min())


def _opened(skin: Skin, name: str) -> float:
    """metres: how far a unit (each side of it) opens the lips where it opens them least."""
    return max(float(_pair_gaps(skin, name).min()), 0.0) / len(_named(name))


def _pair_gaps(skin: Skin, name: str) -> np.ndarray:
    """(P,) metres: how each contact pair parts under the unit, both sides of it at weight 1."""
    pairs, normals = contact(skin)
    delta = skin.unit_deltas[_named(name)].sum(axis=0)
    return ((delta[pairs[:, 0]] - delta[pairs[:, 1]]) * normals).sum(axis=1)
