"""Timeline: descriptions over time, each with a strength, and how one is eased into the next."""

import dataclasses
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from mien.config import from_dict, read_json, to_dict
from mien.errors import MienError
from mien.lips import ease

MAX_LEVEL = 1.5
MAX_CUES = 200
EASE = 0.3
"""Seconds that a change takes. Smoothly eased, 90 % of it is there after 0.24 s."""


@dataclass(frozen=True)
class Cue:
    """From `at` on the face turns to `description`, and has turned `ease` seconds later."""

    at: float
    """Seconds from the beginning of the speech."""
    description: str
    """What the face expresses from then on, in English; empty means neutral."""
    strength: float = 1.0
    """Level of the expression, 0 (neutral) to 1.5."""
    ease: float = EASE
    """Seconds that the change takes, smoothly; 0 is a cut. The first cue has no change."""

    def __post_init__(self) -> None:
        """Raise MienError for a time, a strength or an ease that is out of range."""
        if not 0 <= self.at < math.inf:
            raise MienError(f"{self.name} is at {self.at} s; a time from 0 s on is wanted")
        if not 0 <= self.strength <= MAX_LEVEL:
            raise MienError(
                f"{self.name} has strength {self.strength}; "
                f"a number from 0 to {MAX_LEVEL} is wanted"
            )
        if not 0 <= self.ease < math.inf:
            raise MienError(f"{self.name} has ease {self.ease}; seconds from 0 on are wanted")

    @property
    def name(self) -> str:
        """The cue in a message."""
        shown = self.description if len(self.description) <= 30 else f"{self.description[:29]}…"
        return f"the cue {shown!r}"


@dataclass(frozen=True)
class Timeline:
    """One to 200 cues, each later than the one before. The first also holds before its time."""

    cues: tuple[Cue, ...]

    def __post_init__(self) -> None:
        """Raise MienError where there is no cue, too many, or one that is not later."""
        if not 0 < len(self.cues) <= MAX_CUES:
            raise MienError(f"a timeline has {len(self.cues)} cues; 1 to {MAX_CUES} are wanted")
        for before, cue in zip(self.cues, self.cues[1:], strict=False):
            if not before.at < cue.at:
                raise MienError(
                    f"{cue.name} at {cue.at:g} s follows one at {before.at:g} s; "
                    "give the cues in order, each later than the one before"
                )

    @classmethod
    def of(cls, description: str) -> "Timeline":
        """Return the timeline that holds one description throughout."""
        return cls((Cue(0.0, description),))

    @classmethod
    def parse(cls, rows: Iterable[Sequence[Any]]) -> "Timeline":
        """Read rows of (seconds, description) or (seconds, description, strength).

        The numbers may be texts, as on the command line. Raises MienError for any other row.
        """
        cues = []
        for row in rows:
            if not 2 <= len(row) <= 3 or not isinstance(row[1], str):
                raise MienError(f"{row!r} is no cue; give (seconds, description)")
            at, description, *strength = row
            cues.append(Cue(_number(at), description, *map(_number, strength)))
        return cls(tuple(cues))

    @classmethod
    def from_json(cls, path: Path | str) -> "Timeline":
        """Read `{"cues": [{"at": 0, "description": "calm"}, …]}`; inverse of `to_json`.

        A cue may also have "strength" and "ease". Raises MienError for a file that cannot be read,
        a key that is not known and a value that no cue may have; the message names the file.
        """
        values = read_json(path)
        try:
            cues = from_dict(_File, values).cues
            return cls(tuple(_cue(cue, f"cues[{place}]") for place, cue in enumerate(cues)))
        except (MienError, OverflowError) as error:  # a whole number may be beyond all floats
            raise MienError(f"{path}: {error}") from error

    def to_json(self, path: Path | str) -> None:
        """Write the timeline as `from_json` reads it; MienError where it cannot be a new file."""
        try:
            with open(path, "x", encoding="utf-8") as file:
                json.dump(to_dict(self), file, indent=1)
        except OSError as error:
            raise MienError(f"cannot write {path} as a new file: {error.strerror}") from error

    def check_within(self, seconds: float) -> None:
        """Raise MienError where a cue comes only after speech of this length."""
        last = self.cues[-1]
        if last.at >= seconds:
            raise MienError(
                f"{last.name} is at {last.at:g} s, but the speech is {seconds:.2f} s long; "
                "give it an earlier time"
            )

    def scaled(self, strength: float) -> "Timeline":
        """Return it with every strength times `strength`, at most 1.5.

        Raises MienError unless `strength` is a number from 0 to 1.5.
        """
        check_strength(strength)
        cues = (
            dataclasses.replace(cue, strength=min(cue.strength * strength, MAX_LEVEL))
            for cue in self.cues
        )
        return Timeline(tuple(cues))

    def shares(self, times: np.ndarray) -> np.ndarray:
        """Return how much of each cue the face shows: times (T,) in seconds -> (T, C) float32.

        Rows add to 1; away from changes they are exactly one 1 and zeros. Where a cue comes before
        the change before it has ended, it takes over smoothly from that change as it goes on.
        """
        shares = np.zeros((len(times), len(self.cues)), np.float32)
        shares[:, 0] = 1
        for place, cue in enumerate(self.cues[1:], 1):
            # An ease of 0 leaves two points at one time, of which the second holds from then on.
            come = ease(np.interp(times, (cue.at, cue.at + cue.ease), (0.0, 1.0)))
            shares[:, :place] *= (1 - come)[:, None]
            shares[:, place] = come
        return shares


def check_strength(strength: float) -> float:
    """Return it; MienError unless it is a number from 0 to 1.5."""
    if not 0 <= strength <= MAX_LEVEL:
        raise MienError(f"strength is {strength}; a number from 0 to {MAX_LEVEL} is wanted")
    return strength


@dataclass(frozen=True)
class _File:
    """What a JSON file holds."""

    cues: tuple[Any, ...] = ()


def _cue(values: Any, where: str) -> Cue:
    """Read one cue of a JSON file."""
    for key in ("at", "description"):
        if isinstance(values, dict) and key not in values:
            raise MienError(f"{where} has no {key!r}; add it")
    return from_dict(Cue, values, where)


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        raise MienError(f"{value!r} is no number of a cue; give seconds and a strength") from None
