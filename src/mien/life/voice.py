"""What life follows in a recording: where it pauses, and which syllables stand out.

Loudness and pitch only; nothing is recognised. Stress is heard in both: Fry (1958) and Kochanski et
al. (2005), who found loudness to mark prominence more than pitch does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mien.audio import SPEECH_RATE

HOP = 0.01
"""seconds from one measurement to the next"""
BLOCK = round(SPEECH_RATE * HOP)
QUIET, SILENT = 30.0, -65.0
"""dB: below the loud parts, or below full scale, nobody speaks"""
NOISE_MARGIN = 6.0
"""dB above a recording's noise at which somebody speaks"""
LEAST_PAUSE, LEAST_PHRASE = 0.2, 0.12
"""seconds: a stop consonant is shorter than the one, a click shorter than the other"""
SYLLABLE, NEIGHBOURHOOD = 0.05, 1.0
"""seconds, spread of the averages: loudness of a syllable, and what it is compared with"""
PITCH_RANGE = 70.0, 400.0
"""Hz of voices"""
VOICED = 0.5
"""how much alike a vowel's periods are, of 1"""
LOUDER, HIGHER = 8.0, 5.0
"""dB and semitones above the neighbourhood that make an accent of strength 1, each half of it"""
LEAST_ACCENT, ACCENT_GAP = 0.3, 0.4
"""strength, and seconds between accents; of two that are nearer the stronger stays"""


@dataclass(frozen=True)
class Voice:
    """What is heard, in seconds from the recording's start, in order."""

    phrases: tuple[tuple[float, float], ...] = ()
    """Begin and end of each stretch of speech; between them are pauses."""
    accents: tuple[tuple[float, float], ...] = ()
    """Moment and strength (0..1) of each syllable that stands out."""

    def talks(self, moment: float) -> bool:
        """Whether the moment lies in a phrase."""
        return any(start <= moment < stop for start, stop in self.phrases)


def listen(speech: np.ndarray) -> Voice:
    """speech (S,) in [-1, 1], 16 kHz → where it speaks and what it stresses."""
    blocks = speech[: len(speech) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64)
    if not len(blocks):
        return Voice()
    power = (blocks * blocks).mean(1)
    loudness = 10 * np.log10(_blurred(power, 0.015) + 1e-10)
    phrases = _phrases(loudness)
    spoken = np.zeros(len(loudness))
    for start, stop in phrases:
        spoken[start:stop] = 1
    seconds = tuple((start * HOP, stop * HOP) for start, stop in phrases)
    return Voice(seconds, _accents(loudness, pitch(speech, spoken > 0), spoken))


def _phrases(loudness: np.ndarray) -> list[tuple[int, int]]:
    """First block of each stretch of speech, and the one after its last."""
    loud, noise = np.percentile(loudness, [95, 10])
    least = max(loud - QUIET, SILENT, min(noise + NOISE_MARGIN, loud - QUIET / 2))
    runs = _runs(loudness > least)
    joined: list[tuple[int, int]] = []
    for start, stop in runs:
        if joined and (start - joined[-1][1]) * HOP < LEAST_PAUSE:
            joined[-1] = (joined[-1][0], stop)
        else:
            joined.append((start, stop))
    return [(start, stop) for start, stop in joined if (stop - start) * HOP >= LEAST_PHRASE]


def pitch(speech: np.ndarray, spoken: np.ndarray) -> np.ndarray:
    """Semitones above 1 Hz (N,) of each block, NaN where no voice sounds.

    The lag of the highest peak of the autocorrelation over 40 ms, divided by the window's own
    (Boersma 1993). Only blocks that are `spoken` (N,) are looked at.
    """
    size = 4 * BLOCK
    window = np.hanning(size)
    low, high = (round(SPEECH_RATE / rate) for rate in reversed(PITCH_RANGE))
    own = _autocorrelation(window[None])[0, : high + 1]
    found = np.full(len(spoken), np.nan)
    whole = np.flatnonzero(spoken)
    whole = whole[(whole >= 2) & (whole * BLOCK + 2 * BLOCK <= len(speech))]
    for some in np.array_split(whole, len(whole) // 4096 + 1):
        pieces = speech[(some[:, None] - 2) * BLOCK + np.arange(size)].astype(np.float64)
        alike = _autocorrelation((pieces - pieces.mean(1, keepdims=True)) * window)[:, : high + 1]
        alike = alike / np.maximum(alike[:, :1], 1e-12) * own[0] / own
        lag = alike[:, low:].argmax(1) + low
        sure = alike[np.arange(len(some)), lag] > VOICED
        found[some[sure]] = 12 * np.log2(SPEECH_RATE / lag[sure])
    return found


def _autocorrelation(pieces: np.ndarray) -> np.ndarray:
    """pieces (N, size) → (N, 2 size), by lag."""
    spectrum = np.fft.rfft(pieces, 2 * pieces.shape[1])
    return np.fft.irfft(np.abs(spectrum) ** 2)


def _accents(
    loudness: np.ndarray, semitones: np.ndarray, spoken: np.ndarray
) -> tuple[tuple[float, float], ...]:
    """Syllables, at their loudest, that stand out from what is said around them."""
    syllable = _blurred(loudness, SYLLABLE)
    voiced = np.isfinite(semitones).astype(float)
    height = _average(np.nan_to_num(semitones), voiced, SYLLABLE)
    louder = syllable - _average(loudness, spoken, NEIGHBOURHOOD)
    higher = height - _average(np.nan_to_num(semitones), voiced, NEIGHBOURHOOD)
    near_voice = _blurred(voiced, SYLLABLE) > 0.2
    strength = np.clip(louder / LOUDER, -1, 1) + near_voice * np.clip(higher / HIGHER, -1, 1)
    middle = syllable[1:-1]
    peaks = 1 + np.flatnonzero((middle > syllable[:-2]) & (middle >= syllable[2:]))
    peaks = peaks[(spoken[peaks] > 0) & (strength[peaks] > 2 * LEAST_ACCENT)]
    taken, gap = np.zeros(len(loudness), bool), round(ACCENT_GAP / HOP)
    kept = []
    for peak in peaks[np.argsort(-strength[peaks], kind="stable")]:
        if not taken[peak]:
            kept.append(int(peak))
            taken[max(peak - gap + 1, 0) : peak + gap] = True
    return tuple((peak * HOP, float(strength[peak] / 2)) for peak in sorted(kept))


def _runs(true: np.ndarray) -> list[tuple[int, int]]:
    """Start and end of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.r_[0, true.astype(int), 0]))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def _average(values: np.ndarray, counted: np.ndarray, spread: float) -> np.ndarray:
    """Mean of the values around each block, where `counted` (N,) is 1; 0 where nothing counts."""
    total = _blurred(counted, spread)
    return _blurred(values * counted, spread) / np.maximum(total, 1e-6)


def _blurred(values: np.ndarray, spread: float) -> np.ndarray:
    """values (N,) under a bell of `spread` seconds."""
    reach = round(3 * spread / HOP)
    bell = np.exp(-0.5 * (np.arange(-reach, reach + 1) * HOP / spread) ** 2)
    padded = np.pad(values, reach, mode="edge")
    return np.convolve(padded, bell / bell.sum(), mode="valid")
