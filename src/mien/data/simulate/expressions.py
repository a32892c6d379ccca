"""The states of the simulated actor: expressions as amounts of the face's units, after the FACS.

The table is `states.txt`, for animators to read and correct; it says what its lines mean. This
module reads it strictly, and makes expressions that are not in it: mixtures and compositions.
"Left" is the face's own left. AU numbers are those of Ekman, Friesen and Hager (FACS, 2002).
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.errors import MienError
from mien.face import UNIT_NAMES

STATES_PATH = Path(__file__).with_name("states.txt")

RANGES = {
    "onset": (0.1, 2.0), "decay": (0.1, 2.0), "apex": (0.0, 0.15),
    "arousal": (-1.0, 1.0), "valence": (-1.0, 1.0), "blinks": (0.0, 40.0),
}  # fmt: skip
"""What the numbers of a state must lie in; units as in `State`."""


@dataclass(frozen=True)
class State:
    """One expression."""

    name: str
    weights: Mapping[str, float]
    """unit -> amount at level 1, in (0, 1]; absent units are 0"""
    onset: float = 0.5
    """seconds from neutral to the full state"""
    decay: float = 0.8
    """seconds from the full state back to neutral"""
    apex: float = 0.0
    """how far the onset goes beyond the full state before it settles, as a share"""
    facs: tuple[str, ...] = ()
    """the action units it is made of; L and R before a number mean one side only"""
    note: str = ""
    """what a viewer should read from it"""
    arousal: float = 0.0
    """in [-1, 1]: where it lies on Russell's circumplex (1980), as `valence`"""
    valence: float = 0.0
    """in [-1, 1]"""
    blinks: float = 17.0
    """a minute; an average face at rest has 17"""

    def weights_at(self, level: float, unit_names: Sequence[str]) -> np.ndarray:
        """Weights (U,) float32 in [0, 1] at a level in [0, 1.5], in the order of `unit_names`."""
        amounts = [level * self.weights.get(unit, 0.0) for unit in unit_names]
        return np.clip(np.asarray(amounts, dtype=np.float32), 0.0, 1.0)


def composed(
    weights: Mapping[str, float],
    *,
    name: str,
    onset: float = 0.5,
    decay: float = 0.8,
    apex: float = 0.03,
    facs: tuple[str, ...] = (),
    note: str = "",
    arousal: float = 0.0,
    valence: float = 0.0,
    blinks: float = 17.0,
) -> State:
    """Return an expression made of unit amounts in [0, 1], as the grammar has them; 0 is left out.

    Raises MienError for an unknown unit, and for a number outside its range (`RANGES`).
    """
    numbers = {
        "onset": onset, "decay": decay, "apex": apex,
        "arousal": arousal, "valence": valence, "blinks": blinks,
    }  # fmt: skip
    where = f"the state {name!r}"
    for key, value in numbers.items():
        _check_number(key, value, where)
    kept = {}
    for unit, amount in weights.items():
        if unit not in UNIT_NAMES:
            raise MienError(f"{where}: no unit is called {unit!r}; see mien.face.UNIT_NAMES")
        if not 0 <= amount <= 1:
            raise MienError(f"{where}: {unit} is {amount:g}; give an amount in [0, 1]")
        if amount:
            kept[unit] = float(amount)
    return State(name=name, weights=kept, facs=facs, note=note, **numbers)


def mixture(first: State, second: State, share: float) -> State:
    """Return both expressions at once: amounts, times and numbers between the two.

    `share` in [0, 1] is the first one's, 1 - `share` the second's. Amounts are blended, not added,
    so what both do stays as strong as it was, and what only one does is shown in its share.
    Raises MienError for a share outside [0, 1].
    """
    if not 0 <= share <= 1:
        raise MienError(f"the first expression's share is {share:g}; give one in [0, 1]")

    def between(one: float, other: float) -> float:
        return share * one + (1 - share) * other

    units = {**first.weights, **second.weights}
    return composed(
        {u: between(first.weights.get(u, 0.0), second.weights.get(u, 0.0)) for u in units},
        name=f"{first.name}+{second.name}",
        onset=between(first.onset, second.onset),
        decay=between(first.decay, second.decay),
        apex=between(first.apex, second.apex),
        facs=tuple(dict.fromkeys((*first.facs, *second.facs))),
        note=f"{first.note}; and {second.note}",
        arousal=between(first.arousal, second.arousal),
        valence=between(first.valence, second.valence),
        blinks=between(first.blinks, second.blinks),
    )


def read_states(path: str | Path = STATES_PATH) -> dict[str, State]:
    """Return the states of a table by name, in its order. The format is told in `states.txt`.

    Raises MienError with file and line for anything that is not as told there.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as problem:
        raise MienError(f"the states {path} cannot be read ({problem}); give a table") from problem
    states: dict[str, State] = {}
    for start, block in _blocks(lines):
        state = _read_state(block, states, f"{path.name}, line {start}")
        states[state.name] = state
    if not states:
        raise MienError(f"{path.name} holds no states; write at least one")
    return states


def _blocks(lines: Iterable[str]) -> list[tuple[int, list[str]]]:
    """Return runs of lines without an empty one or a comment, each with its first line's number."""
    blocks: list[tuple[int, list[str]]] = []
    inside = False
    for number, line in enumerate(lines, start=1):
        text = line.strip()
        if not text or text.startswith("#"):
            inside = False
            continue
        if not inside:
            blocks.append((number, []))
        blocks[-1][1].append(text)
        inside = True
    return blocks


def _read_state(block: Sequence[str], before: Mapping[str, State], where: str) -> State:
    """Return the state of a block; `before` are those above it."""
    name, colon, note = (part.strip() for part in block[0].partition(":"))
    if not (colon and note and re.fullmatch("[a-z]+(_[a-z]+)*", name)):
        raise MienError(f"{where}: {block[0]!r} should be 'name: what a viewer reads from it'")
    where = f"{where} ({name})"
    if name in before:
        raise MienError(f"{where}: a state of this name is above; keep one")
    if len(block) == 2 and block[1].startswith("mirror of "):
        other = block[1].removeprefix("mirror of ").strip()
        if other not in before:
            raise MienError(f"{where}: it mirrors {other!r}, but no such state is above")
        return replace(_mirrored(before[other]), name=name, note=note)
    if len(block) < 3 or block[1].split()[0] != "FACS":
        raise MienError(f"{where}: lines 'FACS …', 'onset …' and units should follow the name")
    return composed(
        _read_units(block[3:], where),
        name=name,
        facs=_read_facs(block[1], where),
        note=note,
        **_read_numbers(block[2], where),
    )


def _read_facs(line: str, where: str) -> tuple[str, ...]:
    """Return the action units of 'FACS 1 L2 …'."""
    facs = tuple(line.split()[1:])
    for unit in facs:
        if not re.fullmatch(r"[LR]?\d{1,2}", unit):
            raise MienError(f"{where}: {unit!r} is no action unit; write them like 12 or L12")
    return facs


def _read_numbers(line: str, where: str) -> dict[str, float]:
    """Return the numbers of 'onset .5  decay .9 …', all of `RANGES` in its order."""
    words = line.split()
    if words[::2] != list(RANGES) or len(words) != 2 * len(RANGES):
        raise MienError(f"{where}: {line!r} should be '{' … '.join(RANGES)} …'")
    return {key: _number(word, where) for key, word in zip(RANGES, words[1::2], strict=True)}


def _read_units(lines: Iterable[str], where: str) -> dict[str, float]:
    """Return the amounts of lines like 'browInnerUp .3  mouthSmile .9/.86'."""
    weights: dict[str, float] = {}
    words = [word for line in lines for word in line.split()]
    if len(words) % 2:
        raise MienError(f"{where}: units and amounts should come in pairs; {words[-1]!r} is alone")
    for stem, amounts in zip(words[::2], words[1::2], strict=True):
        for unit, amount in _read_amounts(stem, amounts, where).items():
            if unit in weights:
                raise MienError(f"{where}: {unit} is given twice; keep one")
            weights[unit] = amount
    return weights


def _read_amounts(stem: str, text: str, where: str) -> dict[str, float]:
    """Return unit -> amount of a single unit, or of a pair named without its side."""
    amounts = [_number(part, where) for part in text.split("/")]
    if stem in UNIT_NAMES and len(amounts) == 1:
        return {stem: amounts[0]}
    pair = [f"{stem}Left", f"{stem}Right"]
    if set(pair) <= set(UNIT_NAMES) and len(amounts) <= 2:
        left, right = amounts[0], amounts[-1]
        return {unit: a for unit, a in zip(pair, (left, right), strict=True) if a}
    raise MienError(f"{where}: '{stem} {text}' is no unit with one amount, nor a pair with two")


def _number(text: str, where: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise MienError(f"{where}: {text!r} should be a number") from None


def _check_number(key: str, value: float, where: str) -> None:
    least, most = RANGES[key]
    if not (math.isfinite(value) and least <= value <= most):
        raise MienError(f"{where}: {key} is {value:g}; give one from {least:g} to {most:g}")


def _mirrored(state: State) -> State:
    """Return the state with the face's sides exchanged."""
    return replace(
        state,
        weights={_other_side(unit, "Left", "Right"): a for unit, a in state.weights.items()},
        facs=tuple(_other_action(unit) for unit in state.facs),
    )


def _other_side(name: str, left: str, right: str) -> str:
    if name.endswith(left):
        return name.removesuffix(left) + right
    return name.removesuffix(right) + left if name.endswith(right) else name


def _other_action(unit: str) -> str:
    """AU 61 turns the eyes left, 62 right; other action units name their side, if any."""
    swapped = {"L": "R", "R": "L"}
    return {"61": "62", "62": "61"}.get(unit, swapped.get(unit[0], unit[0]) + unit[1:])


STATES: dict[str, State] = read_states()
