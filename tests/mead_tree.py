"""A small tree in MEAD's layout: films whose brightness is the jaw's opening (see test_tracks)."""

import numpy as np

from test_tracks import FakeLandmarker, write_sound, write_video

SECONDS = 2.0
CALM, ACTED = 0.3, 0.6
"""Brightness of neutral films and of the others."""


def place(root, actor, label, level, number, *, kind="video", view="front"):
    """The path of a recording, its folder made."""
    below = f"{kind}/{view}" if kind == "video" else kind
    suffix = "mp4" if kind == "video" else "m4a"
    path = root / actor / below / label / f"level_{level}" / f"{number:03d}.{suffix}"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def write_recording(
    root, actor, label, level, number, *, bright=None, sound: float | None = SECONDS, **where
):
    """Write a film of SECONDS with sound; of one brightness, or of one for each picture."""
    calm = CALM if label == "neutral" else ACTED
    shown = np.full(round(25 * SECONDS), calm) if bright is None else np.asarray(bright)
    return write_video(place(root, actor, label, level, number, **where), shown, sound=sound)


def write_tree(root, *, actors=("M003",), labels=("angry", "happy"), levels=(1, 3), numbers=(1, 2)):
    """Neutral and acted recordings of each actor."""
    for actor in actors:
        for number in numbers:
            write_recording(root, actor, "neutral", 1, number)
            for label in labels:
                for level in levels:
                    write_recording(root, actor, label, level, number)
    return root


class FakeMediaPipe(FakeLandmarker):
    """Stands where the real one stands, and counts the films that it has seen."""

    seen = 0

    def __init__(self, path, *, largest=False):
        pass

    def __enter__(self):
        type(self).seen += 1
        return self

    def __exit__(self, *_):
        pass


__all__ = ["FakeMediaPipe", "place", "write_recording", "write_sound", "write_tree"]
