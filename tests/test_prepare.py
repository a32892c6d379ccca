"""mien prepare: real performances into a corpus; what is refused costs nothing and is one line."""

import re
import sys

import numpy as np
import pytest

from facegood_tree import write_tree
from mien.__main__ import main
from mien.data import video
from mien.data.clips import Corpus
from mien.data.tracks import Track
from mien.face import UNIT_NAMES
from test_tracks import FakeLandmarker, write_sound, write_table, write_video


@pytest.fixture
def mien_(capsys):
    def run(*arguments):
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def refused(mien_, tmp_path):
    """Run a command that must be refused: one sentence, status 2, and no corpus begun."""

    def run(*arguments, match):
        status, out, err = mien_("prepare", *arguments)
        assert (status, out) == (2, "")
        sentence = err.splitlines()[-1]
        assert sentence.startswith("mien: ")
        assert "Traceback" not in err
        assert re.search(match, sentence), err
        assert not (tmp_path / "corpus").exists()

    return run


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A model file that passes for the real one, and a landmarker that reads brightness."""

    class Fake(FakeLandmarker):
        def __init__(self, path, *, largest=False):
            assert path == tmp_path / "model.task"

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

    monkeypatch.setattr(video, "check_model", lambda path: path)
    monkeypatch.setattr(video, "MediaPipe", Fake)
    return tmp_path / "model.task"


def test_a_forgotten_corpus_is_seen_before_anything_is_tracked(refused, tmp_path, model):
    films = [tmp_path / f"{name}.mp4" for name in "ab"]
    for film in films:
        film.write_bytes(b"never opened")
    refused("video", *films, "--model", model, match="b.mp4 is a file; the corpus, a folder, comes")


def test_facegood_into_a_corpus_once(mien_, tmp_path):
    root = write_tree(tmp_path / "facegood", ("1114_2_01", "1114_3_15"), seconds=9.0)
    status, out, _ = mien_("prepare", "facegood", root, tmp_path / "corpus", "--takes", 2)
    assert status == 0
    records = Corpus(tmp_path / "corpus").records
    seconds = sum(record.seconds for record in records)
    assert f"{len(records)} clips written ({seconds:.1f} s), 0 were there" in out
    assert out.count("\n") == 1
    by_split = {record.split: record.id for record in records}
    assert by_split["test"].startswith("facegood-1114_3_15-")
    assert by_split["train"].startswith("facegood-1114_2_01-")
    _, again, _ = mien_("prepare", "facegood", root, tmp_path / "corpus", "--takes", 2)
    assert f"0 clips written (0.0 s), {len(records)} were there" in again


def test_video_with_a_neutral_one_of_the_actor(mien_, tmp_path, model):
    """The fake's resting smile of 0.25 is told from the acted one only by the neutral video."""
    calm = write_video(tmp_path / "calm.mp4", np.full(60, 0.3), sound=2.4)
    status, out, _ = mien_(
        "prepare", "video", calm, calm.with_name("corpus"), "--model", model, "--actor", "ann"
    )
    assert (status, "4 clips written" in out) == (0, True)
    glad = write_video(tmp_path / "glad.mp4", np.full(60, 0.6), sound=2.4)
    options = ("--model", model, "--actor", "ann", "--emotion", "happy", "--level", 0.5)
    status, out, _ = mien_(
        "prepare", "video", glad, tmp_path / "corpus", *options, "--neutral", calm
    )
    assert (status, "1 clips written" in out) == (0, True)
    corpus = Corpus(tmp_path / "corpus")
    last = corpus.clip(corpus.records[-1].id)
    assert (last.id, last.actor, last.emotion, last.level) == (
        "video-glad-000-0", "ann", "happy", 0.5
    )  # fmt: skip
    assert last.weights[:, UNIT_NAMES.index("mouthSmileLeft")].max() < 0.01
    jaw = last.weights[:, UNIT_NAMES.index("jawOpen")]
    assert jaw.mean() == pytest.approx((0.6 - 0.3) / 0.7, abs=0.03)


def test_livelink_into_a_corpus(mien_, tmp_path):
    weights = np.zeros((300, 52))
    weights[:, UNIT_NAMES.index("jawOpen")] = 0.4 + 0.2 * np.sin(np.arange(300) / 9)
    table = write_table(tmp_path / "take.csv", weights)
    sound = write_sound(tmp_path / "take.wav", 5.0)
    status, out, _ = mien_("prepare", "livelink", table, sound, tmp_path / "corpus")
    assert (status, "4 clips written (" in out) == (0, True)
    clip = Corpus(tmp_path / "corpus").clip("livelink-take-000-0")
    assert (clip.frames, clip.actor) == (150, "take")
    np.testing.assert_allclose(clip.weights[:, UNIT_NAMES.index("jawOpen")],
                               weights[::2, UNIT_NAMES.index("jawOpen")], atol=0.01)  # fmt: skip


def test_a_sentence_gives_phones_and_tells_f_from_p(tmp_path, monkeypatch):
    """The tracker shuts the lips at 1 s; the words say that it is an f."""
    from mien.data import captures
    from mien.data.clips import Phone
    from test_captures import closure_at

    said = [Phone("pau", 0, 0.5), Phone("aa", 0.5, 0.9), Phone("f", 0.9, 1.1)]
    said += [Phone("aa", 1.1, 3.5), Phone("pau", 3.5, 4.0)]
    monkeypatch.setattr(captures, "align_phones", lambda speech, sentence: said)
    from mien.face import Face

    one, face = closure_at(30), Face.load()
    known = captures.with_words(one, "a fa")
    assert (known.sentence, known.phones) == ("a fa", said)
    levels = np.full(120, -20.0)
    assert captures.capture_to_content(one, levels, face).closure[30] == 1.0
    content = captures.capture_to_content(known, levels, face)
    assert content.closure[30] == 0.0
    assert content.labiodental[30] == 1.0


# Refused


def test_other_folders_and_tables_are_refused(refused, tmp_path):
    corpus = tmp_path / "corpus"
    refused("facegood", tmp_path, corpus, match="holds no code/train")
    refused("facegood", tmp_path, corpus, "--takes", 0, match="whole number from 1")
    refused("livelink", tmp_path / "a.csv", tmp_path / "a.wav", corpus, match="a.wav does not exi")
    sound = write_sound(tmp_path / "a.wav", 2.0)
    refused("livelink", tmp_path / "a.csv", sound, corpus, match="cannot be read as a table")


def test_missing_and_other_models_are_refused(refused, tmp_path):
    video = ("video", tmp_path / "a.mp4", tmp_path / "corpus")
    refused(*video, match="--model")
    refused(*video, "--model", tmp_path / "none.task", match="none.task does not exist")
    (tmp_path / "other.task").write_bytes(b"weights")
    refused(*video, "--model", tmp_path / "other.task", match="another model")


def test_what_cannot_be_meant_is_refused(refused, tmp_path, model):
    video = ("video", tmp_path / "a.mp4", tmp_path / "corpus", "--model", model)
    refused(*video, match="a.mp4 cannot be read as video")
    refused(*video, "--emotion", "gleeful", match="'gleeful' is no state")
    refused(*video, "--emotion", "happy", "--level", 2, match="the level is 2")
    refused(*video, "--level", 1, match="0 of neutral")
    refused(*video, "--sentence", "...", match="holds no word")


def test_a_missing_extra_is_named(refused, tmp_path, monkeypatch):
    monkeypatch.setattr(video, "check_model", lambda path: path)
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    path = write_video(tmp_path / "a.mp4", np.full(50, 0.5), sound=2.0)
    refused("video", path, tmp_path / "corpus", "--model", "m.task", match=r"mien\[track\]")


def test_a_face_that_is_never_seen_long_enough_makes_no_clip(mien_, tmp_path, model, monkeypatch):
    lost = Track(np.arange(10) / 25, np.zeros((10, 52)), 4.0)
    monkeypatch.setattr(video, "read_track", lambda *_, **__: lost)
    path = write_video(tmp_path / "a.mp4", np.full(100, 0.5), sound=4.0)
    status, out, _ = mien_("prepare", "video", path, tmp_path / "corpus", "--model", model)
    assert status == 0
    assert "0 clips written" in out
    assert "4.0 s left out because no face was seen" in out
