"""The measure of reading, on animators whose answers are known."""

import numpy as np
import pytest

from mien.data.simulate.bank import Bank
from mien.data.simulate.expressions import STATES
from mien.evaluate.words import reading
from mien.face import Face


class Reader:
    """Shows the state that it takes a wording for, at the wording's own level."""

    def __init__(self, takes_for):
        self.face = Face.load()
        bank, self.takes_for = Bank.load(), takes_for
        self.known = {
            wording.text: (state, wording.level or 1.0)
            for state in bank.entries
            for wording in bank.descriptions(state, "validation")
        }

    def encode_speech(self, speech):
        return np.zeros((45, 384), np.float32)

    def run(self, features, description):
        state, level = self.known[description]
        weights = STATES[self.takes_for(state)].weights_at(level, self.face.unit_names)
        still = self.face.weights_to_coefficients(self.face.limit(weights))
        # It arrives late: what counts is where it settles.
        return np.linspace(0, 2, len(features))[:, None].clip(0, 1) * still


def test_a_perfect_reader_reads_all():
    found = reading(Reader(lambda state: state), split="validation")  # type: ignore[arg-type]
    assert found.right == found.near == found.wordings > 500
    assert found.confusions == []


def test_a_confusion_is_counted_and_named():
    taken = {"wink_left": "wink_right"}
    reader = Reader(lambda state: taken.get(state, state))
    found = reading(reader, split="validation")  # type: ignore[arg-type]
    missed = len(Bank.load().descriptions("wink_left", "validation"))
    assert found.wordings - found.right == missed
    assert found.confusions == [("wink_left", "wink_right", missed)]
    assert f"wink_left read as wink_right: {missed}" in found.markdown()


def test_one_answer_to_everything_is_right_by_chance():
    found = reading(Reader(lambda state: "happy"), split="validation")  # type: ignore[arg-type]
    share = len(Bank.load().descriptions("happy", "validation")) / found.wordings
    assert found.right / found.wordings == pytest.approx(share)
