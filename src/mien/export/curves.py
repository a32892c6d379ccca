"""Curves: the unit weights as a table in the layout of Epic's Live Link Face app (.csv)."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.animation import Animation
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

TURNS = ("HeadYaw", "HeadPitch", "HeadRoll")
APP_SIGNS = (-1.0, 1.0, -1.0)
"""In the app's files, yaw is positive toward the own right, pitch down, and roll toward the own
left; so are its eyes' columns beside the EyeLook columns of the same rows."""

STILL = tuple(f"{eye}Eye{turn}" for eye in ("Left", "Right") for turn in ("Yaw", "Pitch", "Roll"))
"""Always zero: what the eyes do is in their EyeLook columns."""

SWAPPED = {"jawLeft": "jawRight", "mouthLeft": "mouthRight"}
"""The app writes these two pairs right before left, unlike ARKit's own list."""


def columns() -> list[str]:
    """Return the 52 unit names in the app's order of columns."""
    order = {**SWAPPED, **{right: left for left, right in SWAPPED.items()}}
    return [order.get(name, name) for name in UNIT_NAMES]


def check(face: Face) -> None:
    """MienError for a face that lacks one of the 52 units."""
    if missing := [name for name in UNIT_NAMES if name not in face.unit_names]:
        raise MienError(
            f"the face {face.name!r} has no unit {missing[0]!r}, which .csv needs; "
            "write .glb or .npz"
        )


def write(animation: Animation, path: Path, progress: bool = False) -> None:
    """Write one row a frame: Timecode, BlendShapeCount (61), 52 weights, 9 rotations in radians.

    Raises MienError for a face that lacks one of the 52 units.
    """
    check(animation.face)
    names = animation.face.unit_names
    weights = np.asarray(animation.weights)[:, [names.index(name) for name in columns()]]
    head = animation.head
    turns = np.zeros((len(weights), 3)) if head is None else np.asarray(head) * APP_SIGNS
    rows = np.concatenate([weights, turns], 1)
    titles = [*(name[0].upper() + name[1:] for name in columns()), *TURNS, *STILL]
    still = ["0"] * len(STILL)
    with open(path, "w", encoding="ascii", newline="\n") as file:
        print("Timecode", "BlendShapeCount", *titles, sep=",", file=file)
        bar = tqdm(rows, "curves", unit="frame", disable=not progress)
        for frame, row in enumerate(bar):
            time = audio.frame_to_timecode(frame, animation.fps)
            print(time, len(titles), *(f"{w:.6f}" for w in row), *still, sep=",", file=file)
