"""All of `add_life`: what it touches, what decides it, and that time is time at any frame rate."""

import numpy as np
import pytest

from mien import life
from mien.audio import SPEECH_RATE
from mien.errors import MienError
from mien.face import UNIT_NAMES

FPS = 30.0
EYES = [i for i, name in enumerate(UNIT_NAMES) if name.startswith(("eyeBlink", "eyeLook"))]


def still(seconds=60.0, fps=FPS):
    return np.zeros((round(seconds * fps), len(UNIT_NAMES)), np.float32)


def babble(seconds=60.0, seed=0):
    """Phrases of two seconds with a pause after each, syllables of various loudness."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    loud = random.uniform(0.05, 1.0, round(seconds * 4) + 1)[(time * 4).astype(int)]
    voiced = np.sin(2 * np.pi * 120 * time) * np.sin(np.pi * time * 4) ** 2
    return (0.3 * loud * voiced * (time % 2.6 < 2.0)).astype(np.float32)


def test_only_lids_and_gaze_move_and_the_input_is_left_alone():
    weights = np.random.default_rng(0).random((300, len(UNIT_NAMES))).astype(np.float32)
    before = weights.copy()
    alive, head = life.add_life(weights, fps=FPS, seed=2, speech=babble(10))
    assert np.array_equal(weights, before)
    assert np.array_equal(np.delete(alive, EYES, 1), np.delete(before, EYES, 1))
    assert not np.array_equal(alive, before)
    assert (alive.dtype, head.dtype) == (np.float32, np.float32)
    assert (alive.shape, head.shape) == (before.shape, (300, 3))
    assert alive.min() >= 0
    assert alive.max() <= 1


@pytest.mark.parametrize("speech", [None, babble(30)], ids=["silence", "speech"])
def test_the_same_seconds_live_the_same_at_any_rate(speech):
    slow = life.add_life(still(30, 25.0), fps=25.0, seed=4, speech=speech)
    fast = life.add_life(still(30, 60.0), fps=60.0, seed=4, speech=speech)
    for one, other in zip(slow, fast, strict=True):
        assert np.allclose(one[::5], other[::12], atol=1e-5)


@pytest.mark.parametrize("speech", [None, babble(30)], ids=["silence", "speech"])
def test_a_shorter_take_begins_like_a_longer_one(speech):
    long = life.add_life(still(30), fps=FPS, seed=4, speech=speech)
    for frames in (1, 17, 200, 301):
        short = life.add_life(still(30)[:frames], fps=FPS, seed=4, speech=speech)
        for one, other in zip(short, long, strict=True):
            assert np.allclose(one, other[:frames], atol=1e-6)


def test_seed_decides():
    first, again, other = (life.add_life(still(), fps=FPS, seed=s) for s in (1, 1, 2))
    for part in (0, 1):
        assert np.array_equal(first[part], again[part])
        assert not np.array_equal(first[part], other[part])


@pytest.mark.parametrize("speech", [None, np.zeros(0, np.float32), np.zeros(99, np.float32)])
def test_no_frames_and_no_sound_are_no_errors(speech):
    for frames in (0, 1, 2):
        alive, head = life.add_life(still()[:frames], fps=FPS, seed=0, speech=speech)
        assert alive.shape == (frames, len(UNIT_NAMES))
        assert head.shape == (frames, 3)
        assert np.isfinite(head).all()


def test_no_rate_is_an_error():
    with pytest.raises(MienError, match="fps is 0"):
        life.add_life(still(1), fps=0, seed=0)
