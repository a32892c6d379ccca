"""Every measure is asked for an answer that was planted."""

import math

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Phone
from mien.data.simulate.targets import TARGETS
from mien.errors import MienError
from mien.evaluate import metrics
from mien.evaluate.samples import Share

FPS = 30.0


def said(*names, seconds=0.1):
    """Phones of equal length, one after the other from 0."""
    return [Phone(name, k * seconds, (k + 1) * seconds) for k, name in enumerate(names)]


# Closures


def test_a_contact_counts_only_near_its_phone():
    """One closed frame at 41 (1.367 s): the phone around it is hit, 40 ms away too, others not."""
    gap = np.full(90, 8e-3)
    gap[41] = 0.5e-3
    at = 41 / FPS

    def hits(start, end, name="p"):
        return metrics.contact_recall(gap, [Phone(name, start, end)], fps=FPS).hits

    assert hits(at - 0.02, at + 0.02) == 1
    assert hits(at + 0.039, at + 0.1) == 1
    assert hits(at + 0.041, at + 0.1) == 0
    assert hits(at - 0.1, at - 0.039) == 1
    assert hits(at - 0.1, at - 0.041) == 0
    phones = [Phone("t", at - 0.02, at + 0.02), Phone("m", 0.2, 0.3), Phone("b", at, at + 0.05)]
    assert metrics.contact_recall(gap, phones, fps=FPS) == Share(1, 2)


@pytest.mark.parametrize(
    ("millimetres", "hits"), [(1.0, 1), (1.01, 0), (-1.5, 1), (-1.51, 0), (-5, 0)]
)
def test_lips_in_each_other_are_no_contact(millimetres, hits):
    gap = np.full(30, millimetres * 1e-3)
    assert metrics.contact_recall(gap, [Phone("m", 0.4, 0.5)], fps=FPS) == Share(hits, 1)


def test_phones_after_the_last_frame_are_not_counted():
    gap = np.zeros(30)
    phones = [Phone("m", 0.4, 0.5), Phone("m", 1.5, 1.6)]
    assert metrics.contact_recall(gap, phones, fps=FPS) == Share(1, 1)
    assert metrics.labiodentals(gap, [Phone("f", 1.5, 1.6)], own_f=0, fps=FPS) == Share(0, 0)


def test_penetration_counts_frames():
    gap = np.zeros(100)
    gap[10:17] = -1.6e-3
    gap[20] = -1.4e-3
    assert metrics.penetration(gap) == Share(7, 100)


def test_a_closure_is_as_long_as_planted():
    """The gap falls and rises by 0.2 mm a ms around 0.5 s; it is under 1 mm for 80 ms."""
    for fps in (30.0, 100.0):
        away = np.abs(np.arange(int(fps)) / fps - 0.5)
        gap = np.maximum(1e-3 + 0.2 * (away - 0.04), 0.0)
        phones = [Phone("aa", 0, 0.45), Phone("b", 0.45, 0.55), Phone("iy", 0.55, 1.0)]
        np.testing.assert_allclose(metrics.closures(gap, phones, fps=fps), [(0.08, 0.1)], atol=4e-3)


def test_a_closure_that_is_shared_or_missed_has_no_length():
    gap = np.zeros(30)
    assert len(metrics.closures(gap, said("pau", "m", "aa"), fps=FPS)) == 0
    assert len(metrics.closures(gap, said("aa", "m", "b", "aa"), fps=FPS)) == 0
    assert len(metrics.closures(gap, said("aa", "m", "aa"), fps=FPS)) == 1
    assert len(metrics.closures(gap + 5e-3, said("aa", "m", "aa"), fps=FPS)) == 0
    assert metrics.closures(gap, [], fps=FPS).shape == (0, 2)


def test_a_bite_is_held_against_the_face_s_own_f():
    bite = np.full(60, 5e-3)
    bite[15] = 2.1e-3
    phones = [Phone("f", 0.48, 0.52), Phone("v", 1.0, 1.1), Phone("s", 0.48, 0.52)]
    assert metrics.labiodentals(bite, phones, own_f=1.11e-3, fps=FPS) == Share(1, 2)
    assert metrics.labiodentals(bite, phones, own_f=1.09e-3, fps=FPS) == Share(0, 2)
    assert metrics.labiodentals(bite, phones, own_f=4.1e-3, fps=FPS) == Share(2, 2)


# Vowels


def test_shut_vowels_are_read_at_their_centre():
    gap = np.linspace(0, 29e-3, 30)  # frame t is t mm open
    phones = [Phone("aa", 0.0, 2 / 30), Phone("iy", 0.4, 0.6), Phone("s", 0.6, 0.8)]
    assert metrics.false_contacts(gap, phones, fps=FPS) == Share(1, 2)
    late = [*phones, Phone("uw", 2.0, 2.2)]  # after the last frame
    assert metrics.false_contacts(gap, late, fps=FPS) == Share(1, 2)
    assert metrics.false_contacts(gap, [], fps=FPS) == Share(0, 0)


def test_a_diphthong_is_read_at_its_first_element():
    gap = np.linspace(0, 29e-3, 30)
    phones = [Phone("aa", 0.2, 0.4), Phone("ay", 0.4, 0.6), Phone("s", 0.6, 0.8)]
    cases = metrics.vowel_gaps(gap, phones, fps=FPS)
    names = [metrics.VOWELS[int(k)] for k in cases[:, 0]]
    assert names == ["aa", "ay"]
    np.testing.assert_allclose(cases[:, 1], [9, 14])  # 0.3 s; 0.46 s is nearest to frame 14


def test_every_vowel_of_the_simulated_actor_has_a_height():
    assert {name for name in TARGETS if name[0] in "aeiou"} == set(metrics.VOWELS)


def test_order_is_that_of_the_means():
    """Gaps grow with openness: 1; mirrored: -1; a vowel that is said twice only does not count."""
    places = np.repeat(np.arange(len(metrics.VOWELS)), 3)
    openness = np.array([metrics.OPENNESS[metrics.VOWELS[k]] for k in places])
    cases = np.stack([places, 3.0 + openness], axis=1)
    spread = cases + np.stack([0 * places, np.tile([-9.0, 0, 9.0], len(metrics.VOWELS))], axis=1)
    assert metrics.openness_order(spread) == pytest.approx(1)
    assert metrics.openness_order(spread * [1, -1]) == pytest.approx(-1)
    few = np.concatenate([cases[3:], [[0, 99.0], [0, 99.0]]])
    assert metrics.openness_order(few) == pytest.approx(1)
    assert math.isnan(metrics.openness_order(cases[:3]))


def test_rounding_is_the_planted_width():
    """48 mm in iy and eh, 40 in uw and w, and in ow at its end only: 8 mm narrower, always."""
    phones = said("iy", "uw", "eh", "w", "ow", "aa", seconds=0.2)
    width = np.full(36, 48e-3)
    for phone in phones:
        if phone.name in ("uw", "w"):
            width[round(phone.centre * FPS)] = 40e-3
        if phone.name == "ow":
            width[round((phone.start + 0.16) * FPS)] = 40e-3
    cases = metrics.rounding_widths(width, phones, fps=FPS)
    assert cases[:, 0].tolist() == [0, 1, 0, 1, 1]
    assert metrics.narrowing(cases) == pytest.approx(8)
    assert metrics.told_apart(cases) == 1
    assert metrics.told_apart(cases * [1, -1]) == 0
    assert math.isnan(metrics.narrowing(cases[:1]))
    assert math.isnan(metrics.told_apart(cases[:1]))


# Time


def wander(count, seed=0):
    """A smooth random curve."""
    noise = np.random.default_rng(seed).normal(size=count + 8)
    return np.convolve(noise, np.hanning(11)[1:-1], mode="valid")


@pytest.mark.parametrize("frames", [-4, 0, 3])
def test_a_planted_lag_is_found(frames):
    course = wander(140)
    early, late = course[10:130], course[10 - frames : 130 - frames]
    assert metrics.lag(late, early) == pytest.approx(frames, abs=0.05)
    assert metrics.lag(7 - 3 * -late, early) == pytest.approx(frames, abs=0.05)


def test_half_a_frame_of_lag_is_found():
    times = np.arange(200.0)
    course = np.sin(times / 4) + np.sin(times / 7.3)
    later = np.sin((times - 1.5) / 4) + np.sin((times - 1.5) / 7.3)
    assert metrics.lag(later, course) == pytest.approx(1.5, abs=0.05)


def test_a_lag_that_cannot_be_told():
    assert math.isnan(metrics.lag(np.zeros(100), wander(100)))
    assert math.isnan(metrics.lag(wander(20), wander(20)))
    with pytest.raises(MienError, match="equal ones are wanted"):
        metrics.lag(wander(100), wander(101))


def test_voicing_hears_the_voice_and_not_the_hiss():
    """200 Hz in the first half second, 4 kHz of equal power in the second: 30 dB apart at least."""
    times = np.arange(16000) / 16000
    speech = 0.5 * np.sin(2 * np.pi * np.where(times < 0.5, 200, 4000) * times)
    heard = metrics.voicing(speech.astype(np.float32), 30, fps=FPS)
    assert heard.shape == (30,)
    assert heard[2:13].min() > heard[17:28].max() + 30
    assert metrics.voicing(np.zeros(16000), 30, fps=FPS) == pytest.approx(np.full(30, -80.0))


def test_voicing_is_in_step_with_the_frames():
    """A beat of 40 ms around 0.6 s is loudest at frame 18."""
    speech = np.zeros(16000)
    around = np.arange(9600 - 320, 9600 + 320)
    speech[around] = np.sin(2 * np.pi * 300 * around / 16000)
    assert metrics.voicing(speech, 30, fps=FPS).argmax() == 18


# Stillness


def test_speed_in_silence_is_the_planted_one():
    """All lip vertices move at 12 mm/s along a slanted line, but only within the silence's core."""
    seconds = np.arange(90) / FPS
    moved = np.clip(seconds - 1.15, 0, 0.7) * 12e-3
    course = moved[:, None, None] * np.array([0.6, 0.0, 0.8])
    shape = np.random.default_rng(0).normal(0, 0.01, (40, 3))
    phones = [Phone("s", 0, 1.0), Phone("pau", 1.0, 2.0), Phone("s", 2.0, 3.0)]
    speeds = metrics.silent_speeds(shape + course, phones, fps=FPS)
    assert len(speeds) == 20
    np.testing.assert_allclose(np.median(speeds), 12, rtol=1e-6)


def test_margins_short_silences_and_the_first_one_do_not_count():
    wild = np.zeros((90, 5, 3))
    wild[30:34] = 1.0  # within 0.15 s of the silence's start
    still = [Phone("pau", 1.0, 2.0)]
    assert metrics.silent_speeds(wild, still, fps=FPS).max() == 0
    assert len(metrics.silent_speeds(wild, [Phone("pau", 1.0, 1.3)], fps=FPS)) == 0
    assert len(metrics.silent_speeds(wild, [Phone("aa", 1.0, 2.0)], fps=FPS)) == 0
    assert len(metrics.silent_speeds(wild, [Phone("pau", 0.0, 2.0)], fps=FPS)) == 0


def test_speed_does_not_hang_on_the_frame_rate():
    for fps in (24.0, 30.0, 60.0):
        course = np.arange(int(3 * fps)) / fps * 5e-3
        track = np.repeat(course[:, None, None], 4, axis=1) * np.array([0, 1.0, 0])
        speeds = metrics.silent_speeds(track, [Phone("pau", 1, 3)], fps=fps)
        np.testing.assert_allclose(speeds, 5, rtol=1e-9)


def test_resting_mouths_are_counted_in_long_silences_only():
    gap = np.full(90, 5e-3)
    gap[:40] = 0.9e-3
    phones = [Phone("pau", 0, 0.2), Phone("pau", 1.0, 2.0), Phone("aa", 2.0, 3.0)]
    assert metrics.rest_contacts(gap, phones, fps=FPS) == Share(5, 21)  # 35..39 of 35..55


def test_jitter_is_the_quick_part_alone():
    """0.3 mm at 12 Hz on a broad sweep and 3 mm at 2 Hz: 0.3 / √2 mm."""
    times = audio.frame_times(300)
    slow = 3e-3 * np.sin(2 * np.pi * 2 * times) + 1e-3 * times
    quick = 0.3e-3 * np.sin(2 * np.pi * 12 * times)
    shape = np.random.default_rng(0).normal(0, 0.01, (7, 3))
    along = np.array([0.6, 0.8, 0.0])
    trembling = shape + (slow + quick)[:, None, None] * along
    assert metrics.jitter(trembling, fps=FPS) == pytest.approx(0.3 / math.sqrt(2), rel=0.03)
    assert metrics.jitter(shape + slow[:, None, None] * along, fps=FPS) < 0.01
    assert math.isnan(metrics.jitter(trembling, fps=20.0))
    assert math.isnan(metrics.jitter(trembling[:20], fps=FPS))


def test_wrong_shapes_are_refused():
    with pytest.raises(MienError, match="one number for each frame"):
        metrics.penetration(np.zeros((4, 2)))
    with pytest.raises(MienError, match=r"\(frames, vertices, 3\)"):
        metrics.silent_speeds(np.zeros((4, 9)), [], fps=FPS)
