"""What the simulated actor says: sentences written for this project, and a small grammar for more.

A sentence is known by its number, `sentence_id`: the line of `sentences.txt`, and past its end a
sentence of the grammar. The number decides the split, so no corpus trains on what another tests.
"""

import functools
from importlib import resources

import numpy as np

SPLIT_BLOCK = 20
"""Of every 20 sentences one is for validation and one for test: 90 %, 5 % and 5 %."""

VALIDATION_PLACE, TEST_PLACE = 6, 13

SILENCE_ID = 1_000_000
"""Sentence numbers from here on say nothing: clips of silence."""

GRAMMAR = {
    "sentence": (
        "{subject} {verb} {object} {place}.",
        "{subject} {verb} {object}, and {subject} {verb} {object}.",
        "{time}, {subject} {verb} {object}.",
        "{time}, {subject} {verb} {number} {things} {place}!",
        "Why would {subject} move {object} {place}?",
        "Have you ever put {object} {place}?",
        "Please move {object} {place}.",
        "I believe that {subject} {verb} {object}.",
        "Before {time_noun}, {number} {things} were {place}.",
    ),
    "subject": (
        "my brother", "the plumber", "a very brave woman", "the baker's wife", "our poor uncle",
        "Phoebe", "the farmer", "somebody", "the mayor of the village", "a boy with a fever",
        "your favourite poet", "the umpire", "Beth's mother", "the old judge", "Pam",
    ),
    "verb": (
        "bought", "moved", "wove", "wiped", "borrowed", "hid", "forgot", "wrapped", "photographed",
        "sold", "repaired", "admired", "carried", "buried", "paid for", "fell over", "dreamed of",
    ),
    "object": (
        "the blue piano", "a bag of plums", "five warm muffins", "her broken umbrella",
        "a bowl of pea soup", "the farm map", "my velvet gloves", "a huge rusty key",
        "that awful vase", "the wooden puppet", "both of the lamps", "an empty violin case",
    ),
    "place": (
        "above the bakery", "by the river", "in the middle of the bay", "from the back of the van",
        "beneath the bridge", "at the museum", "behind the beehives", "on the way to the port",
        "under the apple tree", "near the theatre", "in front of the whole family",
    ),
    "time": (
        "before breakfast", "on Wednesday evening", "at half past five", "every November",
        "without a word", "after the wedding", "in the fog", "when the music stopped",
    ),
    "time_noun": ("midnight", "February", "the first frost", "my birthday", "supper", "morning"),
    "number": ("two", "five", "seven", "eleven", "twelve", "forty", "fifty five", "a hundred"),
    "things": (
        "beavers", "wasps", "pumpkins", "wolves", "paper boats", "fishermen", "umbrellas",
        "pebbles", "violins", "brass buttons", "whales", "judges",
    ),
}  # fmt: skip
"""Rules of the grammar: each name is replaced by one of its alternatives."""


@functools.cache
def written() -> tuple[str, ...]:
    """Return the sentences written for this project, in order of their number."""
    text = (
        resources.files("mien.data.simulate").joinpath("sentences.txt").read_text(encoding="utf-8")
    )
    return tuple(text.split("\n")[:-1])


def generated(number: int) -> str:
    """Return the grammar's sentence of this number (0 or more); the same number, the same words."""
    return _capital(_expand("sentence", np.random.default_rng([number, 7])))


def sentence(sentence_id: int) -> str:
    """Return the words of a sentence number: written ones first, the grammar's after them."""
    if sentence_id >= SILENCE_ID:
        return ""
    lines = written()
    return lines[sentence_id] if sentence_id < len(lines) else generated(sentence_id - len(lines))


def split(sentence_id: int) -> str:
    """Return "train", "validation" or "test": a property of the number alone."""
    place = sentence_id % SPLIT_BLOCK
    return {VALIDATION_PLACE: "validation", TEST_PLACE: "test"}.get(place, "train")


def drawn(place: int, seed: int) -> int:
    """Return the number of the sentence at this place (0, 1, …) in the order that `seed` draws.

    Each block of 20 places holds one validation and one test sentence, so that small corpora have
    every split. The written sentences come first, in shuffled order.
    """
    blocks = len(written()) // SPLIT_BLOCK
    block, within = divmod(place, SPLIT_BLOCK)
    if block >= blocks:
        return place
    rows = np.random.default_rng([seed, 1]).permuted(
        np.arange(blocks * SPLIT_BLOCK).reshape(blocks, SPLIT_BLOCK), axis=0
    )
    columns = np.random.default_rng([seed, 2, block]).permutation(SPLIT_BLOCK)
    return int(rows[block, columns[within]])


def _expand(rule: str, random: np.random.Generator) -> str:
    text = str(random.choice(GRAMMAR[rule]))
    while "{" in text:
        start, end = text.index("{"), text.index("}")
        text = text[:start] + _expand(text[start + 1 : end], random) + text[end + 1 :]
    return text


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
