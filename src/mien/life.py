"""Signs of life that neither speech nor description asks for: a face that never blinks stares."""

from __future__ import annotations

import numpy as np

from mien.errors import MienError
from mien.face import UNIT_NAMES

FIRST_BLINK = (0.8, 3.0)
"""seconds: when the first blink may begin"""
PAUSE = (1.8, 6.0)
"""seconds from one blink's beginning to the next's: short ones are likelier than long ones"""
CLOSING = 0.09
"""seconds a lid takes to fall"""
CLOSED = 0.035
"""seconds it stays shut"""
OPENING = 0.16
"""seconds it takes to rise, nearly twice as long as to fall"""
DOUBLE_BLINK = 0.12
"""share of blinks that a second one follows at once"""
DOUBLE_PAUSE = 0.34
"""seconds from the first to the second of these"""
LEFT, RIGHT = UNIT_NAMES.index("eyeBlinkLeft"), UNIT_NAMES.index("eyeBlinkRight")


def add_blinks(weights: np.ndarray, *, fps: float, seed: int = 0) -> np.ndarray:
    """weights (T, U) in [0, 1] → a copy (T, U) that blinks now and then; no weight becomes smaller.

    The same seed gives the same blinks at the same seconds, whatever T and fps are. Raises
    MienError if fps is not above 0.
    """
    if not fps > 0:
        raise MienError(f"fps is {fps}; frames per second must be more than 0, such as 30")
    frames = len(weights)
    seconds = np.arange(frames) / fps
    shut = np.zeros(frames)
    for start in blink_times(frames / fps, seed=seed):
        shut = np.maximum(shut, lid(seconds - start))
    alive = np.array(weights, copy=True)
    for unit in (LEFT, RIGHT):
        alive[:, unit] = np.maximum(alive[:, unit], shut)
    return alive


def blink_times(duration: float, *, seed: int) -> list[float]:
    """Seconds before `duration` at which blinks begin; a longer duration only adds to them."""
    random = np.random.default_rng(seed)
    times = []
    start = random.uniform(*FIRST_BLINK)
    while start < duration:
        times.append(start)
        if random.random() < DOUBLE_BLINK:
            times.append(start + DOUBLE_PAUSE)
        low, high = PAUSE
        start += low + (high - low) * random.beta(1.6, 2.4)
    return [time for time in times if time < duration]


def lid(elapsed: np.ndarray) -> np.ndarray:
    """How far a lid is shut, 0..1, at `elapsed` seconds (any shape) after its blink begins."""
    fall = np.clip(elapsed / CLOSING, 0.0, 1.0)
    rise = np.clip((elapsed - CLOSING - CLOSED) / OPENING, 0.0, 1.0)
    return _eased(fall) - _eased(rise)


def _eased(x: np.ndarray) -> np.ndarray:
    """0 at 0, 1 at 1, level at both ends."""
    return x * x * (3.0 - 2.0 * x)
