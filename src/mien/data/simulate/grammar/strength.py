"""Strength in words: "slightly", "a hint of", "extremely", and the level each means."""

import functools

import numpy as np

from mien.data.simulate.grammar.feelings import feelings
from mien.data.simulate.grammar.lists import Choice, check_split, sections

ADJECTIVE_ENDS = ("ed", "ing", "ful", "ous", "ish", "ive", "less", "able")
STOPS = (".", "!", "?")
SIZED = "* {t}"
"""The end of a frame whose size takes the place of the wording's own "a"."""


def strengthened(random: np.random.Generator, text: str, split: str) -> tuple[str, float]:
    """A state's wording with a strength put on it, and the level (0.2 to 1.5) that this means.

    Adjectives get an adverb ("slightly amused"), nouns their own words ("a hint of sadness"), other
    phrases and sentences something after them. The wording should not say a strength itself.
    Raises MienError for an unknown split.
    """
    check_split(split)
    text, form = text.strip(), form_of(text)
    level, _, frame = _frames(form).pick(random, split, held_share=1.0).partition(" ")
    if form == "sentence" and not text.endswith(STOPS):
        text = f"{text}."
    if frame.endswith(SIZED):
        frame, text = frame.replace(SIZED, " {t}"), text.partition(" ")[2]
    elif not frame.startswith("{t}"):
        text = text[:1].lower() + text[1:]
    return frame.replace("{t}", text), float(level)


def form_of(text: str) -> str:
    """What a wording is: "adjective", "noun", "shown" ("a smile"), "phrase" or "sentence"."""
    words = text.strip().lower().split()
    if text.strip().endswith(STOPS) or (text[:1].isupper() and len(words) > 3):
        return "sentence"
    if len(words) == 2 and words[0] == "a" and words[1] in _expressions():
        return "shown"
    if len(words) != 1:
        return "phrase"
    if words[0] in _known("nouns"):
        return "noun"
    adjective = words[0] in _known("adjectives") or words[0].endswith(ADJECTIVE_ENDS)
    return "adjective" if adjective else "phrase"


@functools.cache
def _frames(form: str) -> Choice:
    """Lines of a level and a frame."""
    return Choice.of(sections("strength.txt")[form])


@functools.cache
def _expressions() -> frozenset[str]:
    return frozenset(", ".join(sections("strength.txt")["expressions"]).split(", "))


@functools.cache
def _known(field: str) -> frozenset[str]:
    """The adjectives or the nouns of all feelings."""
    choices: list[Choice] = [getattr(feeling, field) for feeling in feelings()]
    return frozenset(
        word for c in choices for words in (c.plain, *c.held.values()) for word in words
    )
