"""The bank of descriptions: what people would write to ask for each state, split by wording.

`bank/<state>.json` maps split -> "words" or "sentences" -> entries. An entry is the text, or
{"text": ..., "level": ...} where the wording itself says how strong the expression is ("slightly").
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.timeline import MAX_LEVEL

SPLITS = ("train", "validation", "test")
KINDS = ("words", "sentences")
BANK_PATH = Path(__file__).with_name("bank")


@dataclass(frozen=True)
class Description:
    """One wording."""

    text: str
    level: float | None = None  # in (0, 1.5] if the wording says how strong; None leaves it open
    kind: str = "words"  # one of KINDS


@dataclass(frozen=True)
class Bank:
    """Descriptions by state and split."""

    entries: Mapping[str, Mapping[str, tuple[Description, ...]]]

    @classmethod
    def load(cls, folder: str | Path | None = None) -> "Bank":
        """The bank in a folder (default: ours). MienError if it cannot be read or is not a bank."""
        folder = Path(folder or BANK_PATH)
        stray = sorted({path.stem for path in folder.glob("*.json")} - set(STATES))
        if stray:
            raise MienError(f"{folder} has files of unknown states: {', '.join(stray)}")
        entries = {state: _state_entries(folder / f"{state}.json") for state in STATES}
        _check_unique(entries, folder)
        return cls(entries)

    def descriptions(self, state: str, split: str) -> list[Description]:
        """All descriptions of a state in a split, words before sentences."""
        if state not in self.entries:
            raise MienError(
                f"no state {state!r} in the bank; choose from {', '.join(self.entries)}"
            )
        if split not in SPLITS:
            raise MienError(f"no split {split!r} in the bank; choose from {', '.join(SPLITS)}")
        return list(self.entries[state][split])


def _state_entries(path: Path) -> dict[str, tuple[Description, ...]]:
    """Split -> descriptions of one state."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise MienError(f"{path} cannot be read as a part of the bank: {error}") from error
    return {
        split: tuple(
            _description(entry, kind, f"{path}, {split} {kind}")
            for kind, listed in _named(kinds, KINDS, f"{path}, {split}").items()
            for entry in _listed(listed, f"{path}, {split} {kind}")
        )
        for split, kinds in _named(content, SPLITS, str(path)).items()
    }


def _named(content: object, names: tuple[str, ...], where: str) -> dict:
    """`content` if it is a mapping with exactly these names."""
    if not isinstance(content, dict):
        raise MienError(f"{where}: a mapping was wanted, not {type(content).__name__}")
    wrong = sorted(set(content) ^ set(names))
    if wrong:
        raise MienError(f"{where}: missing or unknown: {', '.join(wrong)}; name {', '.join(names)}")
    return content


def _listed(content: object, where: str) -> list:
    if not isinstance(content, list):
        raise MienError(f"{where}: a list was wanted, not {type(content).__name__}")
    return content


def _description(entry: object, kind: str, where: str) -> Description:
    """One entry, text or {"text", "level"}, checked."""
    text, level = entry, None
    if isinstance(entry, dict):
        fields = _named(entry, ("text", "level"), where)
        text, level = fields["text"], _level(fields["level"], f"{where}: {fields['text']!r}")
    if not isinstance(text, str) or not text.strip():
        raise MienError(f"{where}: an entry's text was {text!r}; write some words")
    return Description(text, level, kind)


def _level(level: object, where: str) -> float:
    if isinstance(level, int | float) and 0 < level <= MAX_LEVEL:
        return float(level)
    raise MienError(f"{where} has level {level!r}; give one in (0, {MAX_LEVEL}]")


def _check_unique(
    entries: Mapping[str, Mapping[str, tuple[Description, ...]]], folder: Path
) -> None:
    """No wording twice: it would train two answers to one question, or leak into the test."""
    seen: dict[str, str] = {}
    for state, splits in entries.items():
        for split, descriptions in splits.items():
            for text in (d.text.casefold() for d in descriptions):
                here = f"{state}, {split}"
                if text in seen:
                    raise MienError(
                        f"{folder}: {text!r} stands in {seen[text]} and {here}; keep one"
                    )
                seen[text] = here
