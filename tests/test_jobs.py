"""Work on several processes: in order, the same for any number, and a killed worker is no loss."""

import itertools
import os
import signal
import time
from pathlib import Path

import pytest

from mien import jobs
from mien.errors import MienError

pytest.importorskip("joblib")


def slower_first(item: int) -> tuple[int, int]:
    """Return twice the item and the process; early items take longest."""
    time.sleep(0.3 if item == 0 else 0.0)
    return 2 * item, os.getpid()


def refused_at_five(item: int) -> int:
    if item == 5:
        raise MienError("five came, another number was wanted")
    return item


def killed_once(marker: Path, item: int) -> int:
    """Kill the own process at item 3, the first time."""
    if item == 3 and not marker.exists():
        marker.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return item


def always_killed(item: int) -> int:
    os.kill(os.getpid(), signal.SIGKILL)
    return item


class With:
    """A function of an item with a first argument, which pickles."""

    def __init__(self, function, first):
        self.function, self.first = function, first

    def __call__(self, item):
        return self.function(self.first, item)


@pytest.mark.parametrize("count", [1, 2])
def test_results_come_in_order(count):
    done = list(jobs.each(slower_first, range(12), jobs=count))
    assert [value for value, _ in done] == [2 * item for item in range(12)]
    elsewhere = {process for _, process in done} - {os.getpid()}
    assert len(elsewhere) == (2 if count == 2 else 0)


@pytest.mark.parametrize("count", [1, 2])
def test_work_without_end_stops_with_the_caller(count):
    """The corpus draws clips until it is long enough."""
    done = jobs.each(slower_first, itertools.count(), jobs=count)
    assert [value for value, _ in itertools.islice(done, 5)] == [0, 2, 4, 6, 8]


@pytest.mark.parametrize("count", [1, 2])
def test_what_is_refused_is_said_at_its_place(count):
    """Those before it are kept: its caller writes them."""
    done = jobs.each(refused_at_five, range(40), jobs=count)
    assert list(itertools.islice(done, 5)) == [0, 1, 2, 3, 4]
    with pytest.raises(MienError, match="five came"):
        next(done)


@pytest.mark.parametrize("count", [1, 2])
def test_items_that_break_off_are_said_at_their_place(count):
    """A damaged clip, read while others are worked on, in another thread than the caller's."""
    broken = (refused_at_five(item) for item in range(9))
    done = jobs.each(slower_first, broken, jobs=count)
    assert [value for value, _ in itertools.islice(done, 5)] == [0, 2, 4, 6, 8]
    with pytest.raises(MienError, match="five came"):
        next(done)


def test_a_killed_worker_loses_nothing(tmp_path):
    work = With(killed_once, tmp_path / "killed")
    assert list(jobs.each(work, range(8), jobs=2)) == list(range(8))
    assert (tmp_path / "killed").exists()


def test_workers_that_keep_dying_are_said(monkeypatch):
    monkeypatch.setattr(jobs, "DEATHS", 0)
    with pytest.raises(MienError, match=r"workers died.*run it again"):
        list(jobs.each(always_killed, range(8), jobs=2))


def test_no_process_is_no_number():
    with pytest.raises(MienError, match="jobs is 0; 1 or more"):
        jobs.each(abs, [1], jobs=0)


def test_a_scheduler_that_is_not_there_is_one_sentence(monkeypatch):
    pytest.importorskip("distributed")
    monkeypatch.setattr(jobs, "PATIENCE", 1)
    with pytest.raises(MienError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:1'"):
        list(jobs.each(abs, [1], scheduler="tcp://127.0.0.1:1"))


def test_a_local_cluster_gives_the_same():
    pytest.importorskip("distributed")
    done = list(jobs.each(slower_first, range(12), jobs=2, scheduler=jobs.LOCAL))
    assert [value for value, _ in done] == [2 * item for item in range(12)]
    assert os.getpid() not in {process for _, process in done}
