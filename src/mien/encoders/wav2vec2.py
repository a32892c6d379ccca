"""wav2vec 2.0 (Baevski and others, 2020), the paper's ears, through `transformers`.

It hears a recording as a whole, as in the paper; one of more than half a minute in parts that
overlap and fade into each other. Feature i is at sample 320 i: half of what a feature sees is put
before the beginning, which the paper and its models leave out (12.5 ms).
"""

from pathlib import Path
from typing import Any

import numpy as np

from mien import audio
from mien.encoders import weights
from mien.encoders.cache import Cache
from mien.errors import MienError
from mien.features import FRAME, at_frames

PRETRAINED = weights.Pretrained(
    what="wav2vec 2.0 model",
    hub="facebook/wav2vec2-base-960h",
    kinds=("wav2vec2",),
    unused=("masked_spec_embed",),
)
CHUNK = 1500  # features heard at once (30 s)
OVERLAP = 200  # features, at least, in which two parts fade into each other (4 s)
SILENT = 1e-7  # variance below which sound is left as quiet as it is, as in the models' own reader


class Wav2Vec2Encoder:
    """Speech to features, by the last layer of wav2vec 2.0."""

    def __init__(self, model: Any, *, normalise: bool, cache: Cache | None = None):
        """Take a `Wav2Vec2Model` and whether its sound is brought to mean 0 and variance 1.

        Raises MienError where its features are not 20 ms apart.
        """
        config = model.config
        self.size = int(config.hidden_size)
        self.field, hop = 1, 1
        for kernel, stride in zip(config.conv_kernel, config.conv_stride, strict=True):
            self.field += (kernel - 1) * hop
            hop *= stride
        if hop != FRAME:
            raise MienError(
                f"this wav2vec 2.0 model makes a feature of every {hop} samples; one of every "
                f"{FRAME} is wanted, as {PRETRAINED.hub} makes them"
            )
        facts = (
            normalise,
            config.num_attention_heads,
            config.hidden_act,
            config.feat_extract_norm,
            config.do_stable_layer_norm,
            config.layer_norm_eps,
        )
        layers = config.num_hidden_layers
        summed = weights.sum_of(PRETRAINED, model, facts)
        self.name = f"wav2vec2 {layers}x{self.size} {summed} {CHUNK}/{OVERLAP}"
        self._model, self._normalise, self._cache = model, normalise, cache

    @classmethod
    def load(
        cls, path: Path | str | None = None, *, cache: Cache | None = None
    ) -> "Wav2Vec2Encoder":
        """Load from a folder or a hub id (default: facebook/wav2vec2-base-960h).

        Raises MienError where it is missing, incomplete or no wav2vec 2.0 model.
        """
        source = weights.source_of(PRETRAINED, path)
        model = weights.load(PRETRAINED, "Wav2Vec2Model", source)
        reader = weights.read(
            PRETRAINED, source, weights.library().Wav2Vec2FeatureExtractor.from_pretrained
        )
        if reader.sampling_rate != audio.SPEECH_RATE:
            raise MienError(
                f"{source} hears sound of {reader.sampling_rate} Hz; one of "
                f"{audio.SPEECH_RATE} Hz is wanted, such as {PRETRAINED.hub}"
            )
        return cls(model, normalise=bool(reader.do_normalize), cache=cache)

    def encode(
        self, speech: np.ndarray, *, fps: float = audio.FPS, phase: float = 0.0
    ) -> np.ndarray:
        """Return speech_features (T, C) float32 of speech (S,), T = frame_count(S, fps).

        `phase` in [0, 1) moves the grid of 20 ms by that part of it. A cache keeps them in float16.
        """
        assert 0.0 <= phase < 1.0
        speech = audio.check_speech(speech)
        count = audio.frame_count(len(speech), audio.check_fps(fps))
        shift = round(phase * FRAME)
        if self._cache is None:
            features = self._heard(speech, shift)
        else:
            key = (self.name, shift, speech.tobytes())
            kept = self._cache.get(key, lambda: self._heard(speech, shift).astype(np.float16))
            features = kept.astype(np.float32)
        return at_frames(features, count, fps, before=shift / FRAME)

    def _heard(self, speech: np.ndarray, shift: int) -> np.ndarray:
        """Return features (N, C) at 50 Hz, the first at sample -shift, the last beyond the end."""
        if self._normalise:
            speech = (speech - speech.mean()) / np.sqrt(speech.var() + SILENT)
        count = -(-(len(speech) + shift) // FRAME) + 1
        around = self.field // 2 + shift
        length = (count - 1) * FRAME + self.field
        padded = np.pad(speech, (around, max(length - around - len(speech), 0)))
        if count <= CHUNK:
            return self._encode(padded[:length])
        total = np.zeros((count, self.size), np.float32)
        shares = np.zeros((count, 1), np.float32)
        for start in _starts(count):
            samples = padded[start * FRAME : (start + CHUNK - 1) * FRAME + self.field]
            share = _share(first=start == 0, last=start + CHUNK == count)
            total[start : start + CHUNK] += share * self._encode(samples)
            shares[start : start + CHUNK] += share
        return total / shares

    def _encode(self, samples: np.ndarray) -> np.ndarray:
        """Samples ((N - 1) · 320 + field,) -> features (N, C)."""
        import torch

        values = torch.from_numpy(samples.astype(np.float32))[None].to(self._model.device)
        with torch.inference_mode():
            return self._model(values).last_hidden_state[0].float().cpu().numpy()


def _starts(count: int) -> list[int]:
    """Where parts of CHUNK features begin, as few as overlap enough, evenly until `count`."""
    parts = -(-(count - OVERLAP) // (CHUNK - OVERLAP))
    return [round(start) for start in np.linspace(0, count - CHUNK, parts)]


def _share(*, first: bool, last: bool) -> np.ndarray:
    """What each feature of a part counts (CHUNK, 1): less towards an end where another part is."""
    up = (np.arange(CHUNK, dtype=np.float32) + 1) / (OVERLAP + 1)
    rising = np.ones_like(up) if first else np.minimum(up, 1)
    falling = np.ones_like(up) if last else np.minimum(up[::-1], 1)
    return (rising * falling)[:, None]
