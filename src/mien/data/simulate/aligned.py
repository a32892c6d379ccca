"""Speech whose phone times a forced aligner finds, and whether they can be right.

The neural voice and espeak-ng's program say nothing about their timing. pocketsphinx finds it to
within about 9 ms, but now and then loses its way; a clip with wrong times teaches lips that close
at the wrong moment, so what does not fit is not used (`misfit`).
"""

import warnings

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.data.phones import SILENCE, AlignmentError, align_phones
from mien.data.simulate.speech import Utterance
from mien.data.simulate.targets import VOWELS

LEAD = 0.15
"""Seconds of silence put around the speech: the aligner wants some before the first phone."""

ROOM = 0.001
"""Noise that the aligner hears with the speech (root mean square): it misses pauses of digital
silence, which nobody recorded. With it 0 instead of 5 of 40 sentences with a comma went wrong."""

LONGEST = 0.45
"""Seconds at rate 1: no phone of running speech lasts longer."""

SHORTEST, MOST_SHORTEST = 0.0301, 0.3
"""Seconds: the aligner's least length, and the share of phones that may have it at rate 1. Where it
is lost it squeezes many phones into a place too short for them."""

QUIET_PAUSE = 12.0
"""dB: pauses are at least so much below vowels."""

WEAK_VOWEL, MOST_WEAK = 20.0, 0.12
"""dB below the median vowel, and the share of vowels that may be so weak."""


def aligned(speech: np.ndarray, text: str, *, rate: float) -> Utterance:
    """Return speech (S,) that says `text`, with short silence around it and the aligner's phones.

    AlignmentError where the words are not found in the speech, or at times that cannot be right.
    """
    speech = np.pad(speech, audio.seconds_to_samples(LEAD)).astype(np.float32)
    room = ROOM * np.random.default_rng(0).standard_normal(len(speech)).astype(np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about words that no dictionary knows: spelled by rule
        utterance = Utterance(speech=speech, phones=align_phones(speech + room, text))
    if reason := misfit(utterance, rate=rate):
        raise AlignmentError(f"phones and sound of {text[:40]!r} do not fit: {reason}")
    return utterance


def misfit(utterance: Utterance, *, rate: float) -> str | None:
    """Return what shows that phones and sound do not belong together, or None.

    `rate` is the speed of speech: a slow speaker's phones may last longer.
    """
    said = [phone for phone in utterance.phones if phone.name != SILENCE]
    lengths = np.array([phone.end - phone.start for phone in said])
    if lengths.max() > LONGEST / rate:
        return f"{said[int(lengths.argmax())].name} lasts {lengths.max():.2f} s"
    if np.mean(lengths < SHORTEST) > MOST_SHORTEST * rate:
        return f"{np.mean(lengths < SHORTEST):.0%} of the phones have the least length"
    vowels = np.array([_level(utterance, phone) for phone in said if phone.name in VOWELS])
    silent = [_level(utterance, p) for p in utterance.phones if p.name == SILENCE]
    if not len(vowels):
        return "no vowel"
    usual = float(np.median(vowels))
    if silent and usual - max(silent) < QUIET_PAUSE:
        return f"a pause only {usual - max(silent):.0f} dB below the vowels"
    weak = float(np.mean(vowels < usual - WEAK_VOWEL))
    return f"{weak:.0%} of the vowels are hardly heard" if weak > MOST_WEAK else None


def _level(utterance: Utterance, phone: Phone) -> float:
    """Return the power in dB of the middle half of a phone."""
    quarter = (phone.end - phone.start) / 4
    start, stop = (
        audio.seconds_to_samples(t) for t in (phone.start + quarter, phone.end - quarter)
    )
    return float(10 * np.log10(np.mean(utterance.speech[start : max(stop, start + 1)] ** 2) + 1e-9))
