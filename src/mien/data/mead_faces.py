"""Three ways to see the face in a MEAD recording: MediaPipe, EMOCA's codes, arrays of vertices.

Each gives a track: what the face does at the moments of the pictures that showed it. They hold
nothing but paths, so that they travel to other processes; what is large is loaded there, once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien import audio
from mien.data import emoca, tracks, vertices, video
from mien.data.mead import Recording
from mien.data.tracks import Track
from mien.face import UNIT_NAMES, Face

SMOOTHING = "savitzky-golay"


class Way(Protocol):
    """How a recording's face is seen."""

    def look(self, recording: Recording, film: Path | None, own_sound: bool) -> Track:
        """Return the track of a recording, smoothed, the actor's rest still in it.

        `film` is its video, where there is one; `own_sound`: moment 0 is where the video's own
        sound begins, else its first picture. MienError where it cannot be seen.
        """
        ...

    def about(self) -> dict[str, Any]:
        """What the clips' provenance says of it."""
        ...


@dataclass(frozen=True)
class Tracked:
    """MediaPipe's weights, for a face whose units are ARKit's."""

    model: Path
    units: tuple[str, ...] = UNIT_NAMES
    """of the corpus's face; those that MediaPipe does not know stay 0"""
    largest: bool = False
    smoothing: str = SMOOTHING

    def look(self, recording: Recording, film: Path | None, own_sound: bool) -> Track:
        """As `Way.look`."""
        assert film is not None, "recordings without a video are not chosen for tracking"
        with video.MediaPipe(self.model, largest=self.largest) as seen_by:
            found = video.read_track(film, seen_by, smoothing=self.smoothing, own_sound=own_sound)
        return Track(found.times, _by_name(found.weights, self.units), found.end)

    def about(self) -> dict[str, Any]:
        """As `Way.about`."""
        name = f"MediaPipe Face Landmarker {video.MODEL_SHA256[:12]}"
        return {"tracker": name, "smoothing": self.smoothing, "largest": self.largest}


@dataclass(frozen=True)
class Emoca:
    """FLAME as EMOCA saw it: its expression and jaw, without its shape and the head's turn."""

    folder: Path
    flame: Path
    """the user's own FLAME file"""
    face: Path
    """the corpus's face, made of that file"""
    smoothing: str = SMOOTHING

    def look(self, recording: Recording, film: Path | None, own_sound: bool) -> Track:
        """As `Way.look`."""
        codes = emoca.read(emoca.find(self.folder, recording))
        shown = _flame(self.flame).vertices(codes.expression, codes.jaw)
        weights = _face(self.face).vertices_to_weights(shown)
        return _timed(codes.pictures, weights, film, own_sound, self.smoothing)

    def about(self) -> dict[str, Any]:
        """As `Way.about`."""
        flame = f"{self.flame.name} {tracks.digest(self.flame)}"
        return {"reconstruction": "emoca", "flame": flame, "smoothing": self.smoothing}


@dataclass(frozen=True)
class Vertices:
    """Vertices that somebody else reconstructed, of the corpus's face."""

    folder: Path
    face: Path
    smoothing: str = SMOOTHING

    def look(self, recording: Recording, film: Path | None, own_sound: bool) -> Track:
        """As `Way.look`."""
        face = _face(self.face)
        pictures, shown = vertices.read(vertices.find(self.folder, recording), face.template)
        weights = face.vertices_to_weights(shown)
        bounds = None if face.signed else (0.0, 1.0)
        return _timed(pictures, weights, film, own_sound, self.smoothing, bounds)

    def about(self) -> dict[str, Any]:
        """As `Way.about`."""
        return {"reconstruction": "vertices", "smoothing": self.smoothing}


def _by_name(weights: np.ndarray, units: Sequence[str]) -> np.ndarray:
    """Weights (N, 52) of UNIT_NAMES in the order of other units; unknown ones are 0."""
    if tuple(units) == UNIT_NAMES:
        return weights
    columns = [
        weights[:, UNIT_NAMES.index(name)] if name in UNIT_NAMES else np.zeros(len(weights))
        for name in units
    ]
    return np.stack(columns, axis=1)


def _timed(
    pictures: np.ndarray,
    weights: np.ndarray,
    film: Path | None,
    own_sound: bool,
    smoothing: str,
    bounds: tuple[float, float] | None = None,
) -> Track:
    """A track of weights (N, U) at pictures (N,); without a film they come at 30 a second."""
    if film is None:
        times = np.arange(pictures[-1] + 1) / audio.FPS
        end = len(times) / audio.FPS
    else:
        times, end = video.picture_times(film, own_sound=own_sound)
        emoca.check_count(pictures, len(times))
    kept = times[pictures] >= 0
    found = Track(times[pictures][kept], weights[kept], end)
    return tracks.smoothed(found, smoothing, bounds=bounds)


@lru_cache(maxsize=1)
def _flame(path: Path) -> Any:
    from mien.faces.flame import Flame

    return Flame.read(path)


@lru_cache(maxsize=1)
def _face(path: Path) -> Face:
    return Face.load(path)
