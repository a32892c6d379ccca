"""Which of an actor's MEAD recordings say the same: the numbering's word, checked by the sound.

MEAD numbers its recordings within each emotion, and what the numbers mean is told in two ways and
shifted where a recording was lost (see mead_sentences.csv). So nothing is believed that cannot be
heard: each recording is laid over every neutral one of the same actor by dynamic time warping of
their speech features. Same words are near whatever the emotion, and other words are not.
"""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data import align
from mien.data.mead import NEUTRAL, STATES
from mien.errors import MienError

PATH = Path(__file__).with_name("mead_sentences.csv")
COLUMNS = ("order", "label", "first", "last", "sentence", "text")

SAME, RATIO = 0.35, 0.8
"""Two recordings say the same if their distance is at most SAME, and at most RATIO of the distance
to the next neutral recording. Of one actor's sentence in six emotions (CREMA-D) distances are 0.15
to 0.26; of simulated sentences at two rates 0.07 to 0.50, of other sentences 0.38 to 0.80."""

LIKELY = 0.5
"""So far a recording may be from the neutral one that the numbering names, if none is nearer."""

Key = tuple[str, int, int]
"""MEAD's label, level and number of a recording."""


@dataclass(frozen=True)
class Order:
    """What one way of numbering says."""

    name: str
    sentences: Mapping[tuple[str, int], str]
    """(label, number) -> a sentence that other emotions share"""
    texts: Mapping[str, str]
    """the words of a sentence, where the table has them"""

    def sentence(self, label: str, number: int) -> str:
        """Return the sentence's name; of an emotion's own it is label and number."""
        return self.sentences.get((label, number), own(label, number))


@dataclass(frozen=True)
class Groups:
    """The sentence of each of an actor's recordings, and how it was found."""

    names: dict[Key, str]
    """recordings of one name say the same"""
    order: str
    """the numbering that fits the actor"""
    checked: int
    """recordings whose words the sound could tell"""
    moved: int
    """of them, those that say something else than the numbering says"""
    doubtful: int
    """recordings that the numbering would share and the sound does not: they stand alone"""


def own(label: str, number: int) -> str:
    """Return the name of a sentence that only one emotion has; its levels share it."""
    return f"{label}_{number:03d}"


def read_orders(path: Path | str | None = None) -> list[Order]:
    """Read a table of sentences; mead_sentences.csv tells its format. MienError names the line."""
    path = Path(path or PATH)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise MienError(f"{path} cannot be read as a table of sentences: {error}") from error
    rows = [(at, line) for at, line in enumerate(lines, 1) if line.strip() and line[0] != "#"]
    header = tuple(rows[0][1].strip().split(",")) if rows else ()
    if header != COLUMNS:
        raise MienError(f"{path} has the columns {header}; {','.join(COLUMNS)} are wanted")
    sentences: dict[str, dict[tuple[str, int], str]] = {}
    texts: dict[str, dict[str, str]] = {}
    for at, line in rows[1:]:
        try:
            order, label, first, last, sentence, text = next(csv.reader([line]))
            numbers = range(int(first), int(last) + 1)
            labels = _labels(label)
        except ValueError as error:
            raise MienError(f"{path}, line {at}: {line!r} is no row of sentences") from error
        for number in numbers:
            alone = len(numbers) == 1
            name = sentence if alone else f"{sentence}_{number - numbers[0] + 1}"
            sentences.setdefault(order, {}).update({(one, number): name for one in labels})
            if text and alone:
                texts.setdefault(order, {})[name] = text
    if not sentences:
        raise MienError(f"{path} has no sentence; list them as its first line says")
    return [Order(name, known, texts.get(name, {})) for name, known in sentences.items()]


def _labels(label: str) -> list[str]:
    """Return MEAD's labels of a row; ValueError for another word."""
    if label in ("all", "others"):
        return [one for one in STATES if label == "all" or one != NEUTRAL]
    if label not in STATES:
        raise ValueError(label)
    return [label]


def by_number(keys: Sequence[Key], order: Order) -> Groups:
    """Return the groups that the numbering says, unchecked."""
    names = {key: order.sentence(key[0], key[2]) for key in keys}
    return Groups(names, order.name, checked=0, moved=0, doubtful=0)


def by_sound(features: Mapping[Key, np.ndarray], orders: Sequence[Order]) -> Groups:
    """Return the groups of one actor's recordings, as they sound.

    features (T, C): `rows` of each recording's speech. Of the orders the one counts that names
    most often the neutral recording that sounds nearest. Without neutral recordings nothing can be
    checked, and the first order is believed.
    """
    neutral = [key for key in features if key[0] == NEUTRAL]
    acted = [key for key in features if key[0] != NEUTRAL]
    if not neutral or not acted:
        return by_number(list(features), orders[0])
    costs = np.array([[distance(features[a], features[n]) for n in neutral] for a in acted])
    nearest = [neutral[k] for k in costs.argmin(axis=1)]
    order = max(orders, key=lambda order: sum(map(_agree(order), acted, nearest)))
    heard: dict[Key, Key] = {}
    doubtful = moved = 0
    for key, near, row in zip(acted, nearest, costs, strict=True):
        first, second = (*np.sort(row)[:2], np.inf)[:2]
        agree = _agree(order)(key, near)
        clear = first <= SAME and first <= RATIO * second
        if clear or (agree and first <= LIKELY):
            heard[key] = near
            moved += not agree
        else:
            doubtful += order.sentence(key[0], key[2]) != own(key[0], key[2])
    said = _names(neutral, heard, order)
    names = {key: said[heard[key]] if key in heard else own(key[0], key[2]) for key in acted}
    return Groups({**said, **names}, order.name, len(heard), int(moved), int(doubtful))


def _agree(order: Order):
    return lambda key, near: order.sentence(key[0], key[2]) == order.sentence(near[0], near[2])


def _names(neutral: list[Key], heard: Mapping[Key, Key], order: Order) -> dict[Key, str]:
    """Name each neutral recording as most of those that say the same are named by the numbering.

    So a shift of the neutral numbers alone changes no name, and names mean the same for all actors.
    """
    votes = {near: Counter() for near in neutral}
    for key, near in heard.items():
        name = order.sentence(key[0], key[2])
        if name != own(key[0], key[2]):
            votes[near][name] += 1
    ranked = [(count, near, name) for near in neutral for name, count in votes[near].items()]
    names: dict[Key, str] = {}
    for _, near, name in sorted(ranked, key=lambda one: (-one[0], one[1], one[2])):
        if near not in names and name not in names.values():
            names[near] = name
    for near in neutral:
        if near not in names:
            name = order.sentence(near[0], near[2])
            names[near] = own(near[0], near[2]) if name in names.values() else name
    return names


def rows(features: np.ndarray) -> np.ndarray:
    """Return speech features (T, C) as `distance` takes them: without their mean, of length 1."""
    centred = np.asarray(features, np.float32)
    centred = centred - centred.mean(axis=0)
    return centred / np.maximum(np.linalg.norm(centred, axis=1, keepdims=True), 1e-9)


def distance(one: np.ndarray, other: np.ndarray) -> float:
    """Return how unlike two recordings sound: the mean of 1 - cosine along their best path.

    one (T1, C), other (T2, C): of `rows`. 0 is the same sound; unrelated sounds come to 0.6.
    """
    costs = 1.0 - one @ other.T
    path = align.best_path(costs)
    return float(costs[path[:, 0], path[:, 1]].mean())
