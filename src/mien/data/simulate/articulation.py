"""How the mouth moves from phone to phone: targets blended over time.

Targets are blended by exponential dominance (Cohen and Massaro, 1993): a part of the mouth is at
the mean of all phones' targets, each weighted by its dominance at that moment.

Stress scales a vowel, and an unstressed one moves toward schwa. What must not be blended away
leaves here as `demands` over time.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.clips import Phone
from mien.data.simulate import demands
from mien.data.simulate.targets import TARGETS, VOWELS, Manner, Target
from mien.face import UNIT_NAMES, Face
from mien.lips import ease, gap_of, open_to

GROUPS: dict[str, tuple[str, ...]] = {
    "jaw": ("jawOpen",),
    "shape": (
        "mouthFunnel", "mouthPucker", "mouthStretchLeft", "mouthStretchRight",
        "mouthSmileLeft", "mouthSmileRight",
    ),
    "lift": (
        "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight",
        "mouthRollLower", "mouthRollUpper", "mouthShrugUpper",
    ),
    "tongue": ("tongueOut",),
}  # fmt: skip
"""Parts of the mouth that a phone may insist on independently of each other."""

CORE = 0.4
"""The middle share of a phone over which its dominance is at its height."""

DIPHTHONG = ((0.15, 0.40), (0.75, 0.95))
"""The same of the two targets of a diphthong: from which to which share of the phone."""

STRESS = 0.2
"""The lips' shape of the most prominent vowel is larger by this share, of the least smaller. So is
the opening of an open vowel; a close one's changes less."""

OPEN = 8.0
"""mm from which a vowel is open in that sense."""

REDUCTION = 0.4
"""How far the least prominent vowel goes toward schwa."""

INSISTENCE = 0.3
"""The most prominent vowel's dominance is higher by this share, the least's lower."""

LOPSIDED = 0.1
"""A style's `side` moves one side of the lips by this share more, and the other less."""

VOWEL_FLOOR = 0.45
"""A vowel keeps at least this share of its opening, whatever surrounds it or clenches the jaw."""

REST_PAUSE = 0.25
"""Seconds; in pauses from this length on the mouth comes to rest."""

REST_SECONDS, START_SECONDS = 0.15, 0.14
"""How long the mouth takes to come to rest after the last phone, and to leave it for the first."""


@dataclass(frozen=True)
class Style:
    """How an actor speaks: plain factors around 1."""

    jaw: float = 1.0
    """how far the jaw opens"""
    lips: float = 1.0
    """how far the lips round, spread and lift"""
    effort: float = 1.0
    """both together: 0.7 mumbles, 1.3 over-articulates; contacts are made all the same"""
    rounding: float = 1.0
    """how far the lips round, beside `lips`"""
    ahead: float = 1.0
    """how early a phone is felt"""
    side: float = 0.0
    """which side speaks a little more: 1 the left, -1 the right"""


@dataclass(frozen=True, eq=False)
class Content:
    """What speech asks of the mouth, frame by frame, on a neutral face."""

    weights: np.ndarray
    """(T, 52) float64 in [0, 1]"""
    closure: np.ndarray
    """(T,) in [0, 1]: how much the lips must be shut (p, b, m)"""
    labiodental: np.ndarray
    """(T,) in [0, 1]: how much the lower lip must lie on the upper teeth (f, v)"""
    floor: np.ndarray
    """(T,) metres: the least gap of the lips that a vowel needs; 0 elsewhere"""
    speaking: np.ndarray
    """(T,) in [0, 1]: 0 while the mouth rests in silence"""


def articulate(
    phones: Sequence[Phone],
    frames: int,
    *,
    fps: float,
    style: Style,
    face: Face,
    prominence: np.ndarray | None = None,
) -> Content:
    """Return what the mouth does for these phones, for frames at t / fps. Pure and deterministic.

    `prominence` (N,) in [0, 1] has one number for each phone; None is 0.5 everywhere, the ordinary.
    A phone that is not in `TARGETS` is a KeyError: phones come from our own speech and aligners.
    """
    times = np.arange(frames) / fps
    stress = np.full(len(phones), 0.5) if prominence is None else np.asarray(prominence)
    shapes = [
        stressed(phone.name, amount, face) for phone, amount in zip(phones, stress, strict=True)
    ]
    speaking, gains = _speaking(phones, times), _style_gains(style)
    weights = _blend(_moments(phones, shapes, stress, style), times)
    weights *= speaking[:, None] * gains
    _narrow_jaw(weights, demands.teeth(phones, times), _target_weights(face)["s"])
    openings = [VOWEL_FLOOR * gap_of(shape * gains, face).min() for shape in shapes]
    return Content(
        weights=np.clip(weights, 0.0, 1.0),
        closure=demands.closure(phones, times),
        labiodental=demands.labiodental(phones, times),
        floor=demands.floor(phones, times, openings),
        speaking=speaking,
    )


def stressed(name: str, prominence: float, face: Face) -> np.ndarray:
    """Return the targets (1 or 2, 52) of a phone as prominent as this, 0 to 1.

    A vowel grows with its prominence; one that is not prominent shrinks and goes toward schwa.
    """
    weights = _target_weights(face)
    if name not in VOWELS:
        return weights[name]
    swing = STRESS * (2 * prominence - 1)
    growth = np.full(weights[name].shape, 1 + swing)
    openings = np.array([target.opening for target in TARGETS[name]])
    growth[:, UNIT_NAMES.index("jawOpen")] = 1 + swing * np.minimum(openings / OPEN, 1)
    reduced = REDUCTION * max(1 - 2 * prominence, 0.0)
    return growth * ((1 - reduced) * weights[name] + reduced * weights["ax"])


@functools.lru_cache(maxsize=4)
def _target_weights(face: Face) -> dict[str, np.ndarray]:
    """Return for each phone its targets as unit weights, (1 or 2, 52), opened on this face."""
    return {name: _row_weights(row, face) for name, row in TARGETS.items()}


def _row_weights(row: tuple[Target, ...], face: Face) -> np.ndarray:
    """Return the weights of a phone's targets, the jaw open as far as each still needs."""
    openings = np.array([target.opening for target in row]) * 1e-3
    return open_to(np.stack([_lip_weights(target) for target in row]), openings, face)


def _lip_weights(target: Target) -> np.ndarray:
    weights = np.zeros(len(UNIT_NAMES))
    pairs = {
        "mouthStretch": target.stretch, "mouthSmile": target.smile,
        "mouthUpperUp": target.upper, "mouthLowerDown": target.lower,
    }  # fmt: skip
    singles = {
        "mouthFunnel": target.funnel, "mouthPucker": target.pucker, "tongueOut": target.tongue,
    }  # fmt: skip
    sides = {f"{unit}{side}": w for unit, w in pairs.items() for side in ("Left", "Right")}
    for unit, weight in (singles | sides).items():
        weights[UNIT_NAMES.index(unit)] = weight
    return weights


@dataclass(frozen=True, eq=False)
class _Moment:
    """A target in time."""

    start: float
    """seconds: from here to `end` the target is at its height"""
    end: float
    manner: Manner
    insistence: float
    """factor on the manner's dominance"""
    ahead: float
    """factor on the manner's seconds ahead"""
    weights: np.ndarray
    """(52,)"""


def _moments(
    phones: Sequence[Phone], shapes: Sequence[np.ndarray], stress: np.ndarray, style: Style
) -> list[_Moment]:
    """Return all targets in time, of phones with these shapes (1 or 2, 52)."""
    moments = []
    for phone, shape, amount in zip(phones, shapes, stress, strict=True):
        insistence = 1 + INSISTENCE * (2 * amount - 1) if phone.name in VOWELS else 1.0
        manners = [target.manner for target in TARGETS[phone.name]]
        for span, manner, weights in zip(_heights(phone), manners, shape, strict=True):
            moments.append(_Moment(*span, manner, insistence, style.ahead, weights))
    return moments


def _heights(phone: Phone) -> list[tuple[float, float]]:
    """Return (start, end) of the time in which each of a phone's targets is at its height."""
    length = phone.end - phone.start
    edge = length * (1 - CORE) / 2
    if phone.name == "pau":
        edge = min(edge, 0.05)
    if len(TARGETS[phone.name]) == 1:
        return [(phone.start + edge, phone.end - edge)]
    return [
        (phone.start + first * length, phone.start + last * length) for first, last in DIPHTHONG
    ]


def _blend(moments: Sequence[_Moment], times: np.ndarray) -> np.ndarray:
    """Return the dominance-weighted mean of all targets, (T, 52)."""

    def column(values) -> np.ndarray:
        return np.array(list(values))[:, None]

    before = np.maximum(column(m.start for m in moments) - times, 0)
    after = np.maximum(times - column(m.end for m in moments), 0)
    ahead = column(m.manner.ahead * m.ahead for m in moments)
    falloff = np.exp(-before / ahead - after / column(m.manner.behind for m in moments))
    falloff *= column(m.insistence for m in moments)
    goals = np.stack([m.weights for m in moments])
    result = np.zeros((len(times), len(UNIT_NAMES)))
    for group, units in GROUPS.items():
        dominance = column(getattr(m.manner, group) for m in moments) * falloff
        columns = [UNIT_NAMES.index(unit) for unit in units]
        result[:, columns] = dominance.T @ goals[:, columns] / dominance.sum(0)[:, None]
    return result


def _narrow_jaw(weights: np.ndarray, teeth: np.ndarray, hiss: np.ndarray) -> None:
    """Keep the jaw of weights (T, 52) down to that of `hiss` (1, 52) by as much as `teeth` (T,)."""
    jaw = UNIT_NAMES.index("jawOpen")
    weights[:, jaw] -= teeth * np.maximum(weights[:, jaw] - hiss[0, jaw], 0.0)


def _style_gains(style: Style) -> np.ndarray:
    """Return the factor (52,) of each unit."""
    gains = np.full(len(UNIT_NAMES), style.lips * style.effort)
    for k, name in enumerate(UNIT_NAMES):
        if name == "jawOpen":
            gains[k] = style.jaw * style.effort
        elif name == "tongueOut":
            gains[k] = 1.0
        elif name in ("mouthFunnel", "mouthPucker"):
            gains[k] *= style.rounding
        elif name.endswith(("Left", "Right")):
            gains[k] *= 1 + LOPSIDED * style.side * (1 if name.endswith("Left") else -1)
    return gains


def _speaking(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """Return 1 in speech and 0 at rest, eased; the ends of the clip count as long silences."""
    speaking = np.ones(len(times))
    for place, phone in enumerate(phones):
        first, last = place == 0, place == len(phones) - 1
        if phone.name != "pau" or (phone.end - phone.start < REST_PAUSE and not (first or last)):
            continue
        leaving = np.zeros(len(times)) if first else 1 - ease((times - phone.start) / REST_SECONDS)
        coming = np.zeros(len(times)) if last else ease(1 + (times - phone.end) / START_SECONDS)
        speaking = np.minimum(speaking, np.maximum(leaving, coming))
    return speaking
