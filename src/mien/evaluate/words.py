"""Are descriptions read rightly? Each wording must land nearest to its own state.

Convention: the description is animated at its own level over silence; the mean of the last third of
a second is compared, in coefficients, with every state at that level. `right` counts wordings
whose own state is nearest, `near` those whose own state is among the three nearest.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.animator import Animator
from mien.data.simulate.bank import Bank
from mien.data.simulate.expressions import STATES

SECONDS = 1.5
SETTLED = 10  # frames at the end that are compared


@dataclass(frozen=True)
class Reading:
    """How many wordings were read rightly."""

    wordings: int
    right: int
    near: int
    confusions: list[tuple[str, str, int]]
    """(state, read as, how often), most frequent first."""

    def markdown(self) -> str:
        """The counts and the most frequent confusions."""
        lines = [
            f"{self.wordings} wordings, {len(STATES)} states: "
            f"top-1 {self.right / self.wordings:.1%}, top-3 {self.near / self.wordings:.1%}",
            "",
        ]
        lines += [
            f"- {state} read as {read}: {times}" for state, read, times in self.confusions[:8]
        ]
        return "\n".join(lines)


def reading(animator: Animator, *, split: str = "test", progress: bool = False) -> Reading:
    """Read every wording of a split of the bank."""
    bank = Bank.load()
    speech = np.zeros(audio.seconds_to_samples(SECONDS), np.float32)
    features = animator.encode_speech(speech)
    names, right, near, confused = list(bank.entries), 0, 0, Counter()
    total = 0
    for state in tqdm(names, "read words", disable=not progress):
        for wording in bank.descriptions(state, split):
            made = animator.run(features, wording.text)[-SETTLED:].mean(0)
            order = nearest_states(animator, made, names, wording.level or 1.0)
            total += 1
            right += order[0] == state
            near += state in order[:3]
            if order[0] != state:
                confused[state, order[0]] += 1
    confusions = [(a, b, times) for (a, b), times in confused.most_common()]
    return Reading(total, right, near, confusions)


def nearest_states(
    animator: Animator, coefficients: np.ndarray, names: list[str], level: float
) -> list[str]:
    """Names of the states, the nearest to coefficients (K,) first."""
    face = animator.face
    weights = np.stack([STATES[n].weights_at(level, face.unit_names) for n in names])
    targets = face.weights_to_coefficients(face.limit(weights))
    distance = np.linalg.norm(targets - coefficients, axis=1)
    return [names[i] for i in np.argsort(distance)]
