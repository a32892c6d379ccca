import numpy as np
import pytest

from mien import life
from mien.errors import MienError
from mien.face import UNIT_NAMES

FPS = 30.0
EYES = [UNIT_NAMES.index("eyeBlinkLeft"), UNIT_NAMES.index("eyeBlinkRight")]


def still(seconds=60.0, fps=FPS):
    return np.zeros((round(seconds * fps), len(UNIT_NAMES)), np.float32)


def test_blinks_shut_both_eyes_and_touch_nothing_else():
    alive = life.add_blinks(still(), fps=FPS, seed=1)
    others = np.delete(alive, EYES, 1)
    assert others.max() == 0
    assert np.array_equal(alive[:, EYES[0]], alive[:, EYES[1]])
    assert alive.dtype == np.float32
    assert alive.max() == 1
    assert alive.min() == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_blink_shuts_fully_and_soon(seed):
    """A blink shorter than a frame's step could pass between two frames half shut."""
    lids = life.add_blinks(still(), fps=FPS, seed=seed)[:, EYES[0]]
    runs = np.split(lids, np.flatnonzero(np.diff((lids > 0).astype(int))) + 1)
    blinks = [run for run in runs if run[0] > 0]
    assert 8 <= len(blinks) <= 30
    for blink in blinks[:-1]:
        peak = blink.argmax()
        assert blink[peak] > 0.97
        assert peak <= 3, "closes within about three frames"
        assert 4 <= len(blink) - 1 - peak <= 7, "opens within about five"


def test_never_at_the_very_start_and_never_a_long_stare():
    for seed in range(50):
        times = np.array(life.blink_times(120.0, seed=seed))
        assert times[0] >= 0.3
        assert np.diff(times).min() > life.CLOSING + life.CLOSED + life.OPENING
        assert np.diff(times).max() < 6.5


def test_a_shorter_take_has_the_first_blinks_of_a_longer_one():
    long = life.add_blinks(still(30), fps=FPS, seed=4)
    for frames in (1, 17, 200, 301):
        short = life.add_blinks(still(30)[:frames], fps=FPS, seed=4)
        assert np.array_equal(short, long[:frames])


def test_blinks_are_at_the_same_seconds_at_any_rate():
    slow = life.add_blinks(still(30, 25.0), fps=25.0, seed=4)[::5]
    fast = life.add_blinks(still(30, 60.0), fps=60.0, seed=4)[::12]
    assert np.allclose(slow, fast, atol=1e-6)


def test_what_was_more_shut_stays_so():
    random = np.random.default_rng(0)
    weights = random.random((900, len(UNIT_NAMES))).astype(np.float32)
    before = weights.copy()
    alive = life.add_blinks(weights, fps=FPS, seed=2)
    assert np.array_equal(weights, before), "the input is left alone"
    assert (alive >= before).all()
    assert (alive > before).any()


def test_seed_decides():
    first, again, other = (life.add_blinks(still(), fps=FPS, seed=s) for s in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_no_frames_is_no_error_and_no_rate_is():
    assert life.add_blinks(still(0), fps=FPS).shape == (0, len(UNIT_NAMES))
    with pytest.raises(MienError, match="fps is 0"):
        life.add_blinks(still(1), fps=0)
