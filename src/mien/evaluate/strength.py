"""Does strength scale the expression, and is strength 0 neutral?

Each state is asked for by its first training wording that leaves the level open, over silence
(`settled`), at six levels. Measured is how far the face went from neutral along the way to the
state: 1 is as far as the simulated actor goes at level 1. It is monotone where it never falls by
more than 2 % of what it is at level 1, and that is above 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from mien.data.simulate.bank import Bank, Description
from mien.evaluate.samples import Share, estimate
from mien.evaluate.shown import average, marked, percent, table
from mien.face import Face
from mien.settled import (
    NEUTRAL,
    Animates,
    settled_coefficients,
    silence,
    state_coefficients,
)

LEVELS = (0.0, 1 / 3, 2 / 3, 1.0, 1.25, 1.5)
FULL = LEVELS.index(1.0)
TOLERANCE = 0.02  # of what is reached at level 1


@dataclass(frozen=True)
class Course:
    """A state asked for at rising levels."""

    state: str
    description: str
    reached: tuple[float, ...]
    """at each of LEVELS, the way to the state; 1 is the actor's at level 1"""
    actor: tuple[float, ...]
    """the simulated actor's own"""
    rest: float
    """how far the face at level 0 is from that of "neutral" at level 0, root mean square over the
    face's vertices, metres"""

    @property
    def monotone(self) -> bool:
        """Whether it rises with the level, or at least stays."""
        return rises(self.reached)


def rises(reached: tuple[float, ...]) -> bool:
    """Say whether values at LEVELS never fall by more than 2 % of the one at level 1, which is
    above 0."""
    full = reached[FULL]
    return full > 0 and bool((np.diff(reached) >= -TOLERANCE * full).all())


@dataclass(frozen=True)
class Strength:
    """The course of every state but neutral."""

    courses: tuple[Course, ...]

    @property
    def monotone(self) -> Share:
        """States whose expression rises with the level."""
        return Share(sum(one.monotone for one in self.courses), len(self.courses))

    @property
    def rest(self) -> float:
        """The largest distance of a face at level 0 from neutral, metres."""
        return max((one.rest for one in self.courses), default=0.0)

    def rows(self) -> dict[str, Any]:
        """Return every course as plain data, ready for JSON."""
        courses = [
            {"state": one.state, "description": one.description, "reached": list(one.reached),
             "actor": list(one.actor), "monotone": one.monotone, "rest": one.rest}
            for one in self.courses
        ]  # fmt: skip
        return {"levels": list(LEVELS), "monotone": self.monotone.value, "courses": courses}

    def markdown(self) -> str:
        """Return how many are monotone, the mean course, and every course that is not monotone."""
        share = percent(self.monotone, least=1.0)
        rest = marked(f"{self.rest * 1e3:.3f} mm", self.rest == 0)
        heads = ["states", *(f"level {level:.3g}" for level in LEVELS)]
        lines = [
            [name, *(average(estimate(values)) for values in np.array(rows).reshape(-1, 6).T)]
            for name, rows in (
                ("mean of all", [one.reached for one in self.courses]),
                ("the actor's", [one.actor for one in self.courses]),
            )
        ]
        lines += [
            [f"**{one.state}**: {one.description}", *(f"{value:.2f}" for value in one.reached)]
            for one in self.courses
            if not one.monotone
        ]
        return (
            f"Monotone: {share} of the states (all wanted). Level 0 against neutral, at most: "
            f"{rest}.\n\n{table(heads, lines)}"
        )


def strength(animator: Animates, *, bank: Bank | None = None, progress: bool = False) -> Strength:
    """Ask for every state of the bank (default: ours) at every level."""
    bank = bank or Bank.load()
    features, face = silence(animator), animator.face
    rest = settled_coefficients(animator, features, NEUTRAL, strength=0.0)
    courses = []
    states = [name for name in bank.entries if name != NEUTRAL]
    for state in tqdm(states, "strengthen states", unit="state", disable=not progress):
        wording = first_open(bank.descriptions(state, "train"))
        if wording is None:
            continue
        faces = np.stack([
            settled_coefficients(animator, features, wording.text, strength=level)
            for level in LEVELS
        ])  # fmt: skip
        courses.append(course(state, wording.text, faces, rest, face))
    return Strength(tuple(courses))


def first_open(wordings: list[Description]) -> Description | None:
    """Return the first wording that leaves the level open; None where there is none."""
    return next((wording for wording in wordings if wording.level is None), None)


def course(state: str, description: str, faces: np.ndarray, rest: np.ndarray, face: Face) -> Course:
    """Return the course of a state from the coefficients at each level (6, K), and at rest (K,)."""
    actor = np.stack([state_coefficients(face, state, level) for level in LEVELS])
    way = actor[FULL] / (actor[FULL] @ actor[FULL])
    distance = np.linalg.norm(faces[0] - rest) / np.sqrt(len(face.basis_vertices))
    return Course(
        state=state,
        description=description,
        reached=tuple(((faces - rest) @ way).tolist()),
        actor=tuple((actor @ way).tolist()),
        rest=float(distance),
    )
