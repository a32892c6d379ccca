"""Pictures of a clip's frames, as JPEG: from its video, or of its face where there is none.

A record's video is `provenance["video"]`, a path as it is or from the corpus's folder on; the
clip's first frame is `provenance["captured_from"]["frames"][0]` of it, or the video's first.
"""

import math
from collections import deque
from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.error import FFmpegError

from mien import audio
from mien.data.clips import Clip, Record
from mien.errors import MienError
from mien.face import Face
from mien.render import Renderer

SIZE = 384
"""Pixels on a side. Gemini counts pictures up to this size as the smallest there is."""

QUALITY = 4
"""Of the JPEG: 2 is best, 31 worst; 4 is about 25 KB a picture."""

SEEK_FROM = 5.0
"""Seconds from which on a video is not decoded from its beginning."""

MOST_OFF = 0.1
"""Seconds by which the last picture may lie before the frame that it is taken for."""


def video_of(record: Record, folder: Path) -> Path | None:
    """Return the path of the clip's video, there or not; None where the clip names none."""
    video = record.provenance.get("video")
    return folder / str(video) if video else None


def first_frame(record: Record) -> int:
    """Return which frame of its video a clip begins with."""
    frames = record.provenance.get("captured_from", {}).get("frames", [0])
    return int(frames[0])


def from_video(path: Path, moments: Sequence[float], *, size: int = SIZE) -> list[bytes]:
    """Return the pictures nearest to rising moments, seconds since the sound began.

    The largest square in the middle of each, `size` pixels on a side. MienError where the video
    cannot be read or ends too soon.
    """
    try:
        with av.open(f"file:{path}") as container:
            if not container.streams.video:
                raise MienError(f"{path} has no pictures; give a video")
            return [to_jpeg(picture, size) for picture in _nearest(container, moments)]
    except (FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"{path} cannot be read as video ({reason})") from error


def of_face(clip: Clip, face: Face, renderer: Renderer, frames: Sequence[int]) -> list[bytes]:
    """Return drawn pictures of frames of the clip, as large as the renderer makes them."""
    return [
        to_jpeg(renderer.render(face.weights_to_vertices(clip.weights[t])), renderer.width)
        for t in frames
    ]


def to_jpeg(picture: np.ndarray, size: int) -> bytes:
    """picture (H, W, 3) uint8 sRGB → the JPEG of its middle square, `size` pixels on a side."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.ascontiguousarray(picture[top : top + side, left : left + side])
    frame = av.VideoFrame.from_ndarray(square, format="rgb24").reformat(
        size, size, "yuvj420p", interpolation="AREA" if side > size else "BICUBIC"
    )
    coder: Any = av.CodecContext.create("mjpeg", "w")
    coder.width = coder.height = size
    coder.pix_fmt, coder.time_base = "yuvj420p", Fraction(1, 30)
    coder.qmin = coder.qmax = QUALITY
    return b"".join(bytes(packet) for packet in [*coder.encode(frame), *coder.encode(None)])


def _nearest(container: Any, moments: Sequence[float]) -> Iterator[np.ndarray]:
    """Yield the picture (H, W, 3) nearest to each moment; MienError where the video ends before."""
    stream = container.streams.video[0]
    sounds = container.streams.audio
    begin = float((sounds[0].start_time or 0) * (sounds[0].time_base or 0)) if sounds else 0.0
    if moments[0] > SEEK_FROM:
        container.seek(math.floor((moments[0] + begin - 1.0) / stream.time_base), stream=stream)
    waiting = deque(moments)
    before, earlier = None, -math.inf
    for frame in container.decode(stream):
        seconds = (frame.time or 0.0) - begin
        while waiting and seconds >= waiting[0]:
            moment = waiting.popleft()
            yield _upright(before if before and moment - earlier < seconds - moment else frame)
        if not waiting:
            return
        before, earlier = frame, seconds
    if before is None or waiting[-1] - earlier > MOST_OFF:
        raise MienError(f"{container.name} ends before {waiting[-1]:.2f} s, which its clip shows")
    for _ in waiting:
        yield _upright(before)


def _upright(frame: Any) -> np.ndarray:
    """Return the picture as it is meant to be seen: telephones film it on its side."""
    turned = round(getattr(frame, "rotation", 0) / 90)
    return np.rot90(frame.to_ndarray(format="rgb24"), turned)


def frame_moments(record: Record, frames: Sequence[int]) -> list[float]:
    """Return the moments of a clip's frames in its video, seconds since the sound began."""
    first = first_frame(record)
    return [audio.frame_to_seconds(first + t, record.fps) for t in frames]
