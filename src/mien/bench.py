"""Speed and memory: from a decoded recording to weights, on this machine, step by step."""

import math
import os
import platform
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from mien import animator, audio
from mien.errors import MienError

SECONDS = (10.0, 60.0)
REPEATS = 3
"""runs that are timed, after one that is not"""
DESCRIPTION = "quietly furious, jaw clenched"
PAPER = 80.3
"""frames a second of Jung et al. 2024, on a V100"""


@dataclass(frozen=True)
class Shares:
    """Where the time of one animation goes, in seconds."""

    speech: float
    """Speech to speech_features."""
    text: float
    """The description to text_features."""
    steps: float
    """Both to coefficients, frame after frame."""
    weights: float
    """Coefficients to weights within the face's limits."""

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.parts())

    def parts(self) -> list[float]:
        """The shares in their order."""
        return [getattr(self, field.name) for field in fields(self)]


@dataclass(frozen=True)
class Row:
    """One length of speech."""

    seconds: float
    """Length of the speech."""
    frames: int
    """Frames that were made of it."""
    shares: Shares
    """Those of the fastest run."""
    memory: float
    """Peak of the whole process so far, in MB (1e6 bytes)."""

    def markdown(self) -> str:
        """One line of the report's table."""
        total = self.shares.total
        parts = [f"{1e3 * share:.0f} ms ({share / total:.0%})" for share in self.shares.parts()]
        rate = f"**{self.frames / total:.0f}**"
        cells = [f"{self.seconds:g} s", f"{self.frames}", rate, *parts, f"{self.memory:.0f} MB"]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Report:
    """What `mien bench` prints."""

    loading: float
    """Seconds to load the pack, the face and the encoders; not in the rows."""
    rows: list[Row]
    """The shortest speech first, so that each row's peak memory is its own, not a longer one's."""

    def markdown(self) -> str:
        """A table with what is needed to read it."""
        titles = "speech | frames | frames/s | hear | read | step | solve | peak memory"
        return "\n".join(
            [
                f"| {titles} |",
                f"|{'---|' * (titles.count('|') + 1)}",
                *(row.markdown() for row in self.rows),
                "",
                f"From decoded speech to weights; the fastest of {REPEATS} runs after a first one.",
                f"Loading took {self.loading:.2f} s and is not in it. {machine()}.",
                f"The paper (Jung et al. 2024): {PAPER} frames/s on a V100.",
            ]
        )


def report(pack: Path | None = None, *, seconds: Sequence[float] = SECONDS) -> Report:
    """Load a pack (default: ours) and animate speech of the given lengths.

    Raises MienError for a damaged pack, and for a length under 0.1 s or over an hour.
    """
    for length in seconds:
        if not audio.MIN_SECONDS <= length <= audio.MAX_SECONDS:
            raise MienError(
                f"cannot measure {length:g} s of speech; "
                f"give {audio.MIN_SECONDS:g} to {audio.MAX_SECONDS:g} s"
            )
    began = time.perf_counter()
    actor = animator.load(pack)
    loading = time.perf_counter() - began
    return Report(loading, [row(actor, length) for length in sorted(seconds)])


def row(actor: animator.Animator, seconds: float) -> Row:
    """Animate speech of one length, once to warm up and then a few times."""
    speech = buzz(seconds)
    runs = [timed(actor, speech)[1] for _ in range(1 + REPEATS)][1:]
    fastest = min(runs, key=lambda shares: shares.total)
    return Row(seconds, audio.frame_count(len(speech)), fastest, peak_memory())


def timed(actor: animator.Animator, speech: np.ndarray) -> tuple[np.ndarray, Shares]:
    """Weights (T, U) as `Animator.animate` makes them, and how long each part of that took."""
    clock = [time.perf_counter()]
    text = actor.encode_description(DESCRIPTION)
    clock.append(time.perf_counter())
    features = actor.encode_speech(audio.check_speech(speech))
    clock.append(time.perf_counter())
    coefficients = actor.roll(features, text, 1.0)
    clock.append(time.perf_counter())
    weights = actor.solve(coefficients, features)
    clock.append(time.perf_counter())
    text_time, speech_time, step_time, weight_time = np.diff(clock).tolist()
    return weights, Shares(speech_time, text_time, step_time, weight_time)


def buzz(seconds: float) -> np.ndarray:
    """A voice-like buzz in syllables (S,): what is said does not change the work."""
    moments = np.arange(audio.seconds_to_samples(seconds)) / audio.SPEECH_RATE
    sound = np.sign(np.sin(2 * np.pi * 120 * moments)) * np.sin(2 * np.pi * 2 * moments) ** 2
    return (0.2 * sound).astype(np.float32)


def peak_memory() -> float:
    """The most memory that this process has held at once, in MB; NaN where no system tells."""
    try:
        import resource
    except ImportError:  # Windows
        return math.nan
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak * (1 if sys.platform == "darwin" else 1024) / 1e6  # macOS counts bytes


def machine() -> str:
    """What the numbers were measured on."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}, Python {platform.python_version()}"
