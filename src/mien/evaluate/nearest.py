"""The baseline of reading: a description means the state of the training wording most like it.

Likeness is the cosine of sentence embeddings by the text encoder that packs read with, MiniLM: the
mean of a text's tokens, brought to length 1, as its makers use it (Reimers and Gurevych,
Sentence-BERT, 2019). It needs no face and no training: what a pack reads better, it has learned.
"""

from collections.abc import Callable, Sequence

import numpy as np

from mien.data.simulate.bank import Bank
from mien.features import TextEncoder

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts to embeddings (N, E) of length 1."""


def minilm(*, progress: bool = False) -> Embed:
    """Load MiniLM, untuned; MienError where its weights are missing."""
    encoder = TextEncoder.load()
    return lambda texts: encoder.embed(texts, progress=progress)


def nearest_states(embed: Embed, bank: Bank, texts: Sequence[str]) -> list[list[str]]:
    """Return for each text the states of the bank, that of the likest training wording first.

    A state is as like as its likest wording. States without a training wording come last.
    """
    states = list(bank.entries)
    known = [(place, d.text) for place, state in enumerate(states)
             for d in bank.descriptions(state, "train")]  # fmt: skip
    embeddings = embed([text for _, text in known])
    likeness = np.full((len(texts), len(states)), -np.inf)
    cosines = embed(texts) @ embeddings.T
    owners = np.array([place for place, _ in known])
    for place in np.unique(owners):
        likeness[:, place] = cosines[:, owners == place].max(axis=1)
    order = np.argsort(-likeness, axis=1, kind="stable")
    return [[states[place] for place in row] for row in order]
