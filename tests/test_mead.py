"""MEAD: its layout in folders and archives, clips, what is lost and why, and going on."""

import re
import tarfile

import numpy as np
import pytest

from mead_tree import FakeMediaPipe, place, write_recording, write_sound, write_tree
from mien import audio
from mien.__main__ import main
from mien.data import clips, mead, mead_corpus, video
from mien.data.clips import Corpus
from mien.data.mead_faces import Tracked
from mien.data.mead_seen import see
from mien.data.splits import chosen
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

JAW, SMILE = UNIT_NAMES.index("jawOpen"), UNIT_NAMES.index("mouthSmileLeft")


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """One actor, 2 neutral recordings and 8 acted ones; read only."""
    return write_tree(tmp_path_factory.mktemp("mead"))


@pytest.fixture
def tracker(monkeypatch, tmp_path):
    """MediaPipe that reads brightness; returns its class, which counts the films it saw."""
    fake = type("Fake", (FakeMediaPipe,), {"seen": 0})
    monkeypatch.setattr(video, "MediaPipe", fake)
    return fake


@pytest.fixture
def mien_(capsys, tracker, tmp_path):
    """Run `mien prepare mead`, believing the numbers unless told otherwise."""

    def run(root, corpus, *options):
        given = ("--tracker", "mediapipe", "--model", tmp_path / "m.task", "--groups", "numbers")
        line = ("prepare", "mead", root, corpus, *given, *options)
        status = main([str(argument) for argument in line])
        return status, *capsys.readouterr()

    return run


def names(found):
    return [(r.actor, r.view, r.label, r.level, r.number) for r in found]


# Layout


def test_folders_and_archives_hold_the_same_recordings(tree, tmp_path):
    """One tar of all, one of the video folder inside its actor's, one that only its name tells."""
    wanted = names(mead.recordings(tree))
    assert len(wanted) == 10
    assert wanted[0] == ("M003", "front", "angry", 1, 1)
    for name, source, inside in (
        ("all/part0/M003.tar", tree / "M003", "M003"),
        ("own/MEAD/M003/video.tar", tree / "M003" / "video", "video"),
        ("named/video_m3.tar", tree / "M003" / "video", "video"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        with tarfile.open(path, "w") as archive:
            archive.add(source, inside)
        found = mead.recordings(tmp_path / name.split("/")[0])
        assert names(found) == wanted
        assert found[3].video
        with found[3].video.opened() as copy:
            assert copy.suffix == ".mp4"
            original = place(tree, "M003", "angry", 3, 2)
            assert copy.read_bytes() == original.read_bytes()
        assert not copy.exists()


def test_sound_and_views_are_told_apart(tmp_path):
    write_recording(tmp_path, "W009", "sad", 2, 7, view="left_30")
    write_recording(tmp_path, "W009", "sad", 2, 7)
    sound = write_sound(place(tmp_path, "W009", "sad", 2, 7, kind="audio"), 1.0)
    (tmp_path / "W009" / "notes.txt").write_text("not a recording")
    found = mead.recordings(tmp_path)
    assert [r.view for r in found] == ["front", "left_30"]
    assert {r.sound and r.sound.path for r in found} == {sound}
    assert found[0].take == found[1].take
    place(tmp_path, "W009", "sad", 2, 7).unlink()
    alone = mead.select(mead.recordings(tmp_path, pictures=False), views=("front",))
    assert names(alone) == [("W009", "front", "sad", 2, 7)]
    assert alone[0].video is None


def test_what_is_asked_for_must_be_there(tree):
    found = mead.recordings(tree)
    kept = mead.select(found, labels=("angry", "neutral"), levels=(3,))
    assert {(r.label, r.level) for r in kept} == {("angry", 3), ("neutral", 1)}
    with pytest.raises(MienError, match="no actor M099 in what was found; there is: M003"):
        mead.select(found, actors=("M003", "M099"))
    with pytest.raises(MienError, match=r"no emotion joyful .* angry, happy, neutral"):
        mead.select(found, labels=("joyful",))
    with pytest.raises(MienError, match=r"no level 2 .*: 1, 3"):
        mead.select(found, levels=(2,))
    with pytest.raises(MienError, match="no view top"):
        mead.select(found, views=("top",))


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(MienError, match="is no folder"):
        mead.recordings(tmp_path / "none")
    (tmp_path / "M003.tar.gz").write_bytes(b"packed")
    with pytest.raises(MienError, match=r"no recording such as .*; unpack M003.tar.gz first"):
        mead.recordings(tmp_path)
    (tmp_path / "M003.tar").write_bytes(b"damaged" * 100)
    with pytest.raises(MienError, match=r"M003\.tar cannot be read as a tar archive"):
        mead.recordings(tmp_path)


# Clips


def test_recordings_become_clips(tree, tmp_path, mien_):
    """The fake reads a smile of 0.25 of every face: the neutral ones tell that it is at rest."""
    status, out, _ = mien_(tree, tmp_path / "corpus")
    assert status == 0
    assert "10 clips written (0.3 min), 0 recordings were there, 0 are lost" in out
    corpus = Corpus(tmp_path / "corpus")
    clip = corpus.clip("mead-M003-front-angry-3-002")
    assert (clip.actor, clip.emotion, clip.level, clip.sentence) == (
        "M003", "angry", 1.0, "[common_2]"
    )  # fmt: skip
    assert clip.provenance["label"] == "angry"
    assert clip.provenance["video"] == str(place(tree, "M003", "angry", 3, 2))
    assert clip.weights[:, SMILE].max() < 0.01
    assert np.median(clip.weights[:, JAW]) == pytest.approx((0.6 - 0.3) / 0.7, abs=0.03)
    calm = corpus.clip("mead-M003-front-neutral-1-001")
    assert calm.level == 0.0
    assert calm.weights.max() < 0.02
    same = {r.sentence: r.sentence_id for r in corpus.records}
    assert len(same) == len(set(same.values())) == 2
    assert corpus.clip("mead-M003-front-happy-1-001").level == pytest.approx(1 / 3)


def test_labels_of_mead_are_states_of_ours():
    from mien.data.simulate.expressions import STATES

    assert set(mead.STATES.values()) <= set(STATES)
    assert mead.STATES["contempt"] == "contemptuous"
    assert mead.STATES["fear"] == "afraid"


def test_of_two_runs_with_other_choices_the_rest_is_one(tree, tmp_path, mien_):
    """Neutral films are looked at though none is asked for, and only once."""
    mien_(tree, tmp_path / "corpus", "--emotions", "angry", "--levels", "1")
    mien_(tree, tmp_path / "corpus")
    parts = Corpus(tmp_path / "corpus")
    mien_(tree, tmp_path / "whole")
    whole = Corpus(tmp_path / "whole")
    assert {r.id for r in parts.records} == {r.id for r in whole.records}
    for record in whole.records:
        np.testing.assert_array_equal(parts.clip(record.id).weights, whole.clip(record.id).weights)


def test_without_neutral_recordings_nothing_is_subtracted_and_it_is_said(tmp_path, mien_):
    write_recording(tmp_path, "M005", "sad", 1, 4)
    mien_(tmp_path, tmp_path / "corpus")
    clip = Corpus(tmp_path / "corpus").clip("mead-M005-front-sad-1-004")
    assert clip.weights[:, SMILE].min() > 0.2
    assert "no neutral recording" in clip.provenance["rest"]


def test_a_lost_face_ends_a_clip_and_its_sentence(tmp_path, mien_):
    """Half a second in the dark: two parts, that say the same as nothing else."""
    bright = np.full(100, 0.6)
    bright[40:54] = 0.0
    write_recording(tmp_path, "M003", "angry", 1, 1, bright=bright, sound=4.0)
    write_recording(tmp_path, "M003", "neutral", 1, 1)
    status, out, _ = mien_(tmp_path, tmp_path / "corpus")
    assert (status, "3 clips written" in out) == (0, True)
    parts = [r for r in Corpus(tmp_path / "corpus").records if r.emotion == "angry"]
    assert [r.id[-3:] for r in parts] == ["-p1", "-p0"]
    spans = sorted(r.provenance["captured_from"]["frames"] for r in parts)
    assert spans[0][1] < 54 <= 40 * 1.2 + 14 * 1.2 - 4 < spans[1][0]
    assert len({r.sentence_id for r in Corpus(tmp_path / "corpus").records}) == 3
    assert not any(word in out for word in ("10.0 s left out", " 0.0 s left out"))
    _, again, _ = mien_(tmp_path, tmp_path / "corpus")
    assert "0 clips written (0.0 min), 2 recordings were there" in again


def test_sound_of_the_audio_folder(tmp_path, mien_):
    write_recording(tmp_path, "M003", "neutral", 1, 1, sound=None)
    write_recording(tmp_path, "M003", "angry", 1, 1)
    for label in ("neutral", "angry"):
        path = place(tmp_path, "M003", label, 1, 1, kind="audio")
        tone = 0.3 * np.sin(np.arange(audio.seconds_to_samples(2.0)) / 5)
        audio.write_wav(path, tone.astype(np.float32))
    mien_(tmp_path, tmp_path / "auto")
    corpus = Corpus(tmp_path / "auto")
    assert corpus.clip("mead-M003-front-neutral-1-001").speech.max() == pytest.approx(0.3, abs=0.01)
    own = corpus.clip("mead-M003-front-angry-1-001").speech
    assert own.max() == pytest.approx(0.2, abs=0.05), "the film's own noise"
    mien_(tmp_path, tmp_path / "audio", "--sound", "audio")
    heard = Corpus(tmp_path / "audio").clip("mead-M003-front-angry-1-001")
    assert heard.speech.max() == pytest.approx(0.3, abs=0.01)


# What is lost, and going on


def test_each_loss_has_its_reason_and_the_others_are_done(tmp_path, mien_, tracker):
    write_tree(tmp_path, levels=(1,), numbers=(1,))
    place(tmp_path, "M003", "sad", 1, 1).write_bytes(b"no video" * 100)
    write_recording(tmp_path, "M003", "sad", 1, 2, bright=np.zeros(50))
    write_recording(tmp_path, "M003", "sad", 1, 3, sound=None)
    write_recording(tmp_path, "M003", "sad", 2, 1, sound=4.0)
    whole = place(tmp_path, "M003", "angry", 1, 1).read_bytes()
    place(tmp_path, "M003", "sad", 2, 2).write_bytes(whole[: len(whole) // 2])
    status, out, _ = mien_(tmp_path, tmp_path / "corpus")
    assert status == 0
    assert "3 clips written" in out
    assert "5 are lost (lost.txt tells why)" in out
    lost = dict(
        line.split("\t") for line in (tmp_path / "corpus" / "lost.txt").read_text().splitlines()
    )
    reasons = {
        "1-001": "001.mp4 cannot be read as video",
        "1-002": "no face was found in .*002.mp4",
        "1-003": "there is no sound in the video or audio folder",
        "2-001": r"do not belong together: the sound lasts 4\.\d+ s, the motion 2\.\d+ s",
        "2-002": "002.mp4 cannot be read as video",
    }
    assert set(lost) == {f"mead-M003-front-sad-{name}" for name in reasons}
    for name, reason in reasons.items():
        assert re.search(reason, lost[f"mead-M003-front-sad-{name}"]), lost
    # One is mended: only the lost ones are looked at again, and the others keep their reasons.
    write_recording(tmp_path, "M003", "sad", 1, 1)
    before, tracker.seen = tracker.seen, 0
    _, out, _ = mien_(tmp_path, tmp_path / "corpus")
    assert "1 clips written" in out
    assert "3 recordings were there, 4 are lost" in out
    assert tracker.seen < before
    assert len((tmp_path / "corpus" / "lost.txt").read_text().splitlines()) == 4


def test_two_faces_are_lost_unless_the_larger_is_asked_for(tmp_path):
    assert video.choose(np.array([0.5]), largest=False) == 0
    assert video.choose(np.array([0.1, 0.5]), largest=False) == 1, "one in the background"
    assert video.choose(np.array([0.4, 0.5]), largest=False) is None
    assert video.choose(np.array([0.4, 0.5]), largest=True) == 1

    class Two(FakeMediaPipe):
        def see(self, picture, seconds):
            raise MienError("two faces are seen at 0.00 s; take the larger one with --largest")

    path = write_recording(tmp_path, "M003", "sad", 1, 1)
    with pytest.raises(MienError, match=r"001.mp4: two faces are seen at 0.00 s"):
        video.read_track(path, Two(path))


def test_a_loss_in_an_archive_is_named_as_it_lies_there(tmp_path, tracker):
    place(tmp_path / "tree", "M003", "neutral", 1, 1).write_bytes(b"no video" * 100)
    (tmp_path / "root").mkdir()
    with tarfile.open(tmp_path / "root" / "M003.tar", "w") as archive:
        archive.add(tmp_path / "tree" / "M003", "M003")
    (found,) = mead.recordings(tmp_path / "root")
    failure = see(found, way=Tracked(tmp_path / "m.task"), sound="auto")
    assert "M003.tar/M003/video/front/neutral/level_1/001.mp4 cannot be read" in failure.reason  # type: ignore[union-attr]


def test_a_full_disk_loses_nothing(tree, tmp_path, mien_, monkeypatch, tracker):
    """The disk is full at the seventh clip; the same command goes on with the seventh."""
    mien_(tree, tmp_path / "whole")
    real = clips.write_clip

    def full(path, clip):
        if len(list(path.parent.glob("*.npz"))) >= 6:
            path.with_suffix(".part").write_bytes(b"half")
            path.with_suffix(".part").unlink()
            raise MienError(f"cannot write {path}: No space left on device")
        real(path, clip)

    with monkeypatch.context() as patch:
        patch.setattr(clips, "write_clip", full)
        status, _, err = mien_(tree, tmp_path / "corpus")
    assert status == 2
    assert re.search(
        "No space left on device.*the 6 clips before it stay: make room and run the same", err
    )
    assert len(Corpus(tmp_path / "corpus").records) == 6
    tracker.seen = 0
    _, out, _ = mien_(tree, tmp_path / "corpus")
    assert "4 clips written" in out
    assert "6 recordings were there" in out
    assert tracker.seen == 4 + 1, "4 films, and the check that MediaPipe is there"
    left, whole = (Corpus(tmp_path / name) for name in ("corpus", "whole"))
    assert left.records == whole.records
    for record in whole.records:
        np.testing.assert_array_equal(left.clip(record.id).weights, whole.clip(record.id).weights)


def test_a_corpus_of_other_choices_is_refused(tree, tmp_path, mien_):
    mien_(tree, tmp_path / "corpus", "--emotions", "angry")
    status, _, err = mien_(tree, tmp_path / "corpus", "--split", "sentence")
    assert status == 2
    assert "was prepared with split 'paper', not 'sentence'; give a new folder" in err


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (("--actors", "M004"), "no actor M004"),
        (("--split", "actor"), "two actors or more"),
        (("--validation", "1"), "from 0 to below 1"),
        (("--sentences", "none.csv"), "none.csv cannot be read as a table"),
        (("--reconstruction", "emoca", "codes"), "not allowed with"),
    ],
)
def test_what_cannot_be_meant_is_refused(tree, tmp_path, mien_, options, match):
    status, _, err = mien_(tree, tmp_path / "corpus", *options)
    assert status == 2
    assert err.startswith("mien: ")
    assert match in err


def test_options_that_belong_together(tree, tmp_path, capsys):
    def refused(*options):
        assert main(["prepare", "mead", str(tree), str(tmp_path / "corpus"), *options]) == 2
        return capsys.readouterr().err

    assert "one of the arguments --tracker" in refused()
    assert "needs --model" in refused("--tracker", "mediapipe")
    assert "no reconstruction 'deca'" in refused("--reconstruction", "deca", "x")
    assert "need --face" in refused("--reconstruction", "emoca", "x")
    assert not (tmp_path / "corpus").exists()


# Splits


def test_shares_are_exact_and_stay_when_more_comes():
    keys = [f"clip {k}" for k in range(40)]
    first = chosen(keys, 0.15, seed=1)
    assert len(first) == 6
    assert first == chosen(keys[::-1], 0.15, seed=1)
    assert first != chosen(keys, 0.15, seed=2)
    more = keys + [f"later {k}" for k in range(20)]
    known = {key: key in first for key in keys}
    assert first < chosen(more, 0.15, seed=1, known=known)
    assert len(chosen(more, 0.15, seed=1, known=known)) == 9
    assert len(chosen(keys[:2], 0.15, seed=0)) == 1
    assert chosen(keys[:1], 0.15, seed=0) == set()


def test_splits_by_clip_sentence_and_actor(tmp_path, tracker):
    root = write_tree(
        tmp_path / "tree",
        actors=("M003", "W009"),
        labels=("angry",),
        levels=(1,),
        numbers=(1, 2),
    )
    found = mead.recordings(root)
    way, face = Tracked(tmp_path / "m.task"), Face.load()
    by = {}
    for split in mead_corpus.SPLITS:
        settings = mead_corpus.Settings(split=split, by_sound=False)
        folder = tmp_path / split
        mead_corpus.prepare(folder, found, found, way, face, settings=settings)
        by[split] = Corpus(folder).records
    tested = {split: [r for r in records if r.split == "test"] for split, records in by.items()}
    assert len(tested["paper"]) == round(0.15 * 8)
    (sentence,) = {r.sentence_id for r in tested["sentence"]}
    assert len(tested["sentence"]) == 4
    assert sentence not in {r.sentence_id for r in by["sentence"] if r.split == "train"}
    (actor,) = {r.actor for r in tested["actor"]}
    assert len(tested["actor"]) == 4
    assert actor not in {r.actor for r in by["actor"] if r.split == "train"}
