"""Animator: runs a pack. Speech is encoded once and may be animated under many descriptions."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from onnxruntime import InferenceSession, SessionOptions  # type: ignore[attr-defined]

from mien import audio, encoders, lips
from mien.animation import Animation
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.features import HearsSpeech, ReadsText, check_description
from mien.life import add_life
from mien.packfile import Card, Pack
from mien.timeline import Timeline

NEUTRAL = "neutral"
"""What an empty description is read as, at level 0."""
RUN_UP = 180
"""Frames that a cue is played before it shows: then the face is at home in it, as if it had held
from the beginning."""
SILENT = 4
"""ONNX Runtime's log level at which it prints nothing: what goes wrong is raised and said once."""

Progress = Callable[[int, int], None]
"""Called with the frames done and the frames in all."""


class Animator:
    """Speech and a description in, an `Animation` out."""

    def __init__(
        self, pack: Pack, face: Face, speech_encoder: HearsSpeech, text_encoder: ReadsText
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
        self.plain_text_encoder = text_encoder
        """Untuned: it tells strangers from descriptions of faces better than the tuned one."""
        if pack.tuning:
            self.text_encoder = text_encoder.tuned(pack.tuning)
        self._step, self._text = (_session(graph, pack.card) for graph in (pack.step, pack.text))
        self._demands = _session(pack.demands, pack.card) if pack.demands else None
        self._check_sizes()

    def animate(
        self,
        speech: np.ndarray,
        description: str | Timeline,
        *,
        strength: float = 1.0,
        fps: float = audio.FPS,
        life: int | None = None,
        actor: str | None = None,
        features: np.ndarray | None = None,
        progress: Progress | None = None,
    ) -> Animation:
        """Animate speech under a description, or under several one after the other.

        Args:
            speech: (S,) float32 in [-1, 1], 16 kHz, as `audio.decode` returns it.
            description: what the face expresses, in English; empty means neutral. A `Timeline`
                says it over time.
            strength: level of the expression in [0, 1.5]; 0 is neutral. Every strength of a
                timeline is multiplied by it, and a product over 1.5 counts as 1.5.
            fps: frames per second of the result. The model works at 30 and is resampled.
            life: seed of blinks, glances and head movement; None adds none (for measuring), and
                a face without ARKit's units has none.
            actor: whose way of speaking and looking, of those that the pack tells apart
                (`pack.card.actors`); None is the mean of all.
            features: `encode_speech(speech)` where that was done before.
            progress: called with frames done and frames in all, first with 0 done.

        Raises MienError for speech that is too short or not finite, for values out of range, for
        an unknown actor, and for a cue after the end of the speech, before anything is computed.
        """
        audio.check_fps(fps)
        if life is not None and life < 0:
            raise MienError(f"the seed of life is {life}; a whole number from 0 on is wanted")
        speech = audio.check_speech(speech)
        self.pack.card.actor_shares(actor)
        wanted = audio.frame_count(len(speech))
        if features is not None and len(features) != wanted:
            raise MienError(f"{len(features)} features are not of this speech; give {wanted}")
        timeline = timeline_of(description, strength, audio.samples_to_seconds(len(speech)))
        asked = self._asked(timeline)
        if progress:
            progress(0, wanted)
        if features is None:
            features = self.encode_speech(speech)
        shares = timeline.shares(audio.frame_times(wanted))
        weights = self.solve(self._faded(features, asked, shares, actor, progress), features)
        weights = resampled(weights, audio.frame_count(len(speech), fps), fps)
        head = None
        if life is not None and self._has_our_units:
            weights, head = add_life(weights, fps=fps, seed=life, speech=speech)
        return Animation(self.face.limit(weights), fps, self.face, speech, head)

    def encode_speech(self, speech: np.ndarray) -> np.ndarray:
        """speech (S,) -> speech_features (T, C) at 30 frames a second."""
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
        description: str | Timeline,
        *,
        strength: float = 1.0,
        actor: str | None = None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """speech_features (T, C) and what `animate` takes -> coefficients (T, K), metres."""
        frames = len(features)
        timeline = timeline_of(description, strength, audio.frame_to_seconds(frames))
        shares = timeline.shares(audio.frame_times(frames))
        return self._faded(features, self._asked(timeline), shares, actor, progress)

    def _asked(self, timeline: Timeline) -> list[tuple[np.ndarray, float]]:
        """Return text_features and level of each cue; a description is encoded once."""
        # At level 0 every description means the same, and the networks only nearly know it.
        asked = [
            check_description(cue.description) if cue.strength else "" for cue in timeline.cues
        ]
        known = {text: self.encode_description(text) for text in set(asked)}
        strengths = [cue.strength for cue in timeline.cues]
        return [
            (known[text], strength if text else 0.0)
            for text, strength in zip(asked, strengths, strict=True)
        ]

    def _faded(
        self,
        features: np.ndarray,
        asked: Sequence[tuple[np.ndarray, float]],
        shares: np.ndarray,
        actor: str | None,
        progress: Progress | None = None,
    ) -> np.ndarray:
        """Roll each cue by itself where it has a share, and fade the faces into each other.

        speech_features (T, C), text and level of C cues and their shares (T, C) -> coefficients
        (T, K), metres. All say the same, so what is shut in both faces is shut between them. Were
        text_features mixed instead, the face would stay with what it has been, and then jump.
        """
        length, done = len(features), 0
        frames = np.zeros((length, self.pack.card.coefficients), np.float32)
        for (text, level), share in zip(asked, shares.T, strict=True):
            shown = np.flatnonzero(share)
            if not len(shown):
                continue  # cut off by the next cue before its first frame
            begin, end = max(shown[0] - RUN_UP, 0), shown[-1] + 1

            def show(now: int, _: int, begin: int = begin) -> None:
                nonlocal done
                if progress and done < begin + now <= length:
                    done = begin + now
                    progress(done, length)

            heard = features[begin : end + self.pack.card.reach]
            rolled = self.roll(heard, text, level, show, actor=actor)[: end - begin]
            frames[begin:end] += share[begin:end, None] * rolled
        return frames

    def roll(
        self,
        features: np.ndarray,
        text: np.ndarray,
        level: float | np.ndarray,
        progress: Progress | None = None,
        *,
        actor: str | None = None,
    ) -> np.ndarray:
        """Make frame after frame, each from those before it.

        Args:
            features: speech_features (T, C). Frame t hears the features t - reach … t + reach;
                the first and the last feature stand for those beyond the ends.
            text: text_features (8, 384) for all frames, or (T, 8, 384).
            level: in [0, 1.5], for all frames or (T,).
            progress, actor: as in `animate`.

        Returns: coefficients (T, K) float32, metres.
        """
        card, length = self.pack.card, len(features)
        near = np.arange(-card.reach, card.reach + 1)
        features = np.asarray(features, np.float32)
        texts, levels = _each(text, length, axes=2), _each(level, length, axes=0)
        state = {name: np.zeros(shape, np.float32) for name, shape in _state_shapes(card).items()}
        who = {"actor": card.actor_shares(actor)} if card.actors else {}
        frames = np.empty((length, card.coefficients), np.float32)
        for t, text_now, level_now in zip(range(length), texts, levels, strict=True):
            inputs = {
                "speech": features.take(t + near, axis=0, mode="clip")[None],
                "text": text_now[None],
                "level": np.full((1, 1), level_now, np.float32),
            }
            # Each step gives what the next one takes, in the same order.
            outputs = _run(self._step, {**inputs, **state, **who})
            state = dict(zip(state, outputs, strict=True))
            frames[t] = state["past"]
            if progress:
                progress(t + 1, len(features))
        return frames

    def solve(self, coefficients: np.ndarray, features: np.ndarray | None = None) -> np.ndarray:
        """coefficients (T, K) -> weights (T, U) float32 within the face's limits.

        With the speech_features (T, C), lips meet what the speech demands: p, b, m shut, f, v
        bitten, vowels open, under whatever expression. Silence demands nothing. That needs the
        default head's units and teeth: on other faces the networks' own lips stay.
        """
        weights = self.face.coefficients_to_weights(coefficients)
        if features is None or not self._has_our_units or not self.face.has_teeth:
            return self.face.limit(weights)
        closure, labiodental, floor = self.demands(features).astype(np.float64).T
        met = lips.meet_demands(
            weights, closure=closure, labiodental=labiodental, floor=floor, face=self.face
        )
        return met.astype(np.float32)

    @property
    def _has_our_units(self) -> bool:
        """Whether the face's units are ARKit's, in [0, 1]."""
        return self.face.unit_names == UNIT_NAMES and not self.face.signed

    def demands(self, features: np.ndarray) -> np.ndarray:
        """speech_features (T, C) -> (T, 3) float32: closure and labiodental in [0, 1], floor in
        metres (see `lips.meet_demands`); zeros where the pack hears none."""
        if self._demands is None:
            return np.zeros((len(features), 3), np.float32)
        (heard,) = _run(self._demands, {"speech": np.asarray(features, np.float32)[None]})
        return heard[0]

    def _check_sizes(self) -> None:
        """Hold the step's graph to the card: what does not fit would fail in the middle."""
        card = self.pack.card
        wanted = {
            "speech": (1, 2 * card.reach + 1, card.speech_size),
            "text": (1, *card.text_features),
            "level": (1, 1),
            **_state_shapes(card),
        }
        if card.actors:
            wanted["actor"] = (1, len(card.actors))
        found = {value.name: tuple(value.shape) for value in self._step.get_inputs()}
        if found != wanted or self.face.coefficient_count != card.coefficients:
            raise MienError(f"the pack {card.name!r} does not fit its own card; get it anew")


def timeline_of(description: str | Timeline, strength: float, seconds: float) -> Timeline:
    """Return what the face is to express during speech of this length, all strengths multiplied.

    Raises MienError for a strength that is out of range, a description that is too long, and a
    cue after the end.
    """
    timeline = Timeline.of(description) if isinstance(description, str) else description
    timeline.check_within(seconds)
    for cue in timeline.cues:
        check_description(cue.description)
    return timeline.scaled(strength)


def load(
    pack: Path | str | None = None,
    *,
    face: Face | None = None,
    speech_path: Path | str | None = None,
    text_path: Path | str | None = None,
) -> Animator:
    """Load the default pack, or one from a path, with its face and the encoders that it names.

    `face` is the one that the pack was trained on; None is the default head. The paths say where
    the encoders' weights lie (see `mien.encoders`); without them they are looked for where the
    pack was trained, and then in the usual places.
    """
    read = Pack.read(pack)
    ears, reader = encoders.for_pack(read.card, speech_path, text_path)
    return Animator(read, face or Face.load(), ears, reader)


def resampled(weights: np.ndarray, frames: int, fps: float) -> np.ndarray:
    """Weights (T, U) at 30 frames a second, T ≥ 2 -> (frames, U) at fps, linearly in time."""
    place = np.minimum(audio.frame_times(frames, fps) * audio.FPS, len(weights) - 1)
    low = np.minimum(place.astype(int), len(weights) - 2)
    share = (place - low)[:, None].astype(np.float32)
    return weights[low] * (1 - share) + weights[low + 1] * share


def _each(values: np.ndarray | float, frames: int, *, axes: int) -> np.ndarray:
    """Values of `axes` axes that hold for all frames, or of one more -> (frames, ...) float32."""
    values = np.asarray(values, np.float32)
    if values.ndim > axes and len(values) != frames:
        raise MienError(f"values for {len(values)} frames are not of this speech; give {frames}")
    return np.broadcast_to(values, (frames, *values.shape[values.ndim - axes :]))


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
