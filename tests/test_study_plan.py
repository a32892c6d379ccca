"""What a participant sees is random where it should be and even where it can be."""

import random
from collections import Counter

import pytest

from mien.study.plan import LATE, PAIR, SAME, Task, draw

PAIRS = {f"pair{i}": 0 for i in range(10)}


def plans(count, judged=PAIRS, **options):
    return [draw(judged, rng=random.Random(seed), **options) for seed in range(count)]


def test_every_pair_comes_once_with_ours_left_in_half():
    for plan in plans(50):
        pairs = [task for task in plan if task.kind == PAIR]
        assert sorted(task.pair for task in pairs) == sorted(PAIRS)
        assert Counter(task.left for task in pairs) == {"ours": 5, "theirs": 5}
        assert all({task.left, task.right} == {"ours", "theirs"} for task in pairs)


def test_order_and_sides_are_drawn_for_each():
    """With 400 plans, a fair place has 40 of each pair and 200 of each side."""
    drawn = plans(400, checks=0)
    for place in range(10):
        at = [plan[place] for plan in drawn]
        assert all(15 < n < 75 for n in Counter(task.pair for task in at).values())
        assert 150 < Counter(task.left for task in at)["ours"] < 250
    first = [task for plan in drawn for task in plan if task.pair == "pair0"]
    assert 150 < Counter(task.left for task in first)["ours"] < 250


def test_an_odd_pair_leans_to_neither_side():
    drawn = plans(200, {"a": 0, "b": 0, "c": 0}, checks=0)
    ours = Counter(sum(task.left == "ours" for task in plan) for plan in drawn)
    assert ours.keys() == {1, 2}
    assert min(ours.values()) > 60


def test_checks_stand_among_the_pairs_and_never_first():
    drawn = plans(200)
    for plan in drawn:
        assert Counter(task.kind for task in plan) == {PAIR: 10, LATE: 1, SAME: 1}
        assert plan[0].kind == PAIR
        assert all(task.left == task.right for task in plan if task.kind != PAIR)
    for kind in (LATE, SAME):
        places = Counter(i for plan in drawn for i, task in enumerate(plan) if task.kind == kind)
        assert places.keys() == set(range(1, 12))
    late = [task for plan in drawn for task in plan if task.kind == LATE]
    assert 60 < Counter(task.late for task in late)["left"] < 140
    assert 60 < Counter(task.left for task in late)["ours"] < 140


def test_fewer_pairs_are_those_judged_least():
    judged = {**PAIRS, "pair3": 5, "pair7": 5}
    for plan in plans(30, judged, pairs=8, checks=1):
        shown = {task.pair for task in plan if task.kind == PAIR}
        assert shown == PAIRS.keys() - {"pair3", "pair7"}
        assert all(task.pair in shown for task in plan)
    seen = {task.pair for plan in plans(50, pairs=2, checks=0) for task in plan}
    assert seen == PAIRS.keys()


def test_one_pair_with_many_checks():
    plan = draw({"a": 0}, checks=3)
    assert plan[0].kind == PAIR
    assert Counter(task.kind for task in plan[1:]) == {LATE: 2, SAME: 1}


@pytest.mark.parametrize(
    ("task", "answers", "passed"),
    [
        (Task("a", "ours", "ours", "left"), "right equal equal", True),
        (Task("a", "ours", "ours", "left"), "left equal right", False),
        (Task("a", "ours", "ours", "right"), "left left left", True),
        (Task("a", "ours", "ours", "right"), "equal left left", False),
        (Task("a", "theirs", "theirs"), "equal equal left", True),
        (Task("a", "theirs", "theirs"), "right equal left", False),
    ],
)
def test_who_passes_a_check(task, answers, passed):
    given = dict(zip(("lips", "expression", "overall"), answers.split(), strict=True))
    assert task.passed(given) is passed


def test_a_side_is_turned_back_into_a_system():
    task = Task("a", "ours", "theirs")
    assert [task.preferred(c) for c in ("left", "equal", "right")] == ["ours", "equal", "theirs"]
