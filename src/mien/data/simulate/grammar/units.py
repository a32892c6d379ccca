"""Draws of unit-level phrases: one to four actions of the face's parts, in one sentence or list."""

import functools
import zlib
from collections.abc import Sequence

import numpy as np

from mien.data.simulate.grammar.actions import BOTH, SIDES, Action, Doing, actions, together
from mien.data.simulate.grammar.clauses import (
    MODES,
    ONE_SIDED,
    Clause,
    Speaker,
    measured,
    modes_of,
)
from mien.data.simulate.grammar.english import articled, sentence
from mien.data.simulate.grammar.lists import chance, frames, picked

COUNTS = (1, 1, 2, 2, 2, 2, 3, 3, 3, 4)
"""How many actions a draw has, each as likely."""
STYLES = ("mixed",) * 5 + ("absolute",) * 5 + ("attribute",) * 3 + ("be", "go", "gerund") * 2
STYLES += ("order", "third") * 3
FRAGMENTS = ("attribute", "absolute", "gerund")
ONLY_MODES = frozenset({"attribute", "absolute", "be", "go", "order"})
MEASURED = 0.25
"""The share of clauses that say how much."""

Drawn = tuple[str, dict[str, float]]


def draw_units(random: np.random.Generator, split: str) -> Drawn:
    """A text and its weights."""
    clauses = chosen(random, split)
    if len(clauses) == 1 and not clauses[0].action.zero and chance(random, 0.2):
        return _only(random, split, clauses[0])
    clauses = [measured(random, split, c) if chance(random, MEASURED) else c for c in clauses]
    return said(random, split, clauses), together(c.doing for c in clauses)


def chosen(random: np.random.Generator, split: str) -> list[Clause]:
    """One to four clauses that go together, in a combination that belongs to the split."""
    while True:
        count = picked(random, COUNTS)
        clauses: list[Clause] = []
        claimed: frozenset[str] = frozenset()
        for _ in range(3 * count):
            clause = any_clause(random)
            if len(clauses) < count and not claimed & clause.doing.claimed:
                clauses.append(clause)
                claimed |= clause.doing.claimed
        alone = len(clauses) == 1
        if alone and not clauses[0].action.alone:
            continue
        if belongs([c.doing.meaning for c in clauses], split):
            return clauses


def any_clause(random: np.random.Generator) -> Clause:
    """An action on a side, each action as likely, rest less."""
    action = picked(random, _weighted())
    return sided(random, action)


@functools.cache
def _weighted() -> tuple[Action, ...]:
    """The actions, each so often as it shall come: rest seldom."""
    return tuple(a for a in actions().values() for _ in range(1 if a.zero else 3 * a.common))


def sided(random: np.random.Generator, action: Action) -> Clause:
    """The action on one of its sides; "one side" is the left."""
    both = BOTH in action.sides
    if both and (len(action.sides) == 1 or chance(random, 0.5)):
        return Clause(Doing(action))
    side = picked(random, tuple(side for side in action.sides if side in SIDES))
    unnamed = side == "left" and not action.fixed and chance(random, 0.1)
    return Clause(Doing(action, side), side_word=ONE_SIDED if unnamed else side)


def belongs(meanings: Sequence[str], split: str) -> bool:
    """Whether a combination is the split's: one in ten each is validation's and test's.

    A single meaning belongs to all: what is held out of it are its wordings.
    """
    if len(meanings) < 2:
        return True
    number = zlib.crc32("+".join(sorted(meanings)).encode()) % 10
    return split == {0: "test", 1: "validation"}.get(number, "train")


# Saying


def said(random: np.random.Generator, split: str, clauses: Sequence[Clause]) -> str:
    """The clauses in a sentence or a list, all in one mode or as mixed fragments."""
    speaker = Speaker(random, split)
    style = _style(random, clauses)
    texts = [speaker.say(clause, _mode(random, style, clause)) for clause in clauses]
    text = joined(random, split, style, texts)
    whole = style == "absolute" and any(not clause.action.part for clause in clauses)
    section = "list.mixed" if whole else f"list.{style}"  # "with smiling" is not said
    return framed(random, split, section, speaker.subject, list=text)


def _style(random: np.random.Generator, clauses: Sequence[Clause]) -> str:
    """A style in which all the clauses can be said."""
    shared = frozenset(MODES).intersection(*(modes_of(clause) for clause in clauses))
    mixed = len(clauses) > 1 and all(modes_of(clause) & set(FRAGMENTS) for clause in clauses)
    return picked(random, tuple(s for s in STYLES if s in shared or (s == "mixed" and mixed)))


def _mode(random: np.random.Generator, style: str, clause: Clause) -> str:
    if style != "mixed":
        return style
    return picked(random, tuple(mode for mode in FRAGMENTS if mode in modes_of(clause)))


def joined(random: np.random.Generator, split: str, style: str, texts: Sequence[str]) -> str:
    """Clauses in a row: commas, and a joint of the style before the last."""
    if len(texts) == 1:
        return texts[0]
    frame = frames(f"join.{style}").pick(random, split)
    if len(texts) > 2 and not frame.startswith(("{a}, {b}", "{a} and {b}")):
        frame = "{a}, and {b}" if style in ("be", "go") else "{a} and {b}"
    return frame.replace("{a}", ", ".join(texts[:-1])).replace("{b}", texts[-1])


def framed(
    random: np.random.Generator, split: str, section: str, subject: str, **slots: str
) -> str:
    """A frame of a section filled, as a sentence where it ends as one."""
    text = frames(section).pick(random, split).replace("{subject}", subject)
    for slot, said_there in slots.items():
        text = text.replace(f"{{{slot}}}", said_there)
    return finished(text)


def finished(text: str) -> str:
    """With its articles right, and a capital if it is a sentence."""
    return sentence(text) if text.endswith((".", "!", "?")) else articled(text)


def _only(random: np.random.Generator, split: str, clause: Clause) -> Drawn:
    """ "only the brows raised": nothing else, not even what the state brings along."""
    speaker = Speaker(random, split)
    mode = picked(random, tuple(sorted(modes_of(clause) & ONLY_MODES)))
    text = framed(random, split, f"only.{mode}", speaker.subject, a=speaker.say(clause, mode))
    return text, clause.doing.bare()
