"""Live Link Face: the table that Epic's app records, with its sound, as a capture.

63 columns: Timecode, BlendShapeCount, 52 weights in PascalCase, 9 rotations (head and eyes, which
clips do not have). The app writes hours:minutes:seconds:frames.thousandths, mostly at 60 frames a
second, leaves rows out, and writes rows without weights where it has lost the face.
"""

import csv
import re
from pathlib import Path
from typing import Any

import numpy as np

from mien import audio
from mien.data.captures import Capture
from mien.data.tracks import Track, digest, track_to_capture
from mien.errors import MienError
from mien.face import UNIT_NAMES

RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 120.0, 240.0)
"""Frames a second that a timecode may count."""

TIMECODE = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2})[:;](\d{1,3}(?:\.\d{1,9})?)")

TITLES = tuple(name[0].upper() + name[1:] for name in UNIT_NAMES)


def read(path: Path | str, sound: Path | str, *, fps: float = audio.FPS, **about: Any) -> Capture:
    """Read a table and the sound of the same take; `about` are further fields of `Capture`.

    The first row is the beginning of the sound. MienError for other columns, a damaged row, no
    face, or lengths that differ by more than half a second.
    """
    path, sound = Path(path), Path(sound)
    speech = audio.decode(sound)
    track = read_track(path, audio.samples_to_seconds(len(speech)))
    return track_to_capture(
        track,
        speech,
        path,
        fps,
        kind="livelink",
        what=f"{sound} and {path}",
        provenance={"tracker": "Live Link Face", "source": digest(path, sound)},
        about=about,
    )


def read_track(path: Path, seconds: float) -> Track:
    """Read a table whose take lasts about `seconds`, by which a short one's rate is told."""
    rows = _rows(path)
    codes = [_timecode(row["Timecode"], path, number) for number, row in enumerate(rows, start=2)]
    rate = _rate(np.array(codes), seconds)
    times = np.array([whole + frames / rate for whole, frames in codes])
    times = (times - times[0]) % 86400.0  # a take may pass midnight
    if (np.diff(times) <= 0).any():
        line = int(np.flatnonzero(np.diff(times) <= 0)[0]) + 3
        raise MienError(f"{path}, line {line}: its timecode is not later than the one before")
    seen = [place for place, row in enumerate(rows) if _has_face(row)]
    if not seen:
        raise MienError(f"{path} has no row with weights: the app saw no face; record it again")
    weights = np.array([_weights(rows[place], path, place + 2) for place in seen])
    step = float(np.median(np.diff(times))) if len(times) > 1 else 1 / rate
    return Track(times[seen], weights, float(times[-1]) + step)


def _rows(path: Path) -> list[dict[str, str]]:
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            rows, found = list(reader), set(reader.fieldnames or ())
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MienError(f"{path} cannot be read as a table; give Live Link Face's .csv") from error
    if missing := [name for name in ("Timecode", *TITLES) if name not in found]:
        raise MienError(
            f"{path} has no column {missing[0]!r}; give Live Link Face's .csv with its 63 columns"
        )
    if not rows:
        raise MienError(f"{path} has no rows; record it again")
    return rows


def _timecode(text: str, path: Path, line: int) -> tuple[float, float]:
    """Return (whole seconds, frames with their fraction) of hh:mm:ss:ff.fff."""
    found = TIMECODE.fullmatch((text or "").strip())
    if not found:
        raise MienError(f"{path}, line {line}: the timecode is {text!r}; hh:mm:ss:ff.fff is wanted")
    hours, minutes, seconds, frames = found.groups()
    return int(hours) * 3600.0 + int(minutes) * 60 + int(seconds), float(frames)


def _rate(codes: np.ndarray, seconds: float) -> float:
    """Return how many frames a second the timecodes (N, 2) count.

    A take of two seconds has counted up to the last frame of one; a shorter one is stretched to its
    sound.
    """
    most = codes[:, 1].max()
    possible = [rate for rate in RATES if rate > most] or [float(np.ceil(most + 1))]
    if codes[-1, 0] - codes[0, 0] >= 2:
        return possible[0]
    lengths = [codes[-1] @ [1, 1 / rate] - codes[0] @ [1, 1 / rate] + 1 / rate for rate in possible]
    return possible[int(np.argmin(np.abs(np.array(lengths) - seconds)))]


def _has_face(row: dict[str, str]) -> bool:
    return row.get("BlendShapeCount") != "0" and all(row[name] for name in TITLES)


def _weights(row: dict[str, str], path: Path, line: int) -> np.ndarray:
    try:
        weights = np.array([float(row[name]) for name in TITLES])
    except ValueError as error:
        raise MienError(f"{path}, line {line}: a weight is not a number") from error
    if not np.isfinite(weights).all():
        raise MienError(f"{path}, line {line}: a weight is not a number")
    return np.clip(weights, 0.0, 1.0)
