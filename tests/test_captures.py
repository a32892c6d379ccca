"""Captures: where they are cut, what stays shut under an expression, what is written."""

from itertools import pairwise

import numpy as np
import pytest

from facegood_tree import babble, opening
from mien.data import captures
from mien.data.captures import Capture
from mien.data.clips import Corpus, CorpusWriter
from mien.data.pairs import Quads
from mien.data.simulate.actor import act
from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.lips import gap_of

FPS = 30.0
JAW = UNIT_NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def face():
    return Face.load()


def capture(seconds=20.0, *, curve=None, name="someone-1", **about):
    curve = opening(seconds) if curve is None else curve
    weights = np.zeros((len(curve), 52))
    weights[:, JAW] = 0.3 * curve
    given = {"labiodental": np.zeros(len(curve)), "seen": np.ones(len(curve), bool)}
    given |= {"speech": babble(curve), "actor": "someone", "provenance": {"source": "abc"}}
    return Capture(name, weights=weights, fps=FPS, **(given | about))


def content_of(one, face):
    levels = captures.loudness(one.speech, len(one.weights), one.fps)
    return captures.capture_to_content(one, levels, face)


def spans_of(one, face):
    return captures.cuts(one, captures.loudness(one.speech, len(one.weights), one.fps), face)


def test_loudness_is_that_of_the_frame():
    speech = np.zeros(16000, np.float32)
    speech[8000:8100] = 0.5
    levels = captures.loudness(speech, 30, FPS)
    assert int(levels.argmax()) == 15
    assert levels[5] == pytest.approx(-100)
    flat = captures.loudness(np.full(16000, 0.1, np.float32), 30, FPS)
    np.testing.assert_allclose(flat, -20, atol=1e-4)


# Cutting


def test_cuts_cover_the_capture_at_quiet_moments(face):
    one = capture(40.0)
    spans = spans_of(one, face)
    assert spans[0][0] == 0
    assert spans[-1][1] == len(one.weights)
    assert all(a[1] == b[0] for a, b in pairwise(spans))
    assert all(3 * FPS <= stop - start <= 8 * FPS for start, stop in spans)
    ends = np.array([stop for _, stop in spans[:-1]])
    assert len(ends) >= 4
    assert not one.weights[ends, JAW].any()


def test_the_longest_pause_in_reach_is_where_it_is_cut(face):
    curve = np.tile(np.hanning(15), 24)[:300]
    curve[150:165] = 0  # the only second of quiet in ten
    ((_, end), *_) = spans_of(capture(curve=curve), face)
    assert 150 <= end <= 165


def test_nothing_is_made_up_where_no_face_was_seen(face):
    one = capture(20.0)
    one.seen[200:230] = False
    one.seen[590:] = False
    spans = spans_of(one, face)
    assert max(stop for _, stop in spans) == 590
    assert all(stop <= 200 or start >= 230 for start, stop in spans)


def test_a_known_sentence_stays_whole(face):
    assert spans_of(capture(12.0, sentence="Hello there."), face) == [(0, 360)]
    one = capture(12.0, sentence="Hello there.")
    one.seen[100:200] = False
    assert len(spans_of(one, face)) == 2


# Content


def closure_at(frame, *, pressed=0.0, frames=120):
    """An open mouth that shuts for three frames, in mid-speech."""
    curve = np.ones(frames)
    curve[frame - 1 : frame + 2] = 0
    one = capture(curve=curve, speech=babble(np.ones(frames)))
    one.weights[frame - 1 : frame + 2, UNIT_NAMES.index("mouthPressLeft")] = pressed
    return one


@pytest.mark.parametrize("state", ["happy", "laughing", "surprised", "angry", "disgusted"])
def test_captured_closures_stay_shut_under_any_expression(face, state):
    content = content_of(closure_at(80), face)
    assert content.closure[80] == 1.0
    done = act(content, fps=FPS, state=STATES[state], level=1.0, seed=0, face=face)
    gap = 1e3 * gap_of(done.weights.astype(float), face)
    assert -1.5 <= gap[80] <= 1.0
    assert gap[70] > 4.0


def test_lips_at_rest_are_no_closure_unless_they_press(face):
    """A rest under an open-mouthed expression stays open, and does not snap shut at its ends."""
    curve = np.ones(120)
    curve[50:80] = 0
    resting = capture(curve=curve)
    content = content_of(resting, face)
    assert not content.closure[48:82].any()
    assert content.speaking[65] == 0.0
    assert (content.speaking[curve > 0] == 1.0).all()
    pressed = capture(curve=curve)
    pressed.weights[60:64, UNIT_NAMES.index("mouthPressLeft")] = 0.4
    pressed.weights[60:64, UNIT_NAMES.index("mouthPressRight")] = 0.4
    assert content_of(pressed, face).closure[62] == 1.0


def test_an_f_is_no_closure(face):
    one = closure_at(80)
    one.labiodental[79:82] = 1.0
    assert not content_of(one, face).closure[79:82].any()


def test_the_opening_is_a_floor(face):
    content = content_of(capture(curve=np.ones(60)), face)
    gap = gap_of(content.weights, face)
    assert (content.floor > 0.3 * gap).all()
    assert (content.floor < gap).all()


# Corpora


def add(folder, one, face, **options):
    return captures.add(CorpusWriter(folder), one, face, **options)


def test_takes_share_what_is_said_and_cross(face, tmp_path):
    done = add(tmp_path, capture(12.0), face, takes=3)
    corpus = Corpus(tmp_path)
    assert done.clips == len(corpus.records) == 3 * len(spans_of(capture(12.0), face))
    assert done.seconds == pytest.approx(3 * 12.0)
    ids = {record.sentence_id for record in corpus.records}
    assert ids == {captures.CAPTURE_ID + k for k in range(len(corpus.records) // 3)}
    first, *others = [r for r in corpus.records if r.sentence_id == captures.CAPTURE_ID]
    assert (first.id, first.emotion, first.level) == ("someone-1-000-0", "neutral", 0.0)
    assert first.provenance["crossed_with"] is None
    assert len({record.emotion for record in (first, *others)}) == 3
    for record in others:
        crossed = record.provenance["crossed_with"]
        assert (crossed["state"], crossed["level"]) == (record.emotion, record.level)
        assert record.provenance["captured_from"]["source"] == "abc"
        assert np.array_equal(corpus.clip(record.id).speech, corpus.clip(first.id).speech)
    quads = Quads.from_corpus(corpus, face)
    assert len(quads) == 3 * len(ids)


def test_the_own_take_is_the_capture(face, tmp_path):
    one = capture(9.0)
    add(tmp_path, one, face, takes=1)
    corpus = Corpus(tmp_path)
    weights = np.concatenate([corpus.clip(record.id).weights for record in corpus.records])
    open_ = one.weights[:, JAW] > 0.1
    np.testing.assert_allclose(weights[open_], one.weights[open_], atol=1e-6)
    speech = np.concatenate([corpus.clip(record.id).speech for record in corpus.records])
    assert np.abs(speech[:1000] - one.speech[:1000]).max() < 1e-4


def test_a_job_goes_on_where_it_stopped(face, tmp_path):
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    add(whole, capture(12.0), face)
    add(stopped, capture(12.0), face)
    manifest = (stopped / "manifest.jsonl").read_text().splitlines(keepends=True)
    (stopped / "manifest.jsonl").write_text("".join(manifest[:3]))
    done = add(stopped, capture(12.0), face)
    assert (done.there, done.clips) == (3, len(manifest) - 3)
    assert (stopped / "manifest.jsonl").read_text() == (whole / "manifest.jsonl").read_text()


def test_captures_of_one_name_and_other_files_are_refused(face, tmp_path):
    add(tmp_path, capture(5.0), face)
    with pytest.raises(MienError, match="another 'someone-1'"):
        add(tmp_path, capture(5.0, provenance={"source": "xyz"}), face)
    with pytest.raises(MienError, match="'someone-1' prepared with other options"):
        add(tmp_path, capture(5.0, emotion="happy", level=1.0), face)
    add(tmp_path, capture(5.0, name="someone-2"), face)
    ids = [record.sentence_id for record in Corpus(tmp_path).records]
    assert set(ids) == {captures.CAPTURE_ID, captures.CAPTURE_ID + 1}


def test_one_cut_in_twenty_is_for_validation_and_a_held_out_one_for_testing(face, tmp_path):
    add(tmp_path, capture(120.0), face, takes=1)
    splits = [record.split for record in Corpus(tmp_path).records]
    assert splits.count("validation") == 1
    assert splits.count("train") == len(splits) - 1
    add(tmp_path / "test", capture(9.0, split="test"), face)
    assert {record.split for record in Corpus(tmp_path / "test").records} == {"test"}


def test_an_acted_performance_is_kept_as_it_is(face, tmp_path):
    """Nobody knows its neutral: it is not crossed, but crosses with others of its sentence."""
    said = {"sentence": "Hello there.", "actor": "someone"}
    add(tmp_path, capture(4.0, **said), face, takes=2)
    add(tmp_path, capture(4.0, name="someone-2", emotion="happy", level=1.0, **said), face)
    records = Corpus(tmp_path).records
    assert [record.emotion for record in records].count("happy") == 1
    assert len(records) == 3
    assert len({record.sentence_id for record in records}) == 1
    assert len(Quads.from_corpus(Corpus(tmp_path), face)) >= 2
