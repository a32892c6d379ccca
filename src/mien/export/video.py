"""Film: the rendered head with its speech, H.264 and AAC in an .mp4."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc
from av.video.stream import VideoStream
from tqdm import tqdm

from mien.animation import Animation
from mien.audio import SPEECH_RATE, frame_to_seconds, seconds_to_samples
from mien.render import Renderer, frames

CRF = "18"
"""Quality of the picture: 0 is lossless, 18 looks it, 51 is worst."""
PRESET = "veryfast"
"""How long the encoder may think; slower ones save a third of the bytes and cost the frame rate."""
SOUND_RATE = 48000
"""samples a second in the film; players everywhere take it"""
SOUND_BITS = 128_000
"""bits a second of sound"""
THREADS = 2
"""pictures drawn at once"""


def write(animation: Animation, path: str | Path, progress: bool = False) -> None:
    """Render `animation` at 960 x 960 with its speech to `path`; without speech it is silent.

    Picture and sound start together; the sound is cut, or filled with silence, to end with the
    last frame.
    """
    renderer = Renderer(animation.face)
    speech = animation.speech
    with av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"}) as film:
        picture = _picture_stream(film, renderer, animation.fps)
        sound = None if speech is None else _sound_stream(film)
        pictures = frames(renderer, animation, threads=THREADS)
        bar = tqdm(pictures, "film", animation.frames, unit="frame", disable=not progress)
        for t, image in enumerate(bar):
            film.mux(picture.encode(_picture(image, t)))
            if speech is not None and sound is not None:
                # In step with the picture, so that players need not seek.
                film.mux(sound.encode(_sound(speech, t, animation.fps)))
        for stream in film.streams:
            film.mux(stream.encode(None))


def _picture_stream(film: OutputContainer, renderer: Renderer, fps: float) -> VideoStream:
    """An H.264 stream that plays everywhere: 8 bits, halved chroma, tagged as BT.709."""
    stream = film.add_stream("libx264", rate=Fraction(fps).limit_denominator(1001))
    stream.width, stream.height, stream.pix_fmt = renderer.width, renderer.height, "yuv420p"
    stream.options = {"crf": CRF, "preset": PRESET}
    coder = stream.codec_context
    coder.colorspace, coder.color_range = Colorspace.ITU709, ColorRange.MPEG
    coder.color_primaries, coder.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
    return stream


def _sound_stream(film: OutputContainer) -> AudioStream:
    """A mono AAC stream."""
    stream = film.add_stream("aac", rate=SOUND_RATE, layout="mono")
    stream.bit_rate = SOUND_BITS
    return stream


def _picture(image: np.ndarray, t: int) -> av.VideoFrame:
    """image (H, W, 3) sRGB bytes → frame t of the film."""
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    frame = frame.reformat(
        format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    frame.pts = t
    return frame


def _sound(speech: np.ndarray, t: int, fps: float) -> av.AudioFrame:
    """The sound of frame t of speech (S,), silence beyond its end."""
    start, stop = (seconds_to_samples(frame_to_seconds(at, fps)) for at in (t, t + 1))
    piece = speech[start:stop]
    piece = np.pad(piece, (0, stop - start - len(piece)))
    pcm = np.round(np.clip(piece, -1, 1) * 32767).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(pcm[None], format="s16", layout="mono")
    frame.sample_rate, frame.pts, frame.time_base = SPEECH_RATE, start, Fraction(1, SPEECH_RATE)
    return frame
