"""Speech by the neural voice of `hibari-tts`, whose phone times a forced aligner finds.

It sounds much more like a person than flite does, but says nothing about its timing; the aligner's
borders are off by 9 ms in the median (docs/LOG.md). Its network gives a pitch curve and spectra,
from which a vocoder makes the sound: so the pitch is ours to change, and one voice is many people.
"""

from functools import cache
from typing import Any

import numpy as np

from mien import audio
from mien.data.simulate.aligned import aligned
from mien.data.simulate.speech import Utterance, Voice, resample
from mien.errors import MienError

NAME = "hibari"
"""What `Voice.name` calls this voice."""

RATE = 24000
"""Hz: what it speaks at."""

VOICED = 40.0
"""Hz: below this its pitch curve means that nothing is voiced."""

PEAK = 0.8
"""What its loudest sample is scaled to: without its phase a voice's peaks pass full scale."""

SMOOTHING = 5
"""Bins of 20 Hz: about half the distance of its own harmonics."""


def say(text: str, voice: Voice) -> Utterance:
    """Speak `text`. MienError where hibari-tts is missing or another version is installed."""
    speaker, vocoder = _speaker()
    # The tract is changed by playing the sound faster, so it speaks slower and lower by as much.
    speed = np.array([voice.rate / voice.tract], np.float32)
    random = np.random.default_rng(0)  # of the voice's breath: the same words, the same sound
    pieces = []
    for phonemes in speaker.phonemize(text):
        ids = np.array([speaker.ids(phonemes)], np.int64)
        outputs = speaker.sess.run(None, {"ids": ids, "speed": speed})
        harmonics, phase, *others, pitch = (output[0] for output in outputs)
        curve = repitched(pitch, mean=voice.pitch / voice.tract, span=voice.span)
        # The old pitch is still to be seen in the harmonics' spectrum, which is not quite smooth.
        sound = vocoder.synth(smoothed(harmonics), 0 * phase, *others, curve, random)
        pieces.append(sound)
    spoken = resample(np.concatenate(pieces), voice.tract * RATE / audio.SPEECH_RATE)
    spoken *= PEAK / max(float(np.abs(spoken).max()), 1e-6)
    return aligned(spoken, text, rate=voice.rate)


def repitched(curve: np.ndarray, *, mean: float, span: float) -> np.ndarray:
    """Return a pitch curve (F,) in Hz, its mean and its span (in octaves) times these."""
    voiced = curve > VOICED
    if not voiced.any():
        return curve
    middle = np.exp(np.mean(np.log(curve[voiced])))
    moved = middle * mean * (curve[voiced] / middle) ** span
    changed = curve.copy()
    changed[voiced] = np.maximum(moved, VOICED + 1)
    return changed


def smoothed(spectrum: np.ndarray) -> np.ndarray:
    """Return log amplitudes (B, F) averaged over SMOOTHING bins to either side."""
    size = 2 * SMOOTHING + 1
    around = ((SMOOTHING + 1, SMOOTHING), (0, 0))
    sums = np.cumsum(np.pad(np.exp(spectrum.astype(np.float64)), around, mode="edge"), axis=0)
    return np.log((sums[size:] - sums[:-size]) / size + 1e-9).astype(np.float32)


@cache
def _speaker() -> tuple[Any, Any]:
    """Return the voice and its vocoder."""
    try:
        from hibari import Hibari, dsp
    except ImportError as error:
        raise MienError(
            "the voice hibari is not installed; run: pip install hibari-tts==0.2.1"
        ) from error
    speaker = Hibari(threads=1)
    wanted = {"phonemize", "ids", "sess"}
    if not (wanted <= set(dir(speaker)) and hasattr(dsp, "synth")):
        raise MienError(
            "this version of hibari-tts works otherwise; run: pip install hibari-tts==0.2.1"
        )
    return speaker, dsp
