"""What a description is pooled to: tokens of any number to text_features, which interpolate."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.model.settings import ModelSettings
from mien.model.transformer import join_heads, split_heads


class Reader(nn.Module):
    """A block in which tokens see each other, in both directions; pre-norm."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.before = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(B, L, d), mask (B, 1, 1, L) of 0 at a token and -inf beyond the last -> (B, L, d)."""
        q, k, v = self.query_key_value(self.before(x)).chunk(3, dim=-1)
        q, k, v = (split_heads(y, self.heads) for y in (q, k, v))
        seen = join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype)))
        x = x + self.dropout(self.out(seen))
        return x + self.dropout(self.feed_forward(x))


class TextPooler(nn.Module):
    """Tokens of a description (any number) -> text_features: a few latents that interpolate.

    The tokens are a general reader's; a few blocks of our own read them again for what concerns a
    face, such as which word a "not" or a "left" belongs to.
    """

    def __init__(self, settings: ModelSettings):
        super().__init__()
        s = settings
        self.norm = nn.LayerNorm(s.text_size)
        self.dropout = nn.Dropout(s.text_dropout)
        self.read = nn.Linear(s.text_size, s.text_width)
        self.blocks = nn.ModuleList(
            Reader(s.text_width, s.heads, s.text_dropout) for _ in range(s.text_layers)
        )
        self.queries = nn.Parameter(torch.randn(s.text_latents, s.text_width) * 0.5)
        self.write = nn.Linear(s.text_width, s.text_size)

    def forward(self, tokens: Tensor, padding: Tensor) -> Tensor:
        """tokens (B, L, text_size), padding (B, L) of 0 or -inf -> (B, latents, text_size).

        Each latent is the mean of the tokens plus what its own query picks from their reading.
        """
        tokens = self.dropout(self.norm(tokens))
        x = self.read(tokens)
        for block in self.blocks:
            x = block(x, padding[:, None, None])
        score = self.queries @ x.transpose(1, 2) * x.shape[-1] ** -0.5
        picked = (score + padding[:, None]).softmax(-1) @ x
        mean = padding.exp()[:, None] @ tokens / padding.exp().sum(-1)[:, None, None]
        return mean + self.write(picked)
