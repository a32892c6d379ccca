"""The states that one can feel, in adjectives and nouns, and where in the face they show.

Weights are those of the states themselves, whole or split at the nose: brows, lids, gaze, nose and
raised cheeks are the upper face, the rest the lower.
"""

import functools
import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from mien.data.simulate.expressions import STATES
from mien.data.simulate.grammar.actions import PARTS, UPPER, only_parts
from mien.data.simulate.grammar.lists import Choice, choices, fields, frames, picked, sections

LOWER = tuple(part for part in PARTS if part not in UPPER)
SIZES = {"small": 0.4, "faint": 0.3, "little": 0.4, "slightly": 0.35, "very": 1.2, "big": 1.2}
SIZES |= {"broad": 1.2}
"""What a word marked with * does to the amounts of a zone."""

PREDICATIVE = ("afraid", "glad", "aghast")
"""Adjectives that do not stand before a noun."""


@dataclass(frozen=True)
class Feeling:
    """A state in words."""

    name: str
    weights: Mapping[str, float]
    adjectives: Choice
    nouns: Choice
    eyes: Choice  # phrases for the upper face that are only this feeling's
    mouth: Choice  # the same for the lower face
    zones: tuple[str, ...]
    group: str

    @property
    def upper(self) -> dict[str, float]:
        """Its weights above the nose, the nose with them."""
        return only_parts(self.weights, UPPER)

    @property
    def lower(self) -> dict[str, float]:
        """Its weights in mouth and jaw."""
        return only_parts(self.weights, LOWER)

    @property
    def brows(self) -> dict[str, float]:
        """Its weights in the brows."""
        return only_parts(self.weights, ("brow",))


@functools.cache
def feelings() -> tuple[Feeling, ...]:
    """All feelings whose states exist."""
    return tuple(
        _feeling(name, fields(lines))
        for name, lines in sections("feelings.txt").items()
        if name in STATES
    )


@functools.cache
def feelings_in(zone: str) -> tuple[Feeling, ...]:
    """The feelings that one can see in "eyes", "mouth" or "brows" alone."""
    return tuple(feeling for feeling in feelings() if zone in feeling.zones)


def _feeling(name: str, values: Mapping[str, str]) -> Feeling:
    x, noun, eyes, mouth = (choices(values.get(key, "")) for key in ("x", "X", "eyes", "mouth"))
    zones, group = (
        tuple(values["zones"].split()) if "zones" in values else (),
        values.get("group", name),
    )
    return Feeling(name, STATES[name].weights, x, noun, eyes, mouth, zones, group)


def apart(first: Feeling, second: Feeling) -> bool:
    """Whether two feelings are different enough to be set beside each other."""
    return first.group != second.group


# Saying


def filled(
    random: np.random.Generator,
    split: str,
    frame: str,
    **named: Feeling | None,
) -> str:
    """A frame with its slots said: {x} adjectives, {xa} those before a noun, {X} nouns."""
    for letter, feeling in named.items():
        if feeling is None:
            continue
        if f"{{{letter}a}}" in frame:
            frame = frame.replace(f"{{{letter}a}}", _attribute(random, split, feeling))
        if f"{{{letter}}}" in frame:
            frame = frame.replace(f"{{{letter}}}", feeling.adjectives.pick(random, split))
        if f"{{{letter.upper()}}}" in frame:
            frame = frame.replace(f"{{{letter.upper()}}}", feeling.nouns.pick(random, split))
    return frame


def _attribute(random: np.random.Generator, split: str, feeling: Feeling) -> str:
    """An adjective that can stand before a noun: one word, and not one like "afraid"."""
    while True:
        word = feeling.adjectives.pick(random, split)
        if " " not in word and word not in PREDICATIVE:
            return word


@dataclass(frozen=True)
class Zone:
    """A phrase for the upper or the lower face, with its weights."""

    text: str
    weights: Mapping[str, float]
    meaning: str
    loose: bool = False  # "lips pressed", "smiling": not a noun, so it takes fewer frames


def eyes_of(random: np.random.Generator, split: str, feeling: Feeling) -> Zone:
    """ "sad eyes"."""
    own = feeling.eyes and random.random() < 0.4
    text = feeling.eyes.pick(random, split) if own else frames("region.upper").pick(random, split)
    return _sized(filled(random, split, text, x=feeling), feeling.upper, f"{feeling.name}.eyes")


def mouth_of(random: np.random.Generator, split: str, feeling: Feeling) -> Zone:
    """ "a small smile"."""
    own = feeling.mouth and random.random() < 0.55
    text = feeling.mouth.pick(random, split) if own else frames("region.lower").pick(random, split)
    return _sized(filled(random, split, text, y=feeling), feeling.lower, f"{feeling.name}.mouth")


def _sized(text: str, weights: Mapping[str, float], meaning: str) -> Zone:
    """The zone at the size that a word with a * gives it."""
    sizes = re.findall(r"(\w+)\*", text)
    factor = SIZES[sizes[0]] if sizes else 1.0
    scaled = {unit: min(1.0, factor * amount) for unit, amount in weights.items()}
    return Zone(text.replace("*", ""), scaled, meaning)


def any_feeling(random: np.random.Generator, zone: str | None = None) -> Feeling:
    """One of them, or of those that show in a zone."""
    return picked(random, feelings_in(zone) if zone else feelings())


def two_feelings(random: np.random.Generator) -> tuple[Feeling, Feeling]:
    """Two that are apart."""
    while True:
        first, second = any_feeling(random), any_feeling(random)
        if apart(first, second):
            return first, second
