"""What must not be blended away, over time.

p, b, m shut the lips; f, v lay the lower lip on the teeth; vowels stay open; s, sh and their like
bring the teeth near each other.

Each demand is a curve over the frames, 0 where speech does not care. `lips` solves them as
constraints, under whatever expression the face wears.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mien.data.clips import Phone
from mien.data.simulate.targets import BILABIALS, LABIODENTALS, SIBILANTS, VOWELS
from mien.lips import ease

HELD = {
    "p": (0.0, 0.65), "b": (0.0, 0.75), "m": (0.0, 0.95), "f": (0.15, 0.75), "v": (0.15, 0.75),
    **dict.fromkeys(SIBILANTS, (0.2, 0.8)),
}  # fmt: skip
"""From which to which share of the phone the contact is held; then it is released."""

LEAST_FRAMES = 1.02
"""A contact lasts at least so many frames, so that none falls between two of them."""

MEET, PART = 0.080, 0.070
"""Seconds that the lips take to meet and to part; both are shorter beside a short vowel."""

BESIDE_BITE = 0.055
"""The most seconds of that beside an f or v, which keeps the lips apart."""

SLIDE = 0.110
"""Seconds that the lower lip takes to reach the teeth or to leave them (f, v). It slides through a
short vowel, which stays open under it; faster looked like a twitch."""

JAW = 0.080
"""Seconds that the jaw takes to rise for a hiss and to fall after it."""

SHORTEST_SLIDE = 0.060
"""The same beside a closure, which takes the lip away."""

FROM_REST = 0.14
"""Seconds; lips that rest before a p, b or m, or after an m, stay shut instead of parting first."""

SHORTEST_VOWEL = 0.08
"""Seconds; the demand for an opening is at least so long, fading to nothing at its ends."""


def closure(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """Return how much the lips must be shut for p, b, m: (T,) in [0, 1], at `times` (T,) s."""
    return _contacts(_held(phones, times, BILABIALS), times)


def labiodental(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """Return how much the lower lip must lie on the upper teeth for f, v: (T,) in [0, 1]."""
    frame, shut = _frame(times), _held(phones, times, BILABIALS)
    bites = _held(phones, times, LABIODENTALS)
    return _contacts([_apart(bite, shut, frame) for bite in bites], times)


def teeth(phones: Sequence[Phone], times: np.ndarray) -> np.ndarray:
    """Return how much the teeth must be near each other to hiss: (T,) in [0, 1]."""
    return _contacts(_held(phones, times, SIBILANTS), times)


def floor(phones: Sequence[Phone], times: np.ndarray, openings: Sequence[float]) -> np.ndarray:
    """Return the least gap (T,), metres: a bump over each vowel as high as its `openings`, (N,)."""
    result = np.zeros(len(times))
    for phone, opening in zip(phones, openings, strict=True):
        if phone.name in VOWELS:
            width = max(phone.end - phone.start, SHORTEST_VOWEL)
            bump = ease(2 - 2 * np.abs(times - phone.centre) / width)
            result = np.maximum(result, opening * bump)
    return result


@dataclass(frozen=True)
class _Held:
    """A contact: from when to when, and how long the lips take to make it and to undo it."""

    first: float
    last: float
    arriving: float
    leaving: float


def _contacts(held: Sequence[_Held], times: np.ndarray) -> np.ndarray:
    """Return a demand (T,) that is 1 while the lips must touch, with smooth flanks."""
    demand = np.zeros(len(times))
    for contact in held:
        rise = ease(1 + (times - contact.first) / contact.arriving)
        fall = ease(1 - (times - contact.last) / contact.leaving)
        demand = np.maximum(demand, np.minimum(rise, fall))
    return demand


def _held(phones: Sequence[Phone], times: np.ndarray, names: frozenset[str]) -> list[_Held]:
    """Return the contacts that phones of these names ask for; neighbours are one contact."""
    frame, held = _frame(times), []
    for place, phone in enumerate(phones):
        if phone.name not in names:
            continue
        length = phone.end - phone.start
        first, last = (phone.start + share * length for share in HELD[phone.name])
        missing = max(LEAST_FRAMES * frame - (last - first), 0.0)
        joined = place + 1 < len(phones) and phones[place + 1].name in names
        last = max(last + missing / 2, phone.end if joined else 0.0)
        held.append(_Held(first - missing / 2, last, *_flanks(phones, place)))
    return held


def _apart(bite: _Held, shut: Sequence[_Held], frame: float) -> _Held:
    """Return a bite that begins after the closure before it and is over before the one after."""
    before = max((one.last for one in shut if one.last <= bite.first), default=-np.inf)
    after = min((one.first for one in shut if one.first >= bite.last), default=np.inf)
    shortest = min(bite.first + LEAST_FRAMES * frame, bite.last)
    last = max(min(bite.last, after - SHORTEST_SLIDE), shortest)
    return _Held(
        first=bite.first,
        last=last,
        arriving=float(np.clip(bite.first - before, SHORTEST_SLIDE, bite.arriving)),
        leaving=float(np.clip(after - last, SHORTEST_SLIDE, bite.leaving)),
    )


def _flanks(phones: Sequence[Phone], place: int) -> tuple[float, float]:
    """Return how many seconds it takes to make contact and to undo it."""
    name = phones[place].name
    before, after = phones[max(place - 1, 0) : place], phones[place + 1 :][:1]
    if name in LABIODENTALS:
        return SLIDE, SLIDE
    if name in SIBILANTS:
        return JAW, JAW
    arriving = FROM_REST if _is_rest(before) else _beside(before, MEET)
    held = name == "m" and _is_rest(after)
    return arriving, FROM_REST if held else _beside(after, PART)


def _beside(neighbours: Sequence[Phone], seconds: float) -> float:
    """Return the seconds, or fewer: by the middle of a short vowel the lips must have parted."""
    for phone in neighbours:
        if phone.name in LABIODENTALS:
            return min(seconds, BESIDE_BITE)
        if phone.name in VOWELS:
            return min(seconds, max(phone.end - phone.start, 0.04) / 2)
    return seconds


def _frame(times: np.ndarray) -> float:
    """Return the seconds between frames."""
    return float(times[1] - times[0]) if len(times) > 1 else 0.0


def _is_rest(neighbours: Sequence[Phone]) -> bool:
    """Return whether the neighbour on this side is silence or the end of the clip."""
    return all(phone.name == "pau" for phone in neighbours)
