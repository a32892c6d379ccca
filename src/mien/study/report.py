"""What the answers say, in the form of the paper's Table 3: theirs, equal, ours.

One person's answers are no independent draws, so each share has the wider of two 95 % intervals:
Wilson's over the answers, and the bootstrap over the people. The sign test (exact, two-sided, ties
left out) is given over answers, as studies print it, and over people and films, each of which then
counts once, for the side that got more of its answers.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.evaluate.samples import Share, estimate, ratio
from mien.study.plan import LATE, PAIR, QUESTIONS, SAME
from mien.study.store import Answers, Judged, read_answers

OUTCOMES = ("theirs", "equal", "ours")
PAPER = (
    "lips 38.64 / 38.64 / 22.73, expression 16.36 / 11.36 / 72.27, overall 21.36 / 14.55 / 64.09"
)
"""theirs / equal / ours, %, of Jung et al. 2024 against ExpCLIP; 20 people, 11 films"""


@dataclass(frozen=True)
class Portion:
    """How often an outcome was chosen."""

    count: int
    share: float | None
    """in [0, 1]; None of nothing"""
    low: float
    high: float
    """the 95 % interval, in [0, 1]"""


@dataclass(frozen=True)
class Signs:
    """A sign test: how many are for ours and for theirs, and how likely chance is so uneven."""

    ours: int
    theirs: int
    p: float


@dataclass(frozen=True)
class Row:
    """One question."""

    question: str
    answers: int
    theirs: Portion
    equal: Portion
    ours: Portion
    by_answers: Signs
    by_people: Signs
    by_films: Signs


@dataclass(frozen=True)
class Report:
    """What `mien study --report` prints."""

    theirs: str
    ours: str
    people: int
    """who count: they judged a pair and failed no check"""
    films: int
    """pairs that were judged by those"""
    rows: list[Row]
    left_out: int
    """people who failed a check"""
    everyone: list[Row]
    """the same with those who failed one"""
    checks: dict[str, Share]
    """passed, of each kind"""
    left: Signs
    """answers for the left side (`ours`) and for the right: is there a habit?"""
    unfinished: int
    """people who stopped before the end; the pairs that they finished count"""
    open_answers: int
    """choices in pairs that nobody finished; they are kept and not counted"""
    by_film: dict[str, dict[str, dict[str, int]]]
    """outcomes of each question, by the names of the pairs"""

    def numbers(self) -> dict[str, Any]:
        """All of it as plain data."""
        return asdict(self)

    def markdown(self) -> str:
        """The table, and what is needed to read it."""
        lines = [
            f"## {self.ours} (ours) against {self.theirs} (theirs)",
            "",
            f"{_many(self.people, 'person', 'people')}, {_many(self.films, 'pair')} of films.",
            "",
            *self._table(self.rows),
        ]
        if self.left_out:
            lines += [
                "",
                f"With the {_many(self.left_out, 'person', 'people')} who failed a check:",
                "",
                *self._table(self.everyone),
            ]
        return "\n".join([*lines, "", *self._notes()])

    def _table(self, rows: Sequence[Row]) -> list[str]:
        heads = [
            "question", f"{_cell(self.theirs)}, %", "equal, %", f"{_cell(self.ours)}, %", "answers",
            "sign test: answers", "people", "films",
        ]  # fmt: skip
        lines = [heads, ["---"] + ["---:"] * (len(heads) - 1)]
        for row in rows:
            portions = (_portion(part) for part in (row.theirs, row.equal, row.ours))
            tests = (_signs(test) for test in (row.by_answers, row.by_people, row.by_films))
            lines.append([row.question, *portions, str(row.answers), *tests])
        return [f"| {' | '.join(line)} |" for line in lines]

    def _notes(self) -> list[str]:
        passed = ", ".join(
            f"{name} {share.hits} of {share.total}" for name, share in self.checks.items()
        )
        return [
            "In brackets: 95 % intervals, the wider of Wilson's over answers and the bootstrap "
            "over people. Sign tests are exact and two-sided without ties: ours-theirs, p; over "
            "people and films each counts once.",
            "",
            f"- Attention checks passed: {passed}. Whoever failed one is left out: "
            f"{_many(self.left_out, 'person', 'people')}.",
            f"- Left was chosen {self.left.ours} times and right {self.left.theirs} times "
            f"(p = {_p(self.left.p)}).",
            f"- {_many(self.unfinished, 'person', 'people')} stopped before the end; the pairs "
            f"that they finished count, {_many(self.open_answers, 'choice')} in open pairs not.",
            f"- The paper (Jung et al. 2024, against ExpCLIP; theirs / equal / ours, %): {PAPER}.",
        ]


def report(path: Path | str) -> Report:
    """Read an answers file and say what it says; MienError where it is none."""
    return summary(read_answers(path))


def summary(answers: Answers) -> Report:
    """Count the answers. A person's pairs count once finished, and unless they failed a check."""
    done = [judged for judged in answers.tasks if judged.done]
    failed = {
        judged.participant
        for judged in done
        if judged.task.kind != PAIR and not judged.task.passed(judged.answers)
    }
    everyone = [judged for judged in done if judged.task.kind == PAIR]
    counted = [judged for judged in everyone if judged.participant not in failed]
    left = Counter(choice for judged in counted for choice in judged.answers.values())
    by_film = {
        name: {question: _outcomes(rows, question) for question in QUESTIONS}
        for name, rows in _groups(counted, lambda judged: judged.task.pair).items()
    }
    return Report(
        theirs=answers.theirs,
        ours=answers.ours,
        people=len({judged.participant for judged in counted}),
        films=len(by_film),
        rows=_rows(counted),
        left_out=len(failed),
        everyone=_rows(everyone),
        checks={kind: _passed(done, kind) for kind in (LATE, SAME)},
        left=_signs_of(left["left"], left["right"]),
        unfinished=len(
            {j.participant for j in done} & {j.participant for j in answers.tasks if not j.done}
        ),
        open_answers=sum(len(judged.answers) for judged in answers.tasks if not judged.done),
        by_film=by_film,
    )


def sign_test(wins: int, losses: int) -> float:
    """The exact two-sided p of the sign test: a fair coin as uneven as this, or more; 1 of none.

    p = min(1, 2 · Σ_{k ≤ min(wins, losses)} C(n, k) / 2^n), n = wins + losses (Dixon and Mood
    1946).
    """
    n, term, tail = wins + losses, 1, 0
    for k in range(min(wins, losses) + 1):
        tail += term
        term = term * (n - k) // (k + 1)  # the next C(n, k), whole
    return min(1.0, 2 * tail / 2**n)


def _rows(judged: Sequence[Judged]) -> list[Row]:
    return [_row(judged, question) for question in QUESTIONS]


def _row(judged: Sequence[Judged], question: str) -> Row:
    people = [
        _outcomes(rows, question) for rows in _groups(judged, lambda one: one.participant).values()
    ]
    films = [
        _outcomes(rows, question) for rows in _groups(judged, lambda one: one.task.pair).values()
    ]
    total = _outcomes(judged, question)
    return Row(
        question,
        sum(total.values()),
        *(_portion_of(people, outcome) for outcome in OUTCOMES),
        by_answers=_signs_of(total["ours"], total["theirs"]),
        by_people=_majorities(people),
        by_films=_majorities(films),
    )


def _portion_of(people: Sequence[dict[str, int]], outcome: str) -> Portion:
    """The share of an outcome, with the wider of both intervals."""
    cases = np.array([[one[outcome], sum(one.values())] for one in people]).reshape(-1, 2)
    share = Share(int(cases[:, 0].sum()), int(cases[:, 1].sum()))
    if not share.total:
        return Portion(0, None, 0.0, 1.0)
    over_people = estimate(cases, ratio)
    low, high = share.interval
    return Portion(share.hits, share.value, min(low, over_people.low), max(high, over_people.high))


def _majorities(groups: Iterable[dict[str, int]]) -> Signs:
    """Each person or film once, for the side that got more of its answers."""
    leads = [one["ours"] - one["theirs"] for one in groups]
    return _signs_of(sum(lead > 0 for lead in leads), sum(lead < 0 for lead in leads))


def _signs_of(ours: int, theirs: int) -> Signs:
    return Signs(ours, theirs, sign_test(ours, theirs))


def _outcomes(judged: Iterable[Judged], question: str) -> dict[str, int]:
    counts = Counter(one.task.preferred(one.answers[question]) for one in judged)
    return {outcome: counts[outcome] for outcome in OUTCOMES}


def _groups(judged: Iterable[Judged], key: Callable[[Judged], Any]) -> dict[Any, list[Judged]]:
    groups: dict[Any, list[Judged]] = {}
    for one in judged:
        groups.setdefault(key(one), []).append(one)
    return groups


def _passed(done: Iterable[Judged], kind: str) -> Share:
    passes = [one.task.passed(one.answers) for one in done if one.task.kind == kind]
    return Share(sum(passes), len(passes))


def _portion(part: Portion) -> str:
    if part.share is None:
        return "-"
    return f"{100 * part.share:.2f} ({100 * part.low:.0f}-{100 * part.high:.0f})"


def _signs(test: Signs) -> str:
    return f"{test.ours}-{test.theirs}, {_p(test.p)}"


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.2g}" if value < 0.01 else f"{value:.2f}"


def _many(count: int, one: str, more: str | None = None) -> str:
    return f"{count} {one if count == 1 else more or one + 's'}"


def _cell(text: str) -> str:
    """A system's name, which is a folder's, in a cell of a table."""
    return text.replace("|", "/")
