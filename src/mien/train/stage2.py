"""Stage 2: Audio2Con and Text2Exp learn to drive the frozen decoder (Eqs. 6-8)."""

from pathlib import Path

import numpy as np
from torch import Tensor

from mien.data.batches import Batches
from mien.data.pairs import Quads
from mien.data.wordings import Wordings
from mien.face import Face
from mien.model import checkpoint
from mien.train import processes
from mien.train.loop import Evaluate, Losses, Stage, keep, train
from mien.train.reading import WEIGHTS as READING_WEIGHTS
from mien.train.reading import Reading
from mien.train.recipe import Recipe
from mien.train.trainee import Trainee

WEIGHTS = "stage2.safetensors"

BITTEN = 2.0
"""Millimetres from the upper teeth to the lower lip in f and v; the face's own f has 1.1."""

READINGS = 96
"""Wordings of the reading terms in an update: a crop teaches one, and there are thousands."""


def train_stage2(
    recipe: Recipe, face: Face, batches: Batches, quads: Quads, held_out: Batches, *, folder: Path
) -> None:
    """Train Audio2Con and Text2Exp and write folder/stage2.safetensors; resumes by itself.

    `quads` are those of the clips of `batches`: where the description changes in mid-crop. Where
    the recipe has a stage `reading`, Text2Exp has learned to read before, and goes on reading.
    """
    trainee = Trainee(recipe, face, folder=folder, half=recipe.stage2.half, seed=recipe.stage2.seed)
    settings = recipe.stage2
    modules = {"audio2con": trainee.audio2con, "text2exp": trainee.text2exp}
    reading = _reading(recipe, trainee, face, batches, held_out, folder)

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        size, frames = settings.batch, settings.frames
        if rng.random() < recipe.past.switch:
            lagging = recipe.past.lagging
            batch = batches.draw_switch(rng, quads, size, frames, lagging=lagging)
        else:
            batch = batches.draw(rng, size, frames, start=recipe.past.start)
        found = trainee.losses(batch, recipe.past, rng)
        return found | reading[0](rng) if reading else found

    def evaluate() -> dict[str, float]:
        measures = {}
        if held_out.long(settings.frames):
            measures = free_running(trainee, held_out, settings.frames)
        return measures | reading[1]() if reading else measures

    stage = Stage("stage2", modules, losses, evaluate, settings, recipe.losses)
    train(stage, folder)
    keep(stage, folder / WEIGHTS, {"scale": trainee.scale})


def _reading(
    recipe: Recipe, trainee: Trainee, face: Face, batches: Batches, held_out: Batches, folder: Path
) -> tuple[Losses, Evaluate] | None:
    """The losses and the measure of reading, with Text2Exp as that stage left it; or None."""
    if not recipe.reading.steps:
        return None
    known, unseen = batches.wordings, held_out.wordings
    assert isinstance(known, Wordings), "the stage `reading` reads the bank"
    assert isinstance(unseen, Wordings)
    checkpoint.load(folder / READING_WEIGHTS, {"text2exp": trainee.text2exp})
    reading, named = Reading(trainee, face), unseen.named()
    return (
        lambda rng: reading.losses(known.draw(rng, READINGS // processes.count())),
        lambda: reading.rightly(named),
    )


def free_running(trainee: Trainee, held_out: Batches, frames: int) -> dict[str, float]:
    """Measures of running free on unseen sentences and wordings, from the start of each clip.

    `free_error` is the squared error's share of the truth's mean square; `closed` the share of
    truly closed frames (gap within [-1.5, 1] mm) that are closed; `false_closed` the share of
    closed frames among those that are open by more than 3 mm; `bitten` the share of frames with
    the lower lip truly at the upper teeth (under 2 mm) that have it there. A face without pairs of
    the lips or without teeth has the first alone, or all but the last.
    """
    batch = held_out.draw(np.random.default_rng(0), 48, frames, start=1.0)
    text = trainee.text_features(batch)[:, 0]
    speech, level = trainee.tensor(batch.speech), trainee.tensor(batch.level)
    made = trainee.run_free(speech, text, level, trainee.actor_shares(batch))
    true, readout = trainee.tensor(batch.coefficients), trainee.readout
    found = {"free_error": ((made - true).square().mean() / true.square().mean()).item()}
    if readout.has_lips:
        gap, want = (1e3 * readout.gaps(x).amax(-1) for x in (made, true))
        closed = ((gap >= -1.5) & (gap <= 1.0)).float()
        found["closed"] = closed[(want >= -1.5) & (want <= 1.0)].mean().item()
        found["false_closed"] = closed[want > 3.0].mean().item()
    if readout.has_teeth:
        bite, bitten = (1e3 * readout.lip_to_teeth(x) for x in (made, true))
        found["bitten"] = (bite < BITTEN).float()[bitten < BITTEN].mean().item()
    return found
