"""The simulated actor: speaks known phones under a known expression.

`perform` is a pure function, so the truth of a sentence under any other expression, at any level,
is one more call with the same phones: it is what cross-reconstruction is measured against. `act` is
its second half: content that was captured from a person instead is acted in the same way.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien import lips
from mien.data.clips import Phone
from mien.data.simulate.articulation import Content, Style, articulate
from mien.data.simulate.expressions import State
from mien.data.simulate.idle import asymmetry, drift, idle
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

CLENCH = 0.4
"""How much of the jaw's opening is lost when the teeth are clenched fully."""

CLENCHED_JAW = 0.2
"""An expression whose own jaw is open this far is not clenched, however bare its teeth."""

PUFF_GAP = 0.002
"""Metres between the lips at which puffed cheeks have lost their air."""

PUFF_IN_SPEECH = 0.7
"""Share of a puff that comes back when the lips shut in speech."""

TONGUE_GAP, TONGUE_ROOM = 0.006, 0.004
"""Metres of a vowel's opening from which a tongue that is put out shows, and until it has room."""

TONGUE_IN_SPEECH = 0.6
"""Share of the tongue that shows there."""

KEPT_OPENING = 0.85
"""Under every expression the lips part at least this share of what neutral speech does."""

GIVEN_BACK = 0.5
"""How much of the lips' opening that an expression adds to speech the jaw takes back."""

SHUT_JAW = 0.06
"""Under p, b, m it stays so open, if it was: mouthClose, which shuts the lips, needs that."""

LATEST_START = 0.15
"""Seconds: the expression begins between 0 and this."""

SETTLE = 0.25
"""Seconds in which an expression comes back from its apex to its full level."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What the actor did."""

    weights: np.ndarray
    """(T, 52) float32 in [0, 1], within the face's limits"""
    steady: tuple[int, int]
    """frames start ≤ t < stop within which the expression has its full level; none, where both
    are equal"""
    envelope: np.ndarray
    """(T,) float32: the share of the full expression; 0 before its onset and after its decay, a
    little above 1 at its apex"""


def perform(
    phones: Sequence[Phone],
    frames: int,
    *,
    fps: float,
    state: State,
    level: float,
    style: Style,
    seed: int,
    face: Face,
    prominence: np.ndarray | None = None,
    stop: float | None = None,
) -> Performance:
    """Return the performance of `phones` over `frames` frames at t / fps.

    `prominence` (N,) in [0, 1] says how much each phone stands out; `level` and `stop` as in `act`.
    `seed` moves only what nobody asked for: the idle motion, the expression's start, its drift and
    which side is the stronger. The same arguments give the same performance.
    """
    content = articulate(phones, frames, fps=fps, style=style, face=face, prominence=prominence)
    alive = breathing(content, fps, seed)
    return act(alive, fps=fps, state=state, level=level, seed=seed, face=face, stop=stop)


def breathing(content: Content, fps: float, seed: int) -> Content:
    """Return the content with the idle motion of a living mouth, except where lips must touch."""
    times = np.arange(len(content.weights)) / fps
    free = (1 - content.closure) * (1 - content.labiodental)
    moving = free[:, None] * idle(times, np.random.default_rng([seed, 13]))
    return replace(content, weights=np.clip(content.weights + moving, 0.0, 1.0))


def act(
    content: Content,
    *,
    fps: float,
    state: State,
    level: float,
    seed: int,
    face: Face,
    stop: float | None = None,
) -> Performance:
    """Return the performance of content (T frames), simulated or captured, under an expression.

    `level` 0 is neutral, 1 the state as written, up to 1.5. From `stop` seconds on the expression
    decays; without it, it is held to the end. `seed` moves only the expression's start, its slow
    drift and which side is the stronger. Lips meet where the content says so, whatever the
    expression. Raises MienError where `stop` is not a number of seconds above 0.
    """
    if stop is not None and not 0 < stop < np.inf:
        raise MienError(f"the expression stops at {stop:g} s; give seconds above 0, or None")
    frames = len(content.weights)
    random = np.random.default_rng([seed, 11])
    start = random.uniform(0, LATEST_START)
    times = np.arange(frames) / fps
    shown = envelope(times - start, state, stop=None if stop is None else stop - start)
    expression = shown[:, None] * state.weights_at(level, UNIT_NAMES).astype(np.float64)
    expression *= 1 + drift(times, random)
    expression *= 1 + asymmetry(random)
    opening = lips.gap_of(face.limit(content.weights), face)
    weights = lips.meet_demands(
        _give_back(combine(content, expression, opening), opening, content, face),
        closure=content.closure,
        labiodental=content.labiodental,
        floor=np.maximum(content.floor, opening * _least_share(expression)),
        face=face,
    )
    settled = start + state.onset + (SETTLE if state.apex else 0.0)
    first = min(math.ceil(settled * fps), frames)
    last = frames if stop is None else min(math.ceil(stop * fps), frames)
    return Performance(
        weights=weights.astype(np.float32),
        steady=(first, max(first, last)),
        envelope=shown.astype(np.float32),
    )


def envelope(times: np.ndarray, state: State, *, stop: float | None = None) -> np.ndarray:
    """Return the share (T,) of the full expression at `times` (T,) s after its start.

    It rises over the onset to 1 + apex, settles to 1 in `SETTLE`, and decays from `stop` on.
    """
    risen = (1 + state.apex) * lips.ease(times / state.onset)
    held = risen - state.apex * lips.ease((times - state.onset) / SETTLE)
    return held if stop is None else held * (1 - lips.ease((times - stop) / state.decay))


def combine(content: Content, expression: np.ndarray, opening: np.ndarray) -> np.ndarray:
    """Return weights (T, 52) of speech and expression together, before limits and demands.

    `opening` (T,) metres is how far speech alone parts the lips. Speech and expression compete for
    the mouth: while speaking, an expression keeps its lip corners and its shape but not its own
    open jaw or sealed lips; a smile spreads the lips of a vowel and flattens rounding, rounding
    narrows the smile, and a kiss gives way to spread lips; clenched teeth hold the jaw; the tongue
    waits for a pause or an open vowel, and cheeks are puffed only behind shut lips.
    """
    said, shown = content.weights.copy(), np.clip(expression, 0.0, 1.0)
    smile, clenched = _mean(shown, "mouthSmile"), _clenched(shown)
    rounding = np.minimum(_sum(said, "mouthFunnel", "mouthPucker"), 1.0)
    spread = np.minimum(_mean(said, "mouthStretch") + _mean(said, "mouthSmile"), 1.0)
    speaking = content.speaking
    parted = opening * (1 - content.closure) * (1 - content.labiodental)
    puffed = PUFF_IN_SPEECH * (1 - lips.ease(parted / PUFF_GAP)) * (1 - content.labiodental)
    tongue = TONGUE_IN_SPEECH * lips.ease((parted - TONGUE_GAP) / TONGUE_ROOM)
    _scale(shown, ("jawOpen",), 1 - 0.75 * speaking)
    _scale(shown, ("mouthPress", "mouthShrug"), 1 - 0.75 * speaking)
    _scale(shown, ("mouthRoll",), 1 - 0.55 * speaking)
    _scale(shown, ("mouthFunnel", "mouthPucker"), (1 - 0.3 * speaking) * (1 - 0.7 * spread))
    _scale(shown, ("mouthUpperUp", "mouthLowerDown"), 1 - 0.35 * speaking)
    _scale(shown, ("mouthSmile", "mouthStretch", "mouthDimple"), 1 - 0.55 * rounding)
    _scale(shown, ("cheekPuff",), 1 - speaking * (1 - puffed))
    _scale(shown, ("tongueOut",), 1 - speaking * (1 - tongue))
    _scale(said, ("mouthFunnel", "mouthPucker"), 1 - 0.3 * smile)
    _scale(said, ("jawOpen",), 1 - CLENCH * clenched)
    # What both want is not doubled: the larger holds, and the smaller adds half of itself.
    return np.maximum(said, shown) + 0.5 * np.minimum(said, shown)


def _clenched(expression: np.ndarray) -> np.ndarray:
    """Return how much the teeth are clenched (T,): lips pressed, or bared over a shut jaw."""
    shown = np.clip(expression, 0.0, 1.0)
    bared = np.minimum(_mean(shown, "mouthUpperUp"), _mean(shown, "mouthLowerDown"))
    shut = np.maximum(1 - _sum(shown, "jawOpen") / CLENCHED_JAW, 0.0)
    return np.maximum(_mean(shown, "mouthPress"), bared * shut)


def _give_back(
    weights: np.ndarray, opening: np.ndarray, content: Content, face: Face
) -> np.ndarray:
    """Return weights (T, 52) whose jaw is lower by part of what parts the lips beyond `opening`.

    `opening` (T,) metres is what speech asks for. Lips that an expression lifts need less of the
    jaw; without this, close vowels look open in anger or terror. At rest nothing is taken back.
    """
    jaw = UNIT_NAMES.index("jawOpen")
    extra = np.maximum(lips.gap_of(face.limit(weights), face) - opening, 0.0)
    given = GIVEN_BACK * content.speaking * extra / lips.gap_rows(face)[jaw].max()
    least = np.minimum(weights[:, jaw], SHUT_JAW * content.closure)
    result = weights.copy()
    result[:, jaw] = np.maximum(weights[:, jaw] - given, least)
    return result


def _least_share(expression: np.ndarray) -> np.ndarray:
    """Return the share (T,) of the opening that keeps speech readable under the expression.

    A smile draws the lips together and would mumble; only a clenched jaw may narrow the opening.
    """
    return KEPT_OPENING * (1 - CLENCH * _clenched(expression))


def _scale(weights: np.ndarray, stems: tuple[str, ...], factor: np.ndarray) -> None:
    weights[:, _columns(*stems)] *= factor[:, None]


def _mean(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].mean(axis=1)


def _sum(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].sum(axis=1)


def _columns(*stems: str) -> list[int]:
    """Return the places of all units whose names begin so."""
    return [place for place, name in enumerate(UNIT_NAMES) if name.startswith(stems)]
