"""Phrases and accents that are planted in sound, asked back."""

import numpy as np
import pytest

from mien.audio import SPEECH_RATE
from mien.life.voice import HOP, Voice, listen, pitch


def voiced(seconds: float, hertz: float | np.ndarray = 120.0, loudness: float | np.ndarray = 0.2):
    """A buzz whose pitch and loudness are numbers or (S,), with soft syllables of 0.25 s."""
    time = np.arange(round(seconds * SPEECH_RATE)) / SPEECH_RATE
    phase = 2 * np.pi * np.cumsum(np.broadcast_to(hertz, time.shape)) / SPEECH_RATE
    buzz = np.sum([np.sin(k * phase) / k for k in range(1, 6)], axis=0)
    syllables = 0.25 + 0.75 * np.sin(np.pi * time / 0.25) ** 2
    return np.asarray(loudness * syllables * buzz, np.float32)


def silence(seconds):
    noise = np.random.default_rng(0).normal(0, 1e-4, round(seconds * SPEECH_RATE))
    return np.asarray(noise, np.float32)


def test_phrases_are_found_where_they_are():
    pieces = [silence(0.5), voiced(1.5), silence(0.6), voiced(2.0), silence(0.4)]
    found = listen(np.concatenate(pieces)).phrases
    assert np.allclose(found, [(0.5, 2.0), (2.6, 4.6)], atol=0.08)


def test_a_stop_consonant_is_no_pause_and_a_click_no_phrase():
    click = silence(0.5)
    click[4000:4200] = 0.3
    found = listen(np.concatenate([voiced(1), 0.2 * silence(0.1), voiced(1), silence(0.5), click]))
    assert np.allclose(found.phrases, [(0, 2.1)], atol=0.08)


@pytest.mark.parametrize("gain", [0.01, 1.0])
def test_loudness_of_the_recording_does_not_matter(gain):
    speech = np.concatenate([silence(0.5), voiced(1.5), silence(0.5)])
    assert np.allclose(listen(gain * speech).phrases, [(0.5, 2.0)], atol=0.08)


def test_noise_under_the_voice_is_no_speech():
    noise = np.random.default_rng(1).normal(0, 0.01, 3 * SPEECH_RATE).astype(np.float32)
    noise[SPEECH_RATE : 2 * SPEECH_RATE] += voiced(1.0)
    assert np.allclose(listen(noise).phrases, [(1, 2)], atol=0.1)


@pytest.mark.parametrize("way", ["louder", "higher"])
def test_a_syllable_that_stands_out_is_an_accent(way):
    """The fifth syllable, 1.0 to 1.25 s, of twelve."""
    time = np.arange(3 * SPEECH_RATE) / SPEECH_RATE
    inside = (time >= 1.0) & (time < 1.25)
    speech = (
        voiced(3.0, loudness=np.where(inside, 0.3, 0.06))
        if way == "louder"
        else voiced(3.0, hertz=np.where(inside, 190.0, 120.0))
    )
    accents = listen(speech).accents
    moment, strength = max(accents, key=lambda accent: accent[1])
    assert moment == pytest.approx(1.125, abs=0.06)
    assert 0.3 < strength <= 1
    assert all(other < 0.6 * strength for at, other in accents if at != moment)


def test_pitch_is_the_planted_one():
    speech = voiced(1.0, hertz=np.linspace(100, 240, SPEECH_RATE))
    found = pitch(speech, np.ones(100, bool))
    there = np.arange(100) * HOP
    expected = 12 * np.log2(100 + 140 * there)
    sure = np.isfinite(found)
    assert sure.mean() > 0.9
    assert np.median(np.abs(found - expected)[sure]) < 0.3


@pytest.mark.parametrize("samples", [0, 50, 4000, 32000])
def test_digital_silence_says_nothing(samples):
    assert listen(np.zeros(samples, np.float32)) == Voice()
