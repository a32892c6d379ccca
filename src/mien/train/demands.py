"""Hearing demands: a small network learns when speech shuts the lips, bites one, or opens them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from mien.data.demanded import Demanded
from mien.model import checkpoint
from mien.model.demands import Demands
from mien.train.loop import Stage, keep, train
from mien.train.recipe import Recipe

WEIGHTS = "demands.safetensors"

MADE = 0.8
"""A demand from here on counts as made."""
VOWEL = 1.0
"""Millimetres of floor from which on a frame counts as a vowel's."""


def train_demands(recipe: Recipe, clips: Demanded, held_out: Demanded, *, folder: Path) -> None:
    """Train the network and write folder/demands.safetensors; resumes by itself."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    settings = recipe.demands
    torch.manual_seed(settings.seed)
    model = _network(recipe).to(device)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        drawn = clips.draw(rng, settings.batch, settings.frames)
        return {"demands": model.loss(*(torch.as_tensor(x).to(device) for x in drawn))}

    def evaluate() -> dict[str, float]:
        told = [
            (model(torch.as_tensor(speech[None]).to(device))[0].cpu().numpy(), wanted)
            for speech, wanted in held_out.clips()
        ]
        return heard_rightly(told)

    modules: dict[str, nn.Module] = {"demands": model}
    stage = Stage("demands", modules, losses, evaluate, settings, recipe.losses)
    train(stage, folder)
    keep(stage, folder / WEIGHTS, {})


def load_demands(recipe: Recipe, folder: Path) -> Demands | None:
    """The network of a run that has trained it; None where no clip's phones were known."""
    if not (folder / WEIGHTS).exists():
        return None
    model = _network(recipe)
    checkpoint.load(folder / WEIGHTS, {"demands": model})
    return model


def heard_rightly(told: list[tuple[np.ndarray, np.ndarray]]) -> dict[str, float]:
    """Measures of demands as heard and as wanted, each (T, 3), clip by clip.

    `closures_heard` and `bites_heard`: the share of contacts that are made within a frame of where
    they are wanted. `vowels_closed`: the share of the frames of vowels, away from contacts, that
    are shut. `floor_error`: mean absolute error of the floor there, millimetres.
    """
    made: dict[int, list[bool]] = {0: [], 1: []}
    shut, missed = [], []
    for heard, wanted in told:
        for kind, found in made.items():
            for first, last in _runs(wanted[:, kind] > MADE):
                found.append(bool((heard[max(first - 1, 0) : last + 1, kind] > MADE).any()))
        vowel = (1e3 * wanted[:, 2] > VOWEL) & (wanted[:, :2].max(axis=1) < 0.1)
        shut.append(heard[vowel, 0] > MADE)
        missed.append(1e3 * np.abs(heard[vowel, 2] - wanted[vowel, 2]))
    return {
        "closures_heard": float(np.mean(made[0])),
        "bites_heard": float(np.mean(made[1])),
        "vowels_closed": float(np.concatenate(shut).mean()),
        "floor_error": float(np.concatenate(missed).mean()),
    }


def _runs(where: np.ndarray) -> list[tuple[int, int]]:
    """Return (first, one past the last) of every run of True."""
    edges = np.flatnonzero(np.diff(np.pad(where, 1).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _network(recipe: Recipe) -> Demands:
    return Demands(recipe.model.speech_size, recipe.model.demands_width)
