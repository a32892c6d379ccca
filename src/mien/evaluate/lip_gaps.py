"""A picture of aligned pairs: the lip gap of both clips, before and after the alignment."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mien import audio, lips
from mien.data import align
from mien.data.clips import Clip
from mien.data.pairs import Aligned
from mien.errors import MienError
from mien.evaluate.alignment import Found
from mien.face import Face

MOST_PAIRS = 15
"""Pairs in a picture; of more, these are taken evenly from the least agreement to the greatest."""

N_COLOR, M_COLOR = "#1f3b73", "#e0762f"


def check_picture(path: Path) -> None:
    """MienError where no such picture can be made, before anything is computed."""
    if path.suffix.lower() != ".png":
        raise MienError(f"the picture is {path}; a name that ends in .png is wanted")
    if path.exists() or not path.parent.is_dir():
        raise MienError(f"cannot write {path} as a new file; choose another name")
    _pyplot()


def draw(path: Path, found: Found) -> None:
    """Write a PNG with a row for each pair: m stretched to n's length, and m on n's clock.

    What is crossed is shaded. MienError where the face has no lips that meet, or the disk refuses.
    """
    clips, face = found.clips, found.face
    if not len(face.contact_pairs):
        raise MienError(f"the face {face.name!r} has no inner lips whose gap could be drawn")
    pyplot, chosen = _pyplot(), shown(found.pairs)
    figure, panels = pyplot.subplots(
        len(chosen), 2, figsize=(13, 1.9 * len(chosen)), squeeze=False, layout="constrained",
        sharey=True,
    )  # fmt: skip
    for row, pair in zip(panels, chosen, strict=True):
        n, m = clips[pair.n], clips[pair.m]
        times = audio.frame_times(n.frames, n.fps)
        gap_n, before, after = (1e3 * gap for gap in gaps(pair, n, m, face))
        titles = ("stretched", f"aligned: {pair.fault or 'kept'}")
        for panel, title, gap_m in zip(row, titles, (before, after), strict=True):
            first, last = pair.start / n.fps, (pair.start + 2 * pair.half - 1) / n.fps
            panel.axvspan(first, max(first, last), color="0.93")
            panel.plot(times, gap_n, color=N_COLOR, label=f"{n.emotion} {n.level:.2g}")
            panel.plot(times, gap_m, color=M_COLOR, label=f"{m.emotion} {m.level:.2g}")
            panel.set_title(f"{n.id} × {m.id}, {title}", fontsize=8)
            panel.tick_params(labelsize=7)
        row[0].set_ylabel("lip gap, mm", fontsize=8)
        row[0].legend(fontsize=7, loc="upper right")
    for panel in panels[-1]:
        panel.set_xlabel("seconds of n", fontsize=8)
    part = path.with_name(f".{path.name}.part")
    try:
        figure.savefig(part, dpi=100, format="png")
        os.replace(part, path)
    except OSError as error:
        raise MienError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        pyplot.close(figure)
        part.unlink(missing_ok=True)


def gaps(pair: Aligned, n: Clip, m: Clip, face: Face) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return n's lip gap, m's stretched to n's length and m's on n's clock: (T,) metres each."""
    gap_n, gap_m = (lips.gap_of(clip.weights, face) for clip in (n, m))
    straight = np.linspace(0.0, m.frames - 1, n.frames)
    return gap_n, align.sample(gap_m, straight), align.sample(gap_m, pair.clock)


def shown(pairs: Sequence[Aligned]) -> list[Aligned]:
    """Return at most MOST_PAIRS of the pairs, evenly from the least agreement to the greatest."""
    ranked = sorted(pairs, key=lambda pair: pair.quality.agreement)
    places = np.linspace(0, len(ranked) - 1, min(len(ranked), MOST_PAIRS)).round().astype(int)
    return [ranked[place] for place in places]


def _pyplot():
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise MienError(
            "matplotlib, which draws the picture, is not installed; install it with: "
            "pip install matplotlib"
        ) from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot
