"""Speech through lossy codecs, as phones, calls and web films carry it.

A codec delays what it carries by some milliseconds, and says so in places that differ from codec to
codec. Here each codec's delay is measured once, on a burst of noise, and taken away.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Literal

import av
import numpy as np
from av.audio.codeccontext import AudioCodecContext
from av.audio.frame import AudioFrame

from mien import audio

MEASURED_SECONDS = 0.5
"""Length of the burst by which a codec's delay is measured."""

FRAME_SAMPLES = 1024
"""Samples in a frame where the codec takes any number."""


@dataclass(frozen=True)
class Codec:
    """A codec and what it is told."""

    name: str
    """what FFmpeg calls its encoder and its decoder"""
    sample_format: str
    bits: int
    """bits a second"""
    rate: int = audio.SPEECH_RATE
    """samples a second while encoded"""
    options: tuple[tuple[str, str], ...] = ()


FASTEST_MP3, FASTEST_OPUS = (("compression_level", "9"),), (("compression_level", "0"),)

CODECS = (
    Codec("mp3", "fltp", 24_000, options=FASTEST_MP3),
    Codec("mp3", "fltp", 16_000, options=FASTEST_MP3),
    Codec("aac", "fltp", 16_000),
    Codec("opus", "flt", 12_000, options=FASTEST_OPUS),
    Codec("opus", "flt", 8_000, options=FASTEST_OPUS),
    Codec("pcm_mulaw", "s16", 64_000, rate=8000),
)
"""Low rates: a codec at a high one is hardly heard."""

ENCODERS = {"mp3": "libmp3lame", "opus": "libopus"}
"""Encoders that are called otherwise than their decoders."""


def through(speech: np.ndarray, codec: Codec) -> np.ndarray:
    """Return speech (S,) float32 as it comes out of the codec, in its old place, equally long."""
    heard = _coded(speech, codec)[_delay(codec) :][: len(speech)]
    return np.pad(heard, (0, len(speech) - len(heard)))


@cache
def _delay(codec: Codec) -> int:
    """Return by how many samples at 16 kHz the codec delays, by correlating a burst of noise."""
    burst = np.random.default_rng(0).standard_normal(audio.seconds_to_samples(MEASURED_SECONDS))
    burst = resampled(resampled(burst, audio.SPEECH_RATE, 4000), 4000, audio.SPEECH_RATE)
    burst = (0.1 * burst / burst.std()).astype(np.float32)
    heard = _coded(burst, codec)
    size = len(heard) + len(burst)
    likeness = np.fft.irfft(np.fft.rfft(heard, size) * np.conj(np.fft.rfft(burst, size)), size)
    return int(np.argmax(likeness[: len(heard)]))


def _coded(speech: np.ndarray, codec: Codec) -> np.ndarray:
    """Return what the codec makes of speech (S,), delayed and longer than it was."""
    encoder = _context(ENCODERS.get(codec.name, codec.name), "w", codec)
    decoder: AudioCodecContext | None = None
    pieces = []
    for frame in _frames(resampled(speech, audio.SPEECH_RATE, codec.rate), encoder):
        for packet in encoder.encode(frame):
            if decoder is None:  # what it must know is ready when the first packet is
                decoder = _context(codec.name, "r", codec)
                decoder.extradata = encoder.extradata
            pieces += decoder.decode(packet)
    assert decoder is not None
    decoded = np.concatenate([_samples(piece) for piece in pieces])
    return resampled(decoded, decoder.sample_rate, audio.SPEECH_RATE).astype(np.float32)


def _context(name: str, mode: Literal["r", "w"], codec: Codec) -> AudioCodecContext:
    context = av.CodecContext.create(name, mode)
    assert isinstance(context, AudioCodecContext)
    context.sample_rate, context.layout = codec.rate, "mono"
    if mode == "w":
        context.format, context.bit_rate = codec.sample_format, codec.bits
        context.options = dict(codec.options)
        context.open()
    return context


def _frames(speech: np.ndarray, encoder: AudioCodecContext) -> Iterator[AudioFrame | None]:
    """Yield speech (S,) in frames of the encoder's size and format, then None: the end."""
    size = encoder.frame_size or FRAME_SAMPLES
    padded = np.pad(speech, (0, -len(speech) % size))
    for start in range(0, len(padded), size):
        piece = np.clip(padded[None, start : start + size], -1.0, 1.0)
        whole = encoder.format.name == "s16"
        values = np.round(piece * 32767).astype(np.int16) if whole else piece.astype(np.float32)
        frame = AudioFrame.from_ndarray(values, format=encoder.format.name, layout="mono")
        frame.sample_rate, frame.pts = encoder.sample_rate, start
        yield frame
    yield None


def _samples(frame: AudioFrame) -> np.ndarray:
    values = frame.to_ndarray().reshape(-1)
    return values / 32768 if values.dtype == np.int16 else values


def resampled(speech: np.ndarray, rate: int, new_rate: int) -> np.ndarray:
    """Return speech (S,) at another rate, without delay: exact for a band-limited sound."""
    if rate == new_rate:
        return speech
    samples = round(len(speech) * new_rate / rate)
    return np.fft.irfft(_cut(np.fft.rfft(speech), samples // 2 + 1), samples) * (
        samples / len(speech)
    )


def _cut(bins: np.ndarray, count: int) -> np.ndarray:
    """Return the first `count` bins, zero where there were none."""
    return np.pad(bins[:count], (0, max(count - len(bins), 0)))
