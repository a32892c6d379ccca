"""How loudly something is said: level, colour and dynamics of the speech."""

import numpy as np

from mien import audio
from mien.features import LOUDNESS, gain

USUAL = 0.08
"""Root mean square of the loudest 0.2 s of ordinary speech, full scale being 1."""

BRIGHTNESS = 0.5
"""dB that the sound above 1 kHz gains beyond the rest for each dB of loudness: a raised voice is
brighter, a mumble duller. Near what Nordenberg and Sundberg (2003) measured on loud reading."""

TURN, BEND = 1000.0, 0.7
"""Hz where the bright part begins, and octaves over which it does."""

SYLLABLE = 0.08
"""Seconds over which loudness is taken when dynamics are changed."""

QUIETEST = 0.05
"""Share of the usual amplitude below which nothing is raised further: it is the pause's noise."""

PEAK = 0.99
"""Where the whole is too loud for full scale, it is scaled down to this."""


def deliver(speech: np.ndarray, *, loudness: float, dynamics: float) -> np.ndarray:
    """Return speech (S,) at `loudness` dB above the usual, its dynamics times `dynamics`.

    Times do not move. What is silent stays so.
    """
    changed = _brightened(_dynamic(speech, dynamics), BRIGHTNESS * loudness)
    level = LOUDNESS / gain(changed)
    changed = changed * (USUAL / level * 10 ** (loudness / 20))
    return (changed * min(1.0, PEAK / max(float(np.abs(changed).max()), 1e-9))).astype(np.float32)


def _dynamic(speech: np.ndarray, dynamics: float) -> np.ndarray:
    """Raise the syllables' amplitude to a power, about that of the loudest half."""
    power = _smoothed(_smoothed(speech.astype(np.float64) ** 2))  # twice: without corners
    amplitude = np.sqrt(power)
    usual = max(float(np.sqrt(np.mean(amplitude**2))), 1e-9)
    return speech * np.maximum(amplitude / usual, QUIETEST) ** (dynamics - 1)


def _smoothed(power: np.ndarray) -> np.ndarray:
    """Return the mean over SYLLABLE seconds around each sample, silence lying beyond the ends."""
    half = audio.seconds_to_samples(SYLLABLE) // 2
    sums = np.cumsum(np.pad(power, (half + 1, half)))
    return np.maximum(sums[2 * half + 1 :] - sums[: -2 * half - 1], 0.0) / (2 * half + 1)


def _brightened(speech: np.ndarray, decibels: float) -> np.ndarray:
    spectrum = np.fft.rfft(speech)
    octaves = np.log2(np.maximum(np.fft.rfftfreq(len(speech), 1 / audio.SPEECH_RATE), 1.0) / TURN)
    return np.fft.irfft(
        spectrum * 10 ** (decibels / 20 / (1 + np.exp(-octaves / BEND))), len(speech)
    )
