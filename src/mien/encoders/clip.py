"""CLIP's text encoder (Radford and others, 2021), the paper's reading, through `transformers`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from mien.encoders import weights
from mien.encoders.cache import Cache
from mien.errors import MienError
from mien.features import TokenReader, check_description

PRETRAINED = weights.Pretrained(
    what="CLIP text encoder",
    hub="openai/clip-vit-base-patch32",
    kinds=("clip", "clip_text_model"),
)


class ClipTextEncoder(TokenReader):
    """A description to the features of its tokens; its embedding is that of the last one.

    CLIP reads from left to right, so its last token has seen all others. What CLIP projects to meet
    pictures is left out.
    """

    def __init__(self, model: Any, tokenizer: Any, *, cache: Cache | None = None):
        """Take a `CLIPTextModel` and its `CLIPTokenizer`."""
        config = model.config
        self.size = int(config.hidden_size)
        self.longest = int(config.max_position_embeddings)
        facts = (
            sorted(tokenizer.get_vocab().items()),
            config.num_attention_heads,
            config.hidden_act,
            config.layer_norm_eps,
        )
        summed = weights.sum_of(PRETRAINED, model, facts)
        self.name = f"clip {config.num_hidden_layers}x{self.size} {summed}"
        self._model, self._tokenizer, self._cache = model, tokenizer, cache

    @classmethod
    def load(
        cls, path: Path | str | None = None, *, cache: Cache | None = None
    ) -> "ClipTextEncoder":
        """Load from a folder or a hub id (default: openai/clip-vit-base-patch32).

        Raises MienError where it is missing, incomplete or no CLIP model.
        """
        source = weights.source_of(PRETRAINED, path)
        model = weights.load(PRETRAINED, "CLIPTextModel", source)
        reader = weights.library().CLIPTokenizer.from_pretrained
        tokenizer = weights.read(PRETRAINED, source, reader)
        if max(tokenizer.get_vocab().values()) >= model.config.vocab_size:
            raise MienError(f"the tokenizer in {source} is of another model; get the folder anew")
        return cls(model, tokenizer, cache=cache)

    def encode(self, description: str) -> np.ndarray:
        """Return tokens (L, C) float32, from the one that begins to the one that ends.

        Raises MienError for a description of more than 1,000 characters or, mostly, 77 tokens.
        """
        if self._cache is None:
            return super().encode(description)
        key = (self.name, check_description(description))
        read = super().encode
        return self._cache.get(key, lambda: read(description))

    def tuned(self, differences: Mapping[str, np.ndarray]) -> "ClipTextEncoder":
        """Refused: differences are learned of MiniLM alone."""
        raise MienError(
            f"the pack's tuning does not fit the text encoder {self.name}: only minilm is tuned; "
            "get the pack anew"
        )

    def _pieces(self, description: str) -> list[int]:
        # `verbose` would print that a long one is too long, which `ids` says.
        return list(self._tokenizer(description, verbose=False)["input_ids"])

    def _read(self, pieces: list[list[int]]) -> np.ndarray:
        import torch

        ids = torch.tensor(pieces, device=self._model.device)
        with torch.inference_mode():
            return self._model(ids).last_hidden_state.float().cpu().numpy()

    def _pooled(self, tokens: np.ndarray) -> np.ndarray:
        return tokens[:, -1]
