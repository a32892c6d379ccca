"""How the mouth moves from phone to phone: targets blended over time.

Targets are blended by exponential dominance (Cohen and Massaro, 1993): a part of the mouth is at
the mean of all phones' targets, each weighted by its dominance at that moment.

What must not be blended away (p, b, m shut; f, v on the teeth; vowels open) leaves here as demands
over time, which `lips` solves as constraints.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.clips import Phone
from mien.data.simulate.lips import open_to
from mien.data.simulate.targets import (
    BILABIALS,
    LABIODENTALS,
    TARGETS,
    VOWELS,
    Manner,
    Target,
)
from mien.face import UNIT_NAMES, Face

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


HELD = {"p": 0.65, "b": 0.75, "m": 0.95, "f": 0.85, "v": 0.85}
"""The share of the phone during which the lips stay in contact; then they are released."""

ATTACK, RELEASE = 0.060, 0.055
"""Seconds that the lips take to meet and to part; both are shorter beside a short vowel."""

SLIDE = 0.075
"""Seconds that the lower lip takes to reach the teeth and to leave them (f, v)."""

FROM_REST = 0.25
"""Seconds; lips that rest before a p, b or m, or after an m, stay shut instead of parting first."""

CORE = 0.4
"""The middle share of a phone over which its dominance is at its height."""

VOWEL_FLOOR = 0.45
"""A vowel keeps at least this share of its opening, whatever surrounds it or clenches the jaw."""

REST_PAUSE = 0.25
"""Seconds; in pauses from this length on the mouth comes to rest."""

REST_SECONDS, START_SECONDS = 0.18, 0.14
"""How long the mouth takes to come to rest after the last phone, and to leave it for the first."""


@dataclass(frozen=True)
class Style:
    """How an actor speaks: plain factors around 1."""

    jaw: float = 1.0
    """how far the jaw opens"""
    lips: float = 1.0
    """how far the lips round, spread and lift"""
    effort: float = 1.0
    """both together: 0.7 mumbles, 1.3 over-articulates"""


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
    phones: Sequence[Phone], frames: int, *, fps: float, style: Style, face: Face
) -> Content:
    """Return what the mouth does for these phones, for frames at t / fps. Pure and deterministic.

    A phone that is not in `TARGETS` is a KeyError: phones come from our own speech and aligners.
    """
    times = np.arange(frames) / fps
    speaking = _speaking(phones, times)
    weights = _blend(phones, times, _target_weights(face))
    weights *= speaking[:, None] * _style_gains(style)
    return Content(
        weights=np.clip(weights, 0.0, 1.0),
        closure=_demand(phones, times, BILABIALS, 1 / fps),
        labiodental=_demand(phones, times, LABIODENTALS, 1 / fps),
        floor=_vowel_floor(phones, times, style),
        speaking=speaking,
    )


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


def _blend(
    phones: Sequence[Phone], times: np.ndarray, target_weights: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the dominance-weighted mean of all targets, (T, 52)."""
    rows = [row for phone in phones for row in _targets_in_time(phone, target_weights[phone.name])]
    starts, ends = (np.array([row[k] for row in rows])[:, None] for k in (0, 1))
    manners: list[Manner] = [row[2] for row in rows]
    goals = np.stack([row[3] for row in rows])
    ahead, behind = (
        np.array([getattr(m, k) for m in manners])[:, None] for k in ("ahead", "behind")
    )
    falloff = np.exp(-np.maximum(starts - times, 0) / ahead - np.maximum(times - ends, 0) / behind)
    result = np.zeros((len(times), len(UNIT_NAMES)))
    for group, units in GROUPS.items():
        # The tongue tip is as insistent as the jaw: it has no neighbours to give way to.
        strength = np.array([getattr(m, "jaw" if group == "tongue" else group) for m in manners])
        dominance = strength[:, None] * falloff
        columns = [UNIT_NAMES.index(unit) for unit in units]
        result[:, columns] = dominance.T @ goals[:, columns] / dominance.sum(0)[:, None]
    return result


def _targets_in_time(phone: Phone, weights: np.ndarray) -> list[tuple]:
    """Return (start, end, manner, weights) of each target's best moments; diphthongs have two."""
    length = phone.end - phone.start
    edge = length * (1 - CORE) / 2
    spans = [(phone.start + edge, phone.end - edge)]
    if phone.name == "pau":
        spans = [(phone.start + min(edge, 0.05), phone.end - min(edge, 0.05))]
    if len(weights) == 2:
        spans = [
            (phone.start + 0.15 * length, phone.start + 0.40 * length),
            (phone.start + 0.75 * length, phone.start + 0.95 * length),
        ]
    manners = [target.manner for target in TARGETS[phone.name]]
    return [(*span, m, w) for span, m, w in zip(spans, manners, weights, strict=True)]


def _style_gains(style: Style) -> np.ndarray:
    gains = np.full(len(UNIT_NAMES), style.lips * style.effort)
    gains[UNIT_NAMES.index("jawOpen")] = style.jaw * style.effort
    gains[UNIT_NAMES.index("tongueOut")] = 1.0
    return gains


def _speaking(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """Return 1 in speech and 0 at rest, eased; the ends of the clip count as long silences."""
    speaking = np.ones(len(times))
    for place, phone in enumerate(phones):
        first, last = place == 0, place == len(phones) - 1
        if phone.name != "pau" or (phone.end - phone.start < REST_PAUSE and not (first or last)):
            continue
        leaving = np.zeros(len(times)) if first else 1 - _ease((times - phone.start) / REST_SECONDS)
        coming = np.zeros(len(times)) if last else _ease(1 + (times - phone.end) / START_SECONDS)
        speaking = np.minimum(speaking, np.maximum(leaving, coming))
    return speaking


def _demand(
    phones: Sequence[Phone], times: np.ndarray, names: frozenset[str], frame: float
) -> np.ndarray:
    """Return a demand (T,) that is 1 while the lips must be in contact, with quick flanks.

    The contact lasts at least one frame, so that no closure falls between two frames.
    """
    demand = np.zeros(len(times))
    for place, phone in enumerate(phones):
        if phone.name not in names:
            continue
        length = phone.end - phone.start
        middle = phone.start + HELD[phone.name] * length / 2
        half = max(HELD[phone.name] * length, 1.02 * frame) / 2
        attack, release = _flanks(phones, place)
        rise = _ease(1 + (times - (middle - half)) / attack)
        fall = _ease(1 - (times - (middle + half)) / release)
        demand = np.maximum(demand, np.minimum(rise, fall))
    return demand


def _flanks(phones: Sequence[Phone], place: int) -> tuple[float, float]:
    """Return how many seconds the lips take to make contact and to undo it."""
    name, before, after = phones[place].name, phones[place - 1 : place], phones[place + 1 :][:1]
    if name in LABIODENTALS:
        return SLIDE, SLIDE
    attack = FROM_REST if _is_rest(before) else _halved_by_vowel(before, ATTACK)
    held = name == "m" and _is_rest(after)
    return attack, FROM_REST if held else _halved_by_vowel(after, RELEASE)


def _halved_by_vowel(neighbours: Sequence[Phone], seconds: float) -> float:
    """Return the seconds, or fewer: by the middle of a short vowel the lips must have parted."""
    lengths = [max(phone.end - phone.start, 0.04) for phone in neighbours if phone.name in VOWELS]
    return min([seconds, *(length / 2 for length in lengths)])


def _is_rest(neighbours: Sequence[Phone]) -> bool:
    """Return whether the neighbour on this side is silence or the end of the clip."""
    return all(phone.name == "pau" for phone in neighbours)


def _vowel_floor(phones: Sequence[Phone], times: np.ndarray, style: Style) -> np.ndarray:
    """Return the least gap (T,) in metres: a bump over each vowel, as high as a share of it."""
    floor = np.zeros(len(times))
    for phone in phones:
        if phone.name not in VOWELS:
            continue
        opening = min(target.opening for target in TARGETS[phone.name]) * 1e-3
        width = max(phone.end - phone.start, 0.08)
        bump = _ease(2 - 2 * np.abs(times - phone.centre) / width)
        floor = np.maximum(floor, VOWEL_FLOOR * style.jaw * style.effort * opening * bump)
    return floor


def _ease(x: np.ndarray) -> np.ndarray:
    """Return x clipped to [0, 1] with level ends (smoothstep)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * (3 - 2 * x)
