"""Rooms, noise, codecs and gain for speech, so that the ears meet more than clean voices."""

from collections.abc import Sequence

import numpy as np

from mien import audio
from mien.data import codec
from mien.data.codec import CODECS
from mien.features import LOUDNESS, MAX_GAIN, gain

SPEAKER = 0.1
"""Level of the speaker who says nothing in a clip of silence: the room is as loud as around one."""

NOISE, QUIET_NOISE = (15.0, 50.0), (25.0, 60.0)
"""dB that noise lies below the loudest 0.2 s of the speech, and below the silent speaker."""

BABBLE = (18.0, 40.0)
"""dB that other people's voices lie below the speech; louder ones could be meant as the speaker."""

VOICES = 3
"""People in the background."""

HUM = (25.0, 50.0)
"""dB that the mains' hum lies below the speech."""

CLICKS_A_SECOND, CLICK = 1.5, (10.0, 35.0)
"""How often something clicks, and dB that a click's peak lies below the speech."""

TELEPHONE, MUFFLED = (300.0, 3400.0), (60.0, 4000.0)
"""Hz that pass."""

MICROPHONE = (-34.0, -10.0)
"""dB re full scale of the loudest 0.2 s; at the upper end the peaks are clipped now and then."""


def augment(
    speech: np.ndarray, rng: np.random.Generator, *, others: Sequence[np.ndarray] = ()
) -> np.ndarray:
    """Return (S,) float32 in [-1, 1] as another microphone in another room might have heard it.

    Draws, each independently: a spectral tilt of up to ± 6 dB a decade, a band-limit (a quarter of
    the time), a small room (half; reverberation time 0.1-0.4 s), noise, hum (an eighth), clicks (an
    eighth), gain, and a lossy codec (a third). `others`, other people's speech, murmur in the
    background a quarter of the time. A clip without speech hears the room at its usual level, and
    nobody murmurs: the mouth must not follow. Timing is kept to within a millisecond.
    """
    loudest = LOUDNESS / gain(speech)
    speaking = loudest > LOUDNESS / MAX_GAIN
    level = loudest if speaking else SPEAKER
    heard = _filtered(speech, rng)
    heard += _noise(len(heard), rng) * level * _drawn(NOISE if speaking else QUIET_NOISE, rng)
    if rng.random() < 0.125:
        heard += _hum(len(heard), rng) * level * _drawn(HUM, rng)
    if rng.random() < 0.125:
        heard += _clicks(len(heard), rng) * level * _drawn(CLICK, rng)
    if rng.random() < 0.25 and others and speaking:
        heard += _babble(len(heard), others, rng) * level * _drawn(BABBLE, rng)
    scaled = heard * (10 ** (rng.uniform(*MICROPHONE) / 20) / level)
    recorded = np.clip(scaled, -1.0, 1.0).astype(np.float32)
    if rng.random() < 1 / 3:
        recorded = codec.through(recorded, CODECS[int(rng.integers(len(CODECS)))])
    return np.clip(recorded, -1.0, 1.0)


def _drawn(below: tuple[float, float], rng: np.random.Generator) -> float:
    """Draw a factor so many dB below 1."""
    return 10 ** (-rng.uniform(*below) / 20)


def _filtered(speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return speech (S,) float64 with a tilt, a band-limit and a room."""
    size = fast_size(len(speech) + audio.SPEECH_RATE // 2)
    spectrum = np.fft.rfft(speech, size)
    frequency = np.fft.rfftfreq(size, 1 / audio.SPEECH_RATE)
    spectrum *= _tilt(frequency, rng)
    if (chance := rng.random()) < 0.25:
        low, high = TELEPHONE if chance < 0.125 else MUFFLED
        # Without phase, so without delay; the slopes are those of a fourth-order filter.
        spectrum /= np.hypot(1, (low / np.maximum(frequency, 1.0)) ** 4)
        spectrum /= np.hypot(1, (frequency / high) ** 4)
    if rng.random() < 0.5:
        spectrum *= np.fft.rfft(_room(rng), size)
    return np.fft.irfft(spectrum, size)[: len(speech)]


def _tilt(frequency: np.ndarray, rng: np.random.Generator) -> np.ndarray:
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


def _noise(samples: int, rng: np.random.Generator) -> np.ndarray:
    """Noise of unit power with a slope between white and brown."""
    size = fast_size(samples)
    spectrum = np.fft.rfft(rng.standard_normal(size))
    spectrum *= np.maximum(np.arange(len(spectrum)), 1.0) ** -rng.uniform(0, 1)
    return _unit(np.fft.irfft(spectrum, size)[:samples])


def _hum(samples: int, rng: np.random.Generator) -> np.ndarray:
    """50 or 60 Hz with its first harmonics, of unit power."""
    time = np.arange(samples) / audio.SPEECH_RATE
    turns = 2 * np.pi * float(rng.choice([50.0, 60.0])) * time
    parts = [np.sin(k * turns + rng.uniform(0, 6.28)) * rng.uniform(0, 1) / k for k in range(1, 6)]
    return _unit(np.sum(parts, axis=0))


def _clicks(samples: int, rng: np.random.Generator) -> np.ndarray:
    """A key, a mouse, a cup: short bursts that ring for some milliseconds, peaks near 1."""
    sound = np.zeros(samples + audio.SPEECH_RATE // 20)
    for _ in range(rng.poisson(CLICKS_A_SECOND * audio.samples_to_seconds(samples))):
        length = int(rng.integers(audio.SPEECH_RATE // 500, audio.SPEECH_RATE // 50))
        start = int(rng.integers(samples))
        decay = np.exp(-5 * np.arange(length) / length)
        sound[start : start + length] += 0.5 * rng.standard_normal(length) * decay
    return sound[:samples]


def _babble(samples: int, others: Sequence[np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """Some other people at once, each from a random place of what they say, of unit power."""
    chosen = [others[int(k)] for k in rng.integers(len(others), size=VOICES)]
    turned = [np.resize(np.roll(one, int(rng.integers(len(one)))), samples) for one in chosen]
    return _unit(np.sum([_unit(one) for one in turned], axis=0))


def _unit(sound: np.ndarray) -> np.ndarray:
    """Return the sound at unit mean power; silence stays silent."""
    return sound / max(float(np.sqrt(np.mean(sound**2))), 1e-6)


def fast_size(samples: int) -> int:
    """Return the next size from `samples` on whose Fourier transform is quick: 2^k or 3 · 2^k."""
    power = 1 << max(samples - 1, 1).bit_length()
    return power * 3 // 4 if samples <= power * 3 // 4 else power
