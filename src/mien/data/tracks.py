"""Tracks: weights at the moments a camera took them, brought to the frames of a clip.

What trackers share: their clock is not ours, they lose the face now and then, they tremble, and at
rest they do not read zero.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien import audio
from mien.data.captures import Capture
from mien.errors import MienError
from mien.pretrained import sha256

MOST_APART = 0.5
"""Seconds by which sound and motion may differ in length."""

LARGEST_HOLE = 0.1
"""Seconds between two pictures with a face that are bridged; in longer holes nothing was seen."""

REST_PERCENTILE = 10.0
"""What a tracker reads of a resting unit: the level that is exceeded nine tenths of the time."""

SAVITZKY_GOLAY = np.array([-3.0, 12.0, 17.0, 12.0, -3.0]) / 35.0
"""Five pictures, second order: takes the tremble and leaves a closure of three pictures shut."""

ONE_EURO_CUTOFF, ONE_EURO_SPEED, ONE_EURO_RATE_CUTOFF = 2.0, 10.0, 1.0
"""Hz; how much Hz the cutoff gains for each unit a second; Hz of the rate's own filter."""


@dataclass(frozen=True, eq=False)
class Track:
    """Weights of the pictures that showed a face, in order."""

    times: np.ndarray
    """(N,) seconds, rising; 0 is the beginning of the sound"""
    weights: np.ndarray
    """(N, U): 52 in [0, 1], or amounts of a signed face's components"""
    end: float
    """seconds: the last picture, with a face or without"""


def track_to_frames(track: Track, frames: int, fps: float) -> tuple[np.ndarray, np.ndarray]:
    """Return weights (frames, U) at moments t / fps, and where (frames,) a face was seen.

    Between pictures the weights run straight; where no picture is near, the face is not seen and
    the weights, which mean nothing there, are those of the nearest picture.
    """
    moments = audio.frame_times(frames, fps)
    after = np.searchsorted(track.times, moments)
    before, after = np.maximum(after - 1, 0), np.minimum(after, len(track.times) - 1)
    columns = [np.interp(moments, track.times, column) for column in track.weights.T]
    bridged = track.times[after] - track.times[before] <= LARGEST_HOLE + 1e-9
    near = np.minimum(abs(moments - track.times[before]), abs(track.times[after] - moments))
    at_a_picture = near <= 0.5 / fps
    return np.stack(columns, axis=1), at_a_picture | (bridged & (near <= LARGEST_HOLE))


def track_to_capture(
    track: Track,
    speech: np.ndarray,
    path: Path,
    fps: float,
    *,
    kind: str,
    what: str,
    provenance: dict[str, Any],
    about: dict[str, Any],
) -> Capture:
    """Make a capture of a track from the file `path` and its speech (S,).

    Its name begins with `kind`; `what` names sound and motion where they do not belong together;
    `about` are further fields of `Capture`. A track does not tell an f from a p.
    """
    frames = matched_frames(speech, track.end, fps, what)
    weights, seen = track_to_frames(track, frames, fps)
    seen_share = round(float(seen.mean()), 4)
    return Capture(
        **{"name": f"{kind}-{path.stem}", "actor": path.stem, **about},
        speech=speech[: audio.sample_count(frames, fps)],
        weights=weights,
        fps=fps,
        labiodental=np.zeros(frames),
        seen=seen,
        provenance={**provenance, "file": path.name, "seen": seen_share},
    )


def smoothed(
    track: Track, how: str = "savitzky-golay", *, bounds: tuple[float, float] | None = (0.0, 1.0)
) -> Track:
    """Return the track with its tremble taken away, within stretches that have no hole.

    `how` is one of SMOOTHINGS; `bounds` are those of the weights, None for a signed face.
    MienError for another smoothing.
    """
    if how not in SMOOTHINGS:
        raise MienError(f"there is no smoothing {how!r}; one of: {', '.join(SMOOTHINGS)}")
    weights = np.array(track.weights, np.float64)
    holes = np.flatnonzero(np.diff(track.times) > LARGEST_HOLE) + 1
    for part in np.split(np.arange(len(weights)), holes):
        weights[part] = SMOOTHINGS[how](track.times[part], weights[part])
    return Track(track.times, weights if bounds is None else weights.clip(*bounds), track.end)


def _savitzky_golay(times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights (N, U) under SAVITZKY_GOLAY; it looks both ways, so nothing comes late."""
    if len(weights) < len(SAVITZKY_GOLAY):
        return weights
    padded = np.pad(weights, ((2, 2), (0, 0)), mode="edge")
    taps = [padded[k : k + len(weights)] * c for k, c in enumerate(SAVITZKY_GOLAY)]
    return np.sum(taps, axis=0)


def _one_euro(times: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weights (N, U) under the 1 euro filter: still what rests, quick what moves.

    Casiez, Roussel and Vogel, "1€ filter", CHI 2012: a low-pass of first order whose cutoff rises
    with the speed. It looks back only, so what moves comes late, the less the faster it is.
    """
    kept, speed = np.array(weights), np.zeros(weights.shape[1:])
    for k in range(1, len(kept)):
        step = times[k] - times[k - 1]
        speed += _share(ONE_EURO_RATE_CUTOFF, step) * ((weights[k] - kept[k - 1]) / step - speed)
        cutoff = ONE_EURO_CUTOFF + ONE_EURO_SPEED * np.abs(speed)
        kept[k] = kept[k - 1] + _share(cutoff, step) * (weights[k] - kept[k - 1])
    return kept


def _share(cutoff: Any, step: float) -> Any:
    """How much of a new value a low-pass with this cutoff, Hz, takes after `step` seconds."""
    return 1.0 / (1.0 + 1.0 / (2 * np.pi * cutoff * step))


SMOOTHINGS = {
    "savitzky-golay": _savitzky_golay,
    "one-euro": _one_euro,
    "none": lambda _, weights: weights,
}
"""Ways to take the tremble away, by name."""


def rest(track: Track) -> np.ndarray:
    """Return what the tracker reads of the resting face (52,), from a neutral performance."""
    return np.percentile(track.weights, REST_PERCENTILE, axis=0)


def without_rest(track: Track, resting: np.ndarray) -> Track:
    """Return the track with the resting face at 0; what was 1 stays 1."""
    weights = (track.weights - resting) / np.maximum(1.0 - resting, 1e-3)
    return Track(track.times, np.clip(weights, 0.0, 1.0), track.end)


def matched_frames(speech: np.ndarray, motion: float, fps: float, what: str) -> int:
    """Return the frames that both speech (S,) and a motion of so many seconds fill.

    MienError where they differ by more than MOST_APART: then they are not of one take.
    """
    sound = audio.samples_to_seconds(len(speech))
    if abs(sound - motion) > MOST_APART:
        raise MienError(
            f"{what} do not belong together: the sound lasts {sound:.2f} s, the motion "
            f"{motion:.2f} s; they may differ by {MOST_APART:g} s"
        )
    return audio.frame_count(min(len(speech), audio.seconds_to_samples(motion)), fps)


def digest(*paths: Path) -> str:
    """Return what tells these files from others of the same names."""
    return sha256(*paths)[:16]
