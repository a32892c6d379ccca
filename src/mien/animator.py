"""Animator: runs a pack. Speech is encoded once and may be animated under many descriptions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

from mien import audio
from mien.animation import Animation
from mien.errors import MienError
from mien.face import Face
from mien.features import SpeechEncoder, TextEncoder, check_description
from mien.finish import finish
from mien.life import add_blinks
from mien.packfile import Card, Pack

MAX_LEVEL = 1.5
NEUTRAL = "neutral"
"""What an empty description is read as, at level 0."""
SILENT = 4
"""ONNX Runtime's log level at which it prints nothing: what goes wrong is raised and said once."""

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames in all."""


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
            if (trained := getattr(pack.card, name)) != own:
                raise MienError(
                    f"the pack {pack.card.name!r} was trained with {name} {trained!r}, "
                    f"not {own!r}; use that one or train a pack for this one"
                )
        self._step, self._text = (_session(graph, pack.card) for graph in (pack.step, pack.text))
        self._check_sizes()

    def animate(
        self,
        speech: np.ndarray,
        description: str,
        *,
        strength: float = 1.0,
        fps: float = audio.FPS,
        blinks: int | None = None,
        features: np.ndarray | None = None,
        progress: Progress | None = None,
    ) -> Animation:
        """Animate speech under one description.

        Args:
            speech: (S,) float32 in [-1, 1], 16 kHz, as `audio.decode` returns it.
            description: what the face expresses, in English; empty means neutral.
            strength: level of the expression in [0, 1.5]; 0 is neutral.
            fps: frames per second of the result. The model works at 30 and is resampled.
            blinks: seed of added blinks; None adds none (for measuring).
            features: `encode_speech(speech)` where that was done before.
            progress: called with frames done and frames in all, first with 0 done.

        Raises MienError for speech that is too short or not finite, and for values out of range,
        before anything is computed.
        """
        audio.check_fps(fps)
        speech = audio.check_speech(speech)
        wanted = audio.frame_count(len(speech))
        if features is not None and len(features) != wanted:
            raise MienError(f"{len(features)} features are not of this speech; give {wanted}")
        text, level = self._asked(description, strength)
        if progress:
            progress(0, wanted)
        if features is None:
            features = self.encode_speech(speech)
        weights = self.solve(self.roll(features, text, level, progress))
        weights = resampled(weights, audio.frame_count(len(speech), fps), fps)
        if blinks is not None:
            weights = add_blinks(weights, fps=fps, seed=blinks)
        return Animation(self.face.limit(weights), fps, self.face, speech)

    def encode_speech(self, speech: np.ndarray) -> np.ndarray:
        """speech (S,) -> speech_features (T, 384) at 30 frames a second."""
        return self.speech_encoder.encode(speech, fps=audio.FPS)

    def encode_description(self, description: str) -> np.ndarray:
        """A description -> text_features (8, 384); these interpolate."""
        tokens = self.text_encoder.encode(check_description(description) or NEUTRAL)[None]
        padding = np.zeros(tokens.shape[:2], np.float32)
        (features,) = _run(self._text, {"tokens": tokens, "padding": padding})
        return features[0]

    def run(
        self,
        features: np.ndarray,
        description: str,
        *,
        strength: float = 1.0,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """speech_features (T, 384) and a description -> coefficients (T, K), metres."""
        text, level = self._asked(description, strength)
        return self.roll(features, text, level, progress)

    def _asked(self, description: str, strength: float) -> tuple[np.ndarray, float]:
        """Return text_features and level; MienError as `level_of` and `check_description`."""
        level = level_of(description, strength)
        # At level 0 every description means the same, and the networks only nearly know it.
        return self.encode_description(description if level else ""), level

    def roll(
        self,
        features: np.ndarray,
        text: np.ndarray,
        level: float,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Make frame after frame, each from those before it.

        speech_features (T, 384), text_features (8, 384) and the level in [0, 1.5] ->
        coefficients (T, K) float32, metres. Frame t hears the features t - reach … t + reach; the
        first and the last feature stand for those beyond the ends.
        """
        card = self.pack.card
        near = np.arange(-card.reach, card.reach + 1)
        features, text = np.asarray(features, np.float32), np.asarray(text, np.float32)
        still = {"text": text[None], "level": np.full((1, 1), level, np.float32)}
        state = {name: np.zeros(shape, np.float32) for name, shape in _state_shapes(card).items()}
        frames = np.empty((len(features), card.coefficients), np.float32)
        for t in range(len(features)):
            heard = features.take(t + near, axis=0, mode="clip")[None]
            # Each step gives what the next one takes, in the same order.
            outputs = _run(self._step, {"speech": heard, **still, **state})
            state = dict(zip(state, outputs, strict=True))
            frames[t] = state["past"]
            if progress:
                progress(t + 1, len(features))
        return frames

    def solve(self, coefficients: np.ndarray) -> np.ndarray:
        """coefficients (T, K) at 30 frames a second -> weights (T, 52), their contacts made."""
        return finish(self.face.coefficients_to_weights(coefficients), self.face)

    def _check_sizes(self) -> None:
        """Hold the step's graph to the card: what does not fit would fail in the middle."""
        card = self.pack.card
        wanted = {
            "speech": (1, 2 * card.reach + 1, card.speech_size),
            "text": (1, *card.text_features),
            "level": (1, 1),
            **_state_shapes(card),
        }
        found = {value.name: tuple(value.shape) for value in self._step.get_inputs()}
        if found != wanted or len(self.face.unit_names) != card.coefficients:
            raise MienError(f"the pack {card.name!r} does not fit its own card; get it anew")


def level_of(description: str, strength: float) -> float:
    """Return the level of the expression: `strength`, or 0 where the description is empty.

    Raises MienError unless `strength` is a number from 0 to 1.5.
    """
    check_strength(strength)
    return strength if check_description(description) else 0.0


def check_strength(strength: float) -> float:
    """Return it; MienError unless it is a number from 0 to 1.5."""
    if not 0 <= strength <= MAX_LEVEL:
        raise MienError(f"strength is {strength}; a number from 0 to {MAX_LEVEL} is wanted")
    return strength


def load(pack: Path | str | None = None) -> Animator:
    """Load the default pack, or one from a path, with its face and encoders."""
    return Animator(Pack.read(pack), Face.load(), SpeechEncoder.load(), TextEncoder.load())


def resampled(weights: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """Weights (T, U) at 30 frames a second, T ≥ 2 -> (frames, U) at fps, linearly in time."""
    place = np.minimum(audio.frame_times(frames, fps) * audio.FPS, len(weights) - 1)
    low = np.minimum(place.astype(int), len(weights) - 2)
    share = (place - low)[:, None].astype(np.float32)
    return weights[low] * (1 - share) + weights[low + 1] * share


def _state_shapes(card: Card) -> dict[str, tuple[int, ...]]:
    """What a step takes from the one before it."""
    return {
        "past": (1, card.coefficients),
        "state": card.state,
        "decoder_state": card.decoder_state,
        "age": (1, 1),
    }


def _session(graph: bytes, card: Card) -> InferenceSession:
    options = SessionOptions()
    # One frame is too little work to share: two threads were slower than one.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = SILENT
    try:
        return InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no other base
        raise MienError(f"the pack {card.name!r} cannot be run{_why(error)}") from error


def _run(session: InferenceSession, inputs: dict[str, np.ndarray]) -> list[np.ndarray]:
    try:
        return session.run(None, inputs)  # type: ignore[return-value]
    except Exception as error:  # as above
        raise MienError(f"a graph of the pack cannot be run{_why(error)}") from error


def _why(error: Exception) -> str:
    """The first line of what ONNX Runtime says, and what to do."""
    return f" ({str(error).splitlines()[0]}); get it anew"
