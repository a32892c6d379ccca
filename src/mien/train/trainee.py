"""The networks of stage 2, and how a batch of crops goes through them."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mien.data.batches import Batch
from mien.face import Face
from mien.model import checkpoint
from mien.model.autoencoder import AutoEncoder
from mien.model.losses import second_stage
from mien.model.predictors import Audio2Con, Step, Text2Exp
from mien.model.readout import Readout
from mien.train.recipe import PastSettings, Recipe
from mien.train.stage1 import WEIGHTS as STAGE1_WEIGHTS

UNKNOWN = 0.1
"""Share of crops whose actor is not told: so the mean of the codes, which stands for anybody else,
is trained too."""


class Trainee:
    """The networks of stage 2 on one device, and how a batch goes through them."""

    def __init__(
        self, recipe: Recipe, face: Face, *, folder: Path, half: bool = False, seed: int = 0
    ):
        self.device = "cuda" if torch.cuda.is_available() else "cpu"
        torch.manual_seed(seed)
        self.autoencoder = AutoEncoder(recipe.model).to(self.device)
        settings = checkpoint.load(folder / STAGE1_WEIGHTS, {"autoencoder": self.autoencoder})
        self.autoencoder.requires_grad_(False).eval()
        self.scale = float(settings["scale"])
        self.audio2con = Audio2Con(recipe.model).to(self.device)
        self.text2exp = Text2Exp(recipe.model).to(self.device)
        self.readout = Readout.of(face, self.device)
        self.half, self.metres = half, recipe.losses.metres
        self.step = Step(
            recipe.model, self.audio2con, self.text2exp, self.autoencoder.decoder, self.scale
        ).to(self.device)

    def fast(self) -> torch.autocast:
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

    def actor_shares(self, batch: Batch, rng: np.random.Generator | None = None) -> Tensor | None:
        """(B, A): each crop's own actor; with `rng` the mean of all in a share of them.

        None where the model tells no actors apart.
        """
        if batch.actor is None:
            return None
        shares = self.tensor(batch.actor)
        if rng is None:
            return shares
        unknown = self.tensor(rng.random((len(shares), 1)) < UNKNOWN)
        return torch.lerp(shares, torch.full_like(shares, 1 / shares.shape[1]), unknown)

    def losses(
        self, batch: Batch, past_settings: PastSettings, rng: np.random.Generator
    ) -> dict[str, Tensor]:
        """The losses of one batch: late, noisy, hidden and self-made pasts in the stated shares."""
        target = self.tensor(batch.coefficients) / self.scale
        first = self.tensor(batch.before)[:, None] / self.scale
        speech, level = self.tensor(batch.speech), self.tensor(batch.level)[:, :, None]
        text, actor = self.text_features(batch), self.actor_shares(batch, rng)
        size = len(target)
        seen = target if batch.late is None else self.tensor(batch.late) / self.scale
        past = torch.cat([first, seen[:, :-1]], dim=1)
        noise = self.tensor(rng.uniform(0, past_settings.noise, (size, 1, 1)))
        past = past + noise * torch.randn_like(past)
        dropped = self.tensor(rng.random((size, 1, 1)) < past_settings.dropped)
        dropped = dropped.expand(-1, past.shape[1], -1)
        own = slice(0, round(size * past_settings.own))
        # Made with the past hidden: one that was made from the truth would still give it away,
        # and the predictors would learn to copy the past instead of listening and reading.
        hidden = torch.ones_like(dropped[own])
        shares = None if actor is None else actor[own]
        made = self._made(past[own], speech[own], text[own], level[own], hidden, shares)
        past[own] = torch.cat([first[own], made[:, :-1]], dim=1)
        with self.fast():
            content = self.audio2con(past, speech, dropped, actor)
            expression = self.text2exp(past, text, level, dropped, actor)
        _, losses = second_stage(
            self.autoencoder,
            content.float(),
            expression.float(),
            target,
            self.readout,
            self.scale,
            half=self.half,
            metres=self.metres,
        )
        return losses

    @torch.no_grad()
    def _made(
        self,
        past: Tensor,
        speech: Tensor,
        text: Tensor,
        level: Tensor,
        dropped: Tensor,
        actor: Tensor | None,
    ) -> Tensor:
        with self.fast():
            content = self.audio2con(past, speech, dropped, actor)
            expression = self.text2exp(past, text, level, dropped, actor)
            return self.autoencoder.decoder(content, expression).float()

    @torch.no_grad()
    def run_free(
        self, speech: Tensor, text: Tensor, level: Tensor, actor: Tensor | None = None
    ) -> Tensor:
        """Animate with nothing but the model's own past.

        Args:
            speech: (B, T + 2 reach, speech_size); text: (B, latents, text_size);
                level: (B, T or 1); actor: (B, A), None for the actors' mean.

        Returns: (B, T, K), metres.
        """
        rows = self.step.settings.speech_rows
        past, *memory = (x.to(self.device) for x in self.step.start(len(speech)))
        frames = []
        count = speech.shape[1] - rows + 1
        level = level.expand(-1, count)
        for t in range(count):
            here = speech[:, t : t + rows], text, level[:, t : t + 1]
            past, *memory = self.step(past, *here, *memory, actor)
            frames.append(past)
        return torch.stack(frames, dim=1)
