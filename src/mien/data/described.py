"""What a language model said about a corpus, beside its manifest; `mien describe` writes it.

`descriptions.jsonl` has a line for each answer about a piece of a clip, `unanswered.jsonl` one for
each question that will not be asked again, and `labels.json` what was said of each label.
"""

import dataclasses
import json
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.config import read_json
from mien.errors import MienError

if TYPE_CHECKING:
    from mien.data.clips import Record

DESCRIPTIONS, UNANSWERED, LABELS = "descriptions.jsonl", "unanswered.jsonl", "labels.json"


@dataclass(frozen=True)
class Said:
    """One answer about a piece of a clip."""

    clip: str
    question: str
    """expression or emotion"""
    segment: tuple[int, int]
    """frames start ≤ t < stop of the clip that the model saw"""
    text: str
    model: str
    tokens: tuple[int, int] = (0, 0)
    """read and written by the model, with attempts that failed; 0 where the service does not say"""


@dataclass(frozen=True)
class Lost:
    """A question without an answer, about a clip's piece or a label."""

    question: str
    reason: str
    """refused, empty or cut; also kinds that are asked again: see `vision.UnansweredError`"""
    detail: str
    model: str
    clip: str = ""
    segment: tuple[int, int] = (0, 0)
    label: str = ""
    tokens: tuple[int, int] = (0, 0)


@dataclass(frozen=True)
class Label:
    """What was said of a label, such as a corpus's "happy"."""

    sentences: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """the label's own name and words like it"""


def with_descriptions(records: list["Record"], folder: Path) -> list["Record"]:
    """Return the records, each with what was said of its clip behind its own descriptions."""
    said: dict[str, list[str]] = {}
    for one in read_said(folder):
        said.setdefault(one.clip, []).append(one.text)
    return [
        dataclasses.replace(
            record, descriptions=list(dict.fromkeys([*record.descriptions, *said[record.id]]))
        )
        if record.id in said
        else record
        for record in records
    ]


def read_said(folder: Path) -> list[Said]:
    """Return the answers about clips, none where nothing was asked; MienError for a damaged line.

    A last line that a kill cut short counts nothing.
    """
    return [_line_to(Said, *line) for line in _lines(folder / DESCRIPTIONS)]


def read_lost(folder: Path) -> list[Lost]:
    """Return the questions that are not asked again, as `read_said` does."""
    return [_line_to(Lost, *line) for line in _lines(folder / UNANSWERED)]


def read_labels(folder: Path) -> dict[str, Label]:
    """Return what was said of each label, nothing where none was asked about."""
    path = folder / LABELS
    if not path.is_file():
        return {}
    labels = {}
    for name, value in read_json(path).items():
        kinds = [value.get(kind) if isinstance(value, dict) else None for kind in _KINDS]
        if not all(isinstance(kind, list) and all(map(_is_text, kind)) for kind in kinds):
            raise MienError(
                f"{path}, {name!r}: lists of text called sentences and words are wanted; remove "
                "the entry and describe again"
            )
        labels[name] = Label(*map(tuple, kinds))  # type: ignore[arg-type]
    return labels


def write_labels(folder: Path, labels: dict[str, Label]) -> None:
    """Write labels.json under a temporary name, then rename."""
    path = folder / LABELS
    part = path.with_suffix(".part")
    values = {name: dataclasses.asdict(labels[name]) for name in sorted(labels)}
    text = json.dumps(values, indent=1, ensure_ascii=False)
    try:
        part.write_text(text + "\n", encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise MienError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


class Notes:
    """Adds lines to descriptions.jsonl and unanswered.jsonl, each as it comes, from any thread."""

    def __init__(self, folder: Path) -> None:
        """Lines that a kill cut short are removed."""
        self._lock = threading.Lock()
        self._folder = folder
        for name in (DESCRIPTIONS, UNANSWERED):
            path = folder / name
            if path.is_file():
                text = path.read_bytes()
                os.truncate(path, text.rfind(b"\n") + 1)

    def add(self, note: Said | Lost) -> None:
        """Append a line, whole or not at all; MienError where the disk takes no more."""
        path = self._folder / (DESCRIPTIONS if isinstance(note, Said) else UNANSWERED)
        line = json.dumps(dataclasses.asdict(note), ensure_ascii=False) + "\n"
        with self._lock:
            before = path.stat().st_size if path.exists() else 0
            try:
                with path.open("ab") as file:
                    file.write(line.encode())
            except OSError as error:
                if path.exists():
                    os.truncate(path, before)
                raise MienError(
                    f"cannot write {path}: {error.strerror}; make room and start again to go on"
                ) from error


_KINDS = ("sentences", "words")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _lines(path: Path) -> Iterable[tuple[str, str]]:
    """(where, line) of each whole line, none without the file."""
    if not path.is_file():
        return
    try:
        text = path.read_text(encoding="utf-8", errors="strict")
    except UnicodeDecodeError as error:
        raise MienError(f"{path} is damaged: {error}; remove it and describe again") from error
    # Not `splitlines`: an answer may hold U+2028 and its like.
    for number, line in enumerate(text.split("\n")[:-1], start=1):
        yield f"{path}, line {number}", line


def _line_to(kind: Any, where: str, line: str) -> Any:
    """A line of JSON as a Said or a Lost."""
    names = {field.name for field in dataclasses.fields(kind)}
    try:
        values = {name: value for name, value in json.loads(line).items() if name in names}
        pairs = {name: values[name] for name in ("segment", "tokens") if name in values}
        made = kind(**{**values, **{name: (int(a), int(b)) for name, (a, b) in pairs.items()}})
        wrong = [n for n in ("clip", "question", "model") if not isinstance(getattr(made, n), str)]
        if wrong or (kind is Said and not _is_text(made.text)):
            raise ValueError(f"{', '.join(wrong) or 'text'} is no text")
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise MienError(f"{where} is damaged: {error}; remove it") from error
    return made
