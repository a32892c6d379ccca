"""Tiny offline stand-ins for the frozen encoders: same calls and shapes, no weights.

They answer at once and always alike, so tests of what is built on top of the encoders need neither
the packages of weights nor time.
"""

import zlib
from collections.abc import Mapping, Sequence

import numpy as np

from mien.features import FEATURE_SIZE, MEL_SIZE, SpeechEncoder, check_description


def random_projection(rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """(rows, columns) float32 that keeps lengths on average."""
    values = np.random.default_rng(seed).normal(size=(rows, columns)) / np.sqrt(rows)
    return values.astype(np.float32)


def twin_speech_encoder() -> SpeechEncoder:
    """The real windows and loudness, with a random projection of the log-mel as the network."""
    projection = random_projection(MEL_SIZE, FEATURE_SIZE)
    return SpeechEncoder("twin", lambda mels: np.swapaxes(mels[:, :, ::2], 1, 2) @ projection)


class TwinTextEncoder:
    """One random vector for each word, the same wherever and whenever the word comes."""

    name = "twin"
    size = FEATURE_SIZE

    def encode(self, description: str) -> np.ndarray:
        """Return tokens (L, 384) float32: begin, one for each word, end."""
        seeds = self.ids(description)
        return np.stack([np.random.default_rng(s).normal(size=FEATURE_SIZE) for s in seeds]).astype(
            np.float32
        )

    def ids(self, description: str) -> list[int]:
        """Return a number for each word, begin and end."""
        words = ["[begin]", *check_description(description).lower().split(), "[end]"]
        return [zlib.crc32(word.encode()) for word in words]

    def tuned(self, differences: Mapping[str, np.ndarray]) -> "TwinTextEncoder":
        """There is nothing to tune."""
        raise AssertionError("the twin has no weights")

    def embed(self, texts: Sequence[str], *, progress: bool = False) -> np.ndarray:
        """Return embeddings (N, 384): the means of the tokens, of length 1."""
        means = np.stack([self.encode(text).mean(axis=0) for text in texts])
        return means / np.linalg.norm(means, axis=1, keepdims=True)
