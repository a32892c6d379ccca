"""Silence around and inside speech: real recordings have it, and the mouth must rest in it."""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.data.phones import SILENCE
from mien.data.simulate.speech import Utterance

BREATH_SECONDS = (0.25, 0.45)
"""How long a breath lasts."""

BREATH_LEVEL = (-36.0, -24.0)
"""dB: how far below the loudest moments of the speech it is heard."""

BREATH_BAND = (400.0, 4500.0)
"""Hz: air at the lips and teeth."""

BREATH_GAP = 0.08
"""Seconds between a breath and the speech that it was drawn for."""


def silence(seconds: float) -> Utterance:
    """Return an utterance that says nothing."""
    speech = np.zeros(audio.seconds_to_samples(seconds), np.float32)
    end = audio.samples_to_seconds(len(speech))
    return Utterance(speech=speech, phones=[Phone(SILENCE, 0.0, end)])


def pad(utterance: Utterance, before: float, after: float) -> Utterance:
    """Return the utterance with seconds of silence before and after it."""
    samples = [audio.seconds_to_samples(seconds) for seconds in (before, after)]
    speech = np.pad(utterance.speech, samples)
    shift = audio.samples_to_seconds(samples[0])
    phones = [Phone(p.name, p.start + shift, p.end + shift) for p in utterance.phones]
    end = audio.samples_to_seconds(len(speech))
    phones = [Phone(SILENCE, 0.0, shift), *phones, Phone(SILENCE, phones[-1].end, end)]
    return Utterance(speech=speech, phones=_joined(phones))


def lengthen(utterance: Utterance, seconds: float, random: np.random.Generator) -> Utterance:
    """Return the utterance with one of its inner pauses longer; as it is where it has none."""
    phones = utterance.phones
    inner = [k for k in range(1, len(phones) - 1) if phones[k].name == SILENCE]
    if not inner or seconds <= 0:
        return utterance
    place = int(random.choice(inner))
    cut = audio.seconds_to_samples(phones[place].centre)
    extra = audio.seconds_to_samples(seconds)
    speech = np.concatenate(
        [utterance.speech[:cut], np.zeros(extra, np.float32), utterance.speech[cut:]]
    )
    shift = audio.samples_to_seconds(extra)
    longer = [
        *phones[:place],
        replace(phones[place], end=phones[place].end + shift),
        *(Phone(p.name, p.start + shift, p.end + shift) for p in phones[place + 1 :]),
    ]
    return Utterance(speech=speech, phones=longer)


def breathe(utterance: Utterance, random: np.random.Generator) -> Utterance:
    """Return the utterance with a breath drawn before speech, in a pause that has room for it.

    The mouth stays at rest meanwhile: what breathes is the nose, and a network that heard no
    breath in training takes one for an h.
    """
    seconds = random.uniform(*BREATH_SECONDS)
    phones = utterance.phones
    roomy = [
        phone
        for phone, later in pairwise(phones)
        if phone.name == SILENCE
        and later.name != SILENCE
        and phone.end - phone.start >= seconds + 2 * BREATH_GAP
    ]
    if not roomy:
        return utterance
    end = audio.seconds_to_samples(roomy[int(random.integers(len(roomy)))].end - BREATH_GAP)
    sound = _breath(audio.seconds_to_samples(seconds), random)
    loudest = float(np.quantile(np.abs(utterance.speech), 0.99))
    speech = utterance.speech.copy()
    speech[end - len(sound) : end] += sound * loudest * 10 ** (random.uniform(*BREATH_LEVEL) / 20)
    return replace(utterance, speech=speech)


def _breath(samples: int, random: np.random.Generator) -> np.ndarray:
    """Return band-limited noise (S,) float32 that swells and fades, of unit mean power."""
    spectrum = np.fft.rfft(random.standard_normal(samples))
    frequency = np.fft.rfftfreq(samples, 1 / audio.SPEECH_RATE)
    spectrum[(frequency < BREATH_BAND[0]) | (frequency > BREATH_BAND[1])] = 0
    noise = np.fft.irfft(spectrum, samples) * np.hanning(samples)
    return (noise / np.sqrt(np.mean(noise**2))).astype(np.float32)


def _joined(phones: list[Phone]) -> list[Phone]:
    """Return the phones without empty ones, neighbouring pauses made one."""
    joined: list[Phone] = []
    for phone in phones:
        if joined and joined[-1].name == phone.name == SILENCE:
            joined[-1] = replace(joined[-1], end=phone.end)
        elif phone.end > phone.start:
            joined.append(phone)
    return joined
