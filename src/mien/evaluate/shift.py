"""Does a sentence keep its lips wherever it stands in a recording, and do window seams show?

Every sentence is spoken after 0 to 9 s of quiet. Its lip curve, the gap, is compared with the one
at 0 s. Speech is heard in windows that begin every 0.6 s; between two seams the same windows are
mixed, so a flaw of the mixing would show as a jerk at the seams. The offsets put every sentence
differently onto the seams: so the jerk of a moment near a seam is compared with that of the same
moment where it is far from one, and what is said cannot be mistaken for a seam.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.evaluate.lips import Animates
from mien.evaluate.recordings import quiet, read_folders
from mien.evaluate.samples import Estimate, Share, correlation, estimate, precedence, ratio
from mien.evaluate.watch import watch
from mien.features import FRAME, HOP

SEAM = audio.samples_to_seconds(HOP * FRAME)  # seconds between seams: 0.6
OFFSETS = (0, 38, 76, 96, 134, 172, 192, 230, 268)
"""Frames of quiet before the sentence, up to 9 s: evenly spread between the 18 frames of a seam."""
LEAST = 0.97  # correlation that a moved sentence must keep
UNTOLD = (0.48, 0.52)  # `seam_told` within which nobody could find a seam
JERK_FRAMES = 4  # under a third difference


@dataclass(frozen=True)
class Moved:
    """What moving did to the lips."""

    kept: Estimate
    """mean correlation of the gap of a moved sentence with the unmoved one's"""
    worst: float
    """the least of these correlations"""
    enough: Share
    """moved sentences with a correlation of at least 0.97"""
    seam_ratio: Estimate
    """jerk near seams over that of the same moments away from them; a case is a sentence"""
    seam_told: Estimate
    """how often a moment jerks more near a seam than the same moment away from one; 0.5 is chance;
    a case is a sentence"""

    def rows(self) -> dict[str, Any]:
        """Return the numbers as plain data, ready for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """Return a Markdown table with targets; misses are bold."""
        low, high = (100 * end for end in self.enough.interval)
        told = self.seam_told.value
        lines = [
            ("measure", "target", "found", "cases, 95 %"),
            ("---", "---", "---", "---"),
            ("r of the gap, moved by up to 9 s: worst", f"≥ {LEAST}",
             _marked(self.worst, self.worst >= LEAST), f"{self.kept.cases}"),
            ("r of the gap, moved by up to 9 s: mean", "", f"{self.kept.value:.3f}",
             _around(self.kept)),
            (f"sentences with r ≥ {LEAST}", "", f"{100 * self.enough.value:.1f} %",
             f"{self.enough.hits}/{self.enough.total}, {low:.0f}-{high:.0f}"),
            ("seams told by the jerk", f"{UNTOLD[0]}-{UNTOLD[1]}",
             _marked(told, UNTOLD[0] <= told <= UNTOLD[1]), _around(self.seam_told)),
            ("jerk near seams ÷ elsewhere", "", f"{self.seam_ratio.value:.3f}",
             _around(self.seam_ratio)),
        ]  # fmt: skip
        return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def moving(
    animator: Animates,
    folders: Sequence[Path | str],
    description: str = "neutral",
    *,
    progress: bool = False,
) -> Moved:
    """Animate every recording of the folders at every offset, and report."""
    kept, jerks = [], []
    for recording in tqdm(read_folders(folders), "move sentences", disable=not progress):
        frames = audio.frame_count(len(recording.speech))
        curves, lips = [], []
        for offset in OFFSETS:
            before = quiet(audio.frame_to_seconds(offset))
            speech = np.concatenate([before, recording.speech])
            features = animator.encode_speech(speech)
            animation = animator.animate(speech, description, features=features)
            seen = watch(animation.weights[offset : offset + frames], animator.face)
            curves.append(seen.gap)
            lips.append(seen.lips)
        # A last frame at the very end of the speech can be lost to rounding when it is moved.
        frames = min(len(curve) for curve in curves)
        kept += [correlation(curve[:frames], curves[0][:frames]) for curve in curves[1:]]
        jerks.append(seam_jerks([one[:frames] for one in lips], OFFSETS))
    return moved(np.array(kept), jerks)


def moved(kept: np.ndarray, jerks: Sequence[np.ndarray]) -> Moved:
    """Return the report of correlations (n,) and of each sentence's `seam_jerks`."""
    means = np.array([moments.mean(0) for moments in jerks])
    return Moved(
        kept=estimate(kept),
        worst=float(kept.min()),
        enough=Share(int((kept >= LEAST).sum()), len(kept)),
        seam_ratio=estimate(means[:, :2], ratio),
        seam_told=estimate(means[:, 2]),
    )


def seam_jerks(lips: Sequence[np.ndarray], offsets: Sequence[int]) -> np.ndarray:
    """Return for each moment that is near a seam at some offsets and away at others, (n, 3): its
    mean jerk at the ones and at the others, mm a frame³, and how often it is larger at the ones.

    lips: at each offset, in frames, the same sentence's lips (T, L, 3), metres. The jerk is the
    third difference, as the root mean square over the vertices; near means that a seam lies within
    its four frames.
    """
    jerk = np.stack([_jerk(one) for one in lips])
    near = np.stack([_near_seams(jerk.shape[1], offset) for offset in offsets])
    moments = [(values[at], values[~at]) for values, at in zip(jerk.T, near.T, strict=True)]
    return np.array(
        [
            (at.mean(), away.mean(), precedence(away, at))
            for at, away in moments
            if len(at) and len(away)
        ]
    ).reshape(-1, 3)


def _jerk(lips: np.ndarray) -> np.ndarray:
    """Return the root mean square third difference (T - 3,) of lips (T, L, 3), mm a frame³."""
    return np.sqrt((np.diff(lips * 1e3, n=3, axis=0) ** 2).sum(2).mean(1))


def _near_seams(count: int, offset: int) -> np.ndarray:
    """Say for each third difference, (count,), whether a seam lies on one of its frames."""
    first = np.arange(count) + offset
    between = audio.seconds_to_frame(SEAM)
    return -first % between < JERK_FRAMES


def _around(one: Estimate) -> str:
    return f"{one.cases}, {one.low:.3f} to {one.high:.3f}"


def _marked(value: float, met: bool) -> str:
    return f"{value:.3f}" if met else f"**{value:.3f}**"
