"""What is seen and heard of one MEAD recording, and what an actor's neutral ones show at rest.

`see` and `listen` are what other processes work on: they read files, write nothing, and give a
reason where they cannot.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from mien import audio
from mien.data import captures, mead_groups, tracks, video
from mien.data.mead import Recording
from mien.data.mead_faces import Way
from mien.data.tracks import Track
from mien.errors import MienError
from mien.face import Face
from mien.features import SpeechEncoder

SOUNDS = ("auto", "video", "audio")

LEAST_QUIET = 10
"""Pictures in which nothing is said, from which on they alone tell a signed face's rest."""


@dataclass(frozen=True, eq=False)
class Seen:
    """A recording as it was seen and heard."""

    track: Track
    speech: np.ndarray
    """(S,)"""
    source: str
    """digest of its files"""


@dataclass(frozen=True, eq=False)
class Failure:
    """Why a recording cannot be used."""

    reason: str


def see(recording: Recording, *, way: Way, sound: str) -> Seen | Failure:
    """Return what is seen and heard of a recording, or why nothing is."""
    film = path = None
    try:
        with ExitStack() as stack:
            film = recording.video and stack.enter_context(recording.video.opened())
            path, own_sound = _sound(recording, film, sound, stack)
            speech = audio.decode(path)
            track = way.look(recording, film, own_sound)
            tracks.matched_frames(speech, track.end, audio.FPS, "its sound and what is seen")
            files = {file for file in (film, path) if file is not None}
            return Seen(track, speech, tracks.digest(*sorted(files)))
    except (MienError, OSError) as error:
        return Failure(_named(str(error), recording, film, path))


def _named(reason: str, recording: Recording, *opened: Path | None) -> str:
    """Return the reason with files named as they lie in their archives."""
    stored = [file for file in (recording.video, recording.sound) if file is not None]
    for path in {path for path in opened if path is not None}:
        for file in stored:
            if file.start is not None and path.name == Path(file.name).name:
                reason = reason.replace(str(path), str(file.path.parent / file.name))
    return reason


def listen(recording: Recording, *, sound: str) -> np.ndarray | None:
    """Return the `mead_groups.rows` of a recording's speech; None where it cannot be heard."""
    try:
        with ExitStack() as stack:
            film = recording.video and stack.enter_context(recording.video.opened())
            speech = audio.decode(_sound(recording, film, sound, stack)[0])
    except (MienError, OSError):
        return None
    return mead_groups.rows(_ears().encode(speech, fps=audio.FPS))


def rest(found: Sequence[Track], speeches: Sequence[np.ndarray], face: Face) -> np.ndarray:
    """Return what neutral recordings read of the resting face (U,).

    Of units what is exceeded nine tenths of the time, as `tracks.rest`. Components of a signed
    face go both ways: the median of the pictures in which nothing is said, or of all where speech
    leaves fewer than ten.
    """
    weights = np.concatenate([track.weights for track in found])
    if not face.signed:
        return tracks.rest(Track(np.arange(len(weights), dtype=float), weights, 0.0))
    quiet = np.concatenate(
        [_is_quiet(track, speech) for track, speech in zip(found, speeches, strict=True)]
    )
    return np.median(weights[quiet] if quiet.sum() >= LEAST_QUIET else weights, axis=0)


def without_rest(track: Track, resting: np.ndarray, face: Face) -> Track:
    """Return the track with the resting face (U,) at 0."""
    if face.signed:
        return Track(track.times, track.weights - resting, track.end)
    return tracks.without_rest(track, resting)


def _is_quiet(track: Track, speech: np.ndarray) -> np.ndarray:
    """Where (N,) of a track's pictures nothing is said."""
    frames = audio.frame_count(len(speech), audio.FPS)
    levels = captures.loudness(speech, frames, audio.FPS)
    nearest = np.clip(np.round(track.times * audio.FPS).astype(int), 0, frames - 1)
    return (levels < np.percentile(levels, 99) - captures.QUIET)[nearest]


def _sound(
    recording: Recording, film: Path | None, which: str, stack: ExitStack
) -> tuple[Path, bool]:
    """Return the file with the sound, and whether it is the video; MienError where none is."""
    if film is not None and which != "audio" and video.has_sound(film):
        return film, True
    if which == "video" or recording.sound is None:
        places = {"video": "in the video", "audio": "in the audio folder"}
        raise MienError(f"there is no sound {places.get(which, 'in the video or audio folder')}")
    return stack.enter_context(recording.sound.opened()), False


@lru_cache(maxsize=1)
def _ears() -> SpeechEncoder:
    return SpeechEncoder.load()
