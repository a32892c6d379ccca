import dataclasses

import numpy as np
import pytest

from mien import audio
from mien.data.clips import Clip, Corpus, CorpusWriter, Phone, clip_path
from mien.errors import MienError


def make_clip(clip_id: str = "a", frames: int = 40, **changes) -> Clip:
    random = np.random.default_rng(3)
    values = {
        "id": clip_id,
        "sentence": "a café",
        "sentence_id": 7,
        "actor": "ada",
        "voice": "slt",
        "rate": 1.1,
        "emotion": "happy",
        "level": 0.6667,
        "fps": 30.0,
        "frames": frames,
        "steady": (12, frames),
        "split": "train",
        "provenance": {"seed": 5},
        "speech": random.uniform(-1, 1, audio.sample_count(frames, 30.0)).astype(np.float32),
        "weights": random.random((frames, 52)).astype(np.float32),
        "phones": [Phone("pau", 0.0, 0.25), Phone("ae", 0.25, 1.2)],
    }
    return Clip(**{**values, **changes})


def test_a_clip_comes_back_as_it_was(tmp_path):
    clip = make_clip()
    CorpusWriter(tmp_path).add(clip)
    corpus = Corpus(tmp_path)
    back = corpus.clip("a")
    assert back.record == clip.record == corpus.records[0]
    assert back.phones == clip.phones
    np.testing.assert_array_equal(back.weights, clip.weights)
    np.testing.assert_allclose(back.speech, clip.speech, atol=0.51 / 32767)
    assert corpus.seconds == pytest.approx(40 / 30)


def test_a_manifest_cut_short_by_a_kill_loses_only_the_last_clip(tmp_path):
    writer = CorpusWriter(tmp_path)
    for clip_id in "abc":
        writer.add(make_clip(clip_id))
    manifest = tmp_path / "manifest.jsonl"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    again = CorpusWriter(tmp_path)
    assert again.done == {"a", "b"}
    again.add(make_clip("c"))
    assert [record.id for record in Corpus(tmp_path).records] == ["a", "b", "c"]


def test_nothing_temporary_is_left_and_a_clip_is_not_written_twice(tmp_path):
    writer = CorpusWriter(tmp_path)
    writer.add(make_clip())
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.npz", "clips", "manifest.jsonl"]
    with pytest.raises(MienError, match="already has a clip 'a'"):
        writer.add(make_clip())


def test_a_damaged_clip_is_named(tmp_path):
    CorpusWriter(tmp_path).add(make_clip())
    path = clip_path(tmp_path, "a")
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(MienError, match=r"a\.npz cannot be read as a clip"):
        Corpus(tmp_path).clip("a")


def test_pickled_arrays_are_refused(tmp_path):
    """np.load with pickle would run code from a corpus that somebody else made."""
    CorpusWriter(tmp_path).add(make_clip())
    with np.load(clip_path(tmp_path, "a")) as stored:
        arrays = dict(stored) | {"weights": np.array([{"evil": 1}], dtype=object)}
    np.savez(clip_path(tmp_path, "a"), allow_pickle=True, **arrays)
    with pytest.raises(MienError, match=r"a\.npz cannot be read as a clip"):
        Corpus(tmp_path).clip("a")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"weights": np.zeros((39, 52), np.float32)}, "weights are"),
        ({"weights": np.full((40, 52), np.nan, np.float32)}, "weights are"),
        ({"speech": np.zeros(100, np.float32)}, "speech is"),
        ({"steady": (12, 41)}, "steady is"),
        ({"split": "dev"}, "split is"),
    ],
)
def test_a_clip_that_contradicts_itself_is_refused(tmp_path, changes, message):
    with pytest.raises(MienError, match=message):
        CorpusWriter(tmp_path).add(make_clip(**changes))
    assert not (tmp_path / "manifest.jsonl").exists()


def test_a_damaged_line_of_the_manifest_is_named(tmp_path):
    CorpusWriter(tmp_path).add(make_clip())
    with (tmp_path / "manifest.jsonl").open("a") as file:
        file.write('{"id": "b"}\n')
    with pytest.raises(MienError, match=r"manifest\.jsonl, line 2 is damaged"):
        Corpus(tmp_path)


def test_a_manifest_that_is_no_text_is_named(tmp_path):
    (tmp_path / "manifest.jsonl").write_bytes(b"\xff\xfe\n")
    with pytest.raises(MienError, match=r"manifest\.jsonl is damaged"):
        Corpus(tmp_path)


def test_unusual_ends_of_lines_are_text_like_any_other(tmp_path):
    """JSON leaves U+2028 as it is, and `splitlines` would cut the record there."""
    CorpusWriter(tmp_path).add(make_clip(sentence="one\u2028two\x85three"))
    assert Corpus(tmp_path).clip("a").sentence == "one\u2028two\x85three"


@pytest.mark.parametrize("clip_id", ["", "../a", "/tmp/a", "a/b", "a\nb", "a\u2028b"])
def test_an_id_is_a_plain_file_name(tmp_path, clip_id):
    """A corpus that somebody else made must not read or write beside its folder."""
    with pytest.raises(MienError, match="cannot be the id of a clip"):
        CorpusWriter(tmp_path / "corpus").add(make_clip(clip_id))
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_missing_things_are_named(tmp_path):
    with pytest.raises(MienError, match=r"holds no manifest\.jsonl"):
        Corpus(tmp_path / "nowhere")
    CorpusWriter(tmp_path).add(make_clip())
    with pytest.raises(MienError, match="has no clip 'z'"):
        Corpus(tmp_path).clip("z")
    clip_path(tmp_path, "a").unlink()
    with pytest.raises(MienError, match=r"a\.npz cannot be read"):
        Corpus(tmp_path).clip("a")


def test_a_record_holds_no_arrays():
    assert {field.name for field in dataclasses.fields(make_clip().record)}.isdisjoint(
        {"speech", "weights", "phones"}
    )
