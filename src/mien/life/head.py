"""The head's turning: it sways always, takes a new attitude with a phrase, and nods on accents.

Heads follow the loudness and the pitch of their voice (Hadar et al. 1983, Munhall et al. 2004).
Sizes and speeds are near those of an actor who says one sentence in six emotions (CREMA-D 1001,
tracked): standard deviations of 1.6 to 4.4 degrees of pitch, under 1 of yaw and of roll, and at
most 19 to 68 degrees a second.
"""

from __future__ import annotations

import numpy as np

from mien.life.voice import Voice

SWAY = np.radians([0.6, 0.4, 0.5])
"""radians of yaw, pitch, roll: standard deviation of what never rests"""
SWAY_RATES = (0.07, 0.35)
"""Hz"""
WAVES = 4
"""how many waves make a movement that does not seem to repeat"""
ATTITUDE = np.radians([2.2, 1.0, 1.6])
"""radians: standard deviation of where the head is held through a phrase"""
RAISED = np.radians([0.0, -1.2, 0.0])
"""radians: the mean of it. Heads rise to speak and sink when they have spoken"""
ATTITUDE_LASTS = 2.0
"""seconds at least; then the next accent may bring another"""
REST, RESTING = 0.4, 0.6
"""share of its attitude that the head keeps in a pause, and the pause's least length in seconds"""
TURNING = (0.5, 0.9)
"""seconds from one attitude to the next"""
LEAD = 0.12
"""seconds by which the head begins to move before the voice"""
NOD = (1.2, 2.8)
"""degrees that the head goes down on the weakest accent, and more on one of strength 1"""
NOD_SPREAD = 0.25
"""chance in a nod's size, as a share"""
ASIDE = np.radians([0.8, 0.0, 0.6])
"""radians, standard deviation: how far a nod goes aside"""
STROKE, RETURN = 0.22, 0.42
"""seconds down to the accent's deepest point, and back"""
LIFT, LIFTING = 0.25, 0.3
"""share of a nod by which the head rises before it, and seconds from there to the deepest point"""
AFTER = 0.04
"""seconds from the syllable's loudest moment to the deepest point"""


def head_turning(seconds: np.ndarray, *, seed: int, voice: Voice) -> np.ndarray:
    """Yaw, pitch and roll (T, 3), radians, at `seconds` (T,), smooth; signs as in `rotations`.

    Without a voice it only sways.
    """
    turned = sway(seconds, np.random.default_rng([seed, 1]))
    turned += attitudes(seconds, np.random.default_rng([seed, 2]), voice)
    return turned + nods(seconds, np.random.default_rng([seed, 3]), voice)


def sway(seconds: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """A few slow waves for each axis."""
    rates = random.uniform(*SWAY_RATES, (WAVES, 3))
    phases = random.uniform(0, 2 * np.pi, (WAVES, 3))
    waves = np.sin(2 * np.pi * seconds[:, None, None] * rates + phases)
    return SWAY * waves.sum(1) / np.sqrt(WAVES / 2)


def attitudes(seconds: np.ndarray, random: np.random.Generator, voice: Voice) -> np.ndarray:
    """Where the head is held: it turns as a phrase begins, and half way back as it ends."""
    turned = np.zeros((len(seconds), 3))
    held = np.zeros(3)
    for moment, moves in _changes(voice):
        chance, lasts = random.standard_normal(3), random.uniform(*TURNING)
        wanted = RAISED + ATTITUDE * np.clip(chance, -1.8, 1.8) if moves else REST * held
        first, last = np.searchsorted(seconds, moment - LEAD + np.array([0.0, lasts]))
        begun = (seconds[first:last] - moment + LEAD) / lasts
        turned[first:last] += smooth(begun)[:, None] * (wanted - held)
        turned[last:] += wanted - held
        held = wanted
    return turned


def _changes(voice: Voice) -> list[tuple[float, bool]]:
    """When the attitude changes; False where it relaxes."""
    changes: list[tuple[float, bool]] = []
    moved = -np.inf
    for number, (start, stop) in enumerate(voice.phrases):
        stressed = [moment for moment, _ in voice.accents if start < moment < stop]
        for moment in [start, *stressed]:
            if moment - moved >= ATTITUDE_LASTS:
                changes.append((moment, True))
                moved = moment
        following = voice.phrases[number + 1 :]
        if not following or following[0][0] - stop > RESTING:
            changes.append((stop + LEAD, False))
    return changes


def nods(seconds: np.ndarray, random: np.random.Generator, voice: Voice) -> np.ndarray:
    """A short stroke down on each accent, a little aside, and back."""
    turned = np.zeros((len(seconds), 3))
    for moment, strength in voice.accents:
        chance = random.standard_normal(4)
        down = np.radians(NOD[0] + NOD[1] * strength) * max(1 + NOD_SPREAD * chance[0], 0.3)
        bent = ASIDE * strength * chance[1:] + np.array([0.0, down, 0.0])
        deepest = moment + AFTER
        first, last = np.searchsorted(seconds, [deepest - 2 * LIFTING, deepest + RETURN])
        turned[first:last] += stroke(seconds[first:last] - deepest)[:, None] * bent
    return turned


def stroke(since: np.ndarray) -> np.ndarray:
    """1 at 0, back at 0 after `RETURN`; before, the head rises a little first."""
    fall = smooth(1 + since / STROKE) * (1 - smooth(since / RETURN))
    lift = smooth(2 + since / LIFTING) * (1 - smooth(1 + since / LIFTING))
    return fall - LIFT * lift


def smooth(x: np.ndarray) -> np.ndarray:
    """0 up to 0, 1 from 1: the path of least jerk between (Flash and Hogan 1985)."""
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10 - 15 * x + 6 * x * x)
