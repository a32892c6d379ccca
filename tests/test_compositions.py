"""Composed descriptions for training give away no held-out wording of the bank."""

import re
from itertools import islice

import numpy as np
import pytest

from mien.data.simulate import compositions as module
from mien.data.simulate import grammar
from mien.data.simulate.bank import Bank
from mien.data.simulate.compositions import compositions
from mien.data.wordings import Wordings
from mien.face import Face
from twins import TwinTextEncoder


def words(text: str) -> set[str]:
    return set(re.findall("[a-z]+", text.lower()))


def test_no_training_draw_says_a_held_out_wording():
    """The slow twin: every draw against every held-out wording."""
    bank = Bank.load()
    held_out = [
        words(wording.text)
        for state in bank.entries
        for split in ("validation", "test")
        for wording in bank.descriptions(state, split)
    ]
    draws = list(islice(compositions(np.random.default_rng(3), "train"), 400))
    for text in (words(draw.text) for draw in draws):
        for held in held_out:
            assert text != held
            if min(len(text), len(held)) >= 3:
                assert len(text ^ held) > 1, f"{text} gives away {held}"


@pytest.mark.parametrize(
    ("held_out", "left_out"),
    [
        ("eyes shut", True),
        ("SHUT your left eye, please!", True),
        ("shut your left eye", True),
        ("shut his left eye please", True),
        ("his left eye", False),
    ],
)
def test_planted_wordings_are_left_out(monkeypatch, held_out, left_out):
    """Same words, one more, one less, one replaced; case, order and commas do not matter."""
    said = {"eyes shut": "shut eyes"}.get(held_out, "please, shut your left eye")
    texts = iter([said, "a smile"])
    monkeypatch.setattr(
        grammar, "draw", lambda random, split: grammar.Composition(next(texts), {}, "units")
    )
    known = frozenset(module._alike(held_out))
    monkeypatch.setattr(module, "_held_out", lambda: known)
    first = next(compositions(np.random.default_rng(0), "train"))
    assert (first.text == "a smile") is left_out


def test_strengthened_wordings_for_training_give_nothing_away(monkeypatch):
    whole = Bank.load()
    assert not module.gives_away("")  # what is held out is known, of all states
    bank = Bank({state: whole.entries[state] for state in list(whole.entries)[:12]})
    monkeypatch.setattr(Bank, "load", lambda: bank)
    face = Face.load()
    encoder = TwinTextEncoder()
    known = Wordings(encoder, face, split="train", composed=0)  # type: ignore[arg-type]
    random = np.random.default_rng([0, 17])
    kept = left_out = 0
    for state in bank.entries:
        strengthened = {wording.tokens.tobytes() for wording in known._strengthened[state]}
        for entry in bank.descriptions(state, "train"):
            if entry.level is None and entry.kind == "words":
                text, _ = grammar.strengthened(random, entry.text, "train")
                among = encoder.encode(text).astype(np.float16).tobytes() in strengthened
                assert among is not module.gives_away(text), text
                kept, left_out = kept + among, left_out + (not among)
    assert kept > 500
    assert left_out > 3


def test_held_out_splits_are_drawn_as_they_are():
    ours = islice(compositions(np.random.default_rng(5), "test"), 20)
    random = np.random.default_rng(5)
    assert [draw.text for draw in ours] == [grammar.draw(random, "test").text for _ in range(20)]
