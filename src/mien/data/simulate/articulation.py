"""How the mouth says each phone: targets, and how neighbouring targets blend.

The table `TARGETS` is meant to be read and corrected by a phonetician. An entry says how far the
lips stand apart and which shape they take at the phone's best moment; its `Manner` says how
insistent the phone is about each part of the mouth, and how early and how long it is felt. Targets
are blended by exponential dominance (Cohen and Massaro, 1993): a part of the mouth is at the mean
of all phones' targets, each weighted by its dominance at that moment.

What must not be blended away (p, b, m shut; f, v on the teeth; vowels open) leaves here as demands
over time, which `lips` solves as constraints.
"""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.clips import Phone
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


@dataclass(frozen=True)
class Manner:
    """How a kind of phone makes itself felt."""

    jaw: float
    """dominance over the jaw; 1 is a stressed vowel"""
    shape: float
    """dominance over rounding and spreading"""
    lift: float
    """dominance over the lips' height"""
    ahead: float
    """seconds before the phone at which its dominance has fallen to 37 %"""
    behind: float
    """seconds after the phone at which its dominance has fallen to 37 %"""


@dataclass(frozen=True)
class Target:
    """The mouth at the best moment of a phone, on an otherwise neutral face."""

    manner: Manner
    opening: float
    """mm between the lips at the midline; the jaw opens as far as the lips leave to do"""
    funnel: float = 0.0
    """lips pushed open into a ring (mouthFunnel), 0 to 1, as all that follow"""
    pucker: float = 0.0
    """lips drawn together and forward (mouthPucker)"""
    stretch: float = 0.0
    """corners drawn sideways (mouthStretch)"""
    smile: float = 0.0
    """corners drawn up and back (mouthSmile)"""
    upper: float = 0.0
    """upper lip raised (mouthUpperUp)"""
    lower: float = 0.0
    """lower lip lowered (mouthLowerDown)"""
    tongue: float = 0.0
    """tip of the tongue between the teeth (tongueOut)"""


#                        jaw  shape lift  ahead behind
OPEN_VOWEL = Manner(1.00, 0.70, 0.60, 0.090, 0.070)
CLOSE_VOWEL = Manner(0.75, 0.80, 0.60, 0.090, 0.070)
ROUND_VOWEL = Manner(0.80, 1.40, 0.60, 0.130, 0.080)  # lip-heavy sounds start early
REDUCED = Manner(0.35, 0.20, 0.25, 0.060, 0.050)
BILABIAL = Manner(0.70, 0.15, 0.40, 0.060, 0.050)
LABIODENTAL = Manner(0.90, 0.30, 1.00, 0.070, 0.060)
GLIDE_W = Manner(0.80, 1.80, 0.70, 0.140, 0.080)
RHOTIC = Manner(0.45, 0.70, 0.40, 0.110, 0.070)
SIBILANT = Manner(1.30, 0.50, 0.90, 0.070, 0.060)  # the teeth must nearly meet to hiss
POSTALVEOLAR = Manner(1.30, 1.20, 0.90, 0.110, 0.070)
DENTAL = Manner(0.60, 0.20, 0.50, 0.060, 0.050)
TONGUE_ONLY = Manner(0.35, 0.12, 0.20, 0.050, 0.045)  # leaves the lips to the neighbours
BREATH = Manner(0.05, 0.05, 0.05, 0.050, 0.050)
SILENCE = Manner(0.90, 0.60, 0.80, 0.070, 0.080)

TARGETS: dict[str, tuple[Target, ...]] = {
    # open vowels
    "aa": (Target(OPEN_VOWEL, 11.0, lower=0.05),),
    "ae": (Target(OPEN_VOWEL, 10.0, stretch=0.25, smile=0.05, lower=0.12, upper=0.08),),
    "ah": (Target(OPEN_VOWEL, 8.0, lower=0.05),),
    "ao": (Target(ROUND_VOWEL, 9.5, funnel=0.35, pucker=0.08),),
    "eh": (Target(OPEN_VOWEL, 7.5, stretch=0.18, smile=0.05, lower=0.10, upper=0.05),),
    # close vowels
    "iy": (Target(CLOSE_VOWEL, 3.8, stretch=0.28, smile=0.15, lower=0.12, upper=0.06),),
    "ih": (Target(CLOSE_VOWEL, 4.8, stretch=0.15, smile=0.06, lower=0.08),),
    "uw": (Target(ROUND_VOWEL, 3.2, pucker=0.60, funnel=0.25),),
    "uh": (Target(ROUND_VOWEL, 4.6, pucker=0.25, funnel=0.30),),
    "er": (Target(ROUND_VOWEL, 4.6, pucker=0.20, funnel=0.32),),
    "ax": (Target(REDUCED, 4.5),),
    # diphthongs: from the first to the second
    "ay": (
        Target(OPEN_VOWEL, 10.5, lower=0.06),
        Target(CLOSE_VOWEL, 4.5, stretch=0.22, smile=0.12, lower=0.08),
    ),
    "aw": (
        Target(OPEN_VOWEL, 10.5, lower=0.06, stretch=0.08),
        Target(ROUND_VOWEL, 4.5, pucker=0.45, funnel=0.28),
    ),
    "ey": (
        Target(OPEN_VOWEL, 6.8, stretch=0.20, smile=0.06, lower=0.10),
        Target(CLOSE_VOWEL, 4.0, stretch=0.26, smile=0.14, lower=0.10),
    ),
    "ow": (
        Target(ROUND_VOWEL, 7.5, funnel=0.32, pucker=0.15),
        Target(ROUND_VOWEL, 3.8, pucker=0.55, funnel=0.28),
    ),
    "oy": (
        Target(ROUND_VOWEL, 8.5, funnel=0.38, pucker=0.12),
        Target(CLOSE_VOWEL, 4.5, stretch=0.22, smile=0.12, lower=0.08),
    ),
    # lips: p, b, m are shut and f, v laid on the teeth by constraints; this is what lies under them
    "p": (Target(BILABIAL, 3.0),),
    "b": (Target(BILABIAL, 3.0),),
    "m": (Target(BILABIAL, 2.5),),
    "f": (Target(LABIODENTAL, 3.0, upper=0.15),),
    "v": (Target(LABIODENTAL, 3.0, upper=0.12),),
    "w": (Target(GLIDE_W, 2.6, pucker=0.72, funnel=0.15),),
    # tongue and teeth
    "r": (Target(RHOTIC, 3.8, pucker=0.25, funnel=0.32),),
    "s": (Target(SIBILANT, 3.4, stretch=0.18, smile=0.04, lower=0.22, upper=0.12),),
    "z": (Target(SIBILANT, 3.4, stretch=0.16, smile=0.04, lower=0.22, upper=0.12),),
    "sh": (Target(POSTALVEOLAR, 3.8, funnel=0.50, pucker=0.12, lower=0.10, upper=0.10),),
    "zh": (Target(POSTALVEOLAR, 3.8, funnel=0.45, pucker=0.12, lower=0.10, upper=0.10),),
    "ch": (Target(POSTALVEOLAR, 3.6, funnel=0.48, pucker=0.12, lower=0.10, upper=0.10),),
    "jh": (Target(POSTALVEOLAR, 3.6, funnel=0.45, pucker=0.12, lower=0.10, upper=0.10),),
    "th": (Target(DENTAL, 4.5, lower=0.12, tongue=0.25),),
    "dh": (Target(DENTAL, 4.2, lower=0.10, tongue=0.20),),
    "l": (Target(TONGUE_ONLY, 5.0),),
    "t": (Target(TONGUE_ONLY, 3.2, lower=0.08),),
    "d": (Target(TONGUE_ONLY, 3.4, lower=0.06),),
    "n": (Target(TONGUE_ONLY, 3.4),),
    "k": (Target(TONGUE_ONLY, 4.6),),
    "g": (Target(TONGUE_ONLY, 4.4),),
    "ng": (Target(TONGUE_ONLY, 4.2),),
    "y": (Target(CLOSE_VOWEL, 3.4, stretch=0.22, smile=0.12),),
    "hh": (Target(BREATH, 5.5),),
    "pau": (Target(SILENCE, 0.0),),
}

BILABIALS, LABIODENTALS = frozenset("pbm"), frozenset("fv")
VOWELS = frozenset("aa ae ah ao eh iy ih uw uh er ax ay aw ey ow oy".split())
HELD = {"p": 0.65, "b": 0.75, "m": 0.95, "f": 0.85, "v": 0.85}
"""The share of the phone during which the lips stay in contact; then they are released."""

ATTACK, RELEASE = 0.060, 0.055
"""Seconds that the lips take to meet and to part; both are shorter beside a short vowel."""

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
    return {
        name: np.stack([_open_to(_lip_weights(target), target.opening * 1e-3, face) for target in row])
        for name, row in TARGETS.items()
    }


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


def _open_to(weights: np.ndarray, opening: float, face: Face) -> np.ndarray:
    """Return the weights with the jaw opened until the lips stand `opening` metres apart."""
    grid = np.linspace(0.0, 1.0, 201)
    poses = np.repeat(weights[None], len(grid), axis=0)
    poses[:, UNIT_NAMES.index("jawOpen")] = grid
    gaps = face.gap(face.weights_to_vertices(poses))
    return poses[int(np.argmax(gaps >= opening))]


def _blend(
    phones: Sequence[Phone], times: np.ndarray, target_weights: dict[str, np.ndarray]
) -> np.ndarray:
    """Return the dominance-weighted mean of all targets, (T, 52)."""
    rows = [row for phone in phones for row in _targets_in_time(phone, target_weights[phone.name])]
    starts, ends = (np.array([row[k] for row in rows])[:, None] for k in (0, 1))
    manners: list[Manner] = [row[2] for row in rows]
    goals = np.stack([row[3] for row in rows])
    ahead, behind = (np.array([getattr(m, k) for m in manners])[:, None] for k in ("ahead", "behind"))
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
        attack = _flank(phones[place - 1] if place else None, ATTACK)
        release = _flank(phones[place + 1] if place + 1 < len(phones) else None, RELEASE)
        rise = _ease(1 + (times - (middle - half)) / attack)
        fall = _ease(1 - (times - (middle + half)) / release)
        demand = np.maximum(demand, np.minimum(rise, fall))
    return demand


def _flank(neighbour: Phone | None, seconds: float) -> float:
    """Return how long the lips take: by the middle of a short vowel they must have parted."""
    if neighbour is None or neighbour.name not in VOWELS:
        return seconds
    return min(seconds, max(neighbour.end - neighbour.start, 0.04) / 2)


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
