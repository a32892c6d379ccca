"""What a description is taken for: units and states of the face that it makes, and how familiar.

The description is animated over a second and a half of silence, and the mean of the last third of a
second is looked at, as in the measures of words. So units and states are what the face does, not
what the words should mean.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from mien import animator as animators
from mien.animator import Animator
from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.face import Face
from mien.features import check_description
from mien.settled import SETTLED, silence
from mien.timeline import check_strength

LEVELS = np.arange(1, 31) / 20  # at which a state is held against the face: 0.05, 0.1, … 1.5
REST = 0.01  # metres in coefficients: less is a neutral face (0.005), no state (0.037 or more)
LEAST_SHARE, STATES_SHOWN = 0.1, 3
LEAST_AMOUNT, UNITS_SHOWN = 0.1, 10
ALIKE = 0.1  # amounts of left and right that differ by no more are one
WORDINGS_SHOWN = 3


@dataclass(frozen=True)
class Likeness:
    """How like a known state the face is."""

    state: str
    share: float
    """In (0, 1]: the share of the way from the neutral face to this one that the state goes. 1 is
    the very face, 0 no nearer than neutral."""
    level: float
    """In (0, 1.5]: how strong the state is when it is most like the face."""


@dataclass(frozen=True)
class Familiarity:
    """How near a description is to what the pack was trained to read."""

    nearness: float
    """In [-1, 1]: mean of the five greatest cosines to known wordings."""
    familiar: float
    """The least nearness that counts as familiar."""
    wordings: tuple[tuple[str, float], ...]
    """The likest known wordings with their cosines, the likest first."""

    @property
    def far(self) -> bool:
        """Whether the description is far from all that the pack knows."""
        return self.nearness < self.familiar


@dataclass(frozen=True)
class Explanation:
    """What a description is taken for."""

    description: str
    strength: float
    units: tuple[tuple[str, float], ...]
    """The strongest units with their amounts in [0, 1], the strongest first. A unit that is as
    strong on both sides is named without a side."""
    states: tuple[Likeness, ...]
    """The likest states, the likest first; none where the face is at rest or like none, and none
    where its units are others than the states are made of."""
    at_rest: bool
    """Whether the face is the neutral one."""
    familiarity: Familiarity | None
    """None where the pack carries no known wordings (older ones do not)."""
    components: bool = False
    """Whether the face's units are components, whose names say nothing: then none are told."""

    def text(self) -> str:
        """Return it as a short text to print."""
        parts = [
            f'"{self.description}" at strength {self.strength:g}',
            _section("Nearest states", self._states()),
            _section("Strongest units", self._units()),
            _section("Nearest known wordings", self._wordings()),
        ]
        if self.familiarity and self.familiarity.far:
            parts.append(f"Warning: {far_away(self.description)}.")
        return "\n\n".join(parts)

    def _states(self) -> list[str]:
        if self.at_rest:
            return ["neutral: the face is at rest"]
        rows = [
            f"{one.state:<15}{one.share:>5.0%} alike, at level {one.level:.2f}"
            for one in self.states
        ]
        return rows or ["none: the face is like no state"]

    def _units(self) -> list[str]:
        if self.components:
            return ["not told: this face moves by components without names"]
        rows = [f"{unit:<20}{amount:.2f}" for unit, amount in self.units]
        return rows or [f"none above {LEAST_AMOUNT:g}"]

    def _wordings(self) -> list[str]:
        if not self.familiarity:
            return ["not in this pack: how far the description is from them cannot be judged"]
        return [f'{cosine:.2f}  "{text}"' for text, cosine in self.familiarity.wordings]


def report(pack: Path | None, description: str, *, strength: float = 1.0) -> Explanation:
    """Load a pack (default: ours) and explain a description.

    Raises MienError as `explain` does, before anything is loaded.
    """
    _check(description)
    check_strength(strength)
    return explain(animators.load(pack), description, strength=strength)


def explain(animator: Animator, description: str, *, strength: float = 1.0) -> Explanation:
    """Return what a description is taken for at a strength in [0, 1.5].

    Raises MienError for a description that is empty or too long, and a strength out of range.
    """
    description = _check(description)
    check_strength(strength)
    face = animator.face
    features = silence(animator)
    made = animator.run(features, description, strength=strength)
    coefficients = made[-SETTLED:].mean(axis=0)
    weights = animator.solve(made)[-SETTLED:].mean(axis=0)
    units = () if face.signed else strongest_units(weights, face.unit_names)
    at_rest = not units and bool(np.linalg.norm(coefficients) < REST)
    return Explanation(
        description=description,
        strength=strength,
        units=units,
        states=() if at_rest else likest_states(coefficients, face),
        at_rest=at_rest,
        familiarity=familiarity(animator, description),
        components=face.signed,
    )


def likest_states(coefficients: np.ndarray, face: Face) -> tuple[Likeness, ...]:
    """Return the states nearest to a face (K,), metres, each at the level that suits it best.

    The distance is that of coefficients, as in the measures of words; at most three states.
    """
    way = np.linalg.norm(coefficients)
    found = []
    for state, held in _held(face).items():
        distances = np.linalg.norm(held - coefficients, axis=1)
        best = int(distances.argmin())
        share = 1 - float(distances[best] / way)
        if share >= LEAST_SHARE:
            found.append(Likeness(state, share, float(LEVELS[best])))
    return tuple(sorted(found, key=lambda one: -one.share)[:STATES_SHOWN])


def strongest_units(
    weights: np.ndarray, unit_names: Sequence[str]
) -> tuple[tuple[str, float], ...]:
    """Return the strongest of the weights (U,) by name, at most ten from 0.1 on.

    Left and right that differ by no more than 0.1 are one unit, at their mean.
    """
    amounts = dict(zip(unit_names, weights.tolist(), strict=True))
    for left in [name for name in unit_names if name.endswith("Left")]:
        stem = left.removesuffix("Left")
        right = f"{stem}Right"
        if right in amounts and abs(amounts[left] - amounts[right]) <= ALIKE:
            amounts[stem] = (amounts.pop(left) + amounts.pop(right)) / 2
    strongest = sorted(amounts.items(), key=lambda one: -one[1])[:UNITS_SHOWN]
    return tuple((unit, amount) for unit, amount in strongest if amount >= LEAST_AMOUNT)


def familiarity(animator: Animator, description: str) -> Familiarity | None:
    """Return how familiar a description is to the animator's pack; None where it cannot tell."""
    known = animator.pack.known
    if known is None:
        return None
    vector = animator.plain_text_encoder.embed([description])[0]
    cosines = known.cosines(vector)
    likest = np.argsort(-cosines, kind="stable")[:WORDINGS_SHOWN]
    return Familiarity(
        nearness=float(known.nearness(vector)),
        familiar=known.familiar,
        wordings=tuple((known.texts[place], float(cosines[place])) for place in likest),
    )


def warning(animator: Animator, description: str) -> str | None:
    """Return one clause where a description is far from all that the pack knows, else None."""
    found = familiarity(animator, description)
    return far_away(description) if found and found.far else None


def far_away(description: str) -> str:
    """Return what is said of a description that is far from all that a pack knows."""
    return (
        f'"{description}" is far from all that the model learned to read, so the face may show '
        "something else; describe a face or a feeling, in English"
    )


@cache
def _held(face: Face) -> dict[str, np.ndarray]:
    """Every state but neutral, held still at each of LEVELS: coefficients (30, K), metres."""
    held = {}
    for name, state in STATES.items():
        if state.weights:
            weights = np.stack([state.weights_at(level, face.unit_names) for level in LEVELS])
            held[name] = face.weights_to_coefficients(face.limit(weights))
    return held


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n".join([title, *(f"  {line}" for line in lines)])


def _check(description: str) -> str:
    """Return the description in one line; MienError where nothing is left to explain."""
    if not (text := check_description(description)):
        raise MienError("the description is empty; write what the face should express")
    return text
