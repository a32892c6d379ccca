"""How well two performances were aligned, and which pairs are not worth crossing.

Dynamic time warping aligns whatever it is given. Where two clips do not say the same (a corpus may
number its sentences wrongly), or one of them leaves a word out, its path shows it: the lips do not
move alike on the common clock, or one clip stands still while the other speaks.
"""

from dataclasses import dataclass

import numpy as np

from mien.data import align

LEAST_AGREEMENT = 0.6
"""Of 388 simulated pairs of one sentence 14 have less, of 294 pairs of two sentences 287."""

MOST_FROZEN = 0.15
"""Share of what a clip's lips do that may meet the other clip standing still."""

STANDING = 0.25
"""A clip that goes on at less than this speed stands still."""

SLOPE_SECONDS = 0.3
"""The path's slope is that over so much of n's time."""


@dataclass(frozen=True)
class Quality:
    """Of one pair: all but `agreement` over the frames that are crossed, if there are two."""

    slowest: float
    """least slope of the path: seconds of m that pass in a second of n, over 0.3 s"""
    fastest: float
    """greatest slope of the path"""
    before: float
    """metres, root mean square over frames and lip vertices: how far the centred lips are apart
    where m is only stretched to n's length"""
    after: float
    """metres, the same along the path"""
    freeze: float
    """seconds: the longest time for which either clip stands still while the other goes on"""
    frozen: float
    """share of the way of a clip's lips that is made while the other stands still; the larger"""
    agreement: float
    """correlation, in [-1, 1], of the lips' velocities on the common clock, over whole clips: few
    frames would tell little"""

    @property
    def fault(self) -> str:
        """Why the pair is dropped, in a few words; empty where it is kept."""
        if not self.agreement >= LEAST_AGREEMENT:  # so written, NaN is a fault
            return f"lips move unlike: {self.agreement:.2f} < {LEAST_AGREEMENT:g}"
        if self.frozen > MOST_FROZEN:
            return f"one clip stands still: {self.frozen:.0%} > {MOST_FROZEN:.0%}"
        return ""


def quality(
    lips_n: np.ndarray, lips_m: np.ndarray, clock: np.ndarray, span: tuple[int, int], fps: float
) -> Quality:
    """Judge the alignment of lips_n (T1, R) and lips_m (T2, R), metres by `align.lip_rows`.

    clock (T1,): where each frame of n lies on m's clock, in frames, as `align.clock` says.
    span: (start, stop) frames of n that are crossed; less than two frames of it mean all.
    """
    start, stop = span if span[1] - span[0] >= 2 else (0, len(lips_n))
    straight = np.linspace(0.0, len(lips_m) - 1, len(lips_n))
    warped, stretched = align.sample(lips_m, clock), align.sample(lips_m, straight)
    now = slice(start, stop)
    slopes = _slopes(clock[now], SLOPE_SECONDS * fps)
    still_n, frozen_n = _standing(lips_n[now], clock[now])
    still_m, frozen_m = _standing(*_seen_from_m(lips_m, clock[now]))
    return Quality(
        slowest=float(slopes.min()),
        fastest=float(slopes.max()),
        before=_apart(lips_n[now], stretched[now]),
        after=_apart(lips_n[now], warped[now]),
        freeze=max(still_n, still_m) / fps,
        frozen=max(frozen_n, frozen_m),
        agreement=_agreement(lips_n, warped),
    )


def _slopes(clock: np.ndarray, frames: float) -> np.ndarray:
    """Return the slopes of a clock over so many frames, or over all it has."""
    step = min(max(round(frames), 1), len(clock) - 1)
    return (clock[step:] - clock[:-step]) / step


def _apart(lips_n: np.ndarray, lips_m: np.ndarray) -> float:
    """Return the root mean square distance (metres, over frames) of two lips without their means.

    Both (T, R), in axes in which a distance is that of all lip vertices together.
    """
    apart = (lips_n - lips_n.mean(axis=0)) - (lips_m - lips_m.mean(axis=0))
    return float(np.sqrt((apart**2).sum(axis=1).mean()))


def _agreement(lips_n: np.ndarray, lips_m: np.ndarray) -> float:
    """Return the correlation of two lips' velocities, all axes together; NaN where one rests."""
    n, m = np.gradient(lips_n, axis=0), np.gradient(lips_m, axis=0)
    size = np.sqrt((n**2).sum() * (m**2).sum())
    return float((n * m).sum() / size) if size > 0 else float("nan")


def _seen_from_m(lips_m: np.ndarray, clock: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return m's lips in the frames that a clock covers, and where they lie on n's clock."""
    frames = np.arange(int(np.ceil(clock[0])), int(np.floor(clock[-1])) + 1)
    return lips_m[frames], np.interp(frames, clock, np.arange(len(clock)))


def _standing(lips: np.ndarray, clock: np.ndarray) -> tuple[int, float]:
    """Return the most frames for which the other clip stands still, and the share of the way.

    lips (T, R) and, of the other clip, clock (T,): its time at each frame of the lips.
    """
    if len(lips) < 2:
        return 0, 0.0
    way = np.linalg.norm(np.diff(lips, axis=0), axis=1)
    still = np.diff(clock) < STANDING
    edges = np.flatnonzero(np.diff(np.concatenate([[0], still.astype(np.int8), [0]])))
    longest = int(np.diff(edges.reshape(-1, 2), axis=1).max()) if len(edges) else 0
    return longest, float(way[still].sum() / way.sum()) if way.sum() > 0 else 0.0
