"""Whether stress is heard: speech is planted, a tone for each phone."""

import numpy as np
import pytest

from mien.data.clips import Phone
from mien.data.simulate.prominence import USUAL_MS, prominence

RATE = 16000


def in_a_row(names, lengths) -> list[Phone]:
    ends = np.cumsum(lengths)
    return [
        Phone(name, float(end - length), float(end))
        for name, end, length in zip(names, ends, lengths, strict=True)
    ]


def speech_of(phones, loudness: dict[int, float]) -> np.ndarray:
    """A tone for each phone, of an amplitude by its place; others 0.05."""
    speech = np.zeros(int(phones[-1].end * RATE), np.float32)
    for k, phone in enumerate(phones):
        if phone.name != "pau":
            first, stop = int(phone.start * RATE), int(phone.end * RATE)
            tone = np.sin(np.arange(stop - first) * 0.1)
            speech[first:stop] = loudness.get(k, 0.05) * tone
    return speech


def syllables(lengths: dict[int, float] | None = None, rate: float = 1.0) -> list[Phone]:
    """pau d ah d ah … ah d pau, all vowels of their usual length but those at `lengths`' places."""
    names = ["pau", *["d", "ah"] * 8, "d", "pau"]
    usual = {"d": 0.06, "ah": USUAL_MS["ah"] * 1e-3, "pau": 0.4}
    times = [usual[name] * (lengths or {}).get(k, 1.0) / rate for k, name in enumerate(names)]
    return in_a_row(names, times)


def test_a_long_vowel_and_a_loud_one_are_prominent():
    plain = syllables()
    ordinary = prominence(speech_of(plain, {}), plain)
    np.testing.assert_allclose(ordinary[2:15], 0.5, atol=0.02)
    assert ordinary[[0, -1]].tolist() == [0.5, 0.5]
    long = syllables({6: 1.6})
    assert prominence(speech_of(long, {}), long)[6] > 0.7
    assert prominence(speech_of(plain, {6: 0.1}), plain)[6] > 0.75
    assert prominence(speech_of(plain, {6: 0.025}), plain)[6] < 0.25


def test_prominence_does_not_hang_on_the_rate_or_the_gain():
    slow, fast = syllables({6: 1.6}), syllables({6: 1.6}, rate=1.4)
    first, second = prominence(speech_of(slow, {}), slow), prominence(speech_of(fast, {}), fast)
    np.testing.assert_allclose(first, second, atol=0.02)
    louder = prominence(4 * speech_of(slow, {}), slow)
    np.testing.assert_allclose(first, louder, atol=0.02)


def test_a_final_vowel_is_long_without_stress():
    phones = syllables({16: 1.4})
    assert prominence(speech_of(phones, {}), phones)[16] == pytest.approx(0.5, abs=0.03)


def test_consonants_share_their_vowels_prominence():
    phones = syllables({6: 1.6})
    found = prominence(speech_of(phones, {}), phones)
    assert found[5] == found[6]
    lone = in_a_row(["pau", "m", "pau", "aa"], [0.2, 0.2, 0.2, 0.2])
    assert prominence(speech_of(lone, {3: 0.2}), lone)[1] == 0.5


def test_prominence_of_nothing_is_ordinary():
    silence = [Phone("pau", 0.0, 1.0)]
    assert prominence(np.zeros(RATE, np.float32), silence).tolist() == [0.5]
    late = [Phone("aa", 0.9, 1.5), Phone("pau", 1.5, 2.0)]
    assert np.isfinite(prominence(np.zeros(RATE, np.float32), late)).all()
    assert prominence(np.zeros(RATE, np.float32), []).shape == (0,)
