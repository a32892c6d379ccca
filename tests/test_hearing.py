"""What is kept beside a corpus is what was asked for, whenever a job was killed."""

from types import SimpleNamespace

import numpy as np
import pytest

from mien import audio
from mien.data import hearing
from mien.data.clips import Corpus, CorpusWriter
from mien.errors import MienError
from test_clips import make_clip


class Encoder:
    """Features that say how often it was asked."""

    name = "counts"
    size = 384

    def __init__(self):
        self.calls = 0

    def encode(self, speech, *, fps, phase):
        self.calls += 1
        return np.full((audio.frame_count(len(speech), fps), 384), self.calls)


@pytest.fixture
def corpus(tmp_path):
    writer = CorpusWriter(tmp_path)
    for clip_id in "ab":
        writer.add(make_clip(clip_id))
    return Corpus(tmp_path)


def hear(corpus, encoder, seed=0):
    return hearing.hear(corpus, encoder, phases=2, seed=seed)


def test_each_clip_is_heard_once_in_each_version_and_kept(corpus):
    encoder = Encoder()
    heard = hear(corpus, encoder)
    assert (heard.shape, encoder.calls) == ((2, 80, 384), 4)
    assert heard[:, [0, 39, 40, 79], 0].tolist() == [[1, 1, 3, 3], [2, 2, 4, 4]]
    np.testing.assert_array_equal(hear(corpus, encoder), heard)
    assert encoder.calls == 4
    hear(corpus, encoder, seed=1)
    assert encoder.calls == 8


def test_a_kill_before_the_note_is_written_costs_only_time(corpus, monkeypatch):
    """The features of one seed must not pass for those of the other that were there before."""
    encoder = Encoder()
    hear(corpus, encoder, seed=0)
    with monkeypatch.context() as killed:
        killed.setattr(hearing.os, "replace", lambda *_: pytest.exit("killed"))
        with pytest.raises(pytest.exit.Exception):
            hear(corpus, encoder, seed=1)
    assert hear(corpus, encoder, seed=0)[0, 0, 0] == 9


def test_a_damaged_note_is_no_crash(corpus):
    encoder = Encoder()
    hear(corpus, encoder)
    (corpus.folder / "features.json").write_text("")
    hear(corpus, encoder)
    assert encoder.calls == 8


def test_a_disk_that_is_too_full_is_refused_before_it_is_written(corpus, monkeypatch):
    """A file that is written through memory kills the process where no room is left for it."""
    wanted = 2 * 2 * 80 * 384
    monkeypatch.setattr(hearing.shutil, "disk_usage", lambda _: SimpleNamespace(free=wanted - 1))
    encoder = Encoder()
    with pytest.raises(MienError, match=r"features of .* take 0 MB, and 0 MB are free"):
        hear(corpus, encoder)
    assert encoder.calls == 0
    assert not list(corpus.folder.glob("features*"))
    monkeypatch.setattr(hearing.shutil, "disk_usage", lambda _: SimpleNamespace(free=wanted))
    assert hear(corpus, encoder).nbytes == wanted
