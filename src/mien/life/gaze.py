"""Gaze: eyes that look at the viewer from point to point, glance away, and hold still for a nod.

Times and sizes are those that Lee, Badler and Badler (2002, "Eyes Alive") took from people who
talked and listened.
"""

from __future__ import annotations

import numpy as np

from mien.face import UNIT_NAMES
from mien.life.voice import Voice
from mien.lips import ease

DEGREES_OUT, DEGREES_UP, DEGREES_DOWN = 30.0, 20.0, 25.0
"""degrees that an eye turns at weight 1: sideways, up and down"""
POINTS = np.array([[1.5, 0.0], [-1.5, 0.0], [0.0, -3.0]])
"""degrees to the own left and up: the viewer's eyes and mouth, about a metre away"""
SHARES = (0.42, 0.42, 0.16)
"""of the looks at each of them"""
LOOK, SHORTEST = 0.9, 0.3
"""seconds from point to point: mean, and least"""
TALKING_MEETS, LISTENING_MEETS = 3.1, 7.9
"""seconds, mean, until the eyes turn away from the viewer: 93.9 and 237.5 frames of their 30"""
TALKING_AWAY, LISTENING_AWAY = 0.93, 0.43
"""seconds, mean, that they stay away: 27.8 and 13.0 frames"""
SHORTEST_AWAY, LONGEST_AWAY = 0.35, 2.0
"""seconds"""
WAITS = 1.2
"""seconds that a glance waits for a phrase to begin: speakers look away then (Kendon 1967)"""
SPREAD, LEAST, MOST = 6.9, 4.0, 9.0
"""degrees of a glance: mean of their distribution, and what is taken of it"""
DIRECTIONS = (15.5, 6.5, 17.7, 7.4, 16.8, 7.9, 20.4, 7.8)
"""per cent of glances to the right, right up, up, and so on around"""
STEEPEST = 0.7
"""of a glance's height is kept: lids follow, and eyes that drop look shut"""
MICRO, MICRO_RATE = 0.3, 1.2
"""degrees and times a second of microsaccades (Engbert and Kliegl 2003: under 1, 1 to 2)"""
SACCADE, SACCADE_DEGREE = 0.025, 0.0024
"""seconds of a saccade, and more for each degree"""
HELD = (3.0, 8.0)
"""degrees that an expression turns the eyes: from here glances fade, here they are gone"""


def _units(stem: str) -> list[int]:
    return [UNIT_NAMES.index(f"eyeLook{stem}{side}") for side in ("Left", "Right")]


OUT, IN, UP, DOWN = (_units(stem) for stem in ("Out", "In", "Up", "Down"))


def glanced(
    weights: np.ndarray, head: np.ndarray, *, fps: float, seed: int, voice: Voice
) -> np.ndarray:
    """weights (T, 52) → a copy whose eyes live; only the eight eyeLook units move.

    What is added comes on top of where the weights look. Where they hold a gaze of their own, only
    microsaccades are left. As the head (T, 3) turns, the eyes turn back, and so keep their aim.
    """
    seconds = np.arange(len(weights)) / fps
    own = direction(weights)
    away = np.linalg.norm(own, axis=1)
    free = 1 - np.clip((away - HELD[0]) / (HELD[1] - HELD[0]), 0, 1)
    duration = float(seconds[-1]) if len(seconds) else 0.0
    looks = moved(seconds, fixations(duration, np.random.default_rng([seed, 4]), voice))
    tiny = moved(seconds, microsaccades(duration, np.random.default_rng([seed, 5])))
    steady = np.degrees(head[:, :2]) * [-1, 1]
    return turned(weights, free[:, None] * looks + tiny + steady)


def direction(weights: np.ndarray) -> np.ndarray:
    """Where the eyes look (..., 2), degrees to the own left and up, the mean of both."""
    out, inward, up, down = (weights[..., units] for units in (OUT, IN, UP, DOWN))
    aside = DEGREES_OUT * (out - inward) * [1, -1]
    return np.stack([aside.mean(-1), (DEGREES_UP * up - DEGREES_DOWN * down).mean(-1)], -1)


def turned(weights: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """weights (T, 52) → a copy whose eyes turn further by degrees (T, 2), left and up."""
    alive = np.array(weights, copy=True)
    for eye, sign in enumerate((1, -1)):
        _add(alive, OUT[eye], IN[eye], sign * degrees[:, 0], DEGREES_OUT, DEGREES_OUT)
        _add(alive, UP[eye], DOWN[eye], degrees[:, 1], DEGREES_UP, DEGREES_DOWN)
    return alive


def _add(alive: np.ndarray, plus: int, minus: int, degrees: np.ndarray, up: float, down: float):
    """Turn two units that undo each other, in place; in degrees, as they differ in size."""
    angle = up * alive[:, plus] - down * alive[:, minus] + degrees
    alive[:, plus] = np.clip(angle / up, 0, 1)
    alive[:, minus] = np.clip(-angle / down, 0, 1)


def fixations(duration: float, random: np.random.Generator, voice: Voice) -> np.ndarray:
    """Each look's beginning, seconds, and direction (N, 3): [moment, degrees left, degrees up]."""
    starts = np.array([start for start, _ in voice.phrases])
    looks = [(0.0, *POINTS[random.integers(2)])]
    now = 0.0
    meets = _meeting(0.0, random, voice)
    while now < duration:
        now += max(SHORTEST, random.gamma(2, LOOK / 2))
        if now < meets:
            looks.append((now, *POINTS[random.choice(3, p=SHARES)]))
            continue
        begin = starts[(starts >= now) & (starts < now + WAITS)]
        now = float(begin[0]) if len(begin) else now
        looks.append((now, *glance(random)))
        away = TALKING_AWAY if voice.talks(now) else LISTENING_AWAY
        now += float(np.clip(random.gamma(1.4, away / 1.4), SHORTEST_AWAY, LONGEST_AWAY))
        looks.append((now, *POINTS[random.choice(3, p=SHARES)]))
        meets = now + _meeting(now, random, voice)
    return np.array(looks)


def _meeting(now: float, random: np.random.Generator, voice: Voice) -> float:
    """For how many seconds the eyes stay with the viewer."""
    return 0.8 + random.exponential((TALKING_MEETS if voice.talks(now) else LISTENING_MEETS) - 0.8)


def glance(random: np.random.Generator) -> np.ndarray:
    """Where a glance goes (2,), degrees to the own left and up."""
    size = float(np.clip(random.exponential(SPREAD), LEAST, MOST))
    around = np.pi / 4 * random.choice(8, p=np.array(DIRECTIONS) / sum(DIRECTIONS))
    return size * np.array([-np.cos(around), STEEPEST * np.sin(around)])


def microsaccades(duration: float, random: np.random.Generator) -> np.ndarray:
    """As `fixations`, but around the point that is looked at."""
    looks, now = [(0.0, 0.0, 0.0)], 0.0
    while now < duration:
        now += 0.2 + random.exponential(1 / MICRO_RATE - 0.2)
        looks.append((now, *random.normal(0, MICRO / np.sqrt(2), 2)))
    return np.array(looks)


def moved(seconds: np.ndarray, looks: np.ndarray) -> np.ndarray:
    """Direction (T, 2) at `seconds` (T,) of eyes that jump from look to look, looks (N, 3)."""
    now = np.searchsorted(looks[:, 0], seconds, side="right") - 1
    there, here = looks[now, 1:], looks[np.maximum(now - 1, 0), 1:]
    lasts = SACCADE + SACCADE_DEGREE * np.linalg.norm(there - here, axis=1)
    share = ease((seconds - looks[now, 0]) / lasts)
    return here + share[:, None] * (there - here)
