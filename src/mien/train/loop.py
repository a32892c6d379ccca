"""The training loop: a plain one, resumable after a kill with nothing lost.

What a step sees depends on its number, the seed and the process alone, so a run that was killed
and resumed makes the same batches as one that was not. Under torchrun each process draws its own
part of the batch (`processes`).
"""

import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from tqdm import tqdm

from mien.model import checkpoint
from mien.model.losses import LossScales, total
from mien.train import processes
from mien.train.recipe import StageSettings

Losses = Callable[[np.random.Generator], dict[str, Tensor]]
"""A random generator for this step -> losses by name."""
Evaluate = Callable[[], dict[str, float]]
"""-> measures by name."""


@dataclass(frozen=True)
class Stage:
    """One stage, ready to run."""

    name: str
    modules: dict[str, nn.Module]
    """What learns, by name; frozen modules are not among them."""
    losses: Losses
    evaluate: Evaluate
    settings: StageSettings
    scales: LossScales


def learning_rate(step: int, settings: StageSettings) -> float:
    """Linear warm-up, then half a cosine down to zero at the last step, or no change."""
    if step < settings.warmup:
        return settings.learning_rate * (step + 1) / settings.warmup
    if not settings.decay:
        return settings.learning_rate
    rest = (step - settings.warmup) / max(1, settings.steps - settings.warmup)
    return settings.learning_rate * 0.5 * (1 + math.cos(math.pi * min(1.0, rest)))


def train(stage: Stage, folder: Path, *, stop_after: int | None = None) -> None:
    """Run the stage to its last step, from its checkpoint in `folder` where there is one.

    Logs to folder/log.jsonl. `stop_after` ends early after so many steps of this call, with a
    checkpoint, as a kill would.
    """
    settings = stage.settings
    parameters = [p for module in stage.modules.values() for p in module.parameters()]
    optimizer = torch.optim.AdamW(
        parameters, lr=0.0, eps=settings.epsilon, weight_decay=settings.weight_decay
    )
    saved = folder / f"{stage.name}.checkpoint.safetensors"
    first = _resume(stage, optimizer, saved) if saved.exists() else 0
    processes.begin_alike(list(stage.modules.values()), first)
    last = settings.steps if stop_after is None else min(settings.steps, first + stop_after)
    quiet = not processes.leads()
    bar = tqdm(range(first, last), stage.name, initial=first, total=settings.steps, disable=quiet)
    recent: dict[str, list[Tensor]] = {}
    began = time.monotonic()
    for step in bar:
        losses = _update(stage, optimizer, parameters, step)
        for name, value in losses.items():
            recent.setdefault(name, []).append(value)
        done = step + 1
        if done % settings.evaluate_every == 0 or done == settings.steps:
            means = processes.averages(recent)
            recent.clear()
            if processes.leads():
                row = {"stage": stage.name, "step": done, "seconds": time.monotonic() - began}
                row |= means | _evaluated(stage)
                _log(folder, row)
                bar.set_postfix({k: f"{v:.3g}" for k, v in row.items() if isinstance(v, float)})
        if processes.leads() and (done % settings.checkpoint_every == 0 or done == last):
            _save(stage, optimizer, saved, done)


def keep(stage: Stage, path: Path, settings: dict[str, Any]) -> None:
    """Write what a stage has learned, with `settings`, before any process goes on."""
    if processes.leads():
        checkpoint.save(path, stage.modules, settings)
    processes.wait()


def _update(
    stage: Stage, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], step: int
) -> dict[str, Tensor]:
    for group in optimizer.param_groups:
        group["lr"] = learning_rate(step, stage.settings)
    seed, rank = stage.settings.seed, processes.rank()
    torch.manual_seed(seed * 1_000_003 + step + rank * 1_000_000_007)
    losses = stage.losses(np.random.default_rng((seed, step, rank)))
    optimizer.zero_grad(set_to_none=True)
    total(losses, stage.scales).backward()
    processes.average_gradients(parameters)
    nn.utils.clip_grad_norm_(parameters, stage.settings.clip)
    optimizer.step()
    return {name: value.detach() for name, value in losses.items()}


def _evaluated(stage: Stage) -> dict[str, float]:
    for module in stage.modules.values():
        module.eval()
    with torch.no_grad():
        measures = stage.evaluate()
    for module in stage.modules.values():
        module.train()
    return measures


def _save(stage: Stage, optimizer: torch.optim.Optimizer, path: Path, step: int) -> None:
    moments = checkpoint.optimizer_to_tensors(optimizer)
    tensors = checkpoint.modules_to_tensors(stage.modules)
    tensors |= {f"optimizer.{name}": value for name, value in moments.items()}
    checkpoint.save_tensors(path, tensors, {"stage": stage.name, "step": step})


def _resume(stage: Stage, optimizer: torch.optim.Optimizer, path: Path) -> int:
    tensors, _ = checkpoint.load_tensors(path)
    settings = checkpoint.load(path, stage.modules)
    checkpoint.tensors_to_optimizer(checkpoint.with_prefix(tensors, "optimizer"), optimizer)
    return int(settings["step"])


def _log(folder: Path, row: dict[str, Any]) -> None:
    with (folder / "log.jsonl").open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")
