"""The head: nods on accents, sways in silence, and is smooth."""

import numpy as np

from mien.life import head
from mien.life.voice import Voice

SECONDS = np.arange(1800) / 60
ACCENTS = Voice(((1.0, 29.0),), tuple((float(moment), 0.8) for moment in range(2, 28, 2)))


def turning(seed, voice=ACCENTS):
    return np.degrees(head.head_turning(SECONDS, seed=seed, voice=voice))


def test_a_nod_is_deepest_just_after_its_accent():
    for seed in range(10):
        nods = head.nods(SECONDS, np.random.default_rng(seed), ACCENTS)
        for moment, _ in ACCENTS.accents:
            near = np.abs(SECONDS - moment) < 0.9
            deepest = SECONDS[near][nods[near, 1].argmax()]
            assert 0 <= deepest - moment <= 0.1
            assert 0.5 < np.degrees(nods[near, 1].max()) < 7


def test_strong_accents_nod_deeper():
    voices = (Voice(((0, 9),), tuple((m, s) for m in (2.0, 4.0, 6.0))) for s in (0.2, 1.0))
    weak, strong = (head.nods(SECONDS, np.random.default_rng(0), voice).max() for voice in voices)
    assert strong > 1.5 * weak


def test_in_silence_it_only_sways():
    for seed in range(10):
        quiet = turning(seed, Voice())
        assert 0.1 < quiet.std(0).max() < 1.5
        assert np.abs(quiet).max() < 3
        assert np.abs(np.diff(quiet, axis=0)).max() * 60 < 5, "degrees a second"


def test_speech_moves_it_a_few_degrees_and_smoothly():
    """A real actor's peak, CREMA-D 1001: 19 to 68 degrees a second, mostly pitch."""
    for seed in range(20):
        moved = turning(seed)
        assert 1.0 < np.ptp(moved, axis=0).max() < 18
        assert np.abs(moved).max() < 10
        assert np.abs(np.diff(moved, axis=0)).max() * 60 < 70
        assert np.abs(np.diff(moved, 2, axis=0)).max() * 3600 < 900, "degrees a second squared"


def test_the_head_rises_to_speak_and_sinks_after():
    voice = Voice(((2.0, 8.0),))
    held = [head.attitudes(SECONDS, np.random.default_rng(seed), voice) for seed in range(60)]
    pitches = np.degrees(np.mean(held, axis=0)[:, 1])
    assert np.all(pitches[SECONDS < 1.8] == 0)
    assert pitches[SECONDS > 28].mean() > pitches[(SECONDS > 4) & (SECONDS < 8)].mean() + 0.4
    assert pitches[(SECONDS > 4) & (SECONDS < 8)].mean() < -0.8


def test_a_phrase_brings_another_attitude():
    phrases = tuple((start, start + 2.0) for start in (2.0, 6.0, 10.0, 14.0))
    held = np.degrees(head.attitudes(SECONDS, np.random.default_rng(1), Voice(phrases)))
    middles = [held[np.searchsorted(SECONDS, start + 1.5)] for start, _ in phrases]
    assert np.abs(np.diff(middles, axis=0)).max(1).min() > 0.3
    assert np.abs(held[SECONDS < 1.8]).max() == 0
    during = np.linalg.norm(held[np.searchsorted(SECONDS, 3.5)])
    after = np.linalg.norm(held[np.searchsorted(SECONDS, 5.4)])
    assert after < 0.6 * during


def test_the_stroke_rises_falls_and_ends():
    since = np.linspace(-1, 1, 2001)
    stroke = head.stroke(since)
    assert stroke.max() == stroke[1000] == 1
    assert -0.3 < stroke.min() < -0.05
    assert since[stroke.argmin()] < -0.1
    assert np.all(stroke[since < -2 * head.LIFTING] == 0)
    assert np.all(stroke[since > head.RETURN] == 0)
