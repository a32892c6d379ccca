"""Word lists of the grammar: text files of sections, with wordings held out by split.

A file has sections, `[name]`, of lines `key: a, b, ~c, ^d` (lists), or of plain lines (frames, one
wording a line). `~` before a wording keeps it for validation, `^` for test.

The split is safe by counting: a word that stands only in wordings held out for a split is a
held-out word, no training draw has one, and every held-out draw has at least two. So no training
draw is a held-out one, nor can changing, adding or leaving out one word make it so.
"""

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from mien.errors import MienError

Option = TypeVar("Option")
FOLDER = Path(__file__).parent
FILES = ("actions.txt", "feelings.txt", "frames.txt", "strength.txt")
MARKS = {"~": "validation", "^": "test"}
SPLITS = ("train", *MARKS.values())
HELD_SHARE = 0.7
"""How often a held-out draw takes a held-out wording where there is one."""
SUFFIXES = ("fully", "edly", "ingly", "ness", "ing", "ful", "ed", "ly", "es", "y", "s", "e")


@dataclass(frozen=True)
class Choice:
    """Wordings of one thing, some of them held out."""

    plain: tuple[str, ...]
    """What every split may draw."""
    held: Mapping[str, tuple[str, ...]]
    """Split -> what only it may draw."""

    @classmethod
    def of(cls, items: Iterable[str]) -> "Choice":
        """From marked items."""
        items = [item.strip() for item in items]
        held = {
            split: tuple(item[1:] for item in items if item.startswith(mark))
            for mark, split in MARKS.items()
        }
        return cls(tuple(item for item in items if item[:1] not in MARKS), held)

    def pick(
        self, random: np.random.Generator, split: str, *, held_share: float = HELD_SHARE
    ) -> str:
        """One wording that the split may draw."""
        held = self.held.get(split, ())
        take_held = held and (not self.plain or random.random() < held_share)
        return picked(random, held if take_held else self.plain)

    def __bool__(self) -> bool:
        """Whether every split finds something here."""
        return bool(self.plain)


NOTHING = Choice((), {})


def picked(random: np.random.Generator, options: Sequence[Option]) -> Option:
    """One of the options, all alike (faster than Generator.choice)."""
    return options[int(random.random() * len(options))]


def chance(random: np.random.Generator, share: float) -> bool:
    """True in a share of all cases."""
    return bool(random.random() < share)


def check_split(split: str) -> None:
    """MienError if there is no such split."""
    if split not in SPLITS:
        raise MienError(f"no split {split!r} in the grammar; choose from {', '.join(SPLITS)}")


@functools.cache
def sections(file: str) -> dict[str, list[str]]:
    """Section -> its lines, without comments."""
    found: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in (FOLDER / file).read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[] "), [])
        elif line.strip() and not line.startswith("#"):
            lines.append(line.strip())
    return found


@functools.cache
def frames(section: str) -> Choice:
    """The frames of a section of frames.txt."""
    return Choice.of(sections("frames.txt")[section])


def fields(lines: list[str]) -> dict[str, str]:
    """Key -> value of the lines of a section."""
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def choices(value: str) -> Choice:
    """The wordings in a comma-separated value."""
    return Choice.of(value.split(",")) if value else NOTHING


# Held-out words


def stem(word: str) -> str:
    """A rough stem, so that "hoist", "hoists" and "hoisted" count as one word."""
    for suffix in SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return stem(word[: -len(suffix)].rstrip("i"))
    return word


def stems(text: str) -> list[str]:
    """The stems of a text's words, in order."""
    return [_stem(word) for word in re.findall(r"[a-z]+", text.lower())]


_stem = functools.cache(stem)


@functools.cache
def held_stems(split: str) -> frozenset[str]:
    """Stems that stand only in wordings held out for this split; none for train."""
    by_split: dict[str, set[str]] = {name: set() for name in SPLITS}
    for file in FILES:
        for lines in sections(file).values():
            for line in lines:
                for item in _items(line):
                    by_split[MARKS.get(item[:1], "train")].update(_stems_of(item))
    others = set().union(*(by_split[name] for name in SPLITS if name != split))
    return frozenset() if split == "train" else frozenset(by_split[split] - others)


def _stems_of(item: str) -> list[str]:
    """The stems of a wording's own words: its sides said, its other slots left out."""
    said = " ".join(item.replace("{side}", side) for side in ("left", "right"))
    return stems(re.sub(r"\{\w+\}", " ", said))


def _items(line: str) -> list[str]:
    """The marked and unmarked wordings in a line; a frame is one, commas and all."""
    if re.match(r"[a-z_]+: ", line):
        return [item.strip() for item in line.split(": ", 1)[1].split(",")]
    return [line]


def is_held_out(text: str, split: str) -> bool:
    """Whether a text may be drawn for a split: always in train, else with two held-out words."""
    return split == "train" or sum(word in held_stems(split) for word in stems(text)) >= 2
