"""Clauses: an action in words, as a fragment, an order or a statement, and denied if asked.

A mode is the grammar of a clause: "raised brows" (attribute), "brows raised" (absolute), "her brows
are raised" (be), "the brows go up" (go), "raise your brows" (order), "raises her brows" (third),
"raising her brows" (gerund).
"""

import functools
from dataclasses import dataclass, replace

import numpy as np

from mien.data.simulate.grammar.actions import BOTH, Action, Doing
from mien.data.simulate.grammar.english import gerund, third
from mien.data.simulate.grammar.lists import (
    Choice,
    chance,
    choices,
    fields,
    frames,
    picked,
    sections,
)

MODES = ("attribute", "absolute", "be", "go", "order", "third", "gerund")
ONE_SIDED = "one"
"""The word for a side nobody names; it is the face's left."""
EXTREMES = {"wide", "very", "high", "hard", "tight", "tightly", "all", "big", "deep", "full"}
EXTREMES |= {"fully", "firmly", "completely"}
"""Words that an amount does not go with."""
TRIES = 8
"""How often another word is looked for; if all are extremes, one of them is said."""
LOOSE = ("a bit ", "a little ", "a little bit ")
"""Adverbs that would not be heard as such before an adjective and its noun."""


@dataclass(frozen=True)
class Clause:
    """What a clause says."""

    doing: Doing
    side_word: str = ""  # left, right or one; "" for both
    amount: str = ""  # "weak", "strong" or "half"; chosen words are in `adverb`
    adverb: str = ""
    denied: bool = False

    @property
    def action(self) -> Action:
        """What is done."""
        return self.doing.action


def modes_of(clause: Clause) -> frozenset[str]:
    """The modes that have words for it."""
    return _modes(clause.action, clause.side_word, bool(clause.amount))


@functools.cache
def _modes(action: Action, side_word: str, measured: bool) -> frozenset[str]:
    part = bool(action.part)
    found = {
        "attribute": (bool(action.attribute) and part) or _has_noun(action, side_word, measured),
        "absolute": bool(action.be),
        "be": bool(action.be) and part,
        "go": bool(action.go) and part,
        "order": bool(action.do),
        "third": bool(action.do),
        "gerund": bool(action.do),
    }
    return frozenset(mode for mode, there in found.items() if there)


def _has_noun(action: Action, side_word: str, measured: bool) -> bool:
    """Whether a noun says it all: one for both sides names no side, one without "_" no amount."""
    nouns = action.noun.plain
    names_side = any("{" in noun for noun in nouns) and side_word != ONE_SIDED
    takes_amount = any("_" in noun for noun in nouns)
    return bool(nouns) and (not side_word or names_side) and (not measured or takes_amount)


def measured(random: np.random.Generator, split: str, clause: Clause) -> Clause:
    """The clause with an amount in words and weights: "slightly" and its share."""
    action = clause.action
    kinds = {"no": (), "weak": ("weak",), "all": ("weak", "strong")}[action.amounts]
    kinds += ("half",) if action.half else ()
    if not kinds or action.zero:
        return clause
    kind = picked(random, kinds)
    return with_amount(random, split, clause, kind)


def with_amount(random: np.random.Generator, split: str, clause: Clause, kind: str) -> Clause:
    """The clause with a given kind of amount."""
    if kind == "strong" and clause.action.strong:
        adverb, factor = clause.action.strong.pick(random, split), 1.2
    else:
        adverb, _, number = amounts(kind).pick(random, split).partition("=")
        factor = float(number)
    doing = replace(clause.doing, factor=factor)
    return replace(clause, doing=doing, amount=kind, adverb=adverb)


@functools.cache
def amounts(kind: str) -> Choice:
    """The adverbs of an amount, "slightly=0.35"."""
    return choices(fields(sections("frames.txt")["amounts"])[kind])


# Saying


class Speaker:
    """Puts clauses into words for one draw: its split, and whose face it is."""

    def __init__(self, random: np.random.Generator, split: str) -> None:
        self.random, self.split = random, split
        person = frames("persons").pick(random, split)
        self.subject, self.owner = person.split("/")

    def say(self, clause: Clause, mode: str) -> str:
        """A clause in a mode; "" is never returned."""
        return getattr(self, f"_{mode}")(clause)

    def _attribute(self, clause: Clause) -> str:
        """ "slightly raised brows", "a small smile", "no raised brows"."""
        action = clause.action
        wordless = not action.attribute or not action.part
        named = _has_noun(action, clause.side_word, bool(clause.amount))
        if named and (wordless or chance(self.random, 0.35)):
            return self._noun(clause)
        name, plural = self._part(clause)
        word = self._said(clause, action.attribute)
        adverb = self._before(clause)
        adverb = "slightly " if adverb in LOOSE else adverb
        if name.startswith("one "):
            return f"one {adverb}{word} {name.removeprefix('one ')}"
        if clause.denied:
            return f"{self._frame('deny.attribute')} {word} {name}"
        words = f"{adverb}{word} {name}"
        return words if plural else f"a {words}"

    def _noun(self, clause: Clause) -> str:
        """The whole in one noun: "a faint smile on the left"."""
        text = self._pick(clause.action.noun)
        while clause.amount and "_" not in text:
            text = self._pick(clause.action.noun)
        text = text.replace("{side}", clause.side_word)
        if "{the part}" in text:
            text = text.replace("{the part}", f"the {self._part(clause)[0]}")
        size = f"{self._frame(f'sizes.{clause.amount}')} " if clause.amount else ""
        text = text.replace("_ ", size)
        if clause.denied:
            return f"{self._frame('deny.attribute')} {text.removeprefix('a ').removeprefix('an ')}"
        return text

    def _absolute(self, clause: Clause) -> str:
        """ "brows slightly raised", "brows: up", "eyes not closed"."""
        word = self._said(clause, clause.action.be)
        if not clause.action.part:
            denial = f"{self._frame('deny.absolute')} " if clause.denied else ""
            return f"{denial}{word}{self._trailing(clause)}"
        name = self._determined(clause, bare=0.7)[0]
        if clause.denied:
            return f"{name} {self._frame('deny.absolute')} {word}"
        if clause.adverb and chance(self.random, 0.4):
            return f"{name} {word} {self._after(clause)}"
        joint = ": " if chance(self.random, 0.08) else " "
        return f"{name}{joint}{self._before(clause)}{word}"

    def _be(self, clause: Clause) -> str:
        """ "her brows are slightly raised"."""
        name, plural = self._determined(clause, bare=0.0)
        verb, word = "are" if plural else "is", self._said(clause, clause.action.be)
        if clause.denied:
            return f"{name} {verb} {self._frame('deny.be')} {word}"
        if clause.action.zero and chance(self.random, 0.5):
            verb = f"stay{'' if plural else 's'}"
        return f"{name} {verb} {self._before(clause)}{word}"

    def _go(self, clause: Clause) -> str:
        """ "the brows go up a little"."""
        name, plural = self._determined(clause, bare=0.3)
        verb = self._said(clause, clause.action.go)
        if clause.denied:
            return f"{name} {self._frame('deny.go.many' if plural else 'deny.go.one')} {verb}"
        verb = verb if plural else third(verb)
        if plural and verb.startswith("be "):
            verb = f"are{verb[2:]}"
        return f"{name} {verb}{self._trailing(clause)}"

    def _order(self, clause: Clause) -> str:
        """ "raise your brows", "don't raise your brows"."""
        verb = self._done(clause, picked(self.random, ("your", "your", "the")))
        if clause.denied:
            frame = self._frame("deny.order")
            return frame.replace("{do}", verb).replace("{doing}", gerund(verb))
        return f"{verb}{self._trailing(clause)}"

    def _third(self, clause: Clause) -> str:
        """ "raises her brows", "does not raise her brows"."""
        verb = self._done(clause, self.owner)
        if clause.denied:
            frame = self._frame("deny.third")
            return frame.replace("{do}", verb).replace("{doing}", gerund(verb))
        return f"{third(verb)}{self._trailing(clause)}"

    def _gerund(self, clause: Clause) -> str:
        """ "raising her brows", "not raising her brows"."""
        verb = gerund(self._done(clause, self.owner if chance(self.random, 0.4) else "the"))
        if clause.denied:
            return f"{self._frame('deny.gerund')} {verb}"
        return f"{verb}{self._trailing(clause)}"

    # Pieces

    def _pick(self, choice: Choice) -> str:
        return choice.pick(self.random, self.split)

    def _frame(self, section: str) -> str:
        return self._pick(frames(section))

    def _said(self, clause: Clause, choice: Choice) -> str:
        word = self._pick(choice)
        for _ in range(TRIES):
            if not clause.amount or EXTREMES.isdisjoint(word.replace("-", " ").split()):
                break
            word = self._pick(choice)
        return word.replace("{side}", clause.side_word)

    def _done(self, clause: Clause, owner: str) -> str:
        """The verb with its object, if it has one."""
        verb = self._said(clause, clause.action.do)
        verb = verb.replace("your", owner)
        if "_" not in verb:
            return verb
        name = self._part(clause)[0]
        owner = "the" if " of the " in name else owner
        return verb.replace("_", name if name.startswith("one ") else f"{owner} {name}")

    def _before(self, clause: Clause) -> str:
        """An adverb for the place before a word."""
        return f"{clause.adverb} " if clause.adverb else ""

    def _after(self, clause: Clause) -> str:
        """An adverb for the place after a word."""
        plain = {"half": "halfway", "really": "a lot"}
        return plain.get(clause.adverb, clause.adverb)

    def _trailing(self, clause: Clause) -> str:
        return f" {self._after(clause)}" if clause.adverb else ""

    def _part(self, clause: Clause) -> tuple[str, bool]:
        """The part with its side, without an article, and whether it is a plural."""
        single, _, many = self._pick(parts()[clause.action.part]).partition("/")
        if clause.side_word and not clause.action.fixed:
            if clause.side_word == ONE_SIDED:
                return f"one {single}", False
            if clause.action.side_after or chance(self.random, 0.2):
                return (
                    f"{single} {self._frame('places').replace('{side}', clause.side_word)}",
                    False,
                )
            return f"{clause.side_word} {single}", False
        return (many, True) if many else (single, False)

    def _determined(self, clause: Clause, *, bare: float) -> tuple[str, bool]:
        """The part with an article or an owner in front, or bare in a share of cases."""
        name, plural = self._part(clause)
        if chance(self.random, bare) or name.startswith("one "):
            return name, plural
        if " of the " in name:
            return f"the {name}", plural
        both = plural and clause.doing.side == BOTH and len(clause.action.sides) > 1
        options = ("the", self.owner, *(("both",) if both else ()))
        return f"{picked(self.random, options)} {name}", plural


@functools.cache
def parts() -> dict[str, Choice]:
    """Part -> "one/many" names."""
    return {
        name: choices(value) for name, value in fields(sections("actions.txt")["parts"]).items()
    }
