"""Quads from planted performances: what crosses, what is steady, and what the training draws."""

import dataclasses
import time
from typing import Any

import numpy as np
import pytest

from mien import audio
from mien.data import pairs
from mien.data.clips import Clip, Corpus, CorpusWriter, Phone
from mien.data.pairs import Pairs, Quads, Settings
from mien.errors import MienError

FPS = 30.0
UNITS = 52


class PlainFace:
    """52 units whose coefficients are the weights in centimetres; each moves one lip vertex."""

    def __init__(self):
        self.unit_deltas = np.zeros((UNITS, UNITS, 3), np.float32)
        self.unit_deltas[np.arange(UNITS), np.arange(UNITS), 1] = 0.01
        self.regions = {"lips": np.arange(UNITS)}

    def weights_to_coefficients(self, weights):
        return (weights * 0.01).astype(np.float32)


def plain_face() -> Any:
    return PlainFace()


def content(sentence):
    """Return the true movement of a sentence over its own time in [0, 1], as a function."""
    rng = np.random.default_rng(sentence)
    knots = rng.uniform(0, 0.5, (14, UNITS))
    knots[:, 0] = 0
    return lambda u: np.stack([np.interp(u, np.linspace(0, 1, 14), k) for k in knots.T], axis=1)


LOOKS = {"neutral": 0.0, "joy": 0.4, "anger": 0.3, "awe": 0.2}


def clip(sentence, emotion, *, seconds=4.0, steady=None, split="train", actor="one", words="Hello"):
    """A clip in which unit 0 shows the expression's own amount all the time."""
    samples = audio.seconds_to_samples(seconds)
    frames = audio.frame_count(samples, FPS)
    weights = content(sentence)(np.linspace(0, 1, frames)) + 0.0
    weights[:, 0] = LOOKS[emotion]
    about = {
        "id": f"{sentence}-{emotion}-{actor}-{seconds}",
        "sentence": words,
        "sentence_id": sentence,
        "actor": actor,
        "voice": "slt",
        "rate": 1.0,
        "emotion": emotion,
        "level": 1.0,
        "fps": FPS,
        "frames": frames,
        "steady": steady or (0, frames),
        "split": split,
        "speech": np.zeros(samples, np.float32),
        "weights": weights.astype(np.float32),
        "phones": [Phone("pau", 0.0, seconds)],
    }
    return Clip(**about)


def quads_of(clips, **settings):
    face = plain_face()
    found = pairs.make_pairs(clips, face, Settings(**settings))
    return Quads(found, [face.weights_to_coefficients(c.weights) for c in clips])


def crossings(clips, **settings):
    return pairs.find_pairs(clips, Settings(**settings))


def test_only_one_sentence_by_one_actor_under_two_expressions_crosses():
    clips = [
        clip(1, "neutral"),
        clip(1, "joy"),
        clip(1, "joy", seconds=5.0),
        clip(2, "anger"),
        clip(1, "anger", actor="two"),
        clip(3, "joy", words=""),
        clip(3, "anger", words=""),
    ]
    assert crossings(clips) == [(0, 1), (0, 2)]


def test_many_clips_of_a_sentence_are_thinned_the_same_way_each_time():
    clips = [clip(1, e, seconds=4 + k / 10) for k in range(6) for e in LOOKS]
    every = crossings(clips, most_per_sentence=1000)
    assert len(every) == 6 * 6 * 6  # six pairs of expressions, six clips each
    some = crossings(clips, most_per_sentence=20)
    assert len(some) == len(set(some)) == 20
    assert set(some) < set(every)
    assert some == crossings(clips, most_per_sentence=20)
    assert some != crossings(clips, most_per_sentence=20, seed=1)


def test_the_four_parts_of_a_quad_are_what_their_names_say():
    """m is spoken slower; on n's clock its lips must be n's, its look its own."""
    quads = quads_of([clip(1, "joy", seconds=4.0), clip(1, "anger", seconds=5.0)])
    a_n, b_n, a_m, b_m = quads.quad(0)
    assert len(a_n) == len(b_n) == len(a_m) == len(b_m) == 60
    n = content(1)(np.linspace(0, 1, 120))[:, 1:] * 0.01
    np.testing.assert_allclose(np.concatenate([a_n, b_n])[:, 1:], n, atol=1e-7)
    error = np.concatenate([a_m, b_m])[:, 1:] - n
    assert np.sqrt(np.mean(error**2)) < 0.1 * n.std()
    for part, look in ((a_n, "joy"), (b_n, "joy"), (a_m, "anger"), (b_m, "anger")):
        np.testing.assert_allclose(part[:, 0], LOOKS[look] * 0.01, rtol=1e-5)


def test_only_frames_that_are_steady_in_both_count():
    """n is steady from 20 to 100; m, on the same clock, from 31 to 90: 31..90 is what remains."""
    clips = [clip(1, "joy", steady=(20, 100)), clip(1, "anger", steady=(31, 90))]
    found = pairs.make_pairs(clips, plain_face(), Settings())
    start, half = found.halves[0]
    assert (start, half) == (31, 29)
    assert found.clocks[0] >= 31 - 1e-3
    assert found.clocks[-1] <= 89
    same = pairs.common_halves(np.arange(120.0) * 1.5, (0, 120), (30, 91))
    assert same == (20, 20)  # 1.5 * 20 = 30; 1.5 * 60 = 90 is the last steady frame; 41 frames
    assert pairs.common_halves(np.arange(120.0), (0, 40), (60, 80))[1] == 0


def test_pairs_that_are_too_short_are_left_out():
    clips = [clip(1, "joy"), clip(1, "anger", steady=(10, 10 + 2 * pairs.MIN_HALF - 1))]
    assert len(pairs.make_pairs(clips, plain_face(), Settings()).clips) == 0


def test_pairs_of_other_words_and_of_lost_words_are_dropped():
    """What a corpus calls one sentence may be two; a clip may leave words out."""
    joy, anger = clip(1, "joy"), clip(1, "anger")
    other = dataclasses.replace(anger, weights=clip(2, "anger").weights)
    made = list(pairs.aligned([joy, other], plain_face(), Settings()))
    assert [pair.fault.partition(":")[0] for pair in made] == ["lips move unlike"]
    lost = np.r_[:48, 80:120]
    short = dataclasses.replace(
        anger, weights=anger.weights[lost], frames=88, steady=(0, 88), id="short"
    )
    (pair,) = pairs.aligned([joy, short], plain_face(), Settings())
    assert pair.fault
    (good,) = pairs.aligned([joy, anger], plain_face(), Settings())
    assert good.fault == ""
    found = pairs.make_pairs([joy, anger, other, short], plain_face(), Settings())
    assert found.clips.tolist() == [[0, 1]]


def test_what_a_language_model_said_does_not_make_two_expressions():
    """Two takes of one emotion are described in other words; only compositions differ by theirs."""
    said = [
        dataclasses.replace(clip(1, "joy", seconds=4 + k), descriptions=[f"a smile {k}", "bright"])
        for k in range(2)
    ]
    assert crossings(said) == []
    composed = [dataclasses.replace(one, emotion="composed") for one in said]
    assert crossings(composed) == [(0, 1)]
    like = [
        dataclasses.replace(one, descriptions=["a smile", str(k)]) for k, one in enumerate(composed)
    ]
    assert crossings(like) == []


def many():
    rng = np.random.default_rng(3)
    return [
        clip(s, emotion, seconds=rng.uniform(3, 6), actor="one")
        for s in range(6)
        for emotion in LOOKS
    ]


def test_a_batch_holds_crops_of_quads_in_the_right_places():
    """Every crop is found in the quads again; parts of a row agree in content and in look."""
    quads = quads_of(many())
    batch = quads.batch(np.random.default_rng(0), 24, 20)
    assert batch.shape == (24, 4, 20, UNITS)
    assert batch.dtype == np.float32
    looks = batch[:, :, :, 0]
    assert np.ptp(looks, axis=2).max() < 1e-7
    np.testing.assert_allclose(looks[:, 0], looks[:, 1], atol=1e-7)
    np.testing.assert_allclose(looks[:, 2], looks[:, 3], atol=1e-7)
    assert np.abs(looks[:, 0] - looks[:, 2]).min() > 1e-4
    lips = batch[..., 1:]
    same = np.sqrt(np.mean((lips[:, [0, 1]] - lips[:, [2, 3]]) ** 2, axis=(1, 2, 3)))
    other = np.sqrt(np.mean((lips[:, [0, 2]] - lips[:, [1, 3]]) ** 2, axis=(1, 2, 3)))
    assert (same < 0.2 * other).all()


def test_crops_are_pieces_of_their_halves():
    """Every drawn crop is one of the windows that are listed the slow way, in a lawful place."""
    quads = quads_of([clip(1, "joy", seconds=3.0), clip(1, "anger", seconds=3.6)])
    parts = quads.quad(0)
    half = len(parts[0])
    windows = {k: [p[s : s + 20] for s in range(half - 20 + 1)] for k, p in enumerate(parts)}
    seen = set()
    for row in quads.batch(np.random.default_rng(1), 64, 20):
        kinds = [
            next(k for k, ws in windows.items() if any(np.allclose(crop, w, atol=1e-7) for w in ws))
            for crop in row
        ]
        seen.add(tuple(kinds))
    assert seen == {(0, 1, 2, 3), (1, 0, 3, 2), (2, 3, 0, 1), (3, 2, 1, 0)}


def test_a_and_b_are_cropped_apart_but_n_and_m_together():
    quads = quads_of([clip(1, "joy", seconds=6.0), clip(1, "anger", seconds=6.0)])
    lips = quads.batch(np.random.default_rng(2), 32, 12)[..., 1:]
    np.testing.assert_allclose(lips[:, 0], lips[:, 2], atol=1e-4)
    np.testing.assert_allclose(lips[:, 1], lips[:, 3], atol=1e-4)


def test_long_quads_are_drawn_as_much_oftener_as_they_are_longer():
    clips = [clip(s, e, seconds=t) for s, t in ((1, 2.0), (2, 6.0)) for e in ("joy", "anger")]
    quads = quads_of(clips)
    drawn = quads.batch(np.random.default_rng(0), 4000, 10)
    first = np.concatenate([quads.quad(0)[k] for k in range(4)])
    crops = drawn[:, 0, 0]
    nearest = np.abs(crops[:, None] - first[None]).max(2).min(1)
    assert np.mean(nearest < 1e-7) == pytest.approx(0.25, abs=0.03)


def test_crops_longer_than_every_half_are_refused():
    quads = quads_of([clip(1, "joy", seconds=2.0), clip(1, "anger", seconds=2.0)])
    assert quads.batch(np.random.default_rng(0), 2, 30).shape[2] == 30
    with pytest.raises(MienError, match=r"crops of 31 frames .* 30 fit"):
        quads.batch(np.random.default_rng(0), 2, 31)


def test_a_batch_is_quick():
    """The training loop draws one per update; 10 ms at 32 quads of 48 frames is the promise."""
    quads = quads_of(many())
    rng = np.random.default_rng(0)
    seconds = []
    for _ in range(12):
        start = time.perf_counter()
        quads.batch(rng, 32, 40)
        seconds.append(time.perf_counter() - start)
    assert np.min(seconds) < 0.010


@pytest.fixture
def corpus(tmp_path):
    writer = CorpusWriter(tmp_path)
    for one in many()[:8]:
        writer.add(one)
    writer.add(clip(0, "joy", seconds=3.3, split="test"))
    return Corpus(tmp_path)


def refuse(*arguments, **keywords):
    raise AssertionError("the pairs were made again")


def test_the_cache_is_used_until_something_changes(corpus, monkeypatch):
    face = plain_face()
    first = Quads.from_corpus(corpus, face)
    assert len(first) == 12
    assert {path.name for path in corpus.folder.iterdir()} == {
        "clips", "manifest.jsonl", "pairs-train.npz",
    }  # fmt: skip
    made = pairs.make_pairs
    monkeypatch.setattr(pairs, "make_pairs", refuse)
    again = Quads.from_corpus(corpus, face)
    for mine, theirs in zip(first.quad(5), again.quad(5), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    with pytest.raises(AssertionError, match="made again"):
        Quads.from_corpus(corpus, face, settings=Settings(seed=1))
    other = plain_face()
    other.unit_deltas[3, 3, 1] = 0.02
    with pytest.raises(AssertionError, match="made again"):
        Quads.from_corpus(corpus, other)
    CorpusWriter(corpus.folder).add(clip(0, "awe", seconds=3.1))
    with pytest.raises(AssertionError, match="made again"):
        Quads.from_corpus(Corpus(corpus.folder), face)
    monkeypatch.setattr(pairs, "make_pairs", made)
    assert len(Quads.from_corpus(Corpus(corpus.folder), face)) == 15


def test_a_damaged_cache_is_made_again(corpus):
    face = plain_face()
    wanted = len(Quads.from_corpus(corpus, face))
    path = corpus.folder / "pairs-train.npz"
    for damage in (path.read_bytes()[:200], b"", b"nonsense"):
        path.write_bytes(damage)
        assert len(Quads.from_corpus(corpus, face)) == wanted


def test_a_folder_that_cannot_be_written_costs_a_warning(corpus, monkeypatch):
    def full(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr(pairs.os, "replace", full)
    with pytest.warns(UserWarning, match="disk full"):
        assert len(Quads.from_corpus(corpus, plain_face())) == 12
    assert not list(corpus.folder.glob("*.part"))
    assert not (corpus.folder / "pairs-train.npz").exists()


def test_a_split_without_crossings_is_refused(corpus):
    with pytest.raises(MienError, match="'test'"):
        Quads.from_corpus(corpus, plain_face(), settings=Settings(split="test"))


def test_clips_are_told_apart_when_joined():
    """Reading m near the end of its clip must not reach into the next one."""
    frames = np.concatenate([np.zeros((20, 1)), np.ones((20, 1)), np.full((20, 1), 9.0)])
    two = Pairs(
        np.array([[0, 1]], np.int32),
        np.array([[0, 10]], np.int32),
        np.linspace(0, 19, 20, dtype=np.float32),
    )
    quads = Quads(two, list(frames.astype(np.float32).reshape(3, 20, 1)))
    a_n, b_n, a_m, b_m = quads.quad(0)
    assert a_n.max() == b_n.max() == 0
    assert a_m.min() == a_m.max() == b_m.min() == b_m.max() == 1
    assert quads.size == 1
