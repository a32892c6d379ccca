"""Training on several processes or machines, started by torchrun: who leads, what all agree on.

Every process holds the same parameters, makes its own part of each batch, and takes the mean of
all gradients: one message of a few megabytes for an update. PyTorch's wrapper for this wants one
module with one forward; a stage has several modules, and calls them as its equations say. The
first process alone logs, evaluates and writes; without torchrun it is the only one.
"""

import atexit
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import timedelta

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous

from mien.errors import MienError
from mien.train.recipe import Recipe, StageSettings

PATIENCE = timedelta(hours=24)
"""The others wait so long while the first prepares: hearing all of MEAD takes hours. Where a
process dies, torchrun ends the others at once."""


def join() -> None:
    """Meet the other processes that torchrun started; alone, or again, this does nothing."""
    if int(os.environ.get("WORLD_SIZE", 1)) == 1 or dist.is_initialized():
        return
    if torch.cuda.is_available():
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    store, rank, size = next(rendezvous("env://", timeout=PATIENCE))
    if os.environ.get("GROUP_WORLD_SIZE") == "1":
        # On one machine torchrun keeps the addresses of those that it has ended, and processes
        # that it starts again would call them and wait.
        attempt = os.environ["TORCHELASTIC_RESTART_COUNT"]
        store = dist.PrefixStore(attempt, store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=size, timeout=PATIENCE)
    atexit.register(dist.destroy_process_group)


def count() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which of them this is, from 0."""
    return dist.get_rank() if dist.is_initialized() else 0


def leads() -> bool:
    """Whether this is the process that logs, evaluates and writes."""
    return rank() == 0


def wait() -> None:
    """Go on when all processes are here."""
    if count() > 1:
        dist.all_reduce(torch.zeros(1))


@contextmanager
def first() -> Iterator[None]:
    """Let the first process through alone, then the others: they find the files that it made."""
    if not leads():
        wait()
    yield
    if leads():
        wait()


def agreed(value: bool) -> bool:
    """What the first process says: files may come or go between two looks at them."""
    said = torch.tensor(int(value))
    if count() > 1:
        dist.broadcast(said, 0)
    return bool(said)


def share(recipe: Recipe) -> Recipe:
    """Return the recipe of one of all processes: its batches are its part of the whole ones.

    MienError where a stage's batch cannot be divided by the number of processes.
    """
    changed = {}
    for field in fields(recipe):
        stage = getattr(recipe, field.name)
        if isinstance(stage, StageSettings) and stage.steps:
            if stage.batch % count():
                raise MienError(
                    f"{field.name}: a batch of {stage.batch} cannot be divided among {count()} "
                    "processes; start another number of them or change the recipe's batch"
                )
            changed[field.name] = replace(stage, batch=stage.batch // count())
    return replace(recipe, **changed)


def begin_alike(modules: Sequence[nn.Module], step: int) -> None:
    """Give all processes the first one's parameters and buffers.

    MienError where they have not found the same checkpoint: the run's folder must be one for all.
    """
    if count() == 1:
        return
    steps = [torch.zeros(1, dtype=torch.long) for _ in range(count())]
    dist.all_gather(steps, torch.tensor([step]))
    if len(found := {int(one) for one in steps}) > 1:
        raise MienError(
            f"the processes found checkpoints of different updates ({sorted(found)}); all of them "
            "must see the same run folder"
        )
    for module in modules:
        for tensor in (*module.parameters(), *module.buffers()):
            dist.broadcast(tensor.detach(), 0)


def average_gradients(parameters: Sequence[nn.Parameter]) -> None:
    """Replace every gradient by its mean over the processes."""
    if count() == 1:
        return
    gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
    together = torch.cat([gradient.flatten() for gradient in gradients])
    dist.all_reduce(together)
    together /= count()
    parts = together.split([parameter.numel() for parameter in parameters])
    for parameter, part in zip(parameters, parts, strict=True):
        parameter.grad = part.view_as(parameter)


def averages(recent: dict[str, list[Tensor]]) -> dict[str, float]:
    """Mean of each loss over its updates and the processes, all of which must ask."""
    means = torch.stack([torch.stack(values).mean() for values in recent.values()]).double().cpu()
    if count() > 1:
        dist.all_reduce(means)
    return dict(zip(recent, (means / count()).tolist(), strict=True))
