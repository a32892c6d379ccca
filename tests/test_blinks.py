"""Blinks: how lids fall, how often, and when they must not."""

import numpy as np
import pytest

from mien.face import UNIT_NAMES, Face
from mien.life import blinks
from mien.life.voice import Voice

FPS = 30.0
LEFT, RIGHT = UNIT_NAMES.index("eyeBlinkLeft"), UNIT_NAMES.index("eyeBlinkRight")
NOBODY = Voice()


def shown(seconds=60.0, **units):
    """A face that holds units, (T, 52)."""
    weights = np.zeros((round(seconds * FPS), len(UNIT_NAMES)), np.float32)
    for name, amount in units.items():
        weights[:, UNIT_NAMES.index(name)] = amount
    return weights


def both(stem, amount):
    return {f"{stem}Left": amount, f"{stem}Right": amount}


def times_of(weights, seed, voice=NOBODY, fps=FPS):
    """Moments at which the left lid reaches its lowest point."""
    alive = blinks.blinked(weights, fps=fps, seed=seed, voice=voice)
    fallen = alive[:, LEFT] - weights[:, LEFT]
    low = (fallen[1:-1] > 0.3 * fallen.max()) & (fallen[1:-1] >= fallen[:-2])
    peaks = 1 + np.flatnonzero(low & (fallen[1:-1] > fallen[2:]))
    return peaks[fallen[peaks] > 0] / fps


def often(weights, voice=NOBODY):
    """Blinks a minute, over twenty seeds."""
    minutes = len(weights) / FPS / 60
    return np.mean([len(times_of(weights, seed, voice)) for seed in range(20)]) / minutes


def test_both_eyes_shut_and_nothing_else_moves():
    alive = blinks.blinked(shown(), fps=FPS, seed=1, voice=NOBODY)
    assert np.delete(alive, [LEFT, RIGHT], 1).max() == 0
    assert np.array_equal(alive[:, LEFT], alive[:, RIGHT])
    assert alive.dtype == np.float32
    assert alive.max() == 1
    assert alive.min() == 0


@pytest.mark.parametrize("seed", range(20))
def test_every_blink_shuts_fully_and_soon(seed):
    """A blink shorter than a frame's step could pass between two frames half shut."""
    lids = blinks.blinked(shown(), fps=FPS, seed=seed, voice=NOBODY)[:, LEFT]
    runs = np.split(lids, np.flatnonzero(np.diff((lids > 0).astype(int))) + 1)
    found = [run for run in runs if run[0] > 0]
    assert 8 <= len(found) <= 30
    for blink in found[:-1]:
        peak = blink.argmax()
        assert blink[peak] > 0.97
        assert peak <= 3, "closes within about three frames"
        assert 4 <= len(blink) - 1 - peak <= 7, "opens within about five"


def test_never_at_the_very_start_and_never_a_long_stare():
    for seed in range(50):
        times = times_of(shown(120), seed)
        assert times[0] >= 0.3
        assert np.diff(times).min() > blinks.CLOSING + blinks.CLOSED + blinks.OPENING - 2 / FPS
        assert np.diff(times).max() < 6.5


def test_a_resting_face_blinks_as_people_do():
    """17 a minute at rest, 8 to 21 among adults (Bentivoglio 1997, Doughty 2001)."""
    assert 14 <= often(shown(120)) <= 20


def test_wide_eyes_blink_rarely_and_heavy_lids_often():
    calm = often(shown())
    assert often(shown(**both("eyeWide", 1.0))) < 0.5 * calm
    assert often(shown(**both("eyeBlink", 0.5))) > 1.3 * calm


def test_heavy_lids_are_slow():
    lengths = []
    for amount in (0.0, 0.5):
        weights = shown(**both("eyeBlink", amount))
        alive = blinks.blinked(weights, fps=FPS, seed=3, voice=NOBODY)
        moving = alive[:, LEFT] > amount + 1e-6
        lengths.append(moving.sum() / len(times_of(weights, 3)))
    assert lengths[1] > 1.5 * lengths[0]


@pytest.mark.parametrize(
    "held", [{"eyeBlinkLeft": 1.0}, {"eyeBlinkRight": 0.6}, both("eyeBlink", 1)]
)
def test_neither_a_held_wink_nor_closed_eyes_blink(held):
    weights = shown(**held)
    for seed in range(10):
        alive = blinks.blinked(weights, fps=FPS, seed=seed, voice=NOBODY)
        assert np.array_equal(alive, weights)


def test_a_wink_that_comes_later_stops_only_its_own_time():
    """A blink that would run into the wink is left out whole: it must not jump open."""
    for seed in range(10):
        weights = shown(60)
        begun = round(FPS * times_of(weights, seed)[3]) + 1
        weights[begun : begun + 600, LEFT] = 1
        alive = blinks.blinked(weights, fps=FPS, seed=seed, voice=NOBODY)
        winking = slice(begun - 6, begun + 600)
        assert np.array_equal(alive[winking], weights[winking])
        assert alive[:begun, RIGHT].max() > 0.97
        assert alive[begun + 600 :, RIGHT].max() > 0.97


def test_a_lid_that_is_half_down_falls_the_rest():
    weights = shown(**both("eyeBlink", 0.3))
    alive = blinks.blinked(weights, fps=FPS, seed=0, voice=NOBODY)
    assert alive[:, LEFT].min() == pytest.approx(0.3)
    assert alive[:, LEFT].max() == pytest.approx(1.0, abs=0.02)
    falls = np.diff(alive[:, LEFT])
    assert falls.max() < 0.6, "no jump where the blink meets the lid"


def test_blinks_shut_the_eyes_of_the_head_itself():
    """Wide eyes, squints and lowered gaze clash with a blink; the face's limits settle it."""
    face = Face.load()
    for held in (both("eyeWide", 1.0), both("eyeSquint", 0.6), both("eyeLookDown", 0.8)):
        weights = blinks.blinked(shown(**held), fps=FPS, seed=0, voice=NOBODY)
        shut = face.limit(weights)[weights[:, LEFT].argmax()]
        assert shut[UNIT_NAMES.index("eyeWideLeft")] < 0.05
        assert shut[LEFT] > 0.6


def test_in_speech_most_blinks_fall_where_phrases_end():
    """Each phrase lasts 2.2 s; by chance one blink in eight would fall within 0.25 s of an end."""
    starts = np.arange(0.0, 60.0, 2.5)
    voice = Voice(tuple((start, start + 2.2) for start in starts))
    near = total = 0
    for seed in range(20):
        begun = blinks.blink_times(np.arange(1800) / FPS, np.ones(1800), seed=seed, voice=voice)
        late = (np.array(begun) - 2.2) % 2.5
        first = np.r_[True, np.diff(begun) > blinks.DOUBLE_PAUSE + 1e-6]
        near, total = near + (late[first] < 0.25).sum(), total + first.sum()
    assert near / total > 0.7
    assert 15 <= total / 20 <= 30


def test_a_phrase_that_ends_last_has_its_blink_as_well():
    """Blinks that were due after the end were once forgotten, though they belong before it."""
    voice = Voice(((0.0, 3.0), (3.4, 5.5)))
    begun = [
        blinks.blink_times(np.arange(180) / FPS, np.ones(180), seed=seed, voice=voice)
        for seed in range(40)
    ]
    share = np.mean([any(5.5 <= time <= 5.7 for time in times) for times in begun])
    assert share > 0.5
