"""A line to a service: asks until it answers, no faster than it allows; and what that costs."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mien.config import read_json
from mien.data.vision import Asks, Question, UnansweredError
from mien.errors import MienError

T = TypeVar("T")

LONGEST_WAIT = 600.0
"""Seconds; a service that asks for more, because the day's share is used up, ends the run."""

LONGEST_PAUSE = 60.0
"""Seconds between attempts where the service names no time."""

AGAIN = {"refused": 1, "rejected": 1, "empty": 2, "cut": 2}
"""Attempts at questions that were answered so; for the other reasons `Manners` has them."""

MOST_IN_A_ROW = 8
"""So many questions without an answer, one after the other, end the run."""


class StoppedError(Exception):
    """The line was closed while a question waited."""


@dataclass(frozen=True)
class Manners:
    """How a service is asked."""

    attempts: int = 6
    """for each question"""
    patience: float = 2.0
    """seconds before the second attempt; doubled each time, and drawn between half and all of it"""
    per_minute: float | None = None
    """requests at most; None: as many as the service answers"""


class Line:
    """Asks for many threads. When the service is overloaded, all of them wait."""

    def __init__(self, asks: Asks, manners: Manners) -> None:
        self._asks, self._manners = asks, manners
        self._lock, self._closed = threading.Lock(), threading.Event()
        self._next = 0.0  # moment from which on something may be sent
        self._in_a_row = 0

    def ask(self, question: Question, read: Callable[[str], T]) -> tuple[T, tuple[int, int]]:
        """Return what `read` makes of the answer's text, and the tokens that all attempts took.

        `read` raises UnansweredError for text that is none. UnansweredError when the attempts are
        used up; MienError where going on is of no use, which closes the line; StoppedError when it
        was closed.
        """
        try:
            return self._ask(question, read)
        except MienError:
            self.close()
            raise

    def close(self) -> None:
        """Let no further question out, and wake those that wait."""
        self._closed.set()

    def _ask(self, question: Question, read: Callable[[str], T]) -> tuple[T, tuple[int, int]]:
        took, attempt = (0, 0), 0
        while True:
            attempt += 1
            self._wait_for_turn()
            try:
                answer = self._asks.ask(question)
                took = _sum(took, answer.tokens)
                value = read(answer.text)
            except UnansweredError as error:
                took = _sum(took, error.tokens)  # those of `read` have none
                if attempt >= AGAIN.get(error.reason, self._manners.attempts):
                    self._missed(error)
                    error.tokens = took
                    raise
                self._pause(error, attempt)
            else:
                self._in_a_row = 0
                return value, took

    def _wait_for_turn(self) -> None:
        apart = 60.0 / self._manners.per_minute if self._manners.per_minute else 0.0
        while not self._closed.is_set():
            with self._lock:
                now = time.monotonic()
                if now >= self._next:
                    self._next = now + apart
                    return
                left = self._next - now
            self._closed.wait(left)
        raise StoppedError

    def _pause(self, error: UnansweredError, attempt: int) -> None:
        """Wait before the next attempt; everybody does where there is too much to do."""
        if error.wait is not None and error.wait > LONGEST_WAIT:
            raise MienError(
                f"the service asks to wait {error.wait / 60:.0f} minutes ({error.detail}); start "
                "again then: what was answered is kept"
            )
        longest = min(self._manners.patience * 2 ** (attempt - 1), LONGEST_PAUSE)
        usual = random.uniform(0.5, 1.0) * longest
        seconds = usual if error.wait is None else error.wait
        if error.reason == "overloaded":
            with self._lock:
                self._next = max(self._next, time.monotonic() + seconds)
        elif self._closed.wait(seconds):
            raise StoppedError

    def _missed(self, error: UnansweredError) -> None:
        """MienError when nothing but misses came for long; a refusal is an answer of a kind."""
        if error.reason == "refused":
            self._in_a_row = 0
            return
        with self._lock:
            self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW:
            raise MienError(
                f"the last {self._in_a_row} questions got no answer ({error}); see to the service "
                "and start again: what was answered is kept"
            )


def _sum(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    return one[0] + other[0], one[1] + other[1]


@dataclass(frozen=True)
class Price:
    """What a model costs, in dollars a million tokens."""

    read: float
    written: float

    def dollars(self, tokens: tuple[float, float]) -> float:
        """The cost of tokens read and written."""
        return (tokens[0] * self.read + tokens[1] * self.written) / 1e6


def read_price(path: Path, model: str) -> Price:
    """Return the model's price from a table, {model: {"input": dollars, "output": dollars}}.

    MienError where the table does not have it.
    """
    table = read_json(path)
    if model not in table:
        raise MienError(f"{path} has no price of {model!r}; it has: {', '.join(table) or 'none'}")
    entry: Any = table[model]
    values = [entry.get(kind) if isinstance(entry, dict) else None for kind in ("input", "output")]
    if not all(isinstance(v, int | float) and not isinstance(v, bool) and v >= 0 for v in values):
        raise MienError(
            f"{path}, {model!r} is {entry!r}; dollars a million tokens are wanted, such as "
            '{"input": 0.3, "output": 2.5}'
        )
    return Price(*map(float, values))  # type: ignore[arg-type]
