"""Does the mouth follow a real performance? Jaw and lips on FACEGOOD's held-out sequence.

A plain correlation says little: how loud the speech is already goes with how far the lips are
apart. So loudness alone and a ridge readout of the speech features stand beside the pack, and what
counts is the *partial* correlation beyond loudness: that of the residuals after loudness has been
regressed out of both sides.

Conventions: `jaw` is the weight of jawOpen, `gap` is `Face.gap` in metres, both at 30 frames a
second; the capture is the truth; the description is neutral. Loudness is that of 50 ms, at most
FLOOR below the loudest, smoothed as goes best with the truth: it gets every chance. Intervals are
of 95 %, from a bootstrap over blocks of two seconds. Lag is positive where the pack is late.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from mien.animation import Animation
from mien.data import facegood
from mien.data.captures import Capture, loudness
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.lips import gap_of

SMOOTHINGS = (1, 3, 5, 7, 9, 13)
"""Frames over which loudness is averaged; the best is taken."""

FLOOR = 50.0
"""dB below the loudest frame at which loudness ends: below is the room."""

CONTEXTS = ((0,), (-2, 0, 2), (-6, -3, 0, 3, 6))
"""Frames around the present whose features the readout may see; the best in training is taken."""

RIDGES = (10.0, 100.0, 1e3, 1e4, 1e5)
"""Penalties that the readout may have, likewise."""

BLOCK, RESAMPLES = 60, 1000
"""Frames of a block and draws of the bootstrap."""

MOST_LAG = 10
"""Frames by which a curve is moved to look for its best correlation."""

LEAST = 0.4
"""What the pack is asked to reach beyond loudness; and the readout's."""

MEASURES = ("jaw", "gap")


class Animates(Protocol):
    """What a study needs of an animator."""

    face: Face

    def animate(self, speech: np.ndarray, description: str) -> Animation: ...

    def encode_speech(self, speech: np.ndarray) -> np.ndarray: ...


@dataclass(frozen=True)
class Followed:
    """How one curve follows the capture."""

    measure: str
    """jaw or gap"""
    by: str
    """whose curve: loudness, readout or pack"""
    correlation: float
    beyond: float | None
    """partial correlation beyond loudness; None of loudness itself"""
    interval: tuple[float, float] | None
    """of `beyond`, 95 %"""
    lag: int
    """frames at the best correlation"""


@dataclass(frozen=True)
class Report:
    """One line for each measure and curve."""

    sequence: str
    frames: int
    smoothing: dict[str, int]
    """frames over which loudness was averaged, by measure"""
    readout: str
    """context and penalty of the readout"""
    followed: tuple[Followed, ...]
    lead: dict[str, tuple[float, float, float]]
    """by measure: the pack's `beyond` less the readout's, and the 95 % interval of it"""

    def rows(self) -> dict[str, Any]:
        """Return the numbers as plain data, ready for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """Return the lines as a Markdown table."""
        lines = [
            f"{self.sequence}, {self.frames} frames; {self.readout}",
            "",
            f"| measure | curve | r | beyond loudness, pack ≥ {LEAST} | 95 % | lag, frames |",
            "|---|---|---|---|---|---|",
        ]
        for one in self.followed:
            if one.beyond is None or one.interval is None:
                name, beyond = f"loudness over {self.smoothing[one.measure]} frames", " | "
            else:
                low, high = one.interval
                missed = one.by == "pack" and (one.beyond < LEAST or self.lead[one.measure][0] <= 0)
                found = f"**{one.beyond:.3f}**" if missed else f"{one.beyond:.3f}"
                name, beyond = one.by, f"{found} | {low:.2f} to {high:.2f}"
            lines.append(
                f"| {one.measure} | {name} | {one.correlation:.3f} | {beyond} | {one.lag:+d} |"
            )
        lines.append("")
        for measure, (lead, low, high) in self.lead.items():
            lines.append(
                f"{measure}: the pack beyond the readout by {lead:+.3f} ({low:+.2f} to {high:+.2f})"
            )
        return "\n".join(lines)


def study(animator: Animates, root: Path | str, *, progress: bool = False) -> Report:
    """Measure an animator on the held-out sequence; the readout is trained on the others."""
    names = facegood.sequences(root)
    held = sorted(facegood.HELD_OUT & set(names))
    others = [name for name in names if name not in facegood.HELD_OUT]
    if not held or len(others) < 2:
        raise MienError(
            f"{root} needs {', '.join(sorted(facegood.HELD_OUT))} to measure on and two other "
            f"sequences for the readout; it has {', '.join(names)}"
        )
    bar = tqdm([held[0], *others], "hear captures", disable=not progress)
    captures = [facegood.read(root, name) for name in bar]
    heard = [animator.encode_speech(capture.speech) for capture in captures]
    curves = [_curves(animator.face, capture.weights) for capture in captures]
    found = fit_readout(heard[1:], curves[1:])
    animation = animator.animate(captures[0].speech, "neutral")
    ours = _curves(animator.face, np.asarray(animation.weights))
    return _report(captures[0], curves[0], ours, found.read(heard[0]), str(found))


def _curves(face: Face, weights: np.ndarray) -> np.ndarray:
    """Return (T, 2): jaw and gap of weights (T, 52)."""
    weights = face.limit(np.asarray(weights, np.float64))
    return np.stack([weights[:, UNIT_NAMES.index("jawOpen")], gap_of(weights, face)], axis=1)


def _report(
    capture: Capture, truth: np.ndarray, ours: np.ndarray, readout: np.ndarray, about: str
) -> Report:
    levels = loudness(capture.speech, len(truth), capture.fps)
    levels = np.maximum(levels, levels.max() - FLOOR)
    smoothing, followed, lead = {}, [], {}
    for place, measure in enumerate(MEASURES):
        true = truth[:, place]
        smoothing[measure], loud = best_loudness(levels, true)
        curves = {"readout": readout[:, place], "pack": ours[:, place]}
        alone = correlation(true, loud), None, None, best_lag(true, loud)
        followed.append(Followed(measure, "loudness", *alone))
        draws = blocks(len(true), np.random.default_rng(0))
        beyond = {
            name: np.array([partial(true[d], curve[d], loud[d]) for d in draws])
            for name, curve in curves.items()
        }
        whole = {name: partial(true, curve, loud) for name, curve in curves.items()}
        for name, curve in curves.items():
            interval, lag = _interval(beyond[name]), best_lag(true, curve)
            plain = correlation(true, curve)
            followed.append(Followed(measure, name, plain, whole[name], interval, lag))
        ahead = _interval(beyond["pack"] - beyond["readout"])
        lead[measure] = (whole["pack"] - whole["readout"], *ahead)
    return Report(capture.name, len(truth), smoothing, about, tuple(followed), lead)


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's correlation of two curves (T,); 0 where one of them stands still."""
    a, b = a - a.mean(), b - b.mean()
    size = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / size) if size > 1e-12 * len(a) else 0.0


def partial(a: np.ndarray, b: np.ndarray, given: np.ndarray) -> float:
    """Return the correlation of a and b (T,) after `given` (T,) is regressed out of both."""
    known = np.stack([np.ones(len(given)), given], axis=1)
    left = [y - known @ np.linalg.lstsq(known, y, rcond=None)[0] for y in (a, b)]
    # What is left of a curve that loudness explains wholly is rounding, and correlates with any.
    if any(rest.std() <= 1e-9 * max(y.std(), 1e-12) for rest, y in zip(left, (a, b), strict=True)):
        return 0.0
    return correlation(*left)


def best_loudness(levels: np.ndarray, truth: np.ndarray) -> tuple[int, np.ndarray]:
    """Return (frames, levels smoothed over them) that correlate best with the truth (T,)."""
    smooth = {}
    for frames in SMOOTHINGS:
        padded = np.pad(levels, frames // 2, mode="edge")
        smooth[frames] = np.convolve(padded, np.ones(frames) / frames, mode="valid")
    best = max(SMOOTHINGS, key=lambda frames: correlation(truth, smooth[frames]))
    return best, smooth[best]


def best_lag(truth: np.ndarray, curve: np.ndarray) -> int:
    """Return by how many frames `curve` comes after `truth`, where they correlate best."""

    def at(lag: int) -> float:
        late, early = curve[max(lag, 0) :], truth[max(-lag, 0) :]
        frames = min(len(late), len(early))
        return correlation(late[:frames], early[:frames])

    # Of equals the nearest to zero.
    return max(sorted(range(-MOST_LAG, MOST_LAG + 1), key=abs), key=at)


def blocks(frames: int, rng: np.random.Generator) -> np.ndarray:
    """Return (RESAMPLES, N) frames: each row is drawn in blocks of BLOCK, with replacement."""
    length = min(BLOCK, frames)
    count = -(-frames // length)
    starts = rng.integers(frames - length + 1, size=(RESAMPLES, count))
    return (starts[:, :, None] + np.arange(length)).reshape(RESAMPLES, -1)[:, :frames]


def _interval(values: np.ndarray) -> tuple[float, float]:
    low, high = np.percentile(values, [2.5, 97.5])
    return float(low), float(high)


@dataclass(frozen=True, eq=False)
class Readout:
    """A linear map from speech features around a frame to the curves, with its normalisation."""

    context: tuple[int, ...]
    ridge: float
    mean: np.ndarray
    """(N,) of the features in context"""
    offset: np.ndarray
    """(2,)"""
    map: np.ndarray
    """(N, 2)"""

    def __str__(self) -> str:
        return f"readout of frames {list(self.context)} with a ridge of {self.ridge:g}"

    def read(self, features: np.ndarray) -> np.ndarray:
        """speech_features (T, 384) → curves (T, 2)."""
        return (_in_context(features, self.context) - self.mean) @ self.map + self.offset


def fit_readout(features: Sequence[np.ndarray], curves: Sequence[np.ndarray]) -> Readout:
    """Fit a readout to sequences of features (T, 384) and curves (T, 2).

    Context and ridge are those that correlate best with each sequence when fitted to the others.
    """
    best, chosen = -np.inf, (CONTEXTS[0], RIDGES[0])
    for context in CONTEXTS:
        sums = [_sums(_in_context(f, context), c) for f, c in zip(features, curves, strict=True)]
        scores = np.zeros(len(RIDGES))
        for place, (heard, true) in enumerate(zip(features, curves, strict=True)):
            fitted = _solved(context, [s for k, s in enumerate(sums) if k != place], RIDGES)
            scores += [_score(one.read(heard), true) for one in fitted]
        if scores.max() > best:
            best, chosen = scores.max(), (context, RIDGES[int(scores.argmax())])
    context, ridge = chosen
    sums = [_sums(_in_context(f, context), c) for f, c in zip(features, curves, strict=True)]
    return _solved(context, sums, [ridge])[0]


def _score(read: np.ndarray, true: np.ndarray) -> float:
    return float(np.mean([correlation(a, b) for a, b in zip(read.T, true.T, strict=True)]))


def _in_context(features: np.ndarray, context: tuple[int, ...]) -> np.ndarray:
    """Return (T, 384 · len(context)) float64; the first and last frame stand for those beyond."""
    places = np.arange(len(features))[:, None] + np.array(context)
    near = np.asarray(features, np.float64)[np.clip(places, 0, len(features) - 1)]
    return near.reshape(len(features), -1)


def _sums(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what a least-squares fit needs of x (T, N) and y (T, 2)."""
    return np.array(len(x), float), x.sum(0), y.sum(0), x.T @ x, x.T @ y


def _solved(
    context: tuple[int, ...], sums: Sequence[tuple[np.ndarray, ...]], ridges: Sequence[float]
) -> list[Readout]:
    """Return the closed form for each ridge, from the sums of all sequences."""
    count, x, y, xx, xy = (np.sum(parts, axis=0) for parts in zip(*sums, strict=True))
    mean, offset = x / count, y / count
    values, axes = np.linalg.eigh(xx - np.outer(mean, x))
    turned = axes.T @ (xy - np.outer(mean, y))
    return [
        Readout(context, ridge, mean, offset, axes @ (turned / (values + ridge)[:, None]))
        for ridge in ridges
    ]
