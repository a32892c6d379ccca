"""The simulated actor: speaks known phones under a known expression.

`perform` is a pure function, so the truth of a sentence under any other expression, at any level,
is one more call with the same phones: it is what cross-reconstruction is measured against. `act` is
its second half: content that was captured from a person instead is acted in the same way.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from mien import lips
from mien.data.clips import Phone
from mien.data.simulate.articulation import Content, Style, articulate
from mien.data.simulate.expressions import State
from mien.data.simulate.idle import drift, idle
from mien.face import UNIT_NAMES, Face

CLENCH = 0.4
"""How much of the jaw's opening is lost when the lips are pressed fully."""

KEPT_OPENING = 0.85
"""Under every expression the lips part at least this share of what neutral speech does."""

GIVEN_BACK = 0.5
"""How much of the lips' opening that an expression adds to speech the jaw takes back."""

SHUT_JAW = 0.06
"""Under p, b, m it stays so open, if it was: mouthClose, which shuts the lips, needs that."""

LATEST_START = 0.15
"""Seconds: the expression begins between 0 and this."""


@dataclass(frozen=True, eq=False)
class Performance:
    """What the actor did."""

    weights: np.ndarray
    """(T, 52) float32 in [0, 1], within the face's limits"""
    steady: tuple[int, int]
    """frames start ≤ t < stop within which the expression has its full level"""


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
) -> Performance:
    """Return the performance of `phones` over `frames` frames at t / fps.

    `prominence` (N,) in [0, 1] says how much each phone stands out; `level` as in `act`. `seed`
    moves only what nobody asked for: the idle motion, the expression's start and its drift.
    The same arguments give the same performance.
    """
    content = articulate(phones, frames, fps=fps, style=style, face=face, prominence=prominence)
    return act(
        breathing(content, fps, seed), fps=fps, state=state, level=level, seed=seed, face=face
    )


def breathing(content: Content, fps: float, seed: int) -> Content:
    """Return the content with the idle motion of a living mouth, except where lips must touch."""
    times = np.arange(len(content.weights)) / fps
    free = (1 - content.closure) * (1 - content.labiodental)
    moving = free[:, None] * idle(times, np.random.default_rng([seed, 13]))
    return replace(content, weights=np.clip(content.weights + moving, 0.0, 1.0))


def act(
    content: Content, *, fps: float, state: State, level: float, seed: int, face: Face
) -> Performance:
    """Return the performance of content (T frames), simulated or captured, under an expression.

    `level` 0 is neutral, 1 the state as written, up to 1.5. `seed` moves only the expression's
    start and its slow drift. Lips meet where the content says so, whatever the expression.
    """
    frames = len(content.weights)
    random = np.random.default_rng([seed, 11])
    start = random.uniform(0, LATEST_START)
    times = np.arange(frames) / fps
    arrived = lips.ease((times - start) / state.onset)
    expression = arrived[:, None] * state.weights_at(level, UNIT_NAMES).astype(np.float64)
    expression *= 1 + drift(times, random)
    opening = lips.gap_of(face.limit(content.weights), face)
    weights = lips.meet_demands(
        _give_back(combine(content, expression), opening, content, face),
        closure=content.closure,
        labiodental=content.labiodental,
        floor=np.maximum(content.floor, opening * _least_share(expression)),
        face=face,
    )
    return Performance(
        weights=weights.astype(np.float32),
        steady=(min(int(np.ceil((start + state.onset) * fps)), frames), frames),
    )


def combine(content: Content, expression: np.ndarray) -> np.ndarray:
    """Return weights (T, 52) of speech and expression together, before limits and demands.

    Speech and expression compete for the mouth: while speaking, an expression keeps its lips
    corners and its shape but not its own open jaw or sealed lips; a smile flattens rounding and
    rounding narrows the smile; pressed lips mean a clenched jaw, which opens less.
    """
    said, shown = content.weights.copy(), np.clip(expression, 0.0, 1.0)
    smile, pressed = _mean(shown, "mouthSmile"), _mean(shown, "mouthPress")
    rounding = np.minimum(_sum(said, "mouthFunnel", "mouthPucker"), 1.0)
    speaking = content.speaking
    _scale(shown, ("jawOpen",), 1 - 0.75 * speaking)
    _scale(shown, ("mouthPress", "mouthRoll", "mouthShrug"), 1 - 0.75 * speaking)
    _scale(shown, ("mouthFunnel", "mouthPucker"), 1 - 0.4 * speaking)
    _scale(shown, ("mouthUpperUp", "mouthLowerDown"), 1 - 0.35 * speaking)
    _scale(shown, ("mouthSmile", "mouthStretch", "mouthDimple"), 1 - 0.55 * rounding)
    _scale(said, ("mouthFunnel", "mouthPucker"), 1 - 0.3 * smile)
    _scale(said, ("jawOpen",), 1 - CLENCH * pressed)
    # What both want is not doubled: the larger holds, and the smaller adds half of itself.
    return np.maximum(said, shown) + 0.5 * np.minimum(said, shown)


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
    clenched = CLENCH * np.clip(_mean(expression, "mouthPress"), 0.0, 1.0)
    return KEPT_OPENING * (1 - clenched)


def _scale(weights: np.ndarray, stems: tuple[str, ...], factor: np.ndarray) -> None:
    weights[:, _columns(*stems)] *= factor[:, None]


def _mean(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].mean(axis=1)


def _sum(weights: np.ndarray, *stems: str) -> np.ndarray:
    return weights[:, _columns(*stems)].sum(axis=1)


def _columns(*stems: str) -> list[int]:
    """Return the places of all units whose names begin so."""
    return [place for place, name in enumerate(UNIT_NAMES) if name.startswith(stems)]
