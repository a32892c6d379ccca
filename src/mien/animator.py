"""Animator: reads a pack and runs it. Speech is encoded once and animated as often as you like."""

import hashlib
import json
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from mien import audio
from mien.animation import Animation
from mien.errors import MienError
from mien.face import Face
from mien.features import SpeechEncoder, TextEncoder
from mien.life import add_blinks

FORMAT = 1
MAX_LEVEL = 1.5
MAX_MEMBER = 200_000_000  # bytes of a graph: a larger one is no pack of ours
NEUTRAL = "neutral"


@dataclass(frozen=True, eq=False)
class Pack:
    """A trained model: checked, and ready to run."""

    card: dict[str, Any]
    """pack.json: sizes, face, encoders, provenance."""
    step: bytes
    """ONNX graph of one frame."""
    text: bytes
    """ONNX graph of tokens -> text_features."""

    @classmethod
    def read(cls, path: Path | str | None = None) -> "Pack":
        """Read a pack file (default: ours); MienError where it is missing or damaged."""
        path = Path(path or str(resources.files("mien") / "assets" / "default.mien"))
        try:
            with zipfile.ZipFile(path) as file:
                members = {name: _member(file, name) for name in MEMBERS}
            card = json.loads(members["pack.json"])
            sums = card["sha256"]
            whole = all(
                hashlib.sha256(members[name]).hexdigest() == sums[name] for name in MEMBERS[1:]
            )
        except FileNotFoundError:
            raise MienError(f"there is no pack at {path}; give the path of a .mien file") from None
        except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
            raise MienError(f"{path} is not a pack or is damaged ({error}); get it anew") from error
        if not whole:
            raise MienError(f"{path} is damaged: a graph is not what its sha256 says; get it anew")
        if card["format"] != FORMAT:
            raise MienError(
                f"{path} is a pack of format {card['format']}; this version of Mien reads {FORMAT}"
            )
        return cls(card, members["step.onnx"], members["text.onnx"])


MEMBERS = ("pack.json", "step.onnx", "text.onnx")


def _member(file: zipfile.ZipFile, name: str) -> bytes:
    if file.getinfo(name).file_size > MAX_MEMBER:
        raise ValueError(f"{name} is too large")
    return file.read(name)


class Animator:
    """Speech and a description in, an `Animation` out."""

    def __init__(
        self, pack: Pack, face: Face, speech_encoder: SpeechEncoder, text_encoder: TextEncoder
    ):
        """Raises MienError where the pack was trained on another face or other encoders."""
        self.pack, self.face = pack, face
        self.speech_encoder, self.text_encoder = speech_encoder, text_encoder
        for name, own in (
            ("face", face.fingerprint),
            ("speech_encoder", speech_encoder.name),
            ("text_encoder", text_encoder.name),
        ):
            if pack.card[name] != own:
                raise MienError(
                    f"the pack {pack.card['name']!r} was trained with {name} "
                    f"{pack.card[name]!r}, not {own!r}; use that one or train a pack for this one"
                )
        self._step, self._text = _session(pack.step), _session(pack.text)

    def animate(
        self,
        speech: np.ndarray,
        description: str,
        *,
        strength: float = 1.0,
        fps: float = audio.FPS,
        blinks: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> Animation:
        """Animate speech under one description.

        Args:
            speech: (S,) float32 in [-1, 1], 16 kHz, as `audio.decode` returns it.
            description: what the face expresses, in English; empty means neutral.
            strength: level of the expression in [0, 1.5]; 0 is neutral.
            fps: frames per second of the result. The model works at 30 and is resampled.
            blinks: seed of added blinks; None adds none (for measuring).
            progress: called with frames done and frames in all.

        Raises MienError for speech that is too short or not finite, and for values out of range.
        """
        audio.check_fps(fps)
        speech = audio.check_speech(speech)
        features = self.encode_speech(speech)
        coefficients = self.run(features, description, strength=strength, progress=progress)
        weights = self.face.coefficients_to_weights(coefficients)
        weights = _resampled(weights, audio.frame_count(len(speech), fps), fps)
        if blinks is not None:
            weights = self.face.limit(add_blinks(weights, fps=fps, seed=blinks))
        return Animation(weights.astype(np.float32), fps, self.face, speech)

    def encode_speech(self, speech: np.ndarray) -> np.ndarray:
        """speech (S,) -> speech_features (T, 384) at 30 frames a second."""
        return self.speech_encoder.encode(speech, fps=audio.FPS)

    def encode_description(self, description: str) -> np.ndarray:
        """A description -> text_features (latents, 384); these interpolate."""
        tokens = self.text_encoder.encode(description.strip() or NEUTRAL)[None]
        padding = np.zeros(tokens.shape[:2], np.float32)
        return self._text.run(None, {"tokens": tokens, "padding": padding})[0][0]  # type: ignore

    def run(
        self,
        features: np.ndarray,
        description: str,
        *,
        strength: float = 1.0,
        progress: Callable[[int, int], None] | None = None,
    ) -> np.ndarray:
        """speech_features (T, 384) and a description -> coefficients (T, K), metres."""
        check_strength(strength)
        text = self.encode_description(description)[None]
        level = np.full((1, 1), strength if description.strip() else 0.0, np.float32)
        card, reach = self.pack.card, self.pack.card["reach"]
        around = np.pad(features, ((reach, reach), (0, 0)), mode="edge")[None]
        past = np.zeros((1, card["coefficients"]), np.float32)
        state, decoder_state = (
            np.zeros(card[name], np.float32) for name in ("state", "decoder_state")
        )
        age = np.zeros((1, 1), np.float32)
        frames = np.empty((len(features), card["coefficients"]), np.float32)
        for t in range(len(features)):
            inputs = {
                "past": past,
                "speech": around[:, t : t + 2 * reach + 1],
                "text": text,
                "level": level,
                "state": state,
                "decoder_state": decoder_state,
                "age": age,
            }
            past, state, decoder_state, age = self._step.run(None, inputs)  # type: ignore
            frames[t] = past[0]
            if progress:
                progress(t + 1, len(features))
        return frames


def check_strength(strength: float) -> float:
    """Return it; MienError unless it is a number from 0 to 1.5."""
    if not 0 <= strength <= MAX_LEVEL:
        raise MienError(f"strength is {strength}; a number from 0 to {MAX_LEVEL} is wanted")
    return strength


def load(pack: Path | str | None = None) -> Animator:
    """Load the default pack, or one from a path, with its face and encoders."""
    return Animator(Pack.read(pack), Face.load(), SpeechEncoder.load(), TextEncoder.load())


def _session(graph: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    # One frame is too little work to share: two threads were slower than one.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def _resampled(weights: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """(T, U) at 30 frames a second -> (frames, U) at fps, linearly in time."""
    if fps == audio.FPS:
        return weights[:frames]
    place = np.clip(audio.frame_times(frames, fps) * audio.FPS, 0, len(weights) - 1)
    low = np.minimum(place.astype(int), len(weights) - 2) if len(weights) > 1 else place.astype(int)
    share = (place - low)[:, None].astype(np.float32)
    return weights[low] * (1 - share) + weights[np.minimum(low + 1, len(weights) - 1)] * share
