"""Any video with sound, tracked by MediaPipe's Face Landmarker, as a capture.

The landmarker gives the 52 units of each picture, but not their rest: its `eyeSquint` and
`browDown` read up to 0.5 on a neutral face. So what the actor's neutral reads is subtracted
(`tracks.rest`): from the video itself where it is neutral, else from a neutral one of the same
actor. Pictures without a face are left out and nothing is made up for them; a second face is
refused unless the larger one is asked for.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import av
import numpy as np
from av.error import FFmpegError
from tqdm import tqdm

from mien import audio
from mien.data.captures import Capture
from mien.data.tracks import (
    Track,
    digest,
    rest,
    smoothed,
    track_to_capture,
    without_rest,
)
from mien.errors import MienError
from mien.face import UNIT_NAMES
from mien.pretrained import sha256

MODEL_SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
MODEL_ADDRESS = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/"
    "float16/1/face_landmarker.task"
)

LIBRARIES = "on Debian: apt install libegl1 libgles2"

RIVAL = 0.5
"""A second face counts if it is at least so high as this share of the first."""

LEAST_STEP = 1e-3
"""Seconds; a picture that follows sooner is left out: the landmarker counts in milliseconds."""


class Sees(Protocol):
    """What reading a video needs of a landmarker."""

    def see(self, picture: np.ndarray, seconds: float) -> np.ndarray | None:
        """picture (H, W, 3) uint8 RGB at a later moment each time → weights (52,), None: no face"""
        ...


class MediaPipe:
    """MediaPipe's landmarker, to be used in a `with`; one for each video."""

    def __init__(self, model: Path | str, *, largest: bool = False) -> None:
        """Load the checked model file; `largest`: of two faces the larger is tracked.

        MienError where it is missing or another, and where MediaPipe is missing or lacks a library
        of the system.
        """
        self._largest = largest
        path = check_model(model)
        try:
            import mediapipe
            from mediapipe.tasks.python import BaseOptions, vision
        except ModuleNotFoundError as error:
            raise MienError(
                f"{error.name} is not installed; install it with: pip install 'mien[track]'"
            ) from error
        except OSError as error:
            raise MienError(f"MediaPipe does not load: {error}; {LIBRARIES}") from error

        self._image = mediapipe.Image
        self._rgb = mediapipe.ImageFormat.SRGB
        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(path)),
            running_mode=vision.RunningMode.VIDEO,
            output_face_blendshapes=True,
            num_faces=2,
        )
        try:
            self._landmarker = vision.FaceLandmarker.create_from_options(options)
        except OSError as error:  # its own library is loaded only now
            raise MienError(f"MediaPipe does not load: {error}; {LIBRARIES}") from error

    def __enter__(self) -> "MediaPipe":
        return self

    def __exit__(self, *_: object) -> None:
        self._landmarker.close()

    def see(self, picture: np.ndarray, seconds: float) -> np.ndarray | None:
        """As `Sees.see`; MienError where there are two faces and `largest` was not asked for."""
        image = self._image(self._rgb, np.ascontiguousarray(picture))
        found = self._landmarker.detect_for_video(image, round(seconds * 1000))
        if not found.face_blendshapes:
            return None
        face = choose(np.array([_height(face) for face in found.face_landmarks]), self._largest)
        if face is None:
            raise MienError(
                f"two faces are seen at {seconds:.2f} s; cut one away, or take the larger one "
                "with --largest"
            )
        scores = {score.category_name: score.score for score in found.face_blendshapes[face]}
        # The model has no tongue: "tongueOut" is not among its names.
        return np.array([scores.get(name, 0.0) for name in UNIT_NAMES])


def choose(heights: np.ndarray, largest: bool) -> int | None:
    """Return which of the faces (N,), by their heights, is tracked; None: two are as likely."""
    first = int(np.argmax(heights))
    rivals = np.delete(heights, first) >= RIVAL * heights[first]
    return None if rivals.any() and not largest else first


def _height(landmarks: Any) -> float:
    rows = [landmark.y for landmark in landmarks]
    return max(rows) - min(rows)


def check_model(model: Path | str) -> Path:
    """Return the path of the model file; MienError where it is missing or another one."""
    path = Path(model)
    if not path.is_file():
        raise MienError(
            f"{path} does not exist; give MediaPipe's face_landmarker.task, from {MODEL_ADDRESS}"
        )
    found = sha256(path)
    if found != MODEL_SHA256:
        raise MienError(
            f"{path} is damaged or another model (sha256 {found[:12]}…, wanted "
            f"{MODEL_SHA256[:12]}…); download it again from {MODEL_ADDRESS}"
        )
    return path


def read(
    path: Path | str,
    track: Track,
    *,
    resting: np.ndarray | None = None,
    fps: float = audio.FPS,
    **about: Any,
) -> Capture:
    """Make a capture of a video and its track; `about` are further fields of `Capture`.

    resting (52,): what `rest` says of the actor's neutral; None takes it from this track where its
    emotion is neutral, and subtracts nothing otherwise. MienError where there is no sound, or where
    sound and pictures differ by more than half a second.
    """
    path = Path(path)
    speech = audio.decode(path)
    if resting is None and about.get("emotion", "neutral") == "neutral":
        resting = rest(track)
    subtracted = np.zeros(len(UNIT_NAMES)) if resting is None else resting
    high = {
        name: round(float(w), 3)
        for name, w in zip(UNIT_NAMES, subtracted, strict=True)
        if w >= 0.005
    }
    provenance = {
        "tracker": f"MediaPipe Face Landmarker {MODEL_SHA256[:12]}",
        "source": digest(path),
        "rest": high,
    }
    return track_to_capture(
        without_rest(track, subtracted),
        speech,
        path,
        fps,
        kind="video",
        what=f"sound and pictures of {path}",
        provenance=provenance,
        about=about,
    )


def read_track(
    path: Path | str,
    seen_by: Sees,
    *,
    smoothing: str = "savitzky-golay",
    own_sound: bool = True,
    progress: bool = False,
) -> Track:
    """Track a video, smoothed as `tracks.SMOOTHINGS` names it.

    Moment 0 is where the sound of the video begins; where its sound is a file of its own
    (`own_sound` False) it is the first picture. MienError where the video has no sound of its own
    and needs one, no picture or no face.
    """
    path, times, weights, end = Path(path), [], [], 0.0
    for seconds, length, picture in _pictures(path, own_sound, progress):
        try:
            row = seen_by.see(picture, seconds)
        except MienError as error:
            raise MienError(f"{path}: {error}") from error
        if row is not None:
            times.append(seconds)
            weights.append(row)
        end = seconds + length
    if not times:
        raise MienError(f"no face was found in {path}; give a video of one face, seen from before")
    found = Track(np.array(times), np.clip(np.array(weights), 0.0, 1.0), end)
    return smoothed(found, smoothing)


def picture_times(path: Path | str, *, own_sound: bool = True) -> tuple[np.ndarray, float]:
    """Return when each picture of a video is shown, (N,) seconds as in `read_track`, and its end.

    Pictures are counted, not decoded. MienError as in `read_track`.
    """
    path = Path(path)
    with _opened(path, own_sound) as (container, stream, begin):
        shown = sorted(packet.pts for packet in container.demux(stream) if packet.pts is not None)
        times = np.array(shown, np.float64) * float(stream.time_base or 0)
        start = times[0] if begin is None and len(times) else begin or 0.0
        end = times[-1] - start + 1 / _rate(stream) if len(times) else 0.0
        return times - start, end


def has_sound(path: Path | str) -> bool:
    """Return whether a video has a sound track; MienError where it has no pictures, or is none."""
    with _opened(Path(path), own_sound=False) as (container, _, _):
        return bool(container.streams.audio)


def _pictures(
    path: Path, own_sound: bool, progress: bool
) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yield (seconds since the sound began, seconds that it lasts, RGB) of each picture."""
    with _opened(path, own_sound) as (container, stream, begin):
        latest = -1.0
        for frame in tqdm(
            container.decode(stream), path.name, unit="picture", disable=not progress
        ):
            begin = (frame.time or 0.0) if begin is None else begin
            seconds = (frame.time or 0.0) - begin
            if seconds >= 0 and seconds > latest + LEAST_STEP:
                latest = seconds
                yield seconds, 1 / _rate(stream), _upright(frame)


@contextmanager
def _opened(path: Path, own_sound: bool) -> Iterator[tuple[Any, Any, float | None]]:
    """Give the container, its pictures and when its sound begins, seconds; None: another file's."""
    try:
        with av.open(f"file:{path}") as container:
            if not container.streams.video or (own_sound and not container.streams.audio):
                raise MienError(f"{path} has no pictures or no sound; give a video with sound")
            # The sound is the track that `audio.decode` reads.
            begin = _start(container.streams.audio[0]) if own_sound else None
            yield container, container.streams.video[0], begin
    except (FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"{path} cannot be read as video ({reason}); give a video") from error


def _rate(stream: Any) -> float:
    return float(stream.average_rate or audio.FPS)


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """Return the picture (H, W, 3) as it is meant to be seen: telephones film it on its side."""
    turned = round(getattr(frame, "rotation", 0) / 90)  # PyAV before 14.1 does not tell
    return np.rot90(frame.to_ndarray(format="rgb24"), turned)


def _start(stream: Any) -> float:
    return float((stream.start_time or 0) * (stream.time_base or 0))
