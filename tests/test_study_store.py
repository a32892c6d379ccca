"""Answers stay, whoever else answers and whatever happens; foreign files are left alone."""

import sqlite3
import threading

import pytest

from mien import MienError
from mien.study.plan import QUESTIONS, Task, draw
from mien.study.store import StaleError, Store, read_answers
from studies import NAMES, hasty, judge, planned

TASKS = [Task("calm", "ours", "theirs"), Task("furious", "theirs", "ours")]


@pytest.fixture
def store(tmp_path):
    with_films = Store(tmp_path / "answers.sqlite", planned())
    yield with_films
    with_films.close()


def test_a_participant_goes_through_their_tasks(store):
    token = store.begin(TASKS)
    assert (store.screen(token).task, store.screen(token).total) == (TASKS[0], 2)
    store.answer(token, 0, "lips", "left")
    store.answer(token, 0, "lips", "right")
    assert store.screen(token).answers == {"lips": "right"}
    with pytest.raises(StaleError, match="a question is open"):
        store.finish(token, 0)
    store.answer(token, 0, "expression", "equal")
    store.answer(token, 0, "overall", "equal")
    store.finish(token, 0)
    assert (store.screen(token).task, store.screen(token).answers) == (TASKS[1], {})
    store.finish(token, 0)  # sent again, because the first answer was lost on the way
    assert store.screen(token).place == 1
    for question in QUESTIONS:
        store.answer(token, 1, question, "left")
    store.finish(token, 1)
    assert (store.screen(token).task, store.screen(token).place) == (None, 2)


@pytest.mark.parametrize("place", [0, 2, -1, 2**62])
def test_only_the_task_that_is_on_can_be_answered(store, place):
    """Otherwise a second window could change what was finished."""
    token = store.begin(TASKS)
    for question in QUESTIONS:
        store.answer(token, 0, question, "left")
    store.finish(token, 0)
    with pytest.raises(StaleError):
        store.answer(token, place, "lips", "right")
    assert {one.answers["lips"] for one in read_answers(store.path).tasks if one.done} == {"left"}


@pytest.mark.parametrize("token", [None, "", "guessed"])
def test_nobody_answers_without_a_token(store, token):
    store.begin(TASKS)
    assert store.screen(token) is None
    with pytest.raises(StaleError):
        store.answer(token, 0, "lips", "left")
    with pytest.raises(StaleError):
        store.finish(token, 0)


def test_the_file_holds_no_token(store):
    token = store.begin(TASKS)
    assert token.encode() not in store.path.read_bytes()


def test_many_at_once_do_not_mix(store):
    """Eight threads of one store, and a second store of the same file as a second server."""
    other = hasty(Store(store.path, planned()))
    hasty(store)
    failed = []

    def person(number):
        choice = ("left", "equal", "right")[number % 3]
        try:
            judge((store, other)[number % 2], draw(store.judged(), checks=2), lambda *_: choice)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=person, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    other.close()
    assert not failed
    tasks = read_answers(store.path).tasks
    assert len(tasks) == 8 * 5
    for participant in {one.participant for one in tasks}:
        choices = {c for o in tasks if o.participant == participant for c in o.answers.values()}
        assert len(choices) == 1
    assert store.counts() == (8, 40)
    assert store.judged() == dict.fromkeys(NAMES, 8)


def test_checks_and_open_pairs_are_not_counted_as_judged(store):
    judge(store, [TASKS[0], Task("joyful", "ours", "ours")], lambda *_: "left")
    store.answer(store.begin(TASKS), 0, "lips", "left")
    assert store.judged() == {"calm": 1, "furious": 0, "joyful": 0}


def test_what_was_acknowledged_is_in_the_one_file(store, tmp_path):
    """A copy of the file alone, made while the server runs, has every answer."""
    token = store.begin(TASKS)
    store.answer(token, 0, "lips", "equal")
    copy = tmp_path / "copy.sqlite"
    copy.write_bytes(store.path.read_bytes())
    assert read_answers(copy).tasks[0].answers == {"lips": "equal"}


def test_every_answer_is_forced_to_the_disk(store):
    """EXTRA (3): the file, its journal and their folder; else a power cut takes the last ones."""
    assert store._base.execute("PRAGMA synchronous").fetchone() == (3,)
    assert store._base.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_a_failed_transaction_leaves_nothing(store):
    with pytest.raises(sqlite3.IntegrityError):
        store.begin([Task("nowhere", "ours", "theirs")])
    assert read_answers(store.path).tasks == []
    assert store.begin(TASKS)


def test_a_study_goes_on_in_its_file(store):
    token = store.begin(TASKS)
    store.answer(token, 0, "lips", "left")
    store.close()
    again = Store(store.path, planned())
    assert again.screen(token).answers == {"lips": "left"}
    again.close()


def test_another_study_needs_another_file(store):
    with pytest.raises(MienError, match="holds answers about other films"):
        Store(store.path, planned(("calm", "furious")))


def test_foreign_files_are_left_alone(tmp_path):
    text, base = tmp_path / "notes.txt", tmp_path / "other.sqlite"
    text.write_text("precious, and longer than a header of SQLite" * 10)
    with sqlite3.connect(base) as other:
        other.execute("CREATE TABLE mine (a)")
    other.close()
    for path in (text, base):
        before = path.read_bytes()
        with pytest.raises(MienError, match="answers file"):
            Store(path, planned())
        with pytest.raises(MienError, match="answers file"):
            read_answers(path)
        assert path.read_bytes() == before
    with pytest.raises(MienError, match="is not there"):
        read_answers(tmp_path / "gone.sqlite")
    assert not (tmp_path / "gone.sqlite").exists()


def test_a_study_does_not_grow_without_end(store, monkeypatch):
    monkeypatch.setattr("mien.study.store.MAX_PARTICIPANTS", 1)
    store.begin(TASKS)
    with pytest.raises(StaleError, match="full"):
        store.begin(TASKS)
