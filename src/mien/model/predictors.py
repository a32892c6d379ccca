"""Stage 2 of the paper: Audio2Con and Text2Exp, and the fused step that runs them with D.

Both are transformer decoders that read the animation made so far and predict the feature of the
current frame, one from speech_features, the other from text_features and the level.
"""

import torch
from torch import Tensor, nn

from mien.model.actors import actor_codes, coded
from mien.model.autoencoder import Decoder, unit_feature
from mien.model.pooler import TextPooler
from mien.model.settings import ModelSettings
from mien.model.transformer import Stack


class Past(nn.Module):
    """Coefficients of the frame before -> token; a learned token where the past is dropped."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        self.read = nn.Linear(settings.coefficients, settings.width)
        self.unknown = nn.Parameter(torch.zeros(settings.width))

    def forward(self, past: Tensor, dropped: Tensor | None = None) -> Tensor:
        """(B, T, K) -> (B, T, d); dropped (B, T, 1) in {0, 1}."""
        token = self.read(past)
        return token if dropped is None else token + dropped * (self.unknown - token)


class Audio2Con(nn.Module):
    """Speech and the animation so far -> content feature of the current frame."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        s = settings
        self.reach = s.speech_reach
        self.past = Past(s)
        self.dropout = nn.Dropout(s.speech_dropout)
        self.memory = nn.Sequential(nn.LayerNorm(s.speech_size), nn.Linear(s.speech_size, s.width))
        self.stack = Stack(
            s.width, s.heads, s.layers, window=s.window, causal=True, rows=s.speech_rows
        )
        self.write = nn.Linear(s.width, s.feature_size)
        self.actor = actor_codes(s.actors, s.width)

    def forward(
        self,
        past: Tensor,
        speech: Tensor,
        dropped: Tensor | None = None,
        actor: Tensor | None = None,
    ) -> Tensor:
        """past (B, T, K), speech (B, T + 2 reach, speech_size), actor (B, A) -> feature."""
        memory = self.memory(self.dropout(speech))
        x = self.past(past, dropped) + memory[:, self.reach : memory.shape[1] - self.reach]
        return unit_feature(self.write(self.stack(coded(self.actor, x, actor), memory)))

    def step(
        self,
        past: Tensor,
        speech: Tensor,
        state: Tensor,
        empty: Tensor,
        actor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """past (B, 1, K), speech (B, 2 reach + 1, speech_size) -> (B, 1, feature_size), state."""
        memory = self.memory(speech)
        x = self.past(past) + memory[:, self.reach : self.reach + 1]
        x, state = self.stack.step(coded(self.actor, x, actor), memory, state, empty)
        return unit_feature(self.write(x)), state


class Text2Exp(nn.Module):
    """text_features, level and the animation so far -> expression feature of the current frame."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        s = settings
        self.pooler = TextPooler(s)
        self.past = Past(s)
        self.memory = nn.Linear(s.text_size, s.width)
        self.level = nn.Sequential(nn.Linear(1, s.width), nn.GELU(), nn.Linear(s.width, s.width))
        self.stack = Stack(
            s.width, s.heads, s.layers, window=s.window, causal=True, rows=s.text_latents
        )
        self.write = nn.Linear(s.width, s.feature_size)
        self.actor = actor_codes(s.actors, s.width)

    def forward(
        self,
        past: Tensor,
        text: Tensor,
        level: Tensor,
        dropped: Tensor | None = None,
        actor: Tensor | None = None,
    ) -> Tensor:
        """past (B, T, K), text (B, T or 1, latents, text_size), level (B, T or 1, 1) -> feature."""
        memory = self.memory(text)
        x = self.past(past, dropped) + memory.mean(2) + self.level(level)
        return unit_feature(self.write(self.stack(coded(self.actor, x, actor), memory)))

    def step(
        self,
        past: Tensor,
        text: Tensor,
        level: Tensor,
        state: Tensor,
        empty: Tensor,
        dropped: Tensor,
        actor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """past (B, 1, K), text (B, latents, text_size), level and dropped (B, 1) -> feature."""
        memory = self.memory(text)
        x = (
            self.past(past, dropped[:, None])
            + memory.mean(1, keepdim=True)
            + self.level(level)[:, None]
        )
        x, state = self.stack.step(coded(self.actor, x, actor), memory, state, empty)
        return unit_feature(self.write(x)), state


class Step(nn.Module):
    """One frame of inference: Audio2Con, Text2Exp and D fused, with a state of fixed size."""

    scale: Tensor

    def __init__(
        self,
        settings: ModelSettings,
        audio2con: Audio2Con,
        text2exp: Text2Exp,
        decoder: Decoder,
        scale: float,
    ):
        super().__init__()
        self.settings = settings
        self.audio2con, self.text2exp, self.decoder = audio2con, text2exp, decoder
        self.register_buffer("scale", torch.tensor(scale))

    def start(self, batch: int = 1) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return what comes before the first frame: past, state, decoder_state, age; all zero."""
        s, layers = self.settings, self.settings.layers
        return (
            torch.zeros(batch, s.coefficients),
            torch.zeros(batch, 2 * layers, 2, s.window, s.width),
            torch.zeros(batch, layers, 2, s.decoder_window, s.width),
            torch.zeros(batch, 1),
        )

    def forward(
        self,
        past: Tensor,
        speech: Tensor,
        text: Tensor,
        level: Tensor,
        state: Tensor,
        decoder_state: Tensor,
        age: Tensor,
        actor: Tensor | None = None,
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Make one frame.

        Args:
            past: (B, K), metres, the frame before; zero (the template) before the first.
            speech: (B, 2 reach + 1, speech_size) around this frame.
            text: (B, latents, text_size).
            level: (B, 1) in [0, 1.5].
            state: (B, 2 layers, 2, window, d), keys and values of Audio2Con, then of Text2Exp.
            decoder_state: (B, layers, 2, decoder_window, d), those of D.
            age: (B, 1), frames already in the state.
            actor: (B, A), shares of the actors, where the settings name any; None: their mean.

        Returns: coefficients (B, K) in metres, state, decoder_state, age.
        """
        layers, window = self.settings.layers, self.settings.window
        empty = _empty(age, window)
        past = (past / self.scale)[:, None]
        content, first = self.audio2con.step(past, speech, state[:, :layers], empty, actor)
        # A face that sees what it shows goes on showing it: Text2Exp reads, and sees no past.
        hidden = torch.ones_like(level)
        expression, second = self.text2exp.step(
            past, text, level, state[:, layers:], empty, hidden, actor
        )
        empty = _empty(age, self.settings.decoder_window)
        frame, decoder_state = self.decoder.step(content, expression, decoder_state, empty)
        state = torch.cat([first, second], dim=1)
        age = (age + 1).clamp(max=float(window))
        return frame[:, 0] * self.scale, state, decoder_state, age


def _empty(age: Tensor, window: int) -> Tensor:
    """(B, 1, 1, window): -1e9 at the places of a state that hold no frame yet, else 0."""
    back = torch.arange(window - 1, -1, -1, device=age.device)
    return torch.where(back[None] > age, -1e9, 0.0)[:, None, None, :]
