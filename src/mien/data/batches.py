"""Batches for stage 2: crops of clips with what was heard and a description of what is seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien.data.again import Again
from mien.data.clips import Clip, Corpus
from mien.data.pairs import Quads
from mien.data.wordings import LabelWordings, Wording, Wordings, pad
from mien.errors import MienError
from mien.face import Face
from mien.lips import ease
from mien.timeline import MAX_LEVEL

NEUTRAL = "neutral"
OWN_SHARE = 0.5
"""How often a clip that has sentences of its own is described by one, and not by its label's."""


@dataclass(frozen=True)
class Batch:
    """B crops of T frames."""

    coefficients: np.ndarray
    """(B, T, K), metres: the truth."""
    before: np.ndarray
    """(B, K), metres: the frame before the crop; zero (the template) where the clip begins."""
    speech: np.ndarray
    """(B, T + 2 reach, C) speech_features."""
    level: np.ndarray
    """(B, T) or (B, 1)."""
    tokens: np.ndarray
    """(B, L, C), or (2 B, L, C) with `mix`: first all descriptions before, then all after."""
    padding: np.ndarray
    """As `tokens` without its last axis: 0 at a token, -inf beyond the last."""
    mix: np.ndarray | None = None
    """(B, T) in [0, 1]: from the description before to the one after; None: no change."""
    late: np.ndarray | None = None
    """(B, T, K), metres: a face that turns too late, for a past that lags behind the words."""
    actor: np.ndarray | None = None
    """(B, A): 1 for who it is; None: actors are not told apart."""


class Batches:
    """The clips of one split in memory, with the wordings of the same split."""

    def __init__(
        self,
        corpus: Corpus,
        heard: np.ndarray,
        face: Face,
        wordings: LabelWordings,
        *,
        split: str,
        reach: int,
        again: Again | None = None,
        anew: float = 0.0,
        actors: Sequence[str] = (),
    ):
        """`heard` is what `hearing.hear` made of the corpus; `wordings` are of the same split.

        `anew`: the share of crops (but of those that switch) that are performed `again`; then the
        wordings are the bank's.
        `actors`: whom the model tells apart; others are nobody, the mean of all.
        """
        self.heard, self.reach, self.wordings = heard, reach, wordings
        self._again, self._anew = again, anew
        self._actors = tuple(actors)
        starts = np.cumsum([0] + [record.frames for record in corpus.records])
        self.clips = [
            _shown(corpus.clip(record.id), int(start), face, wordings)
            for record, start in zip(corpus.records, starts, strict=False)
            if record.split == split
        ]
        for clip in self.clips:
            if not clip.described and clip.emotion not in wordings.of:
                raise MienError(
                    f"no wording is known for the clip {clip.id!r}, which is {clip.emotion!r}: "
                    "run mien describe, or train with the recipe's corpus.bank false"
                )

    def long(self, frames: int) -> list["_Shown"]:
        """The clips that crops of so many frames fit into."""
        return [clip for clip in self.clips if len(clip.shown) >= frames]

    def draw(
        self, rng: np.random.Generator, size: int, frames: int, *, start: float = 0.0
    ) -> Batch:
        """Draw crops of `frames` frames; the share `start` of them begins with its clip."""
        long = self.long(frames)
        if not long:
            raise MienError(
                f"crops of {frames} frames are longer than every clip of their split; "
                "give the recipe shorter ones"
            )
        drawn = [self._played(rng, long[i]) for i in rng.integers(len(long), size=size)]
        chosen = [clip for clip, _, _ in drawn]
        starts = [
            0 if rng.random() < start else int(rng.integers(len(clip.shown) - frames + 1))
            for clip in chosen
        ]
        tokens, padding = pad([wording.tokens for _, wording, _ in drawn])
        level = np.array([[asked] for _, _, asked in drawn], np.float32)
        pairs = list(zip(chosen, starts, strict=True))
        held = np.stack([clip.held[s : s + frames] for clip, s in pairs])
        return Batch(
            coefficients=np.stack([clip.shown[s : s + frames] for clip, s in pairs]),
            before=np.stack([clip.shown[s - 1] if s else 0 * clip.shown[0] for clip, s in pairs]),
            speech=np.stack([self._speech(rng, clip, s, frames) for clip, s in pairs]),
            level=level * held,
            tokens=tokens,
            padding=padding,
            actor=self._shares(chosen),
        )

    def draw_switch(
        self, rng: np.random.Generator, quads: Quads, size: int, frames: int, *, lagging: float
    ) -> Batch:
        """Draw crops whose expression changes somewhere inside, within 0.1 to 0.4 s.

        The face turns from clip n to clip m (on n's clock) as the description does; n is heard.
        In the share `lagging` of the crops `late` turns any number of frames later.
        """
        crossing = quads.crossings(rng, size, frames)
        before, after = ([self.clips[i] for i in places] for places in (crossing.n, crossing.m))
        mix = np.stack([_ease(rng, frames) for _ in range(size)])
        tokens, padding, level = self._read(rng, before + after)
        pairs = list(zip(before, crossing.start, strict=True))
        turned = crossing.shown_m - crossing.shown_n
        lags = rng.integers(frames, size=size) * (rng.random(size) < lagging)
        behind = np.stack([_delayed(one, lag) for one, lag in zip(mix, lags, strict=True)])
        return Batch(
            coefficients=crossing.shown_n + mix[:, :, None] * turned,
            before=np.stack([clip.shown[max(s - 1, 0)] for clip, s in pairs]),
            speech=np.stack([self._speech(rng, clip, int(s), frames) for clip, s in pairs]),
            level=level[:size] + mix * (level[size:] - level[:size]),
            tokens=tokens,
            padding=padding,
            mix=mix,
            late=crossing.shown_n + behind[:, :, None] * turned,
            actor=self._shares(before),
        )

    def _shares(self, clips: list["_Shown"]) -> np.ndarray | None:
        """(B, A): the share of each actor in each clip; None where actors are not told apart."""
        if not self._actors:
            return None
        count = len(self._actors)
        shares = np.full((len(clips), count), 1 / count, np.float32)
        for row, clip in enumerate(clips):
            if clip.actor in self._actors:
                shares[row] = np.arange(count) == self._actors.index(clip.actor)
        return shares

    def _read(
        self, rng: np.random.Generator, clips: list["_Shown"]
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tokens and padding of a wording for each clip, and the levels (B, 1)."""
        read = [self._described(rng, clip) for clip in clips]
        tokens, padding = pad([wording.tokens for wording, _ in read])
        return tokens, padding, np.array([[level] for _, level in read], dtype=np.float32)

    def _played(self, rng: np.random.Generator, clip: "_Shown") -> tuple["_Shown", Wording, float]:
        """A clip with a wording and the level to ask for; or performed again, as a new one says."""
        if self._again is None or clip.id not in self._again.said or rng.random() >= self._anew:
            return clip, *self._described(rng, clip)
        assert isinstance(self.wordings, Wordings)
        wording, state, asked = self.wordings.drawn(rng)
        shown = self._again.perform(rng, clip.id, state, min(wording.level * asked, MAX_LEVEL))
        return replace(clip, shown=shown, held=np.ones(len(shown), np.float32)), wording, asked

    def _described(self, rng: np.random.Generator, clip: "_Shown") -> tuple[Wording, float]:
        """A wording for the clip and the level to ask for, so that both together mean the clip's.

        A face without expression is any wording at level 0 as well as a neutral one at any level;
        a clip with sentences of its own has those and its label's, half and half.
        """
        if clip.emotion == NEUTRAL and rng.random() < 0.5:
            known = self.wordings.all
            return known[rng.integers(len(known))], 0.0
        of_label = self.wordings.of.get(clip.emotion, [])  # none of a face composed of parts
        own = clip.described and (not of_label or rng.random() < OWN_SHARE)
        entries = clip.described if own else of_label
        if clip.emotion == NEUTRAL:
            return entries[rng.integers(len(entries))], float(rng.uniform(0, MAX_LEVEL))
        fitting = [entry for entry in entries if clip.level / entry.level <= MAX_LEVEL]
        wording = fitting[rng.integers(len(fitting))]
        return wording, clip.level / wording.level

    def _speech(
        self, rng: np.random.Generator, clip: "_Shown", start: int, frames: int
    ) -> np.ndarray:
        around = np.arange(start - self.reach, start + frames + self.reach)
        rows = clip.start + np.clip(around, 0, len(clip.shown) - 1)
        return self.heard[rng.integers(len(self.heard)), rows].astype(np.float32)


@dataclass(frozen=True)
class _Shown:
    id: str
    actor: str
    emotion: str
    level: float
    shown: np.ndarray  # (T, K), metres
    held: np.ndarray  # (T,): share of its level that the expression is asked to have
    start: int  # row of its first frame in `heard`
    described: list[Wording]  # its own wordings; empty where its state's describe it


def _shown(clip: Clip, start: int, face: Face, wordings: LabelWordings) -> _Shown:
    """The clip, ready for crops that begin with row `start` of what was heard."""
    held = np.ones(clip.frames, np.float32)
    if clip.envelope is not None:
        # An onset is the face's own answer to a full level; a decay is asked for.
        risen = int(clip.envelope.argmax())
        held[risen:] = np.minimum(clip.envelope[risen:], 1.0)
    coefficients = face.weights_to_coefficients(clip.weights)
    described = [wordings.encode(text) for text in clip.descriptions]
    return _Shown(
        clip.id, clip.actor, clip.emotion, clip.level, coefficients, held, start, described
    )


def _delayed(mix: np.ndarray, lag: int) -> np.ndarray:
    """mix (T,), `lag` frames later; 0 before."""
    return np.concatenate([np.zeros(lag, np.float32), mix[: len(mix) - lag]])


def _ease(rng: np.random.Generator, frames: int) -> np.ndarray:
    """(frames,) float32 from 0 to 1, smoothly, within 3 to 12 frames somewhere inside."""
    length = int(rng.integers(3, 13))
    first = int(rng.integers(1, max(2, frames - length)))
    return ease((np.arange(frames) - first + 1) / length).astype(np.float32)
