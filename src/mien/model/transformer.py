"""Transformer blocks whose memory is bounded: a sequence form to train, a step form to run.

Self-attention sees the last `window` frames through learned relative positions, so one step costs
the same after an hour as after a second; `step` and `forward` compute the same thing.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def split_heads(x: Tensor, heads: int) -> Tensor:
    """(B, T, d) -> (B, heads, T, d / heads)."""
    B, T, d = x.shape
    return x.view(B, T, heads, d // heads).transpose(1, 2)


def join_heads(x: Tensor) -> Tensor:
    """(B, heads, T, d / heads) -> (B, T, d); inverse of `split_heads`."""
    B, H, T, h = x.shape
    return x.transpose(1, 2).reshape(B, T, H * h)


def banded(bias: Tensor, queries: int, keys: int, first: int) -> Tensor:
    """Spread relative biases over a band of an attention matrix.

    Args:
        bias: (heads, N), one value per relative position.
        queries, keys: size of the matrix.
        first: query i sees the keys i + first … i + first + N - 1, and no others.

    Returns: (heads, queries, keys), -inf outside the band.
    """
    i = torch.arange(queries, device=bias.device)[:, None]
    j = torch.arange(keys, device=bias.device)[None, :]
    place = j - i - first
    inside = (place >= 0) & (place < bias.shape[1])
    spread = bias[:, place.clamp(0, bias.shape[1] - 1)]
    return spread.masked_fill(~inside, float("-inf"))


class SelfAttention(nn.Module):
    """Attention over the last `window` frames (causal), or `window` - 1 to either side."""

    def __init__(self, width: int, heads: int, *, window: int, causal: bool):
        super().__init__()
        self.heads, self.window, self.causal = heads, window, causal
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(heads, window if causal else 2 * window - 1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, T, d) -> (B, T, d)."""
        T = x.shape[1]
        q, k, v = (split_heads(y, self.heads) for y in self.query_key_value(x).chunk(3, dim=-1))
        mask = banded(self.bias, T, T, 1 - self.window)
        return self.out(join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))

    def step(self, x: Tensor, state: Tensor, empty: Tensor) -> tuple[Tensor, Tensor]:
        """One frame of the causal form.

        Args:
            x: (B, 1, d).
            state: (B, 2, window, d), keys and values of the last frames, newest last.
            empty: (B, 1, 1, window), -inf where `state` will hold no frame yet, else 0.

        Returns: (B, 1, d) and the state with this frame in it.
        """
        q, k, v = self.query_key_value(x).chunk(3, dim=-1)
        state = torch.cat([state[:, :, 1:], torch.stack([k, v], dim=1)], dim=2)
        q, k, v = (split_heads(y, self.heads) for y in (q, state[:, 0], state[:, 1]))
        mask = self.bias[None, :, None, :] + empty
        return self.out(join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask))), state


class CrossAttention(nn.Module):
    """Each frame attends to its own few memory rows: speech around it, or the text latents."""

    def __init__(self, width: int, heads: int, *, rows: int):
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(width, width)
        self.key_value = nn.Linear(width, 2 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(heads, rows))

    def along(self, x: Tensor, memory: Tensor) -> Tensor:
        """Frame t of x (B, T, d) sees the rows t … t + rows - 1 of memory (B, T + rows - 1, d)."""
        k, v = (split_heads(y, self.heads) for y in self.key_value(memory).chunk(2, dim=-1))
        mask = banded(self.bias, x.shape[1], memory.shape[1], 0)
        q = split_heads(self.query(x), self.heads)
        return self.out(join_heads(F.scaled_dot_product_attention(q, k, v, attn_mask=mask)))

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """Frame t of x (B, T, d) sees all rows of memory[:, t] (B, T or 1, rows, d)."""
        B, T, d = x.shape
        S, M = memory.shape[1:3]
        key_value = self.key_value(memory).view(B, S, M, 2, self.heads, d // self.heads)
        k, v = key_value.expand(B, T, -1, -1, -1, -1).unbind(dim=3)
        q = self.query(x).view(B, T, self.heads, d // self.heads)
        score = torch.einsum("bthc,btmhc->bthm", q, k) * (d // self.heads) ** -0.5 + self.bias
        return self.out(torch.einsum("bthm,btmhc->bthc", score.softmax(-1), v).reshape(B, T, d))


class Block(nn.Module):
    """Self-attention, cross-attention where there is a memory, and a feed-forward net; pre-norm."""

    def __init__(self, width: int, heads: int, *, window: int, causal: bool, rows: int = 0):
        super().__init__()
        self.before_self = nn.LayerNorm(width)
        self.self_attention = SelfAttention(width, heads, window=window, causal=causal)
        self.before_cross = nn.LayerNorm(width) if rows else None
        self.cross_attention = CrossAttention(width, heads, rows=rows) if rows else None
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width)
        )

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """(B, T, d) -> (B, T, d).

        memory: (B, T + rows - 1, d), seen as by `CrossAttention.along`, or (B, T or 1, rows, d).
        """
        x = self._crossed(x + self.self_attention(self.before_self(x)), memory)
        return x + self.feed_forward(x)

    def step(
        self, x: Tensor, memory: Tensor | None, state: Tensor, empty: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One frame x (B, 1, d) with memory (B, rows, d); the rest as in SelfAttention.step."""
        attended, state = self.self_attention.step(self.before_self(x), state, empty)
        x = self._crossed(x + attended, memory)
        return x + self.feed_forward(x), state

    def _crossed(self, x: Tensor, memory: Tensor | None) -> Tensor:
        if self.cross_attention is None or self.before_cross is None:
            return x
        assert memory is not None, "this block was built with a memory"
        see = self.cross_attention.along if memory.dim() == 3 else self.cross_attention
        return x + see(self.before_cross(x), memory)


class Stack(nn.Module):
    """Four blocks (the paper's depth) and a last norm."""

    def __init__(
        self, width: int, heads: int, layers: int, *, window: int, causal: bool, rows: int = 0
    ):
        super().__init__()
        self.blocks = nn.ModuleList(
            Block(width, heads, window=window, causal=causal, rows=rows) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)

    def forward(self, x: Tensor, memory: Tensor | None = None) -> Tensor:
        """(B, T, d) -> (B, T, d)."""
        for block in self.blocks:
            x = block(x, memory)
        return self.norm(x)

    def step(
        self, x: Tensor, memory: Tensor | None, state: Tensor, empty: Tensor
    ) -> tuple[Tensor, Tensor]:
        """One frame (B, 1, d) with state (B, layers, 2, window, d)."""
        states = []
        for index, block in enumerate(self.blocks):
            x, new = block.step(x, memory, state[:, index], empty)  # type: ignore[operator]
            states.append(new)
        return self.norm(x), torch.stack(states, dim=1)
