"""Settings: frozen dataclasses, read strictly from plain dictionaries and JSON."""

import dataclasses
import difflib
import json
import typing
from pathlib import Path
from typing import Any, TypeVar

from mien.errors import MienError

T = TypeVar("T")


def from_dict(kind: type[T], values: dict[str, Any], where: str = "") -> T:
    """Build the frozen dataclass `kind` from `values`, and nested ones from nested dictionaries.

    Raises MienError for an unknown key (naming the nearest known one) and for a value of another
    type than the field's. `where` is the dotted path used in messages.
    """
    if not isinstance(values, dict):
        raise MienError(f"{where or kind.__name__} is {values!r}; a table of settings is wanted")
    hints = typing.get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    arguments = {}
    for key, value in values.items():
        path = f"{where}.{key}" if where else key
        if key not in known:
            near = difflib.get_close_matches(key, known, n=1, cutoff=0.0)
            raise MienError(f"unknown setting {path!r}; did you mean {near[0]!r}?")
        arguments[key] = _checked(hints[key], value, path)
    return kind(**arguments)


def _checked(hint: Any, value: Any, path: str) -> Any:
    if dataclasses.is_dataclass(hint):
        return from_dict(typing.cast(type, hint), value, path)
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, list | tuple):
            raise MienError(f"setting {path!r} is {value!r}; a list is wanted")
        return tuple(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(hint, type) and (not isinstance(value, hint) or (hint is int and value is True)):
        raise MienError(f"setting {path!r} is {value!r}; {hint.__name__} is wanted")
    return value


def to_dict(settings: Any) -> dict[str, Any]:
    """Return the dataclass as nested plain dictionaries, ready for JSON; inverse of `from_dict`."""
    return dataclasses.asdict(settings)


def merged(base: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return `base` with `changes` laid over it, table by table; neither is changed."""
    result = dict(base)
    for key, value in changes.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merged(typing.cast(dict, old), value) if both else value
    return result


def read_json(path: Path | str) -> dict[str, Any]:
    """Read one JSON object from a file; MienError where it is missing or is not JSON."""
    path = Path(path)
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise MienError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise MienError(f"{path} is not JSON: {error}") from error
    if not isinstance(values, dict):
        raise MienError(f"{path} holds {type(values).__name__}; a JSON object is wanted")
    return values
