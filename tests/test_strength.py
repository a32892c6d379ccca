"""Strength, on animators that scale what they show, and on some that do not."""

import json

import numpy as np
import pytest

from mien.data.simulate.bank import Description
from mien.evaluate.samples import Share
from mien.evaluate.strength import LEVELS, first_open, rises, strength
from planted import Planted, small_bank, weights_of, weights_of_state

BANK = small_bank(
    neutral={"train": ["calm"]},
    happy={"train": [Description("a bit glad", 0.35), "glad", "merry"]},
    angry={"train": ["furious"]},
    sad={"test": ["gloomy"]},
)
ANSWERS = {"glad": weights_of_state("happy"), "furious": weights_of_state("angry")}


class Following(Planted):
    """Shows weights that are planted as functions of the strength, also at 0."""

    def run(self, features, description, *, strength=1.0):
        weights = self.answers.get(description, lambda _: self.rest)(strength)
        return np.tile(self.face.weights_to_coefficients(weights), (len(features), 1))


def test_what_scales_is_monotone_and_goes_the_actors_way():
    found = strength(Planted(ANSWERS), bank=BANK)
    assert found.monotone == Share(2, 2)
    assert found.rest == 0
    for one in found.courses:
        assert one.reached == pytest.approx(one.actor, abs=1e-3)
        assert one.reached[LEVELS.index(0)] == pytest.approx(0, abs=1e-6)
        assert one.reached[LEVELS.index(1)] == pytest.approx(1, abs=1e-3)


def test_each_state_is_asked_by_its_first_wording_that_leaves_the_level_open():
    """Not "a bit glad"; and neutral and a state without such a wording are not asked."""
    found = strength(Planted(ANSWERS), bank=BANK)
    assert [(one.state, one.description) for one in found.courses] == [
        ("happy", "glad"),
        ("angry", "furious"),
    ]
    assert first_open([Description("a bit glad", 0.35)]) is None


def test_a_fall_is_found_and_printed():
    full = weights_of_state("angry")
    answers = {
        "furious": lambda s: full * (0.5 if s > 1.3 else min(s, 1.0)),
        "glad": lambda s: ANSWERS["glad"] * min(s, 1.0),
    }
    found = strength(Following(answers), bank=BANK)
    assert found.monotone == Share(1, 2)
    shown = found.markdown()
    assert "**50.0 %** (1/2" in shown
    assert "| **angry**: furious | 0.00 | 0.33 | 0.67 | 1.00 | 1.00 | 0.50 |" in shown
    assert "**happy**" not in shown


def test_an_expression_at_level_0_is_found():
    """Shown fully at every strength it never falls, but level 0 is not neutral."""
    found = strength(
        Following({text: lambda _, w=weights: w for text, weights in ANSWERS.items()}), bank=BANK
    )
    assert found.monotone == Share(2, 2)
    assert found.rest > 1e-4
    assert f"**{1e3 * found.rest:.3f} mm**" in found.markdown()


def test_a_face_that_always_smiles_has_no_strength_of_its_own():
    """What counts is the change from neutral, and no change is not a rise."""
    smiling = weights_of(mouthSmileLeft=0.5, mouthSmileRight=0.5)
    found = strength(Following({}, rest=smiling), bank=BANK)
    assert found.rest == 0
    assert found.monotone == Share(0, 2)
    assert all(one.reached == pytest.approx([0] * 6) for one in found.courses)


@pytest.mark.parametrize(
    ("reached", "monotone"),
    [
        ((0, 0.3, 0.6, 1, 1.2, 1.4), True),
        ((0, 0.3, 0.6, 1, 1, 1), True),
        ((0, 0.3, 0.6, 1, 0.985, 0.97), True),
        ((0, 0.3, 0.6, 1, 0.975, 1), False),
        ((0, 0.1, 0.2, 0.5, 0.485, 0.5), False),
        ((0, 0.7, 0.6, 1, 1.2, 1.4), False),
        ((0, -0.1, 0.6, 1, 1.2, 1.4), False),
        ((0, 0, 0, 0, 0, 0), False),
        ((0, -0.3, -0.6, -1, -1.2, -1.4), False),
    ],
)
def test_what_rises(reached, monotone):
    assert rises(reached) is monotone


def test_what_is_reported_is_plain_data():
    rows = json.loads(json.dumps(strength(Planted(ANSWERS), bank=BANK).rows()))
    assert rows["monotone"] == 1.0
    assert [one["state"] for one in rows["courses"]] == ["happy", "angry"]
    assert len(rows["courses"][0]["reached"]) == len(rows["levels"]) == 6
