"""What single parts of a face can do: the unit weights of "brows raised" and how such actions add.

Every unit belongs to a part of the face ("brow.left", "lid.right", "lips"). An action claims parts:
two actions go together if they claim different ones. Alone it has all the weights of the state it
is taken from (a wink smiles); beside others only what lies in the parts it keeps and nobody else
claims. "One side" without a name is the face's own left.
"""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mien.data.simulate.expressions import STATES
from mien.data.simulate.grammar.lists import NOTHING, Choice, choices, fields, sections
from mien.face import UNIT_NAMES

SIDES = ("left", "right")
BOTH = "both"
PARTS = {
    "brow": ("brow",),
    "lid": ("eyeBlink", "eyeSquint", "eyeWide"),
    "gaze": ("eyeLook",),
    "nose": ("noseSneer",),
    "cheek": ("cheekSquint",),
    "puff": ("cheekPuff",),
    "corner": ("mouthSmile", "mouthFrown", "mouthDimple", "mouthStretch"),
    "shift": ("mouthLeft", "mouthRight"),
    "opening": ("jawOpen", "mouthClose"),
    "jaw": ("jawForward", "jawLeft", "jawRight"),
    "tongue": ("tongueOut",),
    "lips": ("mouth",),  # what is left of the mouth
}
SIDED = ("brow", "lid", "nose", "cheek", "corner")
UPPER = ("brow", "lid", "gaze", "nose", "cheek")
"""The parts of the upper face; the others are the lower face."""


def part_of(unit: str) -> str:
    """The part a unit moves: "brow.left", "brow.middle", "lips" …"""
    part = next(p for p, stems in PARTS.items() if unit.startswith(stems))
    if part not in SIDED:
        return part
    side = next((side for side in SIDES if unit.endswith(side.capitalize())), "middle")
    return f"{part}.{side}"


PART_OF = {unit: part_of(unit) for unit in UNIT_NAMES}


@dataclass(frozen=True, eq=False)
class Action:
    """Something a part of the face can do, and the words for it."""

    name: str
    part: str  # of [parts]; "" where the words name none
    weights: Mapping[str, Mapping[str, float]]  # "both", "left", "right" -> unit -> amount
    claims: tuple[str, ...]
    keeps: tuple[str, ...]
    do: Choice  # verbs with _ for the part
    go: Choice  # what the part itself does
    be: Choice  # after the part
    attribute: Choice  # before the part
    noun: Choice  # the whole
    strong: Choice  # adverbs for much of it; empty: the usual ones
    amounts: str  # "all", "weak" or "no"
    half: bool
    off: tuple[str, ...]  # stems of the units that a denial takes away; empty: all it claims
    fixed: bool  # the words say the side, the part is whole
    whole: bool  # on a side, it settles the other side too
    side_after: bool
    zero: bool  # rest
    alone: bool  # may stand alone
    common: int  # how often it comes, against 1 for others

    @property
    def sides(self) -> tuple[str, ...]:
        """The sides that it can be on."""
        return tuple(self.weights)

    def claimed(self, side: str) -> frozenset[str]:
        """The parts it settles on a side."""
        return _expanded(self.claims, BOTH if self.whole else side)

    def one_side(self, side: str) -> frozenset[str]:
        """The parts it is about on a side, not the other side's."""
        return _expanded(self.claims, side)

    def kept(self) -> frozenset[str]:
        """The parts that its weights may touch beside other actions."""
        return _expanded(self.keeps, BOTH)


def _expanded(parts: Iterable[str], side: str) -> frozenset[str]:
    """Parts with their sides: all of them for both."""
    wanted = (side,) if side in SIDES else (*SIDES, "middle")
    return frozenset(
        name
        for part in parts
        for name in ([f"{part}.{s}" for s in wanted] if part in SIDED else [part])
    )


# Reading


@functools.cache
def actions() -> dict[str, Action]:
    """All actions whose states exist, by name."""
    found = {}
    for name, lines in sections("actions.txt").items():
        if name == "parts":
            continue
        values = fields(lines)
        if weights := _weights(values):
            found[name] = _action(name, values, weights)
    return found


def _action(name: str, values: Mapping[str, str], weights: dict[str, dict[str, float]]) -> Action:
    words = {key: choices(values.get(key, "")) for key in ("do", "go", "be", "with", "noun")}
    claims = tuple(values["claims"].split())
    return Action(
        name,
        values.get("part", ""),
        weights,
        claims,
        tuple(values.get("keeps", values["claims"]).split()),
        words["do"],
        words["go"],
        words["be"],
        words["with"],
        words["noun"],
        choices(values["strong"]) if "strong" in values else NOTHING,
        values.get("amounts", "all"),
        "half" in values,
        tuple(values.get("off", "").split()),
        "fixed" in values,
        "fixed" in values or "whole" in values,
        "side_after" in values,
        "zero" in values,
        values.get("alone") != "no",
        int(values.get("common", 1)),
    )


def _weights(values: Mapping[str, str]) -> dict[str, dict[str, float]]:
    """Side -> weights; a side whose state is not in the table is left out."""
    found = {}
    if "weights" in values and (weights := _parsed(values["weights"], "")) is not None:
        found[BOTH] = weights
    for side in SIDES if "side" in values else ():
        weights = _parsed(values["side"].replace("{Side}", side.capitalize()), side)
        if weights is not None:
            found[side] = weights | _sideways(float(values.get("gaze", 0)), side)
    return found


def _parsed(spec: str, side: str) -> dict[str, float] | None:
    """Weights from "@state" or "stem amount, stem amount"; None if there is no such state."""
    if spec.startswith("@"):
        state = STATES.get(f"{spec[1:]}_{side}" if side else spec[1:])
        return None if state is None else dict(state.weights)
    pairs = [] if spec == "none" else [item.split() for item in spec.split(",")]
    return {
        unit: float(amount)
        for stem, amount in pairs
        for unit in UNIT_NAMES
        if unit in (stem, *(f"{stem}{s.capitalize()}" for s in ([side] if side else SIDES)))
        or (stem.startswith("eyeLook") and unit.startswith(stem))
    }


def _sideways(amount: float, side: str) -> dict[str, float]:
    """A gaze to a side, the face's own."""
    other = SIDES[side == "left"]
    units = (f"eyeLookOut{side.capitalize()}", f"eyeLookIn{other.capitalize()}")
    return dict.fromkeys(units, amount) if amount else {}


# Adding


@dataclass(frozen=True)
class Doing:
    """An action on a side, to an amount."""

    action: Action
    side: str = BOTH
    factor: float = 1.0

    @property
    def meaning(self) -> str:
        """Its name with its side."""
        return f"{self.action.name}.{self.side}"

    @property
    def claimed(self) -> frozenset[str]:
        """The parts it settles."""
        return self.action.claimed(self.side)

    def weights(self) -> dict[str, float]:
        """Its weights alone."""
        return {u: min(1.0, self.factor * a) for u, a in self.action.weights[self.side].items()}

    def bare(self) -> dict[str, float]:
        """Its weights in the parts it keeps: nothing that its state brings along elsewhere."""
        kept = self.action.kept()
        return {unit: amount for unit, amount in self.weights().items() if PART_OF[unit] in kept}


def together(doings: Iterable[Doing], *, claimed: frozenset[str] = frozenset()) -> dict[str, float]:
    """The weights of actions shown at once; `claimed` parts are settled by something else."""
    doings = tuple(doings)
    if len(doings) == 1 and not claimed:
        return doings[0].weights()
    weights: dict[str, float] = {}
    for doing in doings:
        others = claimed.union(*(d.claimed for d in doings if d is not doing))
        kept = doing.claimed | (doing.action.kept() - others)
        for unit, amount in doing.weights().items():
            if PART_OF[unit] in kept:
                weights[unit] = max(amount, weights.get(unit, 0.0))
    return weights


def without(weights: Mapping[str, float], doing: Doing) -> dict[str, float]:
    """Weights from which the units of an action are gone, where it claims them."""
    side, off = doing.action.weights[doing.side], doing.action.off
    claimed = doing.action.one_side(doing.side)
    gone = {u for u in side if PART_OF[u] in claimed and (not off or u.startswith(off))}
    return {unit: amount for unit, amount in weights.items() if unit not in gone}


def only_parts(weights: Mapping[str, float], parts: Iterable[str]) -> dict[str, float]:
    """The weights of some parts ("brow", "lid" …), with both sides."""
    wanted = set(parts)
    return {u: a for u, a in weights.items() if PART_OF[u].partition(".")[0] in wanted}
