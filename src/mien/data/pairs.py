"""Crossing pairs: one sentence under two expressions, on one clock, cut in half into quads.

A quad is X_{a,n}, X_{b,n}, X_{a,m}, X_{b,m}: contents a and b (the two halves of a sentence) under
the expressions n and m. Clip m is read on n's clock (`align.clock`), and only frames that both
clips mark `steady` count, because halving a clip assumes one expression throughout. Pairs that were
aligned badly are dropped (`quality`).

What costs time, the clocks, is cached beside the corpus under a key made of everything it depends
on; the coefficients of the split stay in memory, once per clip, and quads are read out of them.
"""

import hashlib
import os
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mien.data import align
from mien.data.clips import Clip, Corpus, Record
from mien.data.quality import Quality, quality
from mien.data.simulate.plan import COMPOSED
from mien.errors import MienError
from mien.face import Face

FORMAT = 2  # raise it when the clocks of an unchanged corpus would come out differently
MIN_HALF = 8  # frames: a shorter half holds no syllable
# Where in a drawn quad a_n, b_n, a_m, b_m go: either half may be a, either expression n.
ROLES = np.array([[0, 1, 2, 3], [1, 0, 3, 2], [2, 3, 0, 1], [3, 2, 1, 0]])


@dataclass(frozen=True)
class Settings:
    """Which pairs are made."""

    split: str = "train"
    """Clips of this split are crossed."""
    most_per_sentence: int = 120
    """Pairs of a sentence grow with the square of its clips; so many are kept, at random."""
    seed: int = 0
    """Seed of that choice."""


@dataclass(frozen=True, eq=False)
class Pairs:
    """Which clips cross, and how their clocks run: all that is cached. P pairs over C clips."""

    clips: np.ndarray
    """(P, 2) int32: places of n and m in the list of the split's clips."""
    halves: np.ndarray
    """(P, 2) int32: first frame of half a on n's clock, and frames of each half; b follows a."""
    clocks: np.ndarray
    """(sum of 2 * halves[:, 1],) float32: where on m's clock frames of a and b lie, in frames."""


@dataclass(frozen=True, eq=False)
class Aligned:
    """One pair on n's clock, whether it is kept or not."""

    n: int
    m: int
    """places in the list of clips"""
    clock: np.ndarray
    """(T,) float64: where on m's clock each frame of n lies, in frames"""
    start: int
    """first frame of half a on n's clock"""
    half: int
    """frames of each half; b follows a"""
    quality: Quality

    @property
    def fault(self) -> str:
        """Why the pair is dropped, in a few words; empty where it is kept."""
        if self.half < MIN_HALF:
            return f"steady together too shortly: {2 * self.half} < {2 * MIN_HALF} frames"
        return self.quality.fault


@dataclass(frozen=True, eq=False)
class Crossings:
    """Crops of pairs on n's clock, B of them: what would be seen if n turned into m."""

    # (B,) int: places of n and of m in the list of the split's clips.
    n: np.ndarray
    m: np.ndarray
    # (B,) int: first frame of the crop in clip n.
    start: np.ndarray
    # (B, frames, K) float32 metres.
    shown_n: np.ndarray
    shown_m: np.ndarray


class Quads:
    """All quads of a corpus and a face. `len`, `quad(i)` and, for training, `batch`."""

    def __init__(self, pairs: Pairs, coefficients: list[np.ndarray]):
        """coefficients: (T, K) float32 metres for each clip that `pairs` names by its place."""
        self.pairs = pairs
        self._frames = np.concatenate(coefficients)
        lengths = np.array([len(c) for c in coefficients])
        self._clip_starts = np.concatenate([[0], np.cumsum(lengths)])[:-1]
        self._clip_lengths = lengths
        self._clock_starts = np.concatenate([[0], np.cumsum(2 * pairs.halves[:, 1])])[:-1]

    @classmethod
    def from_corpus(
        cls, corpus: Corpus, face: Face, *, settings: Settings | None = None, progress: bool = False
    ) -> "Quads":
        """Make (or read from the cache) the quads of a split.

        MienError where no sentence of the split is performed under two expressions, or no pair of
        such performances could be aligned well.
        """
        settings = settings or Settings()
        records = [record for record in corpus.records if record.split == settings.split]
        bar = tqdm(records, "read clips", disable=not progress, leave=False)
        clips = [without_speech(corpus.clip(record.id)) for record in bar]
        pairs = _cached(corpus.folder, clips, face, settings, progress)
        if not len(pairs.clips):
            raise MienError(
                f"{corpus.folder} holds no sentence of the split {settings.split!r} under two "
                "expressions long enough to cross and aligned well; add clips of the same "
                "sentence, or see why with: mien evaluate alignment"
            )
        return cls(pairs, [face.weights_to_coefficients(clip.weights) for clip in clips])

    def __len__(self) -> int:
        return len(self.pairs.clips)

    @property
    def size(self) -> int:
        """K, the numbers in a frame of coefficients."""
        return self._frames.shape[1]

    def quad(self, i: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return a_n, b_n, a_m, b_m of quad i, each (T, K) metres; all four have its length."""
        half = int(self.pairs.halves[i, 1])
        chosen, starts = np.array([i, i]), np.array([0, half])
        a_n, b_n = self._read_n(chosen, starts, half)
        a_m, b_m = self._read_m(chosen, starts, half)
        return a_n, b_n, a_m, b_m

    def usable(self, frames: int) -> np.ndarray:
        """Return which quads (int) have halves of at least `frames` frames."""
        return np.flatnonzero(self.pairs.halves[:, 1] >= frames)

    def batch(self, rng: np.random.Generator, size: int, frames: int) -> np.ndarray:
        """Draw crops of `size` quads: (size, 4, frames, K) float32 metres.

        The second axis is a_n, b_n, a_m, b_m. Long quads are drawn as much oftener as they are
        longer, a and b are cropped apart, and either clip may play n and either half a. MienError
        where no quad has halves of `frames` frames.
        """
        usable = self.usable(frames)
        if not len(usable):
            longest = self.pairs.halves[:, 1].max()
            raise MienError(f"crops of {frames} frames are longer than every half; {longest} fit")
        shares = np.cumsum(self.pairs.halves[usable, 1])
        chosen = usable[np.searchsorted(shares, rng.integers(shares[-1], size=size), side="right")]
        half = self.pairs.halves[chosen, 1]
        starts_a = rng.integers(half - frames + 1)
        starts_b = rng.integers(half - frames + 1) + half
        place = ROLES[rng.integers(4, size=size)]
        row = np.arange(size)
        out = np.empty((size, 4, frames, self.size), np.float32)
        out[row, place[:, 0]] = self._read_n(chosen, starts_a, frames)
        out[row, place[:, 1]] = self._read_n(chosen, starts_b, frames)
        out[row, place[:, 2]] = self._read_m(chosen, starts_a, frames)
        out[row, place[:, 3]] = self._read_m(chosen, starts_b, frames)
        return out

    def crossings(self, rng: np.random.Generator, size: int, frames: int) -> Crossings:
        """Draw crops of both clips of `size` pairs, within what both hold steady.

        MienError where no pair is steady for `frames` frames.
        """
        usable = np.flatnonzero(2 * self.pairs.halves[:, 1] >= frames)
        if not len(usable):
            longest = 2 * self.pairs.halves[:, 1].max()
            raise MienError(f"crops of {frames} frames are longer than every pair; {longest} fit")
        chosen = usable[rng.integers(len(usable), size=size)]
        starts = rng.integers(2 * self.pairs.halves[chosen, 1] - frames + 1)
        n, m = self.pairs.clips[chosen].T
        return Crossings(
            n,
            m,
            self.pairs.halves[chosen, 0] + starts,
            self._read_n(chosen, starts, frames),
            self._read_m(chosen, starts, frames),
        )

    def _read_n(self, chosen: np.ndarray, starts: np.ndarray, frames: int) -> np.ndarray:
        """Return (N, frames, K): n of each chosen quad, from `starts` frames after its half a."""
        first = self._clip_starts[self.pairs.clips[chosen, 0]]
        first = first + self.pairs.halves[chosen, 0] + starts
        return self._frames[first[:, None] + np.arange(frames)]

    def _read_m(self, chosen: np.ndarray, starts: np.ndarray, frames: int) -> np.ndarray:
        """Return (N, frames, K): the same frames as `_read_n`, of m, read on n's clock."""
        clip = self.pairs.clips[chosen, 1]
        first = self._clock_starts[chosen] + starts
        times = self.pairs.clocks[first[:, None] + np.arange(frames)]
        taps, shares = align.cubic_taps(times, self._clip_lengths[clip][:, None])
        taps = taps + self._clip_starts[clip][:, None, None]
        return np.einsum("nfs,nfsk->nfk", shares, self._frames[taps], optimize=False)


def find_pairs(clips: Sequence[Record], settings: Settings) -> list[tuple[int, int]]:
    """Return the pairs of places (n, m), n < m: one sentence, one actor, two expressions."""
    groups: dict[tuple, list[int]] = {}
    for place, clip in enumerate(clips):
        if not clip.sentence:
            continue  # of silence the two halves would be one content
        groups.setdefault((clip.sentence_id, clip.actor, clip.fps), []).append(place)
    rng = np.random.default_rng(settings.seed)
    found = []
    for places in groups.values():
        crossing = [
            (n, m)
            for n, m in combinations(places, 2)
            if _expression(clips[n]) != _expression(clips[m])
        ]
        if len(crossing) > settings.most_per_sentence:
            kept = rng.choice(len(crossing), settings.most_per_sentence, replace=False)
            crossing = [crossing[k] for k in np.sort(kept)]
        found += crossing
    return found


def without_speech(clip: Clip) -> Clip:
    """Return the clip without its sound, which is most of it and tells nothing about its lips."""
    return replace(clip, speech=np.zeros(0, np.float32))


def _expression(clip: Record) -> tuple[str, ...]:
    """Return what tells the clip's expression: its state, and a composition's own wording."""
    return (clip.emotion, *(clip.descriptions[:1] if clip.emotion == COMPOSED else ()))


def make_pairs(
    clips: list[Clip], face: Face, settings: Settings, *, progress: bool = False
) -> Pairs:
    """Align the crossing pairs of the clips, cut in halves; those with a fault are dropped."""
    kept, halves, clocks = [], [], []
    for pair in aligned(clips, face, settings, progress=progress):
        if not pair.fault:
            kept.append((pair.n, pair.m))
            halves.append((pair.start, pair.half))
            used = slice(pair.start, pair.start + 2 * pair.half)
            clocks.append(pair.clock[used].astype(np.float32))
    return Pairs(
        np.array(kept, np.int32).reshape(-1, 2),
        np.array(halves, np.int32).reshape(-1, 2),
        np.concatenate([np.zeros(0, np.float32), *clocks]),
    )


def aligned(
    clips: list[Clip], face: Face, settings: Settings, *, progress: bool = False
) -> Iterator[Aligned]:
    """Align every crossing pair of the clips, and judge each."""
    rows = align.lip_rows(face)
    lips = [clip.weights @ rows for clip in clips]
    vertices = np.sqrt(len(face.regions["lips"]))  # a distance over all of them is not their mean
    for n, m in tqdm(find_pairs(clips, settings), "align pairs", disable=not progress):
        clock = align.clock(align.align(lips[m], lips[n], clips[n].fps), len(lips[n]))
        start, half = common_halves(clock, clips[n].steady, clips[m].steady)
        shown = lips[n] / vertices, lips[m] / vertices
        judged = quality(*shown, clock, (start, start + 2 * half), clips[n].fps)
        yield Aligned(n, m, clock, start, half, judged)


def common_halves(
    clock: np.ndarray, steady_n: tuple[int, int], steady_m: tuple[int, int]
) -> tuple[int, int]:
    """Return (first frame of a on n's clock, frames of each half) where both clips are steady.

    clock (T,) rises strictly; the steady ranges are (start, stop) frames. An odd frame is dropped.
    """
    start = max(steady_n[0], int(np.searchsorted(clock, steady_m[0], side="left")))
    stop = min(steady_n[1], int(np.searchsorted(clock, steady_m[1] - 1, side="right")))
    return start, max(stop - start, 0) // 2


def _cached(
    folder: Path, clips: list[Clip], face: Face, settings: Settings, progress: bool
) -> Pairs:
    """Return the pairs from the corpus's cache file; make and store them if anything changed."""
    path = folder / f"pairs-{settings.split}.npz"
    key = _key(clips, face, settings)
    pairs = _read(path, key)
    if pairs is None:
        pairs = make_pairs(clips, face, settings, progress=progress)
        _write(path, key, pairs)
    return pairs


def _key(clips: list[Clip], face: Face, settings: Settings) -> str:
    """Return a digest of everything that the pairs depend on."""
    digest = hashlib.sha256(repr((FORMAT, settings)).encode())
    digest.update(np.ascontiguousarray(face.unit_deltas[:, face.regions["lips"]]).tobytes())
    for clip in clips:
        about = (clip.id, clip.sentence_id, clip.actor, *_expression(clip), clip.fps, *clip.steady)
        digest.update(repr(about).encode())
        digest.update(np.ascontiguousarray(clip.weights).tobytes())
    return digest.hexdigest()


def _read(path: Path, key: str) -> Pairs | None:
    """Return the stored pairs; None where there are none, or of another corpus, or damaged."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            if str(stored["key"]) != key:
                return None
            return Pairs(stored["clips"], stored["halves"], stored["clocks"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _write(path: Path, key: str, pairs: Pairs) -> None:
    """Store the pairs under a temporary name first; a folder that refuses costs only a warning."""
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.savez(file, key=key, clips=pairs.clips, halves=pairs.halves, clocks=pairs.clocks)
        os.replace(part, path)
    except OSError as error:
        warnings.warn(f"the pairs are not cached: {error}", stacklevel=2)
    finally:
        part.unlink(missing_ok=True)
