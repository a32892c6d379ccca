"""Blinks: when lids fall, and how. A face that never blinks stares.

People blink about 17 times a minute at rest and 26 in conversation (Bentivoglio et al. 1997), often
where speech pauses (Nakano and Kitazawa 2010).
"""

from __future__ import annotations

import numpy as np

from mien.face import UNIT_NAMES
from mien.life.voice import Voice
from mien.lips import ease

FIRST_BLINK = (0.8, 3.0)
"""seconds: when the first blink may begin"""
PAUSE = (1.8, 6.0)
"""seconds from one blink's beginning to the next's: short ones are likelier than long ones"""
CLOSING = 0.09
"""seconds a lid takes to fall"""
CLOSED = 0.035
"""seconds it stays shut"""
OPENING = 0.16
"""seconds it takes to rise, nearly twice as long as to fall"""
DOUBLE_BLINK = 0.12
"""share of blinks that a second one follows at once"""
DOUBLE_PAUSE = 0.34
"""seconds from the first to the second of these"""
EARLY, LATE = 0.6, 1.2
"""A blink moves to where a phrase ends: after this share of its pause, or by so many seconds."""
LAG = 0.12
"""seconds, at most, from a phrase's end to its blink"""
TALKING = 1.1
"""times as many blinks while talking"""
STARE = 0.7
"""share of the blinks that wide eyes leave out"""
HEAVY_MORE, HEAVY_SLOWER = 0.5, 0.8
"""how much oftener heavy lids blink, and how much slower"""
HEAVY = (0.15, 0.5)
"""weight of eyeBlink from which lids are heavy, and at which they are wholly so"""
SHUT, WINK = 0.7, 0.45
"""weight at which an eye counts as shut, and difference at which one eye winks: nothing blinks"""
TICK = 0.01
"""seconds: time is bent in these steps, whatever the frame rate"""
LEFT, RIGHT = UNIT_NAMES.index("eyeBlinkLeft"), UNIT_NAMES.index("eyeBlinkRight")
WIDE = [UNIT_NAMES.index("eyeWideLeft"), UNIT_NAMES.index("eyeWideRight")]


def blinked(weights: np.ndarray, *, fps: float, seed: int, voice: Voice) -> np.ndarray:
    """weights (T, 52) → a copy that blinks now and then; lids only fall, and nothing else moves.

    What the lids already do decides how often and how fast: wide eyes blink rarely, heavy lids
    often and slowly, and neither a wink nor closed eyes blink. A lid that is half down falls the
    rest.
    """
    seconds = np.arange(len(weights)) / fps
    lids = weights[:, [LEFT, RIGHT]].astype(np.float64)
    heavy = np.clip((lids.mean(1) - HEAVY[0]) / (HEAVY[1] - HEAVY[0]), 0, 1)
    busy = (lids.max(1) > SHUT) | (np.ptp(lids, 1) > WINK)
    wide = np.clip(2 * weights[:, WIDE].mean(1), 0, 1)
    often = (1 - STARE * wide) * (1 + HEAVY_MORE * heavy) * ~busy
    shut = np.zeros(len(weights))
    for start in blink_times(seconds, often, seed=seed, voice=voice):
        first = np.searchsorted(seconds, start)
        slower = 1 + HEAVY_SLOWER * heavy[min(first, len(heavy) - 1)]
        last = np.searchsorted(seconds, start + slower * (CLOSING + CLOSED + OPENING))
        if not busy[max(first - 1, 0) : last].any():
            shut[first:last] = np.maximum(
                shut[first:last], lid((seconds[first:last] - start) / slower)
            )
    alive = np.array(weights, copy=True)
    alive[:, [LEFT, RIGHT]] = lids + (1 - lids) * shut[:, None]
    return alive


def blink_times(seconds: np.ndarray, often: np.ndarray, *, seed: int, voice: Voice) -> list[float]:
    """Moments, before the last of `seconds` (T,), at which blinks begin; more time only adds some.

    `often` (T,) bends time: where it is 2, pauses between blinks last half as long.
    """
    if not len(seconds):
        return []
    random = np.random.default_rng([seed, 6])
    # A blink that is due after the end may move to a phrase that ends before it.
    ticks = np.arange(0.0, seconds[-1] + PAUSE[1], TICK)
    talking = np.zeros(len(ticks), bool)
    for start, stop in voice.phrases:
        talking[np.searchsorted(ticks, start) : np.searchsorted(ticks, stop)] = True
    speed = np.interp(ticks, seconds, often) * np.where(talking, TALKING, 1.0)
    clock = np.cumsum(TICK * speed) - TICK * speed
    ends = np.array([stop for _, stop in voice.phrases])
    times: list[float] = []
    begun, pause = 0.0, random.uniform(*FIRST_BLINK)
    while begun + pause <= clock[-1]:
        due = float(np.interp(begun + pause, clock, ticks))
        early = float(np.interp(begun + EARLY * pause, clock, ticks))
        lag = random.uniform(0, LAG)
        near = ends[(ends >= early) & (ends <= due + LATE)]
        start = float(near[0]) + lag if len(near) else due
        times.append(start)
        if random.random() < DOUBLE_BLINK:
            times.append(start + DOUBLE_PAUSE)
        low, high = PAUSE
        begun, pause = (
            float(np.interp(start, ticks, clock)),
            low + (high - low) * random.beta(1.6, 2.4),
        )
    return [time for time in times if time <= seconds[-1]]


def lid(elapsed: np.ndarray) -> np.ndarray:
    """How far a lid is shut, 0..1, at `elapsed` seconds (any shape) after its blink begins."""
    return ease(elapsed / CLOSING) - ease((elapsed - CLOSING - CLOSED) / OPENING)
