"""Seams and shifts that were planted are found, and where there are none, none is."""

import json

import numpy as np
import pytest

from mien import audio
from mien.animation import Animation
from mien.evaluate import shift
from mien.face import UNIT_NAMES, Face

FRAMES, SEAM = 120, 18
JAW = UNIT_NAMES.index("jawOpen")


def lips_of(curve):
    """Five lip vertices (T, 5, 3), metres, that all follow a curve (T,) in millimetres."""
    return np.repeat(curve[:, None, None] * 1e-3, 5, axis=1) * np.array([0, 1.0, 0])


def sentence(seed):
    """A smooth random curve (FRAMES,), mm."""
    noise = np.random.default_rng(seed).normal(size=FRAMES + 8)
    return np.convolve(noise, np.hanning(11)[1:-1], mode="valid")


def versions(seed, step=0.0, noise=0.05):
    """A sentence's lips at all offsets, with a step of `step` mm up or down at each seam."""
    random = np.random.default_rng(seed)
    found = []
    for offset in shift.OFFSETS:
        place = (np.arange(FRAMES) + offset) // SEAM
        curve = sentence(seed) + noise * random.normal(size=FRAMES) + step * (place % 2)
        found.append(lips_of(curve))
    return found


def test_seams_are_where_windows_begin_in_frames():
    assert audio.seconds_to_frame(shift.SEAM) == SEAM
    assert pytest.approx(SEAM) == shift.SEAM * audio.FPS
    assert max(shift.OFFSETS) / audio.FPS <= 9
    assert len({offset % SEAM for offset in shift.OFFSETS}) == len(shift.OFFSETS)


def test_planted_seams_are_found():
    jerks = [shift.seam_jerks(versions(seed, step=0.2), shift.OFFSETS) for seed in range(8)]
    found = shift.moved(np.ones(4), jerks)
    assert found.seam_ratio.low > 1.2
    assert found.seam_told.low > 0.55


def test_without_seams_none_is_found():
    """Neither the ratio of the jerks nor their order tells a seam, whatever is said there."""
    jerks = [shift.seam_jerks(versions(seed), shift.OFFSETS) for seed in range(40)]
    found = shift.moved(np.ones(4), jerks)
    assert found.seam_ratio.low < 1 < found.seam_ratio.high
    assert found.seam_told.low < 0.5 < found.seam_told.high
    assert found.seam_ratio.value == pytest.approx(1, abs=0.02)
    assert found.seam_told.value == pytest.approx(0.5, abs=0.01)


def test_a_kink_belongs_to_its_seam():
    """A step between the frames 17 and 18 moves the third differences of 15, 16 and 17 alone."""
    curve = np.where(np.arange(FRAMES) < SEAM, 0.0, 1.0)
    jerk = shift._jerk(lips_of(curve))
    assert np.flatnonzero(jerk).tolist() == [15, 16, 17]
    assert np.flatnonzero(shift._near_seams(30, 0)).tolist() == [0, 15, 16, 17, 18]
    assert np.flatnonzero(shift._near_seams(30, 10)).tolist() == [5, 6, 7, 8, 23, 24, 25, 26]


def test_moments_that_are_always_near_or_never_do_not_count():
    """At one offset nothing can be compared; at two, the moments of either's seams can."""
    both = versions(0)[:2]
    assert shift.seam_jerks(both[:1], (0,)).shape == (0, 3)
    assert len(shift.seam_jerks(both, (0, 1))) == np.sum(
        shift._near_seams(117, 0) ^ shift._near_seams(117, 1)
    )


class Hearer:
    """Opens the jaw by the loudness of each frame; what is heard may come late after `late` s."""

    def __init__(self, late=np.inf):
        self.face, self.late = Face.load(), late

    def encode_speech(self, speech):
        frames = audio.frame_count(len(speech))
        padded = np.pad(speech, (0, 1000))
        starts = np.round(audio.frame_times(frames) * audio.SPEECH_RATE).astype(int)
        loud = np.array([np.abs(padded[start : start + 500]).mean() for start in starts])
        return np.roll(loud, 1) if len(speech) > self.late * audio.SPEECH_RATE else loud

    def animate(self, speech, description, *, features):
        weights = np.zeros((len(features), len(UNIT_NAMES)), np.float32)
        weights[:, JAW] = np.clip(3 * features, 0, 1)
        return Animation(weights, audio.FPS, self.face, speech)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "metadata.csv").write_text("one|la\ntwo|la\n")
    times = np.arange(3 * audio.SPEECH_RATE) / audio.SPEECH_RATE
    for name, rate in (("one", 2.3), ("two", 3.1)):
        speech = 0.3 * np.sin(2 * np.pi * 150 * times) * (1 + np.sin(2 * np.pi * rate * times)) / 2
        audio.write_wav(tmp_path / f"{name}.wav", speech)
    return tmp_path


def test_moved_sentences_keep_their_lips(folder):
    report = shift.moving(Hearer(), [folder])
    assert report.enough == shift.Share(16, 16)
    assert report.worst > 0.99
    assert json.loads(json.dumps(report.rows()))["kept"]["cases"] == 16
    assert "| ≥ 0.97 | 0.99" in report.markdown() or "| ≥ 0.97 | 1.000" in report.markdown()


def test_a_sentence_that_changes_when_it_is_moved_far_is_found(folder):
    """Heard a frame late from 9 s on: the last three offsets of each sentence."""
    report = shift.moving(Hearer(late=9.0), [folder])
    assert report.enough == shift.Share(10, 16)
    assert 0.5 < report.worst < 0.95
    assert "**" in report.markdown()
