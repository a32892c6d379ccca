"""Planted answers come out of the report as they went in."""

import json
from collections import Counter

import pytest

from mien.__main__ import main
from mien.study.plan import Task
from mien.study.report import report, sign_test
from mien.study.store import Store
from studies import hasty, judge, planned, side_of

FILMS = tuple(f"film{i:02d}" for i in range(11))
LATE = Task("film00", "ours", "ours", "left")
SAME = Task("film01", "theirs", "theirs")


@pytest.mark.parametrize(
    ("wins", "losses", "p"),
    [  # of Binomial(n, 1/2): 2 · tail, by hand
        (0, 0, 1.0),
        (1, 0, 1.0),
        (5, 5, 1.0),
        (6, 5, 1.0),
        (10, 0, 2 / 1024),
        (0, 10, 2 / 1024),
        (9, 1, 2 * (1 + 10) / 1024),
        (8, 2, 2 * (1 + 10 + 45) / 1024),
        (3, 1, 2 * (1 + 4) / 16),
    ],
)
def test_sign_test_is_exact(wins, losses, p):
    assert sign_test(wins, losses) == p


def test_sign_test_of_many():
    assert sign_test(5000, 5000) == 1.0
    assert 0.84 < sign_test(5010, 4990) < 0.86
    assert 0 < sign_test(400, 1600) < 1e-150


@pytest.fixture
def store(tmp_path):
    found = hasty(Store(tmp_path / "answers.sqlite", planned(FILMS)))
    yield found
    found.close()


def pairs(number):
    """The films in order, ours left in every second one."""
    orders = (("ours", "theirs"), ("theirs", "ours"))
    return [Task(name, *orders[(i + number) % 2]) for i, name in enumerate(FILMS)]


PAPER = {"lips": (85, 85, 50), "expression": (36, 25, 159), "overall": (47, 32, 141)}
"""theirs, equal, ours of 220 answers: the paper's Table 3"""


def as_the_paper(store):
    decks = {
        question: ["theirs"] * counts[0] + ["equal"] * counts[1] + ["ours"] * counts[2]
        for question, counts in PAPER.items()
    }

    def choose(task, question):
        outcome = decks[question].pop(0)
        return "equal" if outcome == "equal" else side_of(task, outcome)

    for number in range(20):
        judge(store, pairs(number), choose)


def test_table_3_of_the_paper(store):
    as_the_paper(store)
    found = report(store.path)
    assert (found.people, found.films, found.left_out, found.unfinished) == (20, 11, 0, 0)
    for row in found.rows:
        assert (row.theirs.count, row.equal.count, row.ours.count) == PAPER[row.question]
        assert row.answers == 220
    lips, expression, _ = found.rows
    text = found.markdown()
    assert "| lips | 38.64 (" in text
    assert "| 22.73 (" in text
    assert (lips.by_answers.ours, lips.by_answers.theirs) == (50, 85)
    assert lips.by_answers.p == pytest.approx(0.00329, abs=1e-4)  # normal: z = 2.93 with continuity
    assert "50-85, 0.0033" in text
    assert expression.by_answers.p < 1e-18
    # 20 people in blocks: 7.7 of them all for theirs, so people differ more than answers say.
    assert lips.by_people.theirs == 8
    assert lips.theirs.low < 0.324  # Wilson's alone is 0.3245 to 0.4521
    assert lips.theirs.high > 0.453
    assert (lips.by_films.ours, lips.by_films.theirs) == (0, 11)
    assert lips.by_films.p == 2 / 2048


def test_films_are_told_apart(store):
    as_the_paper(store)
    by_film = report(store.path).by_film
    assert by_film.keys() == set(FILMS)
    assert sum((Counter(film["lips"]) for film in by_film.values()), Counter()) == Counter(
        theirs=85, equal=85, ours=50
    )


def attentive(task, question):
    if task.kind == "late":
        return "right" if question == "lips" else "equal"
    return "equal" if task.kind == "same" else side_of(task, "ours")


def test_whoever_fails_a_check_is_left_out_and_shown_beside(store):
    tasks = [*pairs(0), LATE, SAME]
    for _ in range(3):
        judge(store, tasks, attentive)
    judge(store, tasks, lambda *_: "left")
    found = report(store.path)
    assert (found.people, found.left_out) == (3, 1)
    assert [row.ours.count for row in found.rows] == [33, 33, 33]
    assert [row.ours.count for row in found.everyone] == [39, 39, 39]  # ours was left in six
    assert {kind: (s.hits, s.total) for kind, s in found.checks.items()} == {
        "late": (3, 4),
        "same": (3, 4),
    }
    assert "With the 1 person who failed a check" in found.markdown()


def test_finished_pairs_of_the_unfinished_count_and_open_ones_do_not(store):
    token = store.begin(pairs(0))
    for question in ("lips", "expression", "overall"):
        store.answer(token, 0, question, "left")
    store.finish(token, 0)
    store.answer(token, 1, "lips", "left")
    found = report(store.path)
    assert (found.people, found.unfinished, found.open_answers, found.films) == (1, 1, 1, 1)
    assert [row.answers for row in found.rows] == [1, 1, 1]
    assert found.rows[0].ours.high == 1.0
    assert found.rows[0].ours.low == pytest.approx(0.2065, abs=1e-3)  # Wilson's of 1 of 1


def test_a_habit_of_one_side_shows(store):
    for number in range(4):
        judge(store, pairs(number), lambda *_: "left")
    left = report(store.path).left
    assert (left.ours, left.theirs) == (132, 0)
    assert left.p < 1e-30


def test_nothing_yet(store, capsys):
    assert main(["study", "--report", str(store.path)]) == 0
    out = capsys.readouterr().out
    assert "0 people, 0 pairs of films" in out
    assert "| lips | - | - | - | 0 | 0-0, 1.00 |" in out


def test_the_command_prints_and_writes_the_numbers(store, tmp_path, capsys):
    as_the_paper(store)
    written = tmp_path / "report.json"
    assert main(["study", "--report", str(store.path), "--json", str(written)]) == 0
    assert "| overall | 21.36 (" in capsys.readouterr().out
    numbers = json.loads(written.read_text())
    assert numbers["rows"][2]["ours"]["share"] == pytest.approx(0.6409, abs=1e-4)
    before = written.read_bytes()
    assert main(["study", "--report", str(store.path), "--json", str(written)]) == 2
    assert "choose another name" in capsys.readouterr().err
    assert written.read_bytes() == before
