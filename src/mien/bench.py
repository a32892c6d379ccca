"""Speed and memory: from a decoded recording to weights, on this machine, by step."""

import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from mien import animator, audio

SECONDS = (10, 60)
REPEATS = 3
DESCRIPTION = "quietly furious, jaw clenched"
PAPER = 80.3
"""Frames per second of the paper on a V100 (Jung et al. 2024, section on performance)."""


def report(pack: Path | None = None) -> str:
    """Return the table, as markdown. Each time is the best of three runs, after a first one."""
    began = time.perf_counter()
    actor = animator.load(pack)
    loading = time.perf_counter() - began
    lines = [
        f"Loading the pack, the face and the encoders: {loading:.2f} s.",
        "",
        "| speech (s) | frames | frames/s | speech encoder | text encoder | step | weights |",
        "|---|---|---|---|---|---|---|",
    ]
    for seconds in SECONDS:
        shares = _measure(actor, _speech(seconds))
        total, frames = sum(shares.values()), seconds * int(audio.FPS)
        parts = " | ".join(f"{1e3 * s:.0f} ms ({s / total:.0%})" for s in shares.values())
        lines.append(f"| {seconds} | {frames} | {frames / total:.0f} | {parts} |")
    # Linux counts the peak in KiB.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    lines += ["", f"Peak memory of the process: {peak:.0f} MB. The paper: {PAPER} frames/s (V100)."]
    return "\n".join(lines)


def _measure(actor: animator.Animator, speech: np.ndarray) -> dict[str, float]:
    """Seconds of each step."""
    actor.animate(speech[: audio.SPEECH_RATE], DESCRIPTION)
    features, heard = _best(lambda: actor.encode_speech(speech))
    _, read = _best(lambda: actor.encode_description(DESCRIPTION))
    coefficients, stepped = _best(lambda: actor.run(features, DESCRIPTION))
    _, solved = _best(lambda: actor.face.coefficients_to_weights(coefficients))
    # `run` reads the description itself.
    return {"speech": heard, "text": read, "step": stepped - read, "weights": solved}


def _best(work: Callable[[], Any]) -> tuple[Any, float]:
    times, result = [], None
    for _ in range(REPEATS):
        began = time.perf_counter()
        result = work()
        times.append(time.perf_counter() - began)
    return result, min(times)


def _speech(seconds: int) -> np.ndarray:
    """A buzz with syllables: what is said does not change the work."""
    time_axis = np.arange(seconds * audio.SPEECH_RATE) / audio.SPEECH_RATE
    buzz = np.sign(np.sin(2 * np.pi * 120 * time_axis)) * np.sin(2 * np.pi * 2 * time_axis) ** 2
    return (0.2 * buzz).astype(np.float32)
