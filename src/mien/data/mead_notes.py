"""What was found of each actor of MEAD, kept beside the corpus so that it is found only once."""

import dataclasses
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from mien import jobs
from mien.config import read_json
from mien.data import mead_groups
from mien.data.mead import Recording
from mien.data.mead_groups import Groups, Key, Order
from mien.data.mead_seen import listen
from mien.errors import MienError

FOLDER = "mead"
"""In the corpus: ACTOR.json, and what the actor reads at rest in each view."""


@dataclass(frozen=True)
class Notes:
    """What was found of an actor; kept in mead/ACTOR.json."""

    path: Path
    groups: Groups

    @classmethod
    def of(
        cls,
        folder: Path,
        actor: str,
        own: Sequence[Recording],
        *,
        sound: str,
        by_sound: bool,
        orders: Sequence[Order],
        spread: dict[str, Any],
    ) -> "Notes":
        """Read the notes of an actor, or listen to all his or her recordings, `own`.

        sound: see `mead_seen.SOUNDS`; by_sound: whether to listen, or to believe the numbers;
        spread: what `jobs.each` is told.
        """
        path = folder / FOLDER / f"{actor}.json"
        heard = {recording.take[1:]: recording for recording in own}
        known = _read(path)
        if known is not None and set(heard) <= set(known.names):
            return cls(path, known)
        groups = mead_groups.by_number(list(heard), orders[0])
        if by_sound:
            listening = partial(listen, sound=sound)
            rows = jobs.each(listening, list(heard.values()), title=f"hear {actor}", **spread)
            features = {key: row for key, row in zip(heard, rows, strict=True) if row is not None}
            found = mead_groups.by_sound(features, orders)
            # What cannot be heard will be lost anyway; it has a name all the same.
            groups = dataclasses.replace(found, names={**groups.names, **found.names})
        notes = vars(groups) | {"names": {_text(key): name for key, name in groups.names.items()}}
        write_text(path, json.dumps(notes, indent=1))
        return cls(path, groups)

    def name(self, recording: Recording) -> str:
        """The sentence of a recording."""
        return self.groups.names[recording.take[1:]]


def _read(path: Path) -> Groups | None:
    """Return what was found before; None where nothing was, or where the file is damaged."""
    if not path.is_file():
        return None
    try:
        known = read_json(path)
        names = {_key(text): name for text, name in known.pop("names").items()}
        return Groups(names, **known)
    except (MienError, AttributeError, KeyError, TypeError, ValueError):
        return None


def _text(key: Key) -> str:
    return f"{key[0]}/level_{key[1]}/{key[2]:03d}"


def _key(text: str) -> Key:
    label, level, number = text.split("/")
    return label, int(level.removeprefix("level_")), int(number)


def write_text(path: Path, text: str) -> None:
    """Write a text file whole; MienError where the folder cannot be written."""
    part = path.with_name(f"{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise MienError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
