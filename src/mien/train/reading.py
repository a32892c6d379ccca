"""Reading: Text2Exp learns which expression a wording means, before it learns to animate.

No clip is needed: the expression is shown as a still, silent face, and E_exp says what Text2Exp
should answer. So thousands of wordings are read for each crop that stage 2 animates.
"""

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.data.simulate.expressions import STATES
from mien.data.wordings import Readings, Wordings
from mien.face import UNIT_NAMES, Face
from mien.model.autoencoder import unit_feature
from mien.train.loop import Stage, keep, train
from mien.train.recipe import Recipe
from mien.train.trainee import Trainee

WEIGHTS = "reading.safetensors"

STILL = 16
"""Frames for which the face is shown: as many as the decoder sees."""

LEVELS = np.linspace(0, 1.5, 13)
"""Levels at which every state's feature is kept, to name what was read."""

SHARPNESS = 4.0
"""What the distances of features (a mean square over channels; 2 between strangers) are multiplied
by before the softmax of the naming term."""


class Reading:
    """What a frozen E_exp sees in every state, and how far Text2Exp's answers are from it."""

    def __init__(self, trainee: Trainee, face: Face):
        self.trainee, self.face = trainee, face
        shown = [
            face.limit(np.stack([s.weights_at(level, UNIT_NAMES) for s in STATES.values()]))
            for level in LEVELS
        ]
        self.known = torch.stack([self.seen(weights) for weights in shown])
        """(levels, states, feature_size)"""

    @torch.no_grad()
    def seen(self, weights: np.ndarray) -> Tensor:
        """The expression feature (B, feature_size) of still faces: weights (B, U)."""
        trainee = self.trainee
        shown = trainee.tensor(self.face.weights_to_coefficients(weights)) / trainee.scale
        with trainee.fast():
            features = trainee.autoencoder.expression_encoder(shown[:, None].expand(-1, STILL, -1))
        return unit_feature(features.float().mean(1))

    def answer(self, readings: Readings) -> Tensor:
        """The expression feature (B, feature_size) that Text2Exp reads, its past hidden."""
        trainee = self.trainee
        tokens, padding = trainee.tensor(readings.tokens), trainee.tensor(readings.padding)
        level = trainee.tensor(readings.level)[:, None]
        past = torch.zeros(
            len(tokens), 1, trainee.step.settings.coefficients, device=trainee.device
        )
        with trainee.fast():
            text = trainee.text2exp.pooler(tokens, padding)[:, None]
            read = trainee.text2exp(past, text, level, torch.ones_like(level))
        return read[:, 0].float()

    def losses(self, readings: Readings) -> dict[str, Tensor]:
        """`reading`: mean square distance from what is meant. `naming`: cross-entropy among all
        states at that level, nearer ones being likelier; composed expressions have no name."""
        read = self.answer(readings)
        states = torch.as_tensor(readings.states, device=read.device)
        named = states >= 0
        return {
            "reading": (read - self.seen(readings.weights)).square().mean(),
            "naming": F.cross_entropy(self._likeness(readings, read)[named], states[named]),
        }

    @torch.no_grad()
    def rightly(self, readings: Readings) -> dict[str, float]:
        """`read_rightly`: the share of wordings whose own state is the nearest."""
        likest = self._likeness(readings, self.answer(readings)).argmax(-1).cpu().numpy()
        return {"read_rightly": float((likest == readings.states).mean())}

    def _likeness(self, readings: Readings, read: Tensor) -> Tensor:
        """(B, states): minus the distance of what was read from each state, sharpened."""
        level = np.abs(readings.shown[:, None] - LEVELS).argmin(1)
        known = self.known[torch.as_tensor(level, device=read.device)]
        return -SHARPNESS * (read[:, None] - known).square().mean(-1)


def train_reading(
    recipe: Recipe, face: Face, wordings: Wordings, held_out: Wordings, *, folder: Path
) -> None:
    """Train Text2Exp to read and write folder/reading.safetensors; resumes by itself."""
    trainee = Trainee(
        recipe, face, folder=folder, half=recipe.reading.half, seed=recipe.reading.seed
    )
    reading = Reading(trainee, face)
    modules: dict[str, nn.Module] = {"text2exp": trainee.text2exp}
    named = held_out.named()

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        return reading.losses(wordings.draw(rng, recipe.reading.batch))

    def evaluate() -> dict[str, float]:
        return reading.rightly(named)

    stage = Stage("reading", modules, losses, evaluate, recipe.reading, recipe.losses)
    train(stage, folder)
    keep(stage, folder / WEIGHTS, {})
