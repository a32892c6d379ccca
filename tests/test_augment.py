"""What other microphones hear: nothing is delayed, silence stays quiet, codecs keep their place."""

import numpy as np
import pytest

from mien.data import augment, codec
from mien.data.augment import fast_size

MILLISECOND = 16


def bursts(seconds: float = 2.0) -> np.ndarray:
    """Noise of 0.1 s every half a second, between silence: speech whose timing is plain."""
    sound = np.zeros(round(seconds * 16000), np.float32)
    random = np.random.default_rng(5)
    for start in range(4000, len(sound) - 1600, 8000):
        sound[start : start + 1600] = 0.2 * random.standard_normal(1600)
    return sound


def delay(heard: np.ndarray, original: np.ndarray) -> int:
    """Samples by which `heard` is late, by correlation."""
    size = 2 * len(original)
    product = np.fft.rfft(heard, size) * np.conj(np.fft.rfft(original, size))
    place = int(np.argmax(np.abs(np.fft.irfft(product, size))))
    return place if place < len(original) else place - size


def decibels(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(np.square(sound, dtype=np.float64)) + 1e-12))


@pytest.mark.parametrize("chosen", codec.CODECS, ids=lambda one: f"{one.name}-{one.bits}")
def test_a_codec_keeps_an_impulse_in_its_place(chosen):
    """AAC delays by 64 ms: two frames of the animation, if it were not taken away."""
    impulse = np.zeros(16000, np.float32)
    impulse[9001] = 0.5
    heard = codec.through(impulse, chosen)
    assert heard.shape == impulse.shape
    assert heard.dtype == np.float32
    assert abs(int(np.argmax(np.abs(heard))) - 9001) <= MILLISECOND


@pytest.mark.parametrize("chosen", codec.CODECS, ids=lambda one: f"{one.name}-{one.bits}")
def test_a_codec_keeps_speech_to_its_end_and_spoils_it_a_little(chosen):
    sound = np.sin(np.cumsum(np.linspace(200, 1500, 24001)) * 2 * np.pi / 16000)
    sound = (0.2 * sound).astype(np.float32)
    heard = codec.through(sound, chosen)
    assert abs(delay(heard, sound)) <= MILLISECOND
    for end in (1600, 240):
        assert decibels(heard[-end:]) == pytest.approx(decibels(sound[-end:]), abs=4)
    assert not np.array_equal(heard, sound)
    assert np.corrcoef(heard, sound)[0, 1] > 0.6


def test_resampling_there_and_back_changes_nothing_in_the_band():
    tone = np.sin(2 * np.pi * 500 * np.arange(8000) / 16000)
    np.testing.assert_allclose(codec.resampled(tone, 16000, 8000), tone[::2], atol=1e-3)
    back = codec.resampled(codec.resampled(tone, 16000, 48000), 48000, 16000)
    np.testing.assert_allclose(back, tone, atol=1e-9)


def test_nothing_is_delayed():
    """40 draws meet every room, band and codec; the loudest moments stay where they were."""
    speech, rng = bursts(), np.random.default_rng(0)
    for _ in range(40):
        heard = augment.augment(speech, rng, others=[bursts(1.0)])
        assert heard.shape == speech.shape
        assert heard.dtype == np.float32
        assert np.abs(heard).max() <= 1
        assert abs(delay(heard, speech)) <= MILLISECOND


def test_what_is_drawn_hangs_on_the_generator_alone():
    one, same = (augment.augment(bursts(), np.random.default_rng(3)) for _ in range(2))
    np.testing.assert_array_equal(one, same)
    assert not np.array_equal(one, augment.augment(bursts(), np.random.default_rng(4)))


@pytest.mark.parametrize("faint", [0.0, 1e-3])
def test_a_silent_clip_hears_a_quiet_room(faint):
    """Scaled to its own peak, the noise of a silent room would be as loud as speech."""
    rng = np.random.default_rng(1)
    room = (faint * rng.standard_normal(32000)).astype(np.float32)
    levels = [decibels(augment.augment(room, rng, others=[bursts()])) for _ in range(60)]
    assert max(levels) < -30
    assert np.median(levels) < -45
    assert np.std(levels) > 5
    assert np.mean(np.array(levels) > -80) > 0.6


def test_padded_silence_hears_the_room_of_its_speech():
    """A pause of digital silence beside noisy speech tells the networks what no recording does."""
    speech = np.concatenate([np.zeros(16000, np.float32), bursts(), np.zeros(16000, np.float32)])
    rng, apart = np.random.default_rng(2), []
    for _ in range(40):
        heard = augment.augment(speech, rng)
        spoken = decibels(heard[20000:21600])  # the first burst
        before, after = decibels(heard[2000:14000]), decibels(heard[-14000:-2000])
        assert abs(before - after) < 12  # a room's tail, a click
        apart.append(spoken - before)
    assert np.min(apart) > 12
    assert np.max(apart) < 75
    assert np.quantile(apart, 0.9) - np.quantile(apart, 0.1) > 15


def test_others_murmur_in_the_background():
    """A tone that only the others have is heard in about a quarter of the draws, below speech."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(16000) / 16000).astype(np.float32)
    rng, found = np.random.default_rng(6), []
    for _ in range(80):
        heard = augment.augment(bursts(), rng, others=[tone])
        quiet = heard[6400:11200]  # between two bursts, 0.3 s
        power = np.abs(np.fft.rfft(quiet * np.hanning(len(quiet)))) ** 2
        found.append(power[295:306].sum() > 50 * np.median(power[200:400]) * 11)
    assert 0.12 < np.mean(found) < 0.4


@pytest.mark.parametrize("samples", [1, 2, 3, 1000, 12288, 12289, 60007])
def test_sizes_for_the_transform_are_enough_and_near(samples):
    size = fast_size(samples)
    assert samples <= size <= max(samples * 1.5, 2)
    assert 2 ** round(np.log2(size)) == size or 3 * 2 ** round(np.log2(size / 3)) == size
