"""Stage 1 of the paper: the content encoder E_con, the expression encoder E_exp, the decoder D."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.model.settings import ModelSettings
from mien.model.transformer import Stack


class Encoder(nn.Module):
    """Coefficients of an animation -> one feature per frame, seeing a few frames to either side.

    Features have zero mean and unit variance over their channels, so that the triplet losses
    cannot be met by growing them.
    """

    def __init__(self, settings: ModelSettings):
        super().__init__()
        s = settings
        self.read = nn.Linear(s.coefficients, s.width)
        self.stack = Stack(s.width, s.heads, s.layers, window=s.encoder_window, causal=False)
        self.write = nn.Linear(s.width, s.feature_size)

    def forward(self, coefficients: Tensor) -> Tensor:
        """(B, T, K), in units of the global scale -> (B, T, feature_size)."""
        return unit_feature(self.write(self.stack(self.read(coefficients))))


class Decoder(nn.Module):
    """Content and expression features -> coefficients of the current frame (causal)."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        s = settings
        self.read = nn.Linear(2 * s.feature_size, s.width)
        self.stack = Stack(s.width, s.heads, s.layers, window=s.decoder_window, causal=True)
        self.write = nn.Linear(s.width, s.coefficients)
        nn.init.zeros_(self.write.weight)
        nn.init.zeros_(self.write.bias)

    def forward(self, content: Tensor, expression: Tensor) -> Tensor:
        """Two (B, T, feature_size) -> (B, T, K), in units of the global scale."""
        return self.write(self.stack(self.read(torch.cat([content, expression], dim=-1))))

    def step(
        self, content: Tensor, expression: Tensor, state: Tensor, empty: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One frame: two (B, 1, feature_size) -> (B, 1, K); state as in Stack.step."""
        x = self.read(torch.cat([content, expression], dim=-1))
        x, state = self.stack.step(x, None, state, empty)
        return self.write(x), state


class AutoEncoder(nn.Module):
    """E_con, E_exp and D together."""

    def __init__(self, settings: ModelSettings):
        super().__init__()
        self.content_encoder = Encoder(settings)
        self.expression_encoder = Encoder(settings)
        self.decoder = Decoder(settings)


def unit_feature(x: Tensor) -> Tensor:
    """Zero mean and unit variance over the last axis."""
    return F.layer_norm(x, x.shape[-1:])
