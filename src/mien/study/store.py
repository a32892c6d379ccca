"""The answers: one SQLite file, in which whatever was acknowledged stays.

Every choice is a transaction of its own, on the disk before the page hears of it. The rollback
journal with `synchronous = EXTRA` keeps a kill and a power cut alike from losing it. A write-ahead
log would do that too, and let readers pass writers; but it keeps the newest answers in a second
file, and whoever copies the one that the study is said to be would lose them. A study writes a few
rows a minute.
"""

import hashlib
import secrets
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from mien.errors import MienError
from mien.study.films import Films
from mien.study.plan import CHOICES, QUESTIONS, Task

APPLICATION = 0x6D69656E
"""says in the file's head that it is one of ours: "mien" """
VERSION = 1
MAX_PARTICIPANTS = 10_000
WAIT = 10.0
"""seconds that one process waits for another one's transaction"""

TABLES = f"""
CREATE TABLE study (fingerprint TEXT NOT NULL, theirs TEXT NOT NULL, ours TEXT NOT NULL,
                    begun TEXT NOT NULL);
CREATE TABLE pair (name TEXT PRIMARY KEY, description TEXT NOT NULL);
CREATE TABLE participant (id INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, begun TEXT NOT NULL);
CREATE TABLE task (
    participant INTEGER NOT NULL REFERENCES participant, place INTEGER NOT NULL,
    pair TEXT NOT NULL REFERENCES pair,
    "left" TEXT NOT NULL, "right" TEXT NOT NULL, late TEXT, done TEXT,
    PRIMARY KEY (participant, place));
CREATE TABLE answer (
    participant INTEGER NOT NULL, place INTEGER NOT NULL,
    question TEXT NOT NULL CHECK (question IN {QUESTIONS}),
    choice TEXT NOT NULL CHECK (choice IN {CHOICES}), given TEXT NOT NULL,
    PRIMARY KEY (participant, place, question),
    FOREIGN KEY (participant, place) REFERENCES task);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
"""


@dataclass(frozen=True)
class Screen:
    """What a participant is at: a task, its place from 0 on, and what was answered of it."""

    total: int
    place: int
    """equal to `total` where all is done"""
    task: Task | None
    """None where all is done"""
    answers: dict[str, str]


@dataclass(frozen=True)
class Judged:
    """One task that a participant finished, or began: the answers by question."""

    participant: int
    task: Task
    answers: dict[str, str]
    done: bool


@dataclass(frozen=True)
class Answers:
    """All that a file holds."""

    theirs: str
    ours: str
    pairs: dict[str, str]
    """descriptions by the pairs' names"""
    tasks: list[Judged]


class StaleError(Exception):
    """What was sent does not belong to the task that its participant is at."""


class Store:
    """The answers of one study, for any number of threads."""

    def __init__(self, path: Path | str, films: Films) -> None:
        """Open the file, or begin it; MienError where it holds the answers of other films."""
        self.path = Path(path)
        self._lock = threading.Lock()
        self._base = connect(self.path, new=True)
        try:
            with self._writing() as base:
                if _is_empty(base):
                    _begin(base, films)
                _check(base, self.path)
                if base.execute("SELECT fingerprint FROM study").fetchone() != (films.fingerprint,):
                    raise MienError(
                        f"{path} holds answers about other films, descriptions or systems; "
                        "name another file: --answers"
                    )
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        self._base.close()

    def judged(self) -> dict[str, int]:
        """How often each pair was judged so far; checks do not count."""
        rows = self._read(
            "SELECT name, COUNT(done) FROM pair LEFT JOIN task ON pair = name AND late IS NULL "
            'AND "left" != "right" GROUP BY name'
        )
        return dict(rows)

    def begin(self, tasks: list[Task]) -> str:
        """Take in a participant with these tasks; return the token that is theirs alone."""
        token = secrets.token_urlsafe(24)
        with self._writing() as base:
            (count,) = base.execute("SELECT COUNT(*) FROM participant").fetchone()
            if count >= MAX_PARTICIPANTS:
                raise StaleError("the study is full")
            participant = base.execute(
                "INSERT INTO participant (token, begun) VALUES (?, ?)", (_hash(token), _now())
            ).lastrowid
            base.executemany(
                "INSERT INTO task VALUES (?, ?, ?, ?, ?, ?, NULL)",
                [(participant, i, t.pair, t.left, t.right, t.late) for i, t in enumerate(tasks)],
            )
        return token

    def screen(self, token: str | None) -> Screen | None:
        """What the participant of a token is at; None where no one has it."""
        with self._lock:
            participant = self._participant(token)
            if participant is None:
                return None
            (total,) = self._base.execute(
                "SELECT COUNT(*) FROM task WHERE participant = ?", (participant,)
            ).fetchone()
            row = self._base.execute(
                'SELECT place, pair, "left", "right", late FROM task '
                "WHERE participant = ? AND done IS NULL ORDER BY place LIMIT 1",
                (participant,),
            ).fetchone()
            if row is None:
                return Screen(total, total, None, {})
            given = self._base.execute(
                "SELECT question, choice FROM answer WHERE participant = ? AND place = ?",
                (participant, row[0]),
            )
            return Screen(total, row[0], Task(*row[1:]), dict(given))

    def answer(self, token: str | None, place: int, question: str, choice: str) -> None:
        """Keep one choice; a later one of the same question takes its place.

        Raises StaleError where the task is not the one that the participant is at.
        """
        with self._writing() as base:
            participant = self._at(token, place)
            base.execute(
                "INSERT INTO answer VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                "SET choice = excluded.choice, given = excluded.given",
                (participant, place, question, choice, _now()),
            )

    def finish(self, token: str | None, place: int) -> None:
        """Close a task, after which its answers stay; nothing happens where it is closed already.

        Raises StaleError where a question is open or the task is still ahead.
        """
        with self._writing() as base:
            participant = self._participant(token)
            row = base.execute(
                "SELECT done FROM task WHERE participant = ? AND place = ?", (participant, place)
            ).fetchone()
            if row and row[0]:
                return
            self._at(token, place)
            (answered,) = base.execute(
                "SELECT COUNT(*) FROM answer WHERE participant = ? AND place = ?",
                (participant, place),
            ).fetchone()
            if answered < len(QUESTIONS):
                raise StaleError("a question is open")
            base.execute(
                "UPDATE task SET done = ? WHERE participant = ? AND place = ?",
                (_now(), participant, place),
            )

    def counts(self) -> tuple[int, int]:
        """How many people have finished a pair or check, and how many those are in all."""
        ((people, tasks),) = self._read(
            "SELECT COUNT(DISTINCT participant), COUNT(*) FROM task WHERE done IS NOT NULL"
        )
        return people, tasks

    def _at(self, token: str | None, place: int) -> int:
        """The participant of a token; StaleError unless they are at this task."""
        participant = self._participant(token)
        (now,) = self._base.execute(
            "SELECT MIN(place) FROM task WHERE participant = ? AND done IS NULL", (participant,)
        ).fetchone()
        if participant is None or now != place:
            raise StaleError("another pair is on")
        return participant

    def _participant(self, token: str | None) -> int | None:
        row = self._base.execute(
            "SELECT id FROM participant WHERE token = ?", (_hash(token or ""),)
        ).fetchone()
        return row[0] if row else None

    def _read(self, query: str) -> list[tuple]:
        with self._lock:
            return self._base.execute(query).fetchall()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """A transaction: all of it is on the disk when this ends, or nothing."""
        with self._lock:
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield self._base
                self._base.execute("COMMIT")
            except BaseException:
                if self._base.in_transaction:
                    self._base.execute("ROLLBACK")
                raise


def read_answers(path: Path | str) -> Answers:
    """Read an answers file, also while a study is running; MienError where it is none."""
    path = Path(path)
    if not path.is_file():
        raise MienError(f"{path} is not there; name the answers file of a study")
    base = connect(path, new=False)
    try:
        # One transaction, so that answers and tasks are of one moment.
        base.execute("BEGIN")
        _check(base, path)
        theirs, ours = base.execute("SELECT theirs, ours FROM study").fetchone()
        pairs = dict(base.execute("SELECT name, description FROM pair ORDER BY name"))
        given: dict[tuple[int, int], dict[str, str]] = {}
        for participant, place, question, choice in base.execute(
            "SELECT participant, place, question, choice FROM answer"
        ):
            given.setdefault((participant, place), {})[question] = choice
        tasks = [
            Judged(row[0], Task(*row[2:6]), given.get((row[0], row[1]), {}), row[6] is not None)
            for row in base.execute("SELECT * FROM task ORDER BY participant, place")
        ]
        return Answers(theirs, ours, pairs, tasks)
    except sqlite3.Error as error:
        raise MienError(f"{path} cannot be read ({error}); is it an answers file?") from error
    finally:
        base.close()


def connect(path: Path, *, new: bool) -> sqlite3.Connection:
    """Open a file, which need not be there if it is `new`; MienError where that fails."""
    # Written as well, where that is allowed: what a killed server left half-done is undone by
    # whoever opens the file next.
    address = f"{path.absolute().as_uri()}?mode={'rwc' if new else 'rw'}"
    try:
        base = sqlite3.connect(
            address, uri=True, timeout=WAIT, isolation_level=None, check_same_thread=False
        )
        base.execute("PRAGMA schema_version").fetchone()
        base.execute("PRAGMA synchronous = EXTRA")
        base.execute("PRAGMA foreign_keys = ON")
        return base
    except sqlite3.Error as error:
        raise MienError(
            f"{path} cannot be opened as an answers file ({error}); name another file"
        ) from error


def _is_empty(base: sqlite3.Connection) -> bool:
    return base.execute("SELECT COUNT(*) FROM sqlite_master").fetchone() == (0,)


def _begin(base: sqlite3.Connection, films: Films) -> None:
    # Not executescript, which would end the transaction.
    for statement in filter(None, map(str.strip, TABLES.split(";"))):
        base.execute(statement)
    base.execute(
        "INSERT INTO study VALUES (?, ?, ?, ?)",
        (films.fingerprint, films.theirs, films.ours, _now()),
    )
    base.executemany(
        "INSERT INTO pair VALUES (?, ?)", [(pair.name, pair.description) for pair in films.pairs]
    )


def _check(base: sqlite3.Connection, path: Path) -> None:
    (application,) = base.execute("PRAGMA application_id").fetchone()
    (version,) = base.execute("PRAGMA user_version").fetchone()
    if (application, version) != (APPLICATION, VERSION):
        raise MienError(f"{path} is no answers file of this Mien; name another file")


def _hash(token: str) -> str:
    """What is kept of a token: whoever is given the answers cannot answer in another's name."""
    return hashlib.sha256(token.encode()).hexdigest()


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
