"""Any video with sound, tracked by MediaPipe's Face Landmarker, as a capture.

The landmarker gives the 52 units of each picture, but not their rest: its `eyeSquint` and
`browDown` read up to 0.5 on a neutral face. So what the actor's neutral reads is subtracted
(`tracks.rest`): from the video itself where it is neutral, else from a neutral one of the same
actor. Pictures without a face are left out and nothing is made up for them.
"""

from collections.abc import Iterator
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

LEAST_STEP = 1e-3
"""Seconds; a picture that follows sooner is left out: the landmarker counts in milliseconds."""


class Sees(Protocol):
    """What reading a video needs of a landmarker."""

    def see(self, picture: np.ndarray, seconds: float) -> np.ndarray | None:
        """picture (H, W, 3) uint8 RGB at a later moment each time → weights (52,), None: no face"""
        ...


class MediaPipe:
    """MediaPipe's landmarker, to be used in a `with`; one for each video."""

    def __init__(self, model: Path | str) -> None:
        """Load the checked model file.

        MienError where it is missing or another, and where MediaPipe is missing or lacks a library
        of the system.
        """
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
            num_faces=1,
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
        """As `Sees.see`."""
        image = self._image(self._rgb, np.ascontiguousarray(picture))
        found = self._landmarker.detect_for_video(image, round(seconds * 1000))
        if not found.face_blendshapes:
            return None
        scores = {score.category_name: score.score for score in found.face_blendshapes[0]}
        # The model has no tongue: "tongueOut" is not among its names.
        return np.array([scores.get(name, 0.0) for name in UNIT_NAMES])


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


def read_track(path: Path | str, seen_by: Sees, *, progress: bool = False) -> Track:
    """Track a video, smoothed; MienError where it has no sound, no picture or no face."""
    path, times, weights, end = Path(path), [], [], 0.0
    for seconds, length, picture in _pictures(path, progress):
        if (row := seen_by.see(picture, seconds)) is not None:
            times.append(seconds)
            weights.append(row)
        end = seconds + length
    if not times:
        raise MienError(f"no face was found in {path}; give a video of one face, seen from before")
    return smoothed(Track(np.array(times), np.clip(np.array(weights), 0.0, 1.0), end))


def _pictures(path: Path, progress: bool) -> Iterator[tuple[float, float, np.ndarray]]:
    """Yield (seconds since the sound began, seconds that it lasts, RGB) of each picture."""
    try:
        with av.open(f"file:{path}") as container:
            if not container.streams.video or not container.streams.audio:
                raise MienError(f"{path} has no pictures or no sound; give a video with sound")
            stream = container.streams.video[0]
            rate, latest = float(stream.average_rate or audio.FPS), -1.0
            begin = _start(container.streams.audio[0])  # the track that `audio.decode` reads
            for frame in tqdm(
                container.decode(stream), path.name, unit="picture", disable=not progress
            ):
                seconds = (frame.time or 0.0) - begin
                if seconds >= 0 and seconds > latest + LEAST_STEP:
                    latest = seconds
                    yield seconds, 1 / rate, _upright(frame)
    except (FFmpegError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise MienError(f"{path} cannot be read as video ({reason}); give a video") from error


def _upright(frame: av.VideoFrame) -> np.ndarray:
    """Return the picture (H, W, 3) as it is meant to be seen: telephones film it on its side."""
    turned = round(getattr(frame, "rotation", 0) / 90)  # PyAV before 14.1 does not tell
    return np.rot90(frame.to_ndarray(format="rgb24"), turned)


def _start(stream: Any) -> float:
    return float((stream.start_time or 0) * (stream.time_base or 0))
