"""Composed descriptions that give away none of the bank's held-out wordings."""

import re
from collections.abc import Iterator
from functools import cache

import numpy as np

from mien.data.simulate import grammar
from mien.data.simulate.bank import Bank


def compositions(random: np.random.Generator, split: str) -> Iterator[grammar.Composition]:
    """Yield draws of the grammar without end.

    For training, those are left out that say a wording which the bank holds out for validation or
    test, or one but for a word, in whatever order.
    """
    while True:
        drawn = grammar.draw(random, split)
        if split != "train" or not gives_away(drawn.text):
            yield drawn


def gives_away(text: str) -> bool:
    """Whether a text says a wording that the bank holds out, or one but for a word."""
    return not _held_out().isdisjoint(_alike(text))


@cache
def _held_out() -> frozenset[frozenset[str]]:
    bank = Bank.load()
    return frozenset(
        words
        for state in bank.entries
        for split in ("validation", "test")
        for wording in bank.descriptions(state, split)
        for words in _alike(wording.text)
    )


def _alike(text: str) -> set[frozenset[str]]:
    """The words of a text and, where they are three or more, all of them but one.

    Two texts share one of these if they have the same words, or differ by one.
    """
    words = frozenset(re.findall("[a-z]+", text.lower()))
    without = {words - {word} for word in words} if len(words) >= 3 else set()
    return {words, *without}
