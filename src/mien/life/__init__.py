"""Signs of life that neither speech nor description asks for: blinks, glances, a moving head.

All are drawn from one seed as functions of time, so that the same seconds show the same life at any
frame rate, and a longer take begins like a shorter one of the same recording.
"""

from __future__ import annotations

import numpy as np

from mien.errors import MienError
from mien.life.blinks import blinked
from mien.life.gaze import glanced
from mien.life.head import head_turning
from mien.life.voice import Voice, listen


def add_life(
    weights: np.ndarray, *, fps: float, seed: int, speech: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Make a face live; lips, brows and cheeks are left as they are.

    Args:
        weights: (T, 52) in [0, 1].
        fps: frames a second, above 0.
        seed: decides when it blinks, where it glances and how the head turns.
        speech: (S,) float32 in [-1, 1], 16 kHz: blinks then fall where phrases end, and the head
            nods on accents; None is silence.

    Returns the weights with blinks and glances (T, 52), of the same type, and the head's yaw, pitch
    and roll (T, 3), float32 radians, for `Animation.head`. Raises MienError if fps is not above 0.
    """
    if not fps > 0:
        raise MienError(f"fps is {fps}; frames per second must be more than 0, such as 30")
    voice = Voice() if speech is None else listen(speech)
    head = head_turning(np.arange(len(weights)) / fps, seed=seed, voice=voice)
    alive = glanced(weights, head, fps=fps, seed=seed, voice=voice)
    alive = blinked(alive, fps=fps, seed=seed, voice=voice)
    return alive, head.astype(np.float32)
