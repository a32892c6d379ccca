"""Wordings for training, and what reading asks of Text2Exp."""

import dataclasses

import numpy as np
import pytest
import torch

from mien.data.simulate.expressions import STATES
from mien.data.wordings import Wordings
from mien.face import UNIT_NAMES, Face
from mien.model.autoencoder import AutoEncoder
from mien.model.settings import ModelSettings
from mien.train.reading import LEVELS, Reading
from twins import TwinTextEncoder

NAMES = list(STATES)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


@pytest.fixture(scope="module")
def wordings(face) -> Wordings:
    encoder = TwinTextEncoder()
    return Wordings(encoder, face, split="validation", composed=30)  # type: ignore[arg-type]


def test_a_draw_shows_what_its_words_mean(wordings, face):
    """Weights are the state's at the level shown: the one asked for times the wording's own."""
    readings = wordings.draw(np.random.default_rng(0), 400)
    own = {id(w): (s, w) for s, known in wordings.of.items() for w in known}
    found = 0
    for i in np.flatnonzero(readings.states >= 0):
        state = STATES[NAMES[readings.states[i]]]
        wanted = face.limit(state.weights_at(readings.shown[i], UNIT_NAMES)[None])[0]
        assert np.allclose(readings.weights[i], wanted, atol=1e-6)
        length = int((readings.padding[i] == 0).sum())
        for name, wording in own.values():
            if name == state.name and np.array_equal(wording.tokens, readings.tokens[i, :length]):
                assert readings.shown[i] == pytest.approx(wording.level * readings.level[i, 0])
                found += 1
                break
    assert found > 150
    assert readings.shown.max() <= 1.5
    assert (readings.states == -1).sum() > 100  # composed
    assert (readings.level == 0).any()


def test_all_wordings_are_named_once(wordings):
    readings = wordings.named()
    assert len(readings.states) == len(wordings.all)
    assert set(readings.states) == set(range(len(STATES)))
    assert (readings.level == 1).all()


class Knows:
    """A trainee whose E_exp is untrained and whose answers are given."""

    device, half, scale = "cpu", False, 0.01

    def __init__(self):
        torch.manual_seed(0)
        self.autoencoder = AutoEncoder(ModelSettings(width=32, heads=2, layers=1)).eval()

    def fast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=False)

    def tensor(self, values):
        return torch.as_tensor(values, dtype=torch.float32)


@pytest.fixture
def reading(face) -> Reading:
    return Reading(Knows(), face)  # type: ignore[arg-type]


def test_right_answers_cost_nothing(reading, wordings, monkeypatch):
    """Answers that are what E_exp sees: no reading loss, little naming loss, all named rightly."""
    readings = wordings.named()
    monkeypatch.setattr(reading, "answer", lambda given: reading.seen(given.weights))
    right = reading.losses(readings)
    assert right["reading"].item() == pytest.approx(0, abs=1e-6)
    exact = np.isclose(readings.shown[:, None], LEVELS).any(1)
    at_level = dataclasses.replace(
        readings,
        **{f.name: getattr(readings, f.name)[exact] for f in dataclasses.fields(readings)},
    )
    assert reading.rightly(at_level)["read_rightly"] == 1.0

    one = reading.known[8, 1]
    monkeypatch.setattr(reading, "answer", lambda given: one.expand(len(given.states), -1))
    wrong = reading.losses(readings)
    assert wrong["reading"] > 0.01
    assert wrong["naming"] > right["naming"]
    assert reading.rightly(at_level)["read_rightly"] < 0.1
