"""Batches for stage 2: crops of clips with what was heard and a description of what is seen."""

from dataclasses import dataclass

import numpy as np

from mien.data.clips import Corpus
from mien.data.pairs import Quads
from mien.data.simulate.bank import MAX_LEVEL, Bank
from mien.face import Face
from mien.features import TextEncoder

NEUTRAL = "neutral"


@dataclass(frozen=True)
class Batch:
    """B crops of T frames."""

    coefficients: np.ndarray
    """(B, T, K), metres: the truth."""
    before: np.ndarray
    """(B, K), metres: the frame before the crop; zero (the template) where the clip begins."""
    speech: np.ndarray
    """(B, T + 2 reach, 384) speech_features."""
    level: np.ndarray
    """(B, T) or (B, 1)."""
    tokens: np.ndarray
    """(B, L, 384), or (2 B, L, 384) with `mix`: first all descriptions before, then all after."""
    padding: np.ndarray
    """As `tokens` without its last axis: 0 at a token, -inf beyond the last."""
    mix: np.ndarray | None = None
    """(B, T) in [0, 1]: from the description before to the one after; None: no change."""


@dataclass(frozen=True)
class Readings:
    """B wordings, each with the clip that it describes."""

    clips: np.ndarray
    """(B,) int: places in `Batches.clips`."""
    level: np.ndarray
    """(B, 1)."""
    tokens: np.ndarray
    """(B, L, 384)."""
    padding: np.ndarray
    """(B, L): 0 at a token, -inf beyond the last."""


class Batches:
    """The clips of one split in memory, with the wordings of the same split."""

    def __init__(
        self,
        corpus: Corpus,
        heard: np.ndarray,
        face: Face,
        text_encoder: TextEncoder,
        *,
        split: str,
        reach: int,
    ):
        """`heard` is what `hearing.hear` made of the corpus; `reach` as in ModelSettings."""
        self.heard, self.reach = heard, reach
        bank = Bank.load()
        self._wordings = {
            state: [
                (text_encoder.encode(entry.text), entry.level or 1.0)
                for entry in bank.descriptions(state, split)
            ]
            for state in bank.entries
        }
        self._all = [tokens for entries in self._wordings.values() for tokens, _ in entries]
        starts = np.cumsum([0] + [record.frames for record in corpus.records])
        self.clips: list[_Shown] = []
        for record, start in zip(corpus.records, starts, strict=False):
            if record.split == split:
                clip = corpus.clip(record.id)
                shown = face.weights_to_coefficients(clip.weights)
                self.clips.append(
                    _Shown(record.emotion, record.level, shown, int(start), clip.steady)
                )

    def draw(
        self, rng: np.random.Generator, size: int, frames: int, *, start: float = 0.0
    ) -> Batch:
        """Draw crops of `frames` frames; the share `start` of them begins with its clip."""
        long = [clip for clip in self.clips if len(clip.shown) >= frames]
        chosen = [long[i] for i in rng.integers(len(long), size=size)]
        starts = [
            0 if rng.random() < start else int(rng.integers(len(clip.shown) - frames + 1))
            for clip in chosen
        ]
        tokens, padding, level = self._read(rng, chosen)
        pairs = list(zip(chosen, starts, strict=True))
        return Batch(
            coefficients=np.stack([clip.shown[s : s + frames] for clip, s in pairs]),
            before=np.stack([clip.shown[s - 1] if s else 0 * clip.shown[0] for clip, s in pairs]),
            speech=np.stack([self._speech(rng, clip, s, frames) for clip, s in pairs]),
            level=level,
            tokens=tokens,
            padding=padding,
        )

    def draw_switch(self, rng: np.random.Generator, quads: Quads, size: int, frames: int) -> Batch:
        """Draw crops whose expression changes somewhere inside, within 0.1 to 0.4 s.

        The face turns from clip n to clip m (on n's clock) as the description does; n is heard.
        """
        crossing = quads.crossings(rng, size, frames)
        before, after = ([self.clips[i] for i in places] for places in (crossing.n, crossing.m))
        mix = np.stack([_ease(rng, frames) for _ in range(size)])
        tokens, padding, level = self._read(rng, before + after)
        pairs = list(zip(before, crossing.start, strict=True))
        turned = crossing.shown_m - crossing.shown_n
        return Batch(
            coefficients=crossing.shown_n + mix[:, :, None] * turned,
            before=np.stack([clip.shown[max(s - 1, 0)] for clip, s in pairs]),
            speech=np.stack([self._speech(rng, clip, int(s), frames) for clip, s in pairs]),
            level=level[:size] + mix * (level[size:] - level[:size]),
            tokens=tokens,
            padding=padding,
            mix=mix,
        )

    def draw_readings(self, rng: np.random.Generator, size: int) -> Readings:
        """Draw clips with a wording of each, and nothing else: many more words than crops."""
        places = rng.integers(len(self.clips), size=size)
        tokens, padding, level = self._read(rng, [self.clips[i] for i in places])
        return Readings(places, level, tokens, padding)

    def _read(
        self, rng: np.random.Generator, clips: list["_Shown"]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens and padding of a wording for each clip, and the levels (B, 1)."""
        spoken = [self._described(rng, clip) for clip in clips]
        tokens, padding = pad([tokens for tokens, _ in spoken])
        return tokens, padding, np.array([[level] for _, level in spoken], dtype=np.float32)

    def _described(self, rng: np.random.Generator, clip: "_Shown") -> tuple[np.ndarray, float]:
        """A wording for the clip and the level to ask for, so that both together mean the clip's.

        A face without expression is any wording at level 0 as well as a neutral one at any level.
        """
        if clip.emotion == NEUTRAL:
            if rng.random() < 0.5:
                return self._all[rng.integers(len(self._all))], 0.0
            entries = self._wordings[NEUTRAL]
            return entries[rng.integers(len(entries))][0], float(rng.uniform(0, MAX_LEVEL))
        entries = self._wordings[clip.emotion]
        fitting = [entry for entry in entries if clip.level / entry[1] <= MAX_LEVEL]
        tokens, own = fitting[rng.integers(len(fitting))]
        return tokens, clip.level / own

    def _speech(
        self, rng: np.random.Generator, clip: "_Shown", start: int, frames: int
    ) -> np.ndarray:
        around = np.arange(start - self.reach, start + frames + self.reach)
        rows = clip.start + np.clip(around, 0, len(clip.shown) - 1)
        return self.heard[rng.integers(len(self.heard)), rows].astype(np.float32)


@dataclass(frozen=True)
class _Shown:
    emotion: str
    level: float
    shown: np.ndarray  # (T, K), metres
    start: int  # row of its first frame in `heard`
    steady: tuple[int, int]


def _ease(rng: np.random.Generator, frames: int) -> np.ndarray:
    """(frames,) float32 from 0 to 1, smoothly, within 3 to 12 frames somewhere inside."""
    length = int(rng.integers(3, 13))
    first = int(rng.integers(1, max(2, frames - length)))
    x = np.clip((np.arange(frames) - first + 1) / length, 0, 1)
    return (x * x * (3 - 2 * x)).astype(np.float32)


def pad(tokens: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Stack token arrays (L_i, C) to (B, L, C) and a padding (B, L) of 0 and -inf."""
    longest = max(len(one) for one in tokens)
    stacked = np.zeros((len(tokens), longest, tokens[0].shape[1]), dtype=np.float32)
    padding = np.full((len(tokens), longest), -np.inf, dtype=np.float32)
    for row, one in enumerate(tokens):
        stacked[row, : len(one)] = one
        padding[row, : len(one)] = 0.0
    return stacked, padding
