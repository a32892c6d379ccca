"""Stage 2: Audio2Con and Text2Exp learn to drive the frozen decoder (Eqs. 6-8)."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from mien.data.batches import Batch, Batches, Readings
from mien.data.pairs import Quads
from mien.face import Face
from mien.model import checkpoint
from mien.model.autoencoder import AutoEncoder, unit_feature
from mien.model.losses import second_stage
from mien.model.mouth import Mouth
from mien.model.predictors import Audio2Con, Step, Text2Exp
from mien.train.loop import Stage, train
from mien.train.recipe import PastSettings, Recipe
from mien.train.stage1 import WEIGHTS as STAGE1_WEIGHTS

WEIGHTS = "stage2.safetensors"

BITTEN = 2.0
"""Millimetres from the upper teeth to the lower lip in f and v; the face's own f has 1.1."""

READINGS = 200
"""Wordings of the reading term in an update: a crop teaches one, and there are thousands."""


class Trainee:
    """The networks of stage 2 on one device, and how a batch goes through them."""

    def __init__(self, recipe: Recipe, face: Face, *, folder: Path):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(recipe.stage2.seed)
        self.autoencoder = AutoEncoder(recipe.model).to(self.device)
        settings = checkpoint.load(folder / STAGE1_WEIGHTS, {"autoencoder": self.autoencoder})
        self.autoencoder.requires_grad_(False).eval()
        self.scale = float(settings["scale"])
        self.audio2con = Audio2Con(recipe.model).to(self.device)
        self.text2exp = Text2Exp(recipe.model).to(self.device)
        self.mouth = Mouth.of(face, self.device)
        self.half = recipe.stage2.half
        self.step = Step(
            recipe.model, self.audio2con, self.text2exp, self.autoencoder.decoder, self.scale
        ).to(self.device)

    def _fast(self) -> torch.autocast:
        """Where half precision does no harm: what is compared with the truth is made by D, and
        compared, in float32. (D's first pass, which only makes a past, is in half.)"""
        return torch.autocast(self.device, torch.bfloat16, enabled=self.half)

    def tensor(self, values: np.ndarray) -> Tensor:
        """To this device, float32."""
        return torch.as_tensor(values, dtype=torch.float32).to(self.device)

    def text_features(self, batch: Batch) -> Tensor:
        """(B, T or 1, latents, text_size): the description's latents, or two eased into another."""
        pooler = self.text2exp.pooler
        text = pooler(self.tensor(batch.tokens), self.tensor(batch.padding))[:, None]
        if batch.mix is None:
            return text
        before, after = text.chunk(2)
        return torch.lerp(before, after, self.tensor(batch.mix)[:, :, None, None])

    def losses(
        self, batch: Batch, past_settings: PastSettings, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """The losses of one batch: noisy, hidden and self-made pasts in the stated shares."""
        target = self.tensor(batch.coefficients) / self.scale
        first = self.tensor(batch.before)[:, None] / self.scale
        speech, level = self.tensor(batch.speech), self.tensor(batch.level)[:, :, None]
        text = self.text_features(batch)
        size = len(target)
        past = torch.cat([first, target[:, :-1]], dim=1)
        noise = self.tensor(rng.uniform(0, past_settings.noise, (size, 1, 1)))
        past = past + noise * torch.randn_like(past)
        dropped = self.tensor(rng.random((size, 1, 1)) < past_settings.dropped)
        dropped = dropped.expand(-1, past.shape[1], -1)
        own = slice(0, round(size * past_settings.own))
        # Made with the past hidden: one that was made from the truth would still give it away,
        # and the predictors would learn to copy the past instead of listening and reading.
        hidden = torch.ones_like(dropped[own])
        made = self._made(past[own], speech[own], text[own], level[own], hidden)
        past[own] = torch.cat([first[own], made[:, :-1]], dim=1)
        with self._fast():
            content = self.audio2con(past, speech, dropped)
            expression = self.text2exp(past, text, level, dropped)
        _, losses = second_stage(
            self.autoencoder,
            content.float(),
            expression.float(),
            target,
            self.mouth,
            self.scale,
            half=self.half,
        )
        return losses

    def reading(self, readings: Readings, expressions: Tensor) -> Tensor:
        """How far Text2Exp, with the past hidden, is from the expressions of the clips described.

        expressions: (clips, feature_size), of `expressions_of`. The mean square over channels.
        """
        tokens, padding = self.tensor(readings.tokens), self.tensor(readings.padding)
        past = torch.zeros(len(tokens), 1, self.step.settings.coefficients, device=self.device)
        level = self.tensor(readings.level)[:, None]
        with self._fast():
            text = self.text2exp.pooler(tokens, padding)[:, None]
            read = self.text2exp(past, text, level, torch.ones_like(level))
        return (read[:, 0].float() - expressions[readings.clips]).square().mean()

    @torch.no_grad()
    def expressions_of(self, batches: Batches) -> Tensor:
        """(clips, feature_size): the mean of E_exp over each clip's steady frames, normalised."""
        means = []
        for clip in tqdm(batches.clips, "see expressions"):
            seen = self.autoencoder.expression_encoder(self.tensor(clip.shown)[None] / self.scale)
            start, stop = clip.steady
            means.append(seen[0, start:stop].mean(0) if start < stop else seen[0].mean(0))
        return unit_feature(torch.stack(means))

    @torch.no_grad()
    def _made(
        self, past: Tensor, speech: Tensor, text: Tensor, level: Tensor, dropped: Tensor
    ) -> Tensor:
        with self._fast():
            content = self.audio2con(past, speech, dropped)
            expression = self.text2exp(past, text, level, dropped)
            return self.autoencoder.decoder(content, expression).float()

    @torch.no_grad()
    def run_free(self, speech: Tensor, text: Tensor, level: Tensor) -> Tensor:
        """Animate with nothing but the model's own past.

        Args:
            speech: (B, T + 2 reach, speech_size); text: (B, latents, text_size); level: (B, 1).

        Returns: (B, T, K), metres.
        """
        rows = self.step.settings.speech_rows
        past, *memory = (x.to(self.device) for x in self.step.start(len(speech)))
        frames = []
        for t in range(speech.shape[1] - rows + 1):
            past, *memory = self.step(past, speech[:, t : t + rows], text, level, *memory)
            frames.append(past)
        return torch.stack(frames, dim=1)


def train_stage2(
    recipe: Recipe, face: Face, batches: Batches, quads: Quads, held_out: Batches, *, folder: Path
) -> None:
    """Train Audio2Con and Text2Exp and write folder/stage2.safetensors; resumes by itself.

    `quads` are those of the clips of `batches`: where the description changes in mid-crop.
    """
    trainee = Trainee(recipe, face, folder=folder)
    settings = recipe.stage2
    modules = {"audio2con": trainee.audio2con, "text2exp": trainee.text2exp}
    expressions = trainee.expressions_of(batches) if recipe.losses.reading else None

    def losses(rng: np.random.Generator) -> dict[str, Tensor]:
        size, frames = settings.batch, settings.frames
        if rng.random() < recipe.past.switch:
            batch = batches.draw_switch(rng, quads, size, frames)
        else:
            batch = batches.draw(rng, size, frames, start=recipe.past.start)
        found = trainee.losses(batch, recipe.past, rng)
        if expressions is not None:
            readings = batches.draw_readings(rng, READINGS)
            found["reading"] = trainee.reading(readings, expressions)
        return found

    def evaluate() -> dict[str, float]:
        return free_running(trainee, held_out, settings.frames)

    stage = Stage("stage2", modules, losses, evaluate, settings, recipe.losses)
    train(stage, folder)
    checkpoint.save(folder / WEIGHTS, modules, {"scale": trainee.scale})


def free_running(trainee: Trainee, held_out: Batches, frames: int) -> dict[str, float]:
    """Measures of running free on unseen sentences and wordings, from the start of each clip.

    `free_error` is the squared error's share of the truth's mean square; `closed` the share of
    truly closed frames (gap within [-1.5, 1] mm) that are closed; `false_closed` the share of
    closed frames among those that are open by more than 3 mm; `bitten` the share of frames with
    the lower lip truly at the upper teeth (under 2 mm) that have it there.
    """
    batch = held_out.draw(np.random.default_rng(0), 48, frames, start=1.0)
    text = trainee.text_features(batch)[:, 0]
    made = trainee.run_free(trainee.tensor(batch.speech), text, trainee.tensor(batch.level)[:, :1])
    true = trainee.tensor(batch.coefficients)
    gap, want = (1e3 * trainee.mouth.gaps(x).amax(-1) for x in (made, true))
    bite, bitten = (1e3 * trainee.mouth.lip_to_teeth(x) for x in (made, true))
    closed = ((gap >= -1.5) & (gap <= 1.0)).float()
    return {
        "free_error": ((made - true).square().mean() / true.square().mean()).item(),
        "closed": closed[(want >= -1.5) & (want <= 1.0)].mean().item(),
        "false_closed": closed[want > 3.0].mean().item(),
        "bitten": (bite < BITTEN).float()[bitten < BITTEN].mean().item(),
    }
