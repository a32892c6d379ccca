"""The text encoder in PyTorch, its weights read from the installed ONNX model, for tuning it.

BERT with post-norm (Devlin and others, 2019), as all-MiniLM-L6-v2 has it. Everything is frozen but
the differences that `mien.tuning` puts into the model when a pack is used.
"""

import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from mien.model.transformer import join_heads, split_heads
from mien.tuning import GAIN, PARTS, initializers, linears, weight_of

HEADS = 12
EPSILON = 1e-12
DROPOUT = 0.1
"""Share of what a block adds that is hidden while it is tuned, as when BERT was trained."""


class Differences(nn.Module):
    """What is learned: two factors for each linear layer of the text encoder (LoRA)."""

    def __init__(self, sizes: dict[str, tuple[int, int]], rank: int):
        """`sizes`: layer -> (in, out)."""
        super().__init__()
        self.names = list(sizes)
        self.a = nn.ParameterList(
            nn.Parameter(torch.randn(rank, size) * size**-0.5) for size, _ in sizes.values()
        )
        self.b = nn.ParameterList(
            nn.Parameter(torch.zeros(size, rank)) for _, size in sizes.values()
        )
        self._place = {name: place for place, name in enumerate(self.names)}

    def added(self, name: str, x: Tensor) -> Tensor:
        """What the difference of a layer adds to its output, for the input x (…, in)."""
        place = self._place[name]
        return GAIN * F.linear(F.linear(x, self.a[place]), self.b[place])

    def arrays(self) -> dict[str, np.ndarray]:
        """The factors as `mien.tuning.merged` takes them, float16."""
        return {
            f"{name}.{factor}": values[place].detach().cpu().numpy().astype(np.float16)
            for place, name in enumerate(self.names)
            for factor, values in (("a", self.a), ("b", self.b))
        }


class MiniLM(nn.Module):
    """Token ids to tokens, with the differences at work."""

    def __init__(self, model: bytes, device: str):
        """Read the frozen weights from the bytes of the ONNX model."""
        super().__init__()
        tensors = {name: values.to(device) for name, values in _tensors(model).items()}
        self.linears = {
            name: tuple(torch.tensor(x, device=device) for x in pair)
            for name, pair in _linears(model).items()
        }
        self.norms = {
            name.removesuffix(".weight"): (values, tensors[name.removesuffix("weight") + "bias"])
            for name, values in tensors.items()
            if name.endswith("LayerNorm.weight")
        }
        self.words = tensors["embeddings.word_embeddings.weight"]
        self.places = tensors["embeddings.position_embeddings.weight"]
        self.kind = tensors["embeddings.token_type_embeddings.weight"][0]
        self.blocks = len(self.linears) // len(PARTS)

    @property
    def sizes(self) -> dict[str, tuple[int, int]]:
        """Layer -> (in, out)."""
        return {name: (w.shape[1], w.shape[0]) for name, (w, _) in self.linears.items()}

    def forward(self, ids: Tensor, padding: Tensor, differences: Differences) -> Tensor:
        """ids (B, L), padding (B, L) of 0 or -inf -> tokens (B, L, 384)."""
        x = self.words[ids] + self.places[: ids.shape[1]] + self.kind
        x = self._normed("embeddings.LayerNorm", x)

        def dropped(x: Tensor) -> Tensor:
            return F.dropout(x, DROPOUT, differences.training)

        for block in range(self.blocks):
            name = f"encoder.layer.{block}"

            def layer(part: str, x: Tensor, name: str = name) -> Tensor:
                whole = f"{name}.{part}"
                return F.linear(x, *self.linears[whole]) + differences.added(whole, x)

            q, k, v = (split_heads(layer(part, x), HEADS) for part in PARTS[:3])
            # Written out: PyTorch's fused attention is slow on CPUs in its backward pass.
            score = q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5 + padding[:, None, None]
            seen = join_heads(score.softmax(-1).to(v.dtype) @ v)
            seen = layer(PARTS[3], seen)
            x = self._normed(f"{name}.attention.output.LayerNorm", x + dropped(seen))
            inner = layer(PARTS[5], F.gelu(layer(PARTS[4], x)))
            x = self._normed(f"{name}.output.LayerNorm", x + dropped(inner))
        return x

    def _normed(self, name: str, x: Tensor) -> Tensor:
        return F.layer_norm(x, x.shape[-1:], *self.norms[name], eps=EPSILON)


def _tensors(model: bytes) -> dict[str, Tensor]:
    """Name, from `embeddings` or `encoder` on -> values of all but the linear layers' weights."""
    raw, found = initializers(model), {}
    for name, (start, stop) in raw.items():
        known = re.search(r"(?:^|\.)((?:embeddings|encoder)\..*\.(?:weight|bias))(_q)?$", name)
        if not known:
            continue
        if known[2]:
            scale = np.frombuffer(
                model[slice(*raw[f"{name.removesuffix('_q')}_scale"])], np.float32
            )
            values = np.frombuffer(model[start:stop], np.int8).reshape(len(scale), -1)
            values = values * scale[:, None]
        else:
            values = np.frombuffer(model[start:stop], np.float32)
        found[known[1]] = torch.tensor(values)
    width = len(found["embeddings.LayerNorm.weight"])
    return {
        name: values.view(-1, width) if name.endswith("embeddings.weight") else values
        for name, values in found.items()
    }


def _linears(model: bytes) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Layer -> weight (out, in) and bias (out,), as PyTorch has them."""
    biases = _tensors(model)
    found = {}
    for name, place in linears(model).items():
        bias = biases[f"{name}.bias"].numpy()
        start, stop = place.weight
        size = 1 if place.scale else 4
        inputs = (stop - start) // size // len(bias)
        found[name] = weight_of(model, place, inputs=inputs).T.copy(), bias
    return found
