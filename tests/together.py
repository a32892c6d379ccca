"""What `test_scale` lets several processes do: torchrun --nproc-per-node 2 together.py FOLDER.

whole/    a stage that fits a line, each process with its half of one batch
killed/   the same, and the second process is killed once; torchrun starts both again
run/      a tiny run of three stages, with twins of the encoders, on the corpus in FOLDER/corpus
"""

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from mien.data.clips import Corpus
from mien.model.losses import LossScales
from mien.train import loop, processes, run
from mien.train.recipe import Recipe, StageSettings, read_recipe
from twins import TwinTextEncoder, twin_speech_encoder

KILLED_AT = 9
"""Update in which the second process is killed; the latest checkpoint is of update 8."""


def line(marker: Path | None = None) -> tuple[loop.Stage, torch.nn.Module]:
    """A stage that fits a line to points; many processes see the parts of what one would see.

    `marker`: the second process kills itself where this file is not there yet, and makes it.
    """
    torch.manual_seed(processes.rank())  # unlike parameters: they must be made alike
    model = torch.nn.Linear(3, 1)
    step = iter(range(10**6))

    def losses(rng: np.random.Generator) -> dict[str, torch.Tensor]:
        if marker and processes.rank() == 1 and not marker.exists() and next(step) == KILLED_AT:
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        whole = np.random.default_rng(rng.bit_generator.seed_seq.entropy[:2])  # type: ignore
        part = whole.standard_normal((16, 3))[processes.rank() :: processes.count()]
        x = torch.tensor(part, dtype=torch.float32)
        return {"face": (model(x) - x.sum(1, keepdim=True)).square().mean()}

    settings = StageSettings(
        steps=30, learning_rate=0.3, warmup=2, checkpoint_every=4, evaluate_every=10
    )
    scales = LossScales()
    return loop.Stage("line", {"model": model}, losses, lambda: {}, settings, scales), model


def tiny() -> Recipe:
    """The recipe `tiny` without the bank, whose thousands of wordings take seconds to read."""
    recipe = read_recipe(Path(__file__).parents[1] / "recipes" / "tiny.json")
    return replace(
        recipe,
        corpus=replace(recipe.corpus, bank=False, again=0.0),
        reading=replace(recipe.reading, steps=0),
    )


def train_tiny(folder: Path, name: str) -> Path:
    """Train on folder/corpus into folder/name; return the pack."""
    run.speech_encoder = lambda *_, **__: twin_speech_encoder()  # type: ignore[assignment]
    run.text_encoder = lambda *_, **__: TwinTextEncoder()  # type: ignore[assignment]
    return run.train_run(tiny(), Corpus(folder / "corpus"), folder / name)


def fit(folder: Path, marker: Path | None = None) -> None:
    """Fit the line into a folder."""
    folder.mkdir(exist_ok=True)
    stage, _ = line(marker)
    loop.train(stage, folder)
    loop.keep(stage, folder / "line.safetensors", {"processes": processes.count()})


if __name__ == "__main__":
    processes.join()
    place = Path(sys.argv[1])
    fit(place / "whole")
    fit(place / "killed", place / "was_killed")
    train_tiny(place, "run")
