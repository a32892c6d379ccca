"""The report's numbers are those of the work that `animate` does, and of the fastest run."""

import time

import numpy as np
import pytest

from mien import bench
from mien.animator import Animator
from mien.bench import Shares
from mien.errors import MienError
from mien.face import Face
from mien.packfile import Pack
from packs import write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder


@pytest.fixture(scope="module")
def actor(tmp_path_factory):
    face = Face.load()
    path = write_random_pack(tmp_path_factory.mktemp("pack") / "random.mien", face)
    encoders = twin_speech_encoder(), TwinTextEncoder()
    return Animator(Pack.read(path), face, *encoders)  # type: ignore[arg-type]


def test_what_is_timed_is_what_animate_does(actor):
    """Leaving a step out would make the numbers better and the weights others."""
    speech = bench.buzz(0.5)
    weights, shares = bench.timed(actor, speech)
    made = actor.animate(speech, bench.DESCRIPTION).weights
    assert np.allclose(weights, made, atol=1e-6)
    assert min(shares.parts()) > 0


@pytest.mark.parametrize(
    ("method", "share"),
    [("encode_speech", "speech"), ("encode_description", "text"), ("roll", "steps")],
)
def test_a_slow_step_shows_in_its_own_share(actor, monkeypatch, method, share):
    bench.timed(actor, bench.buzz(0.2))
    work = getattr(Animator, method)

    def slow(*arguments):
        time.sleep(0.5)
        return work(*arguments)

    monkeypatch.setattr(Animator, method, slow)
    _, shares = bench.timed(actor, bench.buzz(0.2))
    assert getattr(shares, share) >= 0.5
    assert getattr(shares, share) > 0.5 * shares.total


def test_a_row_is_the_fastest_run_after_the_first(actor, monkeypatch):
    """The first run is not counted, though it is faster here: it may have warmed up or not."""
    totals = iter([1.0, 8.0, 4.0, 6.0])
    canned = lambda *_: (None, Shares(*[next(totals) / 4] * 4))  # noqa: E731
    monkeypatch.setattr(bench, "timed", canned)
    row = bench.row(actor, 2.0)
    assert row.shares.total == 4.0
    assert row.frames == 60
    assert next(totals, None) is None
    assert row.memory > 50
    cells = [cell.strip() for cell in row.markdown().split("|")]
    assert cells[1:5] == ["2 s", "60", "**15**", "1000 ms (25%)"]


def test_the_report_tells_loading_apart(actor, monkeypatch):
    def load(pack):
        time.sleep(0.3)
        return actor

    monkeypatch.setattr(bench.animator, "load", load)
    report = bench.report(seconds=[0.4, 0.2])
    assert [row.seconds for row in report.rows] == [0.2, 0.4]
    assert [row.frames for row in report.rows] == [6, 12]
    assert report.loading >= 0.3
    lines = report.markdown().splitlines()
    assert len({line.count("|") for line in lines[:4]}) == 1  # a whole table
    assert f"Loading took {report.loading:.2f} s and is not in it" in report.markdown()
    assert "80.3 frames/s on a V100" in report.markdown()


@pytest.mark.parametrize("seconds", [0.0, 0.05, -1.0, 1e9, float("nan")])
def test_lengths_that_cannot_be_measured(seconds, monkeypatch):
    monkeypatch.setattr(bench.animator, "load", lambda pack: pytest.fail("it was loaded"))
    with pytest.raises(MienError, match=r"give 0\.1 to 3600 s"):
        bench.report(seconds=[10, seconds])
