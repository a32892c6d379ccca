"""Independent pieces of work on several processes or on a cluster, their results in order.

joblib does the work: its own processes on this machine, or the workers of a Dask scheduler. Only
the caller writes, so what a job leaves behind is the same for any number of workers.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any, TypeVar

from tqdm import tqdm

from mien.errors import MienError

Item = TypeVar("Item")
Result = TypeVar("Result")

LOCAL = "local"
"""As a scheduler's address: a Dask cluster on this machine, for as long as the work takes."""

DEATHS = 3
"""So often workers may die of a signal or for want of memory before the work is given up."""

PATIENCE = 20
"""Seconds until a scheduler that does not answer, or has no worker, is given up."""


def each(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    *,
    jobs: int = 1,
    scheduler: str | None = None,
    title: str = "",
    progress: bool = False,
) -> Iterator[Result]:
    """Yield function(item) for every item, in their order, however many work at once.

    Args:
        function: defined in a module, with arguments and results that can be pickled. What it
            raises is raised here, at its item's place.
        items: may be endless; whoever has enough stops asking, and what was begun is thrown away.
        jobs: processes; 1 works in this one. With `scheduler` "local", workers of that cluster.
        scheduler: address of a Dask scheduler, e.g. "tcp://10.0.0.5:8786", whose workers have
            mien installed and see the same files under the same names; or "local".
        title: what the progress bar says.

    Work whose worker is killed is done again by another. MienError where workers keep dying, where
    joblib or Dask are missing, or where the scheduler does not answer.
    """
    if jobs < 1:
        raise MienError(f"jobs is {jobs}; 1 or more processes can work")
    alone = jobs == 1 and scheduler is None
    done = map(function, items) if alone else _spread(function, items, jobs, scheduler)
    total = len(items) if isinstance(items, Sized) else None
    return iter(tqdm(done, title, total=total, disable=not progress))


def _spread(
    function: Callable[[Item], Result], items: Iterable[Item], jobs: int, scheduler: str | None
) -> Iterator[Result]:
    """Yield the results of many workers; items whose results were lost are worked on again."""
    try:
        import joblib
        from joblib.externals.loky.process_executor import TerminatedWorkerError
    except ImportError as error:
        raise MienError(
            "several jobs need joblib; install it with: pip install 'mien[train]'"
        ) from error
    fresh, waiting, deaths, kept = iter(items), deque[Item](), 0, _Kept(function)
    ended: list[Exception] = []

    def taken() -> Iterator[Item]:
        try:
            for item in fresh:
                waiting.append(item)
                yield item
        except Exception as error:  # in a thread of joblib's, where nobody would hear of it
            ended.append(error)

    with _workers(jobs, scheduler) as count:
        while True:
            again = list(waiting)
            work = (joblib.delayed(kept)(item) for item in chain(again, taken()))
            try:
                with _unfinished(joblib.Parallel(count, return_as="generator")(work)) as results:
                    for result, error in results:
                        if error is not None:
                            raise error
                        waiting.popleft()
                        yield result
                if ended:
                    raise ended[0]
                return
            except TerminatedWorkerError as error:
                deaths += 1
                if deaths > DEATHS:
                    raise MienError(
                        f"{deaths} workers died, killed or for want of memory; what is written "
                        f"stays, so run it again with fewer than {jobs} jobs"
                    ) from error
            except ModuleNotFoundError as error:
                if scheduler is None:
                    raise
                raise MienError(
                    f"a worker of {scheduler} has no {error.name}; install there what is "
                    "installed here"
                ) from error


@dataclass(frozen=True)
class _Kept:
    """A function whose error is a result too: joblib raises errors before earlier results."""

    function: Callable[[Any], Any]

    def __call__(self, item: Any) -> tuple[Any, Exception | None]:
        try:
            return self.function(item), None
        except Exception as error:
            return None, error


@contextmanager
def _unfinished(results: Any) -> Iterator[Any]:
    """The results, closed at the end without joblib's warning about work that nobody wants."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*tasks which", category=UserWarning)
        with closing(results):
            yield results


@contextmanager
def _workers(jobs: int, scheduler: str | None) -> Iterator[int]:
    """Let joblib use its own processes or those of a scheduler; give what it calls n_jobs."""
    if scheduler is None:
        yield jobs
        return
    try:
        import joblib
        from distributed import Client
        from distributed.scheduler import KilledWorker
    except ImportError as error:
        raise MienError(
            "a cluster needs Dask; install it with: pip install 'dask[distributed]'"
        ) from error
    with _client(Client, jobs, scheduler) as client:
        if not client.scheduler_info()["workers"]:
            raise MienError(
                f"the scheduler {scheduler} has no worker after {PATIENCE} s; start one"
            )
        try:
            with joblib.parallel_config("dask", client=client):
                yield -1
        except KilledWorker as error:
            raise MienError(
                f"workers of {scheduler} died again and again, killed or for want of memory; what "
                "is written stays, so run it again with more memory for each"
            ) from error


def _client(make: Any, jobs: int, scheduler: str) -> AbstractContextManager[Any]:
    """Connect to a scheduler, or start one here, and wait for its first worker."""
    try:
        if scheduler == LOCAL:
            client = make(n_workers=jobs, threads_per_worker=1, dashboard_address=None)
        else:
            client = make(scheduler, timeout=PATIENCE)
    except (OSError, ValueError) as error:
        raise MienError(
            f"no Dask scheduler answers at {scheduler!r}; start one with: dask scheduler"
        ) from error
    with suppress(TimeoutError):  # the caller sees that there is none, and says so
        client.wait_for_workers(1, timeout=PATIENCE)
    return client
