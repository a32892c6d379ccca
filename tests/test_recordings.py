"""Recordings are read with the right words, or refused in a sentence."""

from pathlib import Path

import numpy as np
import pytest

from mien import audio
from mien.errors import MienError
from mien.evaluate import recordings
from mien.evaluate.recordings import Recording

SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"
LJSPEECH, NVIDIA = SPEECH / "ljspeech", SPEECH / "nvidia"


def silent_wav(path, seconds=1.0):
    audio.write_wav(path, np.zeros(audio.seconds_to_samples(seconds), np.float32))


def test_quiet_is_put_after_the_speech():
    speech = np.random.default_rng(0).uniform(-1, 1, 8000).astype(np.float32)
    longer = recordings.quietened(Recording("one", speech, "words")).speech
    np.testing.assert_array_equal(longer[:8000], speech)
    assert len(longer) == 40000
    assert longer.dtype == np.float32
    assert 0 < np.abs(longer[8000:]).max() < 2e-3


def test_ljspeech_folders_are_read():
    if not LJSPEECH.is_dir():
        pytest.skip(f"the recordings {LJSPEECH} are not here")
    found = recordings.read_folder(LJSPEECH)
    assert len(found) == 8
    assert found[6].name == "LJ001-0007"
    assert found[6].transcript.endswith("about fourteen fifty-five,")
    assert len(found[6].speech) == pytest.approx(8.3895 * 16000, abs=200)


def test_nvidia_s_clips_have_our_words():
    if not NVIDIA.is_dir():
        pytest.skip(f"the recordings {NVIDIA} are not here")
    found = recordings.read_folder(NVIDIA)
    names = ["Claire_anger", "Claire_neutral", "Mark_joy", "Mark_neutral"]
    assert [one.name for one in found] == names
    assert found[0].transcript.startswith("The beige hue")
    assert found[2].transcript == found[3].transcript


def test_folders_are_read_one_after_the_other(tmp_path):
    for name in ("b", "a"):
        (tmp_path / name / "wavs").mkdir(parents=True)
        (tmp_path / name / "metadata.csv").write_text(f'{name}1|say "{name}"|say {name}\n')
        silent_wav(tmp_path / name / "wavs" / f"{name}1.wav")
    found = recordings.read_folders([tmp_path / "b", tmp_path / "a"])
    assert [(one.name, one.transcript) for one in found] == [("b1", "say b"), ("a1", "say a")]


def test_folders_without_words_are_refused(tmp_path):
    with pytest.raises(MienError, match=r"no metadata\.csv; give a folder"):
        recordings.read_folder(tmp_path)
    silent_wav(tmp_path / "Mark_joy.wav")
    assert recordings.read_folder(tmp_path)[0].transcript.startswith("With tenure")
    silent_wav(tmp_path / "hello.wav")
    with pytest.raises(MienError, match=r"what hello\.wav says is not known"):
        recordings.read_folder(tmp_path)
    (tmp_path / "metadata.csv").write_text("one\n")
    with pytest.raises(MienError, match="without a transcript"):
        recordings.read_folder(tmp_path)
    (tmp_path / "metadata.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(MienError, match=r"metadata\.csv cannot be read"):
        recordings.read_folder(tmp_path)
