"""Rooms, noise, colour and gain for speech, so that the ears meet more than clean voices."""

import numpy as np

from mien import audio


def augment(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return (S,) float32 as another microphone in another room might have heard it.

    Draws, each independently: a spectral tilt of up to ± 6 dB a decade, a small room
    (reverberation time 0.1-0.4 s, half of the time), noise 12-45 dB below the speech, gain.
    Timing is kept to within a millisecond: nothing is delayed.
    """
    spectrum = np.fft.rfft(speech, len(speech) + audio.SPEECH_RATE // 2)
    spectrum *= _tilt(len(spectrum), rng)
    if rng.random() < 0.5:
        spectrum *= np.fft.rfft(_room(rng), len(speech) + audio.SPEECH_RATE // 2)
    heard = np.fft.irfft(spectrum)[: len(speech)]
    power = float(np.mean(heard**2)) + 1e-12
    noise = _coloured_noise(len(heard), rng)
    heard += noise * np.sqrt(power * 10 ** (-rng.uniform(12, 45) / 10))
    peak = float(np.abs(heard).max()) + 1e-9
    return (heard / peak * 10 ** (-rng.uniform(0.5, 20) / 20)).astype(np.float32)


def _tilt(bins: int, rng: np.random.Generator) -> np.ndarray:
    frequency = np.linspace(0, audio.SPEECH_RATE / 2, bins)
    decades = np.log10(np.maximum(frequency, 50) / 1000)
    return 10 ** (rng.uniform(-6, 6) * decades / 20)


def _room(rng: np.random.Generator) -> np.ndarray:
    """Direct sound first, then a decaying tail 5-20 dB weaker."""
    seconds = rng.uniform(0.1, 0.4)
    time = np.arange(int(seconds * audio.SPEECH_RATE)) / audio.SPEECH_RATE
    tail = rng.standard_normal(len(time)) * np.exp(-6.9 * time / seconds)
    tail *= 10 ** (-rng.uniform(5, 20) / 20) / np.linalg.norm(tail)
    tail[0] = 1.0
    return tail


def _coloured_noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit power with a slope between white and brown."""
    spectrum = np.fft.rfft(rng.standard_normal(samples))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0, 1)
    noise = np.fft.irfft(spectrum, samples)
    return noise / (np.sqrt(np.mean(noise**2)) + 1e-12)
