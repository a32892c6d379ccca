"""Near contacts are made, and nothing else moves."""

import numpy as np
import pytest

from mien import finish, lips
from mien.face import UNIT_NAMES, Face

JAW = UNIT_NAMES.index("jawOpen")


@pytest.fixture(scope="module")
def mouth():
    """The head, and a function: gaps (T,) in mm -> weights (T, 52) of a jaw that opens so far."""
    face = Face.load()
    full = lips.gap_of(np.eye(52)[JAW][None], face)[0]

    def opened(gaps):
        weights = np.zeros((len(gaps), 52))
        weights[:, JAW] = np.asarray(gaps) * 1e-3 / full
        return weights

    return face, opened


def dip(least, frames=41):
    """Gaps in mm of a mouth that speaks at 7 mm and comes down to `least` at frame 20."""
    away = np.minimum(np.abs(np.arange(frames) - 20) / 4, 1)
    return least + (7 - least) * away


def test_a_closure_that_is_a_millimetre_off_is_made(mouth):
    face, opened = mouth
    weights = opened(dip(1.4))
    gap = lips.gap_of(finish.finish(weights, face), face) * 1e3
    assert lips.gap_of(weights, face)[20] * 1e3 == pytest.approx(1.4, abs=0.05)
    assert -0.8 < gap[20] < 0.6
    assert gap[[0, 15, 25, 40]] == pytest.approx(dip(1.4)[[0, 15, 25, 40]], abs=0.05)


def test_a_bite_that_is_a_millimetre_off_is_made(mouth):
    face, _ = mouth
    away = np.minimum(np.abs(np.arange(41) - 20) / 4, 1)[:, None]
    weights = 0.68 * (1 - away) * lips.f_pose()
    weights[:, JAW] += 0.3 * away[:, 0]
    before = lips.bite_of(face.limit(weights), face) * 1e3
    after = lips.bite_of(finish.finish(weights, face), face) * 1e3
    assert 2.2 < before[20] < 3.0
    assert after[20] < 2.0
    assert after[[0, 10, 30, 40]] == pytest.approx(before[[0, 10, 30, 40]], abs=0.05)


@pytest.mark.parametrize(
    "gaps", [np.full(41, 1.4), dip(3.0), np.minimum(dip(1.4), np.where(np.arange(41) > 20, 1.4, 9))]
)
def test_lips_that_rest_apart_or_are_not_near_are_left_alone(mouth, gaps):
    """A smile that parts the lips must not be sealed, neither in silence nor when it comes to rest
    after speech: it would shut and spring open."""
    face, opened = mouth
    weights = face.limit(opened(gaps))
    assert np.allclose(finish.finish(weights, face), weights, atol=1e-6)


def test_the_nearer_the_lips_the_further_they_go(mouth):
    """Smoothly: no threshold at which a mouth snaps shut."""
    face, opened = mouth
    lows = np.linspace(0.8, 3.0, 45)
    after = [lips.gap_of(finish.finish(opened(dip(low)), face), face)[20] * 1e3 for low in lows]
    assert (np.diff(after) > -1e-3).all()
    assert np.diff(after).max() < 0.25
    assert after[-1] == pytest.approx(lows[-1], abs=0.02)


def test_a_frame_depends_on_four_to_either_side(mouth):
    face, opened = mouth
    weights = opened(dip(1.4))
    changed = weights.copy()
    changed[30:, JAW] = 0.0
    assert np.array_equal(finish.finish(weights, face)[:26], finish.finish(changed, face)[:26])
