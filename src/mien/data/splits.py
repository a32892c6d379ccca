"""Who is trained on and who is tested: shares of a corpus, the same on every machine."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

Key = TypeVar("Key")


def chosen(
    keys: Sequence[Key], share: float, *, seed: int, known: Mapping[Key, bool] | None = None
) -> set[Key]:
    """Return which keys are set aside: this share of them, rounded, by a draw of their names.

    `known` tells of keys that were drawn before; those stay as they are, and the others fill up
    what is wanted. With a share above 0 and two keys or more at least one is set aside, and one is
    not.
    """
    known = known or {}
    distinct = list(dict.fromkeys(keys))
    wanted = round(share * len(distinct))
    if share > 0 and len(distinct) > 1:
        wanted = min(max(wanted, 1), len(distinct) - 1)
    aside = {key for key in distinct if known.get(key)}
    for key in sorted((key for key in distinct if key not in known), key=lambda k: _drawn(k, seed)):
        if len(aside) >= wanted:
            break
        aside.add(key)
    return aside


def _drawn(key: object, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{key}".encode()).digest()
