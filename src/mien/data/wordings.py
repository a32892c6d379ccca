"""Wordings for training: the bank's and the grammar's, each with the expression that it means, and
those that a corpus has for its labels.

A crop of a clip teaches one wording; here many more words than crops are drawn, without any clip.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from tqdm import tqdm

from mien.data.simulate import grammar
from mien.data.simulate.bank import Bank
from mien.data.simulate.compositions import compositions, gives_away
from mien.data.simulate.expressions import STATES, State, composed
from mien.face import UNIT_NAMES, Face
from mien.features import ReadsText, shortened
from mien.timeline import MAX_LEVEL

COMPOSED_SHARE, STRENGTHENED_SHARE, NEUTRAL_SHARE = 0.4, 0.2, 0.04
"""Shares of a draw: composed by the grammar; the bank's with a word for their strength; at level 0,
where every wording means the neutral face."""
LEAST_LEVEL = 0.25
"""A wording is asked for from this level on."""


@dataclass(frozen=True)
class Wording:
    """A description as the text encoder reads it."""

    tokens: np.ndarray
    """(L, C) float16"""
    level: float = 1.0
    """how strong the wording itself means it, in (0, 1.5]"""


@dataclass(frozen=True)
class Readings:
    """B wordings, each with the expression that it means."""

    weights: np.ndarray
    """(B, U) in [0, 1], within the face's limits: the expression on a silent, still face"""
    states: np.ndarray
    """(B,) int: places in STATES; -1 where the expression is composed"""
    shown: np.ndarray
    """(B,) in [0, 1.5]: how strong the expression is, the wording's own level counted in"""
    level: np.ndarray
    """(B, 1) in [0, 1.5]: what Text2Exp is asked for"""
    tokens: np.ndarray
    """(B, L, C)"""
    padding: np.ndarray
    """(B, L): 0 at a token, -inf beyond the last"""


class LabelWordings:
    """What describes clips of each label, encoded."""

    def __init__(
        self,
        text_encoder: ReadsText,
        texts: Mapping[str, Sequence[tuple[str, float]]],
        *,
        title: str = "read wordings",
        progress: bool = False,
    ):
        """`texts`: of each label, the texts with how strong each itself means it, in (0, 1.5]."""
        self._encoder = text_encoder
        self.of: dict[str, list[Wording]] = {}
        """label -> its wordings"""
        for label, listed in tqdm(texts.items(), title, disable=not progress):
            self.of[label] = [self.encode(text, level) for text, level in listed]
        self.all = [wording for wordings in self.of.values() for wording in wordings]

    def encode(self, text: str, level: float = 1.0) -> Wording:
        """The wording of a text, or of as many of its first words as the encoder can read."""
        tokens = self._encoder.encode(shortened(text, self._encoder))
        return Wording(tokens.astype(np.float16), level)


class Wordings(LabelWordings):
    """The wordings of one split of the bank and the grammar, encoded."""

    def __init__(
        self,
        text_encoder: ReadsText,
        face: Face,
        *,
        split: str,
        composed: int,
        seed: int = 0,
        progress: bool = False,
    ):
        """`composed`: how many descriptions the grammar makes."""
        random = np.random.default_rng([seed, 17])
        bank = Bank.load()
        entries = {state: bank.descriptions(state, split) for state in bank.entries}
        super().__init__(
            text_encoder,
            {state: [(e.text, e.level or 1.0) for e in of] for state, of in entries.items()},
            title=f"read {split} wordings",
            progress=progress,
        )
        self._face = face
        self._strengthened: dict[str, list[Wording]] = {}
        for state, of in entries.items():
            plain = [e.text for e in of if e.level is None and e.kind == "words"]
            stronger = [grammar.strengthened(random, text, split) for text in plain]
            self._strengthened[state] = [
                self.encode(text, level)
                for text, level in stronger
                if split == "train" and not gives_away(text)
            ]
        self._composed: list[tuple[Wording, State]] = []
        draws = islice(compositions(random, split), composed)
        title = f"compose {split} wordings"
        for drawn in tqdm(draws, title, total=composed, disable=not progress):
            self._composed.append((self.encode(drawn.text), _state_of(drawn)))

    def draw(self, rng: np.random.Generator, size: int) -> Readings:
        """Draw `size` wordings, of every state as often, and levels."""
        return self._readings([self.drawn(rng) for _ in range(size)])

    def named(self) -> Readings:
        """All wordings of the bank as they stand, at the level that each says."""
        return self._readings(
            [
                (wording, STATES[state], 1.0)
                for state, wordings in self.of.items()
                for wording in wordings
            ]
        )

    def drawn(self, rng: np.random.Generator) -> tuple[Wording, State, float]:
        """Draw one: a wording, what it means, and the level to ask for besides its own."""
        chance = rng.random()
        if chance < COMPOSED_SHARE and self._composed:
            wording, state = self._composed[rng.integers(len(self._composed))]
        else:
            state = STATES[str(rng.choice(list(self.of)))]
            stronger = self._strengthened[state.name]
            listed = (
                stronger if stronger and rng.random() < STRENGTHENED_SHARE else self.of[state.name]
            )
            wording = listed[rng.integers(len(listed))]
        asked = rng.uniform(LEAST_LEVEL, MAX_LEVEL / max(wording.level, 1.0))
        return wording, state, 0.0 if rng.random() < NEUTRAL_SHARE else asked

    def _readings(self, drawn: list[tuple[Wording, State, float]]) -> Readings:
        tokens, padding = pad([wording.tokens for wording, _, _ in drawn])
        places = {name: place for place, name in enumerate(STATES)}
        shown = [min(wording.level * asked, MAX_LEVEL) for wording, _, asked in drawn]
        weights = np.stack(
            [
                state.weights_at(level, UNIT_NAMES)
                for (_, state, _), level in zip(drawn, shown, strict=True)
            ]
        )
        return Readings(
            weights=self._face.limit(weights),
            states=np.array([places.get(state.name, -1) for _, state, _ in drawn]),
            shown=np.array(shown, np.float32),
            level=np.array([[asked] for _, _, asked in drawn], np.float32),
            tokens=tokens,
            padding=padding,
        )


def _state_of(drawn: grammar.Composition) -> State:
    return composed(drawn.weights, name=drawn.kind)


def pad(tokens: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack token arrays (L_i, C) to (B, L, C) and a padding (B, L) of 0 and -inf."""
    longest = max(len(one) for one in tokens)
    stacked = np.zeros((len(tokens), longest, tokens[0].shape[1]), dtype=np.float32)
    padding = np.full((len(tokens), longest), -np.inf, dtype=np.float32)
    for row, one in enumerate(tokens):
        stacked[row, : len(one)] = one
        padding[row, : len(one)] = 0.0
    return stacked, padding
