"""What one participant sees: which pairs, in which order, what on which side, and the checks.

Order and sides are drawn anew for each participant. Of an even number of pairs ours stands left in
half. The checks look like pairs and hold one system's film on both sides:

- `late`: one side runs half the film ahead of the sound and then stands still, so its lips are
  plainly wrong to whoever looks and listens. Passed where the other side's lips were chosen.
- `same`: both sides are the same. Passed where two of the three questions were answered "equal".
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

QUESTIONS = ("lips", "expression", "overall")
CHOICES = ("left", "equal", "right")
SYSTEMS = ("theirs", "ours")
SIDES = ("left", "right")
PAIR, LATE, SAME = "pair", "late", "same"
CHECKS = 2
"""attention checks for each participant, unless told otherwise"""
EQUALS = 2
"""answers "equal" that an identical pair must get"""


@dataclass(frozen=True)
class Task:
    """One screen: a pair's name, whose film stands left and right, and which side is late."""

    pair: str
    left: str
    right: str
    late: str | None = None
    """`left` or `right`, in a check of that kind"""

    @property
    def kind(self) -> str:
        """What it is: a pair, or one of the two checks."""
        if self.late:
            return LATE
        return SAME if self.left == self.right else PAIR

    def preferred(self, choice: str) -> str:
        """`theirs`, `equal` or `ours`: what `left`, `equal` or `right` means here."""
        return {"left": self.left, "right": self.right}.get(choice, "equal")

    def passed(self, answers: Mapping[str, str]) -> bool:
        """Whether the three answers to a check are those of somebody who looks and listens."""
        if self.kind == LATE:
            return answers["lips"] == ("right" if self.late == "left" else "left")
        return list(answers.values()).count("equal") >= EQUALS


def draw(
    judged: Mapping[str, int],
    *,
    pairs: int | None = None,
    checks: int = CHECKS,
    rng: random.Random | None = None,
) -> list[Task]:
    """Draw the tasks of a participant.

    Args:
        judged: how often each pair was judged so far; where not all are shown, those with the
            fewest judgements are.
        pairs: how many are shown; None for all.
        checks: how many checks there are among them, as many `late` as `same`, or one more;
            never as the first task.
        rng: where the randomness comes from; None for the system's.
    """
    rng = rng or random.SystemRandom()
    names = list(judged)
    rng.shuffle(names)
    shown = sorted(names, key=lambda name: judged[name])[:pairs]
    rng.shuffle(shown)
    sides = _balanced(len(shown), rng)
    tasks = iter([Task(name, *sides.pop()) for name in shown])
    kinds = [LATE if i % 2 == 0 else SAME for i in range(checks)]
    rng.shuffle(kinds)
    turns = iter([_check(kind, shown, rng) for kind in kinds])
    total = len(shown) + checks
    places = set(rng.sample(range(1, total), checks))
    return [next(turns if place in places else tasks) for place in range(total)]


def _balanced(count: int, rng: random.Random) -> list[Sequence[str]]:
    """`count` orders of the two systems, half of them each way."""
    first = [SYSTEMS, SYSTEMS[::-1]]
    rng.shuffle(first)
    sides = list(islice(first * count, count))
    rng.shuffle(sides)
    return sides


def _check(kind: str, names: Sequence[str], rng: random.Random) -> Task:
    system = rng.choice(SYSTEMS)
    late = rng.choice(SIDES) if kind == LATE else None
    return Task(rng.choice(names), system, system, late)
