"""Every measure is asked for an answer that was planted."""

import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Phone
from mien.errors import MienError
from mien.evaluate import lips
from mien.evaluate.lips import Recording, Report, Row, Share

FPS = 30.0
LJSPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech" / "ljspeech"


def test_a_contact_counts_only_near_its_phone():
    """One closed frame at 41 (1.367 s): the phone around it is hit, 40 ms away too, others not."""
    gap = np.full(90, 8e-3)
    gap[41] = 0.5e-3
    at = 41 / FPS

    def hits(start, end, name="p"):
        return lips.contact_recall(gap, [Phone(name, start, end)], fps=FPS).hits

    assert hits(at - 0.02, at + 0.02) == 1
    assert hits(at + 0.039, at + 0.1) == 1
    assert hits(at + 0.041, at + 0.1) == 0
    assert hits(at - 0.1, at - 0.039) == 1
    assert hits(at - 0.1, at - 0.041) == 0
    phones = [Phone("t", at - 0.02, at + 0.02), Phone("m", 0.2, 0.3), Phone("b", at, at + 0.05)]
    assert lips.contact_recall(gap, phones, fps=FPS) == Share(1, 2)


@pytest.mark.parametrize(
    ("millimetres", "hits"), [(1.0, 1), (1.01, 0), (-1.5, 1), (-1.51, 0), (-5, 0)]
)
def test_lips_in_each_other_are_no_contact(millimetres, hits):
    gap = np.full(30, millimetres * 1e-3)
    assert lips.contact_recall(gap, [Phone("m", 0.4, 0.5)], fps=FPS) == Share(hits, 1)


def test_phones_after_the_last_frame_are_not_counted():
    gap = np.zeros(30)
    phones = [Phone("m", 0.4, 0.5), Phone("m", 1.5, 1.6)]
    assert lips.contact_recall(gap, phones, fps=FPS) == Share(1, 1)


def test_penetration_counts_frames():
    gap = np.zeros(100)
    gap[10:17] = -1.6e-3
    gap[20] = -1.4e-3
    assert lips.penetration(gap) == Share(7, 100)


def test_vowels_are_read_at_their_centre():
    gap = np.linspace(0, 29e-3, 30)  # frame t is t mm open
    phones = [Phone("aa", 0.0, 2 / 30), Phone("iy", 0.4, 0.6), Phone("s", 0.6, 0.8)]
    np.testing.assert_allclose(lips.vowel_gaps(gap, phones, fps=FPS), [1, 15])
    assert lips.false_contacts(gap, phones, fps=FPS) == Share(1, 2)
    late = [*phones, Phone("uw", 2.0, 2.2)]  # after the last frame
    assert lips.false_contacts(gap, late, fps=FPS) == Share(1, 2)


def test_speed_in_silence_is_the_planted_one():
    """All lip vertices move at 12 mm/s along a slanted line, but only within the silence's core."""
    seconds = np.arange(90) / FPS
    moved = np.clip(seconds - 1.15, 0, 0.7) * 12e-3
    course = moved[:, None, None] * np.array([0.6, 0.0, 0.8])
    shape = np.random.default_rng(0).normal(0, 0.01, (40, 3))
    phones = [Phone("s", 0, 1.0), Phone("pau", 1.0, 2.0), Phone("s", 2.0, 3.0)]
    speeds = lips.silent_speeds(shape + course, phones, fps=FPS)
    assert len(speeds) == 20
    np.testing.assert_allclose(np.median(speeds), 12, rtol=1e-6)


def test_margins_and_short_silences_do_not_count():
    wild = np.zeros((90, 5, 3))
    wild[30:34] = 1.0  # within 0.15 s of the silence's start
    still = [Phone("pau", 1.0, 2.0)]
    assert lips.silent_speeds(wild, still, fps=FPS).max() == 0
    assert len(lips.silent_speeds(wild, [Phone("pau", 1.0, 1.3)], fps=FPS)) == 0
    assert len(lips.silent_speeds(wild, [Phone("aa", 1.0, 2.0)], fps=FPS)) == 0


def test_speed_does_not_hang_on_the_frame_rate():
    for fps in (24.0, 30.0, 60.0):
        course = np.arange(int(2 * fps)) / fps * 5e-3
        track = np.repeat(course[:, None, None], 4, axis=1) * np.array([0, 1.0, 0])
        speeds = lips.silent_speeds(track, [Phone("pau", 0, 2)], fps=fps)
        np.testing.assert_allclose(speeds, 5, rtol=1e-9)


def test_interval_is_wilson_s():
    """Known values: 8 of 10 is 0.490-0.943; none of 20 still leaves room up to 0.161."""
    np.testing.assert_allclose(Share(8, 10).interval, (0.4902, 0.9433), atol=1e-4)
    np.testing.assert_allclose(Share(0, 20).interval, (0, 0.1611), atol=1e-4)
    assert Share(0, 0).interval == (0, 1)
    assert math.isnan(Share(0, 0).value)
    assert Share(1, 2) + Share(3, 4) == Share(4, 6)


def test_wrong_shapes_are_refused():
    with pytest.raises(MienError, match="one number for each frame"):
        lips.penetration(np.zeros((4, 2)))
    with pytest.raises(MienError, match=r"\(frames, vertices, 3\)"):
        lips.silent_speeds(np.zeros((4, 9)), [], fps=FPS)


class Puppet:
    """An animation of two lip vertices; the gap is how far the first is above the second."""

    def __init__(self, gaps):
        self.fps, self.gaps = FPS, gaps
        self.face = SimpleNamespace(
            regions={"lips": np.array([0, 1])}, gap=lambda v: v[:, 0, 1] - v[:, 1, 1]
        )

    def vertices(self):
        points = np.zeros((len(self.gaps), 2, 3))
        points[:, 0, 1] = self.gaps
        return points


class Puppeteer:
    """Closes the mouth for p, b, m as `phones` say, unless it is told to gape."""

    def __init__(self, phones):
        self.phones = phones

    def animate(self, speech, description) -> Any:
        gaps = np.full(audio.frame_count(len(speech)), 9e-3)
        if description != "gaping":
            for phone in self.phones:
                if phone.name in "pbm":
                    gaps[audio.seconds_to_frame(phone.centre)] = 0
        return Puppet(gaps)


def test_study_finds_what_the_puppet_does(tmp_path, monkeypatch):
    """Two recordings of a second get two seconds of quiet: 90 frames each."""
    phones = [Phone("pau", 0, 1), Phone("m", 1, 1.1), Phone("aa", 1.1, 1.3), Phone("pau", 2, 3)]
    monkeypatch.setattr(lips, "align_phones", lambda speech, transcript: phones)
    (tmp_path / "metadata.csv").write_text('one|ma|ma\ntwo|"ma\n')
    for name in ("one", "two"):
        audio.write_wav(tmp_path / f"{name}.wav", np.zeros(16000, np.float32))
    shut, gaping = lips.study(Puppeteer(phones), tmp_path, ["neutral", "gaping"]).measured
    assert (shut.description, gaping.description) == ("neutral", "gaping")
    assert shut.closed == Share(2, 2)
    assert gaping.closed == Share(0, 2)
    assert shut.penetrating == Share(0, 180)
    assert shut.shut == Share(0, 2)
    assert shut.resting == Share(0, 84)  # 0.15..0.85 and 2.15..2.85 s: 21 frames each, twice
    assert shut.opening == pytest.approx(9)
    assert gaping.silent_speed == pytest.approx(0)


def test_quiet_is_put_after_the_speech():
    speech = np.random.default_rng(0).uniform(-1, 1, 8000).astype(np.float32)
    longer = lips.quietened(Recording("one", speech, "words")).speech
    np.testing.assert_array_equal(longer[:8000], speech)
    assert len(longer) == 40000
    assert 0 < np.abs(longer[8000:]).max() < 2e-3


def test_resting_mouths_are_counted_in_long_silences_only():
    gap = np.full(90, 5e-3)
    gap[:40] = 0.9e-3
    phones = [Phone("pau", 0, 0.2), Phone("pau", 1.0, 2.0), Phone("aa", 2.0, 3.0)]
    assert lips.rest_contacts(gap, phones, fps=FPS) == Share(5, 21)  # 35..39 of 35..55


def test_report_shows_counts_and_intervals_and_is_plain_data():
    shares = Share(45, 49), Share(0, 300), Share(2, 80), Share(40, 40)
    report = Report((Row("a | b", *shares, 6.54, math.nan),))
    assert report.markdown().splitlines()[-1] == (
        "| a   b | 91.8 % (45/49) | 81-97 % | 0.0 % (0/300) | 2.5 % (2/80) | 6.5 "
        "| 100.0 % (40/40) | nan |"
    )
    assert json.loads(json.dumps(report.rows()))[0]["closed"] == {"hits": 45, "total": 49}


def test_ljspeech_folders_are_read():
    if not LJSPEECH.is_dir():
        pytest.skip(f"the recordings {LJSPEECH} are not here")
    recordings = lips.read_ljspeech(LJSPEECH)
    assert len(recordings) == 8
    assert recordings[6].name == "LJ001-0007"
    assert recordings[6].transcript.endswith("about fourteen fifty-five,")
    assert len(recordings[6].speech) == pytest.approx(8.3895 * 16000, abs=200)


def test_a_folder_without_metadata_is_refused(tmp_path):
    with pytest.raises(MienError, match=r"no metadata\.csv"):
        lips.read_ljspeech(tmp_path)
    (tmp_path / "metadata.csv").write_text("one\n")
    with pytest.raises(MienError, match="without a transcript"):
        lips.read_ljspeech(tmp_path)
