"""How prominent each phone is, by ear: stressed syllables are longer and louder.

Stress opens the mouth (`articulation`), and a network that hears speech must be able to tell it.
So prominence is not looked up in a dictionary but heard, in the two cues that survive any
recording: length (against what is usual for the vowel and for the rate of speech) and energy
(against the vowels around it).
"""

from collections.abc import Sequence

import numpy as np

from mien import audio
from mien.data.clips import Phone
from mien.data.simulate.targets import VOWELS, openness

ORDINARY = 0.5
"""The prominence of a phone that stands out in no way."""

USUAL_MS = {
    "aa": 240, "ae": 230, "ah": 140, "ao": 240, "aw": 260, "ax": 120, "ay": 250, "eh": 150,
    "er": 180, "ey": 190, "ih": 135, "iy": 155, "ow": 220, "oy": 280, "uh": 160, "uw": 210,
}  # fmt: skip
"""Milliseconds of each stressed vowel in connected speech (inherent durations of MITalk: Allen,
Hunnicutt and Klatt, 1987). Only their ratios count here."""

FINAL = 1.4
"""The last vowel before a pause is longer by this much, stressed or not (same source)."""

OPEN_VOWEL_DB = 0.45
"""dB that a vowel gains for each mm of opening at equal effort: close and open ones lie about
4 dB apart (Lehiste and Peterson, 1959)."""

NEIGHBOURS = 3
"""Vowels to either side with which the energy of one is compared."""

LENGTH_SCALE, ENERGY_SCALE = 0.45, 4.0
"""What counts as clearly stressed: half as long again (in natural logarithms), and 4 dB louder."""

LOUD_FLOOR = 1e-4
"""Root mean square below which a vowel is as good as unheard."""


def prominence(speech: np.ndarray, phones: Sequence[Phone]) -> np.ndarray:
    """Return the prominence (N,) float64 in [0, 1] of phones heard in speech (S,), 16 kHz.

    0.5 is ordinary. A consonant has that of the vowel nearest in the row of phones (of two, the
    one after it), and 0.5 where a pause lies between, as the pause itself has.
    """
    result = np.full(len(phones), ORDINARY)
    places = [k for k, phone in enumerate(phones) if phone.name in VOWELS]
    if places:
        length = _relative_lengths(phones, places) / LENGTH_SCALE
        energy = _relative_energies(speech, [phones[k] for k in places]) / ENERGY_SCALE
        result[places] = 1 / (1 + np.exp(-(length + energy)))
    for k, vowel in enumerate(_nearest_vowels(phones)):
        result[k] = ORDINARY if vowel is None else result[vowel]
    return result


def _relative_lengths(phones: Sequence[Phone], places: Sequence[int]) -> np.ndarray:
    """Return log(length / what is usual at this rate) of the vowels at `places`."""
    usual = [USUAL_MS[phones[k].name] * (FINAL if _is_final(phones, k) else 1.0) for k in places]
    lengths = [max(phones[k].end - phones[k].start, 0.01) * 1e3 for k in places]
    ratios = np.log(np.array(lengths) / np.array(usual))
    return ratios - np.median(ratios)


def _relative_energies(speech: np.ndarray, vowels: Sequence[Phone]) -> np.ndarray:
    """Return how many dB each vowel is louder than the middle one of those around it."""
    levels = np.array([_level(speech, vowel) for vowel in vowels])
    padded = np.pad(levels, NEIGHBOURS, constant_values=np.nan)
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    return levels - np.nanmedian(around, axis=1)


def _level(speech: np.ndarray, vowel: Phone) -> float:
    """Return the vowel's level in dB, as if all vowels were equally open."""
    first, stop = (audio.seconds_to_samples(seconds) for seconds in (vowel.start, vowel.end))
    heard = np.asarray(speech[first : max(stop, first + 1)], np.float64)
    power = np.mean(heard**2) if len(heard) else 0.0
    return 10 * np.log10(power + LOUD_FLOOR**2) - OPEN_VOWEL_DB * openness(vowel.name)


def _is_final(phones: Sequence[Phone], place: int) -> bool:
    """Return whether no vowel stands between this phone and the next pause or the end."""
    after = [phone.name for phone in phones[place + 1 :]]
    return next((name for name in after if name in VOWELS or name == "pau"), "pau") == "pau"


def _nearest_vowels(phones: Sequence[Phone]) -> list[int | None]:
    """Return for each phone the place of the vowel it belongs to; a vowel's is its own."""
    before = _latest_vowels(phones)
    after = [None if k is None else len(phones) - 1 - k for k in _latest_vowels(phones[::-1])]
    return [
        max(pair, key=lambda vowel: (-abs(vowel - k), vowel), default=None)
        for k, both in enumerate(zip(before, after[::-1], strict=True))
        for pair in [[vowel for vowel in both if vowel is not None]]
    ]


def _latest_vowels(phones: Sequence[Phone]) -> list[int | None]:
    """Return for each phone the place of the latest vowel up to it with no pause between."""
    latest, places = None, []
    for k, phone in enumerate(phones):
        if phone.name in VOWELS:
            latest = k
        elif phone.name == "pau":
            latest = None
        places.append(latest)
    return places
