"""Phrases of parts of the face, with what they demand of its units: the file of `composition`.

A line is a phrase, a bar and its demands, parted by spaces: `winks with the left eye, no smile |
+eyeBlinkLeft -mouthSmileLeft -mouthSmileRight left>right:eyeBlink`. Empty lines and lines that
begin with # say nothing. All demands are on changes: the weight that the phrase settles to, less
that of "neutral".

    +unit            it rises, by more than 0.15
    -unit            it stays, below 0.12
    left>right:stem  the unit of that stem is stronger on the face's left, by 0.15 or more
    right>left:stem  … on its right
"""

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mien.errors import MienError
from mien.face import UNIT_NAMES

PATH = Path(__file__).with_name("phrases.txt")
RISEN, STAYED, STRONGER = 0.15, 0.12, 0.15
KINDS = {"+": "rises", "-": "stays", ">": "side"}
SIDES = {"left": "Left", "right": "Right"}
COMPARISON = re.compile(r"(left|right)>(left|right):(\w+)")


@dataclass(frozen=True)
class Demand:
    """What a phrase demands of one unit, or of both sides of a pair."""

    text: str
    """as it is written in the file"""
    sign: str
    """one of KINDS"""
    unit: str
    """the unit that rises, stays or is stronger"""
    other: str | None = None
    """the unit of the other side, where sides are compared"""

    def measured(self, changes: Mapping[str, float]) -> float:
        """Return how much the unit changed, or by how much more than the other side's."""
        return changes[self.unit] - (changes[self.other] if self.other else 0.0)

    def met(self, changes: Mapping[str, float]) -> bool:
        """Say whether changes of weights, by unit, are as demanded."""
        found = self.measured(changes)
        if self.sign == "-":
            return found < STAYED
        return found >= STRONGER if self.sign == ">" else found > RISEN


@dataclass(frozen=True)
class Phrase:
    """A phrase and its demands."""

    text: str
    demands: tuple[Demand, ...]


def read_phrases(path: Path | str | None = None) -> tuple[Phrase, ...]:
    """Read a file of phrases (default: ours).

    Raises MienError where it cannot be read, holds none, has a phrase twice, or where a line is no
    phrase with demands on units that there are.
    """
    path = Path(path or PATH)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise MienError(
            f"the phrases {path} cannot be read ({error}); write lines of phrase | +unit -unit"
        ) from error
    found: dict[str, Phrase] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        where = f"{path}, line {number}"
        phrase = _phrase(line, where)
        if (key := phrase.text.casefold()) in found:
            raise MienError(f"{where}: {phrase.text!r} stands there twice; keep one")
        found[key] = phrase
    if not found:
        raise MienError(f"{path} holds no phrase; write lines of phrase | +unit -unit")
    return tuple(found.values())


def _phrase(line: str, where: str) -> Phrase:
    text, bar, demands = line.rpartition("|")
    if not bar or not text.strip() or not demands.split():
        raise MienError(f"{where} is {line.strip()!r}; write a phrase, a bar | and its demands")
    return Phrase(text.strip(), tuple(_demand(one, where) for one in demands.split()))


def _demand(text: str, where: str) -> Demand:
    if text[0] in "+-":
        return Demand(text, text[0], _unit(text[1:], where))
    compared = COMPARISON.fullmatch(text)
    if not compared or compared[1] == compared[2]:
        raise MienError(
            f"{where}: {text!r} is no demand; write +unit, -unit, left>right:stem or "
            "right>left:stem"
        )
    more, less, stem = compared.groups()
    unit, other = (_unit(stem + SIDES[side], where) for side in (more, less))
    return Demand(text, ">", unit, other)


def _unit(name: str, where: str) -> str:
    if name in UNIT_NAMES:
        return name
    if f"{name}Left" in UNIT_NAMES:
        near = f"name the side, {name}Left or {name}Right"
    else:
        near = f"did you mean {(difflib.get_close_matches(name, UNIT_NAMES, 1, 0) or ['?'])[0]}?"
    raise MienError(f"{where}: there is no unit {name!r}; {near}")
