"""Stage 1: disentangle content and expression (Eqs. 1-5) on crossing quads."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.again import Again
from mien.data.pairs import Quads
from mien.face import Face
from mien.model.autoencoder import AutoEncoder
from mien.model.losses import first_stage, mean_square
from mien.model.readout import Readout
from mien.train.loop import Stage, keep, train
from mien.train.recipe import Recipe

WEIGHTS = "stage1.safetensors"


def train_stage1(
    recipe: Recipe,
    face: Face,
    quads: Quads,
    held_out: Quads | None,
    *,
    scale: float,
    folder: Path,
    again: Again | None = None,
) -> None:
    """Train E_con, E_exp and D and write folder/stage1.safetensors; resumes by itself.

    Args:
        quads, held_out: for training and for the log; None where no other split has any.
        scale: metres; what coefficients are divided by.
        again: sentences to perform again, for the share of quads that the recipe says.
    """
    device = "cuda" if torch.cuda.is_available() else "cpu"
    torch.manual_seed(recipe.stage1.seed)
    model = AutoEncoder(recipe.model).to(device)
    readout = Readout.of(face, device)
    settings = recipe.stage1

    anew = round(settings.batch * recipe.corpus.again)
    if again is None or not again.usable(settings.frames):
        anew = 0

    def tensor(drawn: np.ndarray) -> Tensor:
        return torch.as_tensor(drawn, dtype=torch.float32).to(device) / scale

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        quad = tensor(quads.batch(rng, settings.batch - anew, settings.frames))
        if again and anew:
            quad = torch.cat([quad, tensor(again.quads(rng, anew, settings.frames))])
        return first_stage(model, quad, readout, scale, recipe.losses)

    def evaluate() -> dict[str, float]:
        if held_out is None or not len(held_out.usable(settings.frames)):
            return {}
        quad = tensor(held_out.batch(np.random.default_rng(0), 64, settings.frames))
        values = first_stage(model, quad, readout, scale, recipe.losses)
        variance = mean_square(
            quad, torch.zeros_like(quad), readout, scale, metres=recipe.losses.metres
        ).item()
        shares = {
            name: values[name].item() / (2 * variance) for name in ("reconstruction", "cross")
        }
        return {f"held_out_{name}": share for name, share in shares.items()}

    stage = Stage("stage1", {"autoencoder": model}, losses, evaluate, settings, recipe.losses)
    train(stage, folder)
    keep(stage, folder / WEIGHTS, {"scale": scale})
