"""Faults are planted in an alignment: other words, lost words, another speed."""

import dataclasses

import numpy as np
import pytest

from mien.data import align
from mien.data.quality import LEAST_AGREEMENT, MOST_FROZEN, Quality, quality

FPS = 30.0
GOOD = Quality(
    slowest=1.0, fastest=1.0, before=1e-3, after=5e-4, freeze=0.0, frozen=0.0, agreement=0.9
)


def lips(seed, frames=120):
    """Lips (frames, 3), metres, that go to a new place every seven frames or so."""
    knots = np.random.default_rng(seed).normal(0, 4e-3, (18, 3))
    places = np.linspace(0, 17, frames)
    return np.stack([np.interp(places, np.arange(18), k) for k in knots.T], axis=1)


def judged(lips_n, lips_m, clock=None, span=None, fps=FPS):
    if clock is None:
        clock = align.clock(align.align(lips_m, lips_n, fps), len(lips_n))
    return quality(lips_n, lips_m, clock, span or (0, len(lips_n)), fps)


def test_a_clip_with_itself_is_perfect():
    found = judged(lips(1), lips(1), np.arange(120.0))
    assert (found.slowest, found.fastest) == (1.0, 1.0)
    assert (found.before, found.after) == (0.0, 0.0)
    assert (found.freeze, found.frozen) == (0.0, 0.0)
    assert found.agreement == pytest.approx(1.0)
    assert found.fault == ""


def test_an_expression_that_shifts_the_lips_for_the_whole_clip_costs_nothing():
    smiling = lips(1) + np.array([0.0, 4e-3, 1e-3])
    found = judged(lips(1), smiling, np.arange(120.0))
    assert found.after == pytest.approx(0.0, abs=1e-12)


def test_the_distance_is_the_root_of_the_mean_square_over_frames():
    """One clip sways by ±2 mm along one axis in addition: 2 mm apart in every frame."""
    swaying = lips(1) + 2e-3 * np.tile([-1.0, 1.0], 60)[:, None] * np.array([1.0, 0, 0])
    found = judged(lips(1), swaying, np.arange(120.0))
    assert found.before == pytest.approx(2e-3)
    assert found.after == pytest.approx(2e-3)


def test_the_slope_is_the_speed_of_m_on_n_s_clock():
    """m is half as fast in its first half and twice as fast in its second."""
    clock = np.concatenate([np.arange(60) * 2.0, 120 + np.arange(60) * 0.5])
    found = judged(lips(1), lips(2, frames=151), clock)
    assert found.fastest == pytest.approx(2.0)
    assert found.slowest == pytest.approx(0.5)
    assert judged(lips(1), lips(2, frames=151), clock, span=(10, 50)).slowest == pytest.approx(2.0)


def test_a_warp_that_is_undone_shows_in_the_distances():
    late = align.sample(
        lips(1, 240), np.linspace(0, 239, 120) + 14 * np.sin(np.linspace(0, np.pi, 120))
    )
    found = judged(lips(1), late)
    assert found.before > 3 * found.after
    assert found.agreement > 0.95
    assert found.fault == ""


@pytest.mark.parametrize("seed", range(4))
def test_other_words_are_dropped(seed):
    found = judged(lips(seed), lips(seed + 50))
    assert found.agreement < LEAST_AGREEMENT
    assert found.fault.startswith("lips move unlike: ")


def test_standing_still_is_counted_on_either_side():
    """m stands still for 24 frames of n; seen from the other side n stands still for 24 of m."""
    clock = np.concatenate([np.arange(48.0), np.full(24, 47.5), np.arange(48.0, 96.0)])
    n, m = lips(1), lips(1)[np.r_[:48, 72:120]]
    found = judged(n, m, clock)
    assert found.freeze == pytest.approx(23 / FPS)  # the steps of 24 frames
    way = np.linalg.norm(np.diff(n, axis=0), axis=1)
    assert found.frozen == pytest.approx(way[48:71].sum() / way.sum())
    assert MOST_FROZEN < found.frozen < 0.35
    assert found.fault  # for one reason or the other
    back = judged(m, n, np.interp(np.arange(96.0), clock + 1e-6 * np.arange(120), np.arange(120)))
    assert back.freeze == pytest.approx(found.freeze, abs=2 / FPS)
    assert back.frozen == pytest.approx(found.frozen, abs=0.05)
    outside = judged(n, m, clock, span=(0, 40))
    assert (outside.freeze, outside.frozen) == (0.0, 0.0)


def test_a_halt_in_a_pause_is_none_of_speech():
    n = lips(1)
    n[47:73] = n[47]
    clock = np.concatenate([np.arange(48.0), np.full(24, 47.5), np.arange(48.0, 96.0)])
    found = judged(n, n[np.r_[:48, 72:120]], clock)
    assert found.freeze > 0.7
    assert found.frozen == 0.0
    assert found.fault == ""


def test_few_or_no_crossed_frames_are_judged_as_all():
    whole = judged(lips(1), lips(2))
    clock = align.clock(align.align(lips(2), lips(1), FPS), 120)
    assert judged(lips(1), lips(2), clock, span=(40, 40)) == whole
    assert judged(lips(1), lips(2), clock, span=(40, 42)).slowest > 0


def test_the_stated_rule_is_the_rule():
    def fault(**changed):
        return dataclasses.replace(GOOD, **changed).fault

    assert fault() == fault(agreement=LEAST_AGREEMENT, frozen=MOST_FROZEN) == ""
    assert fault(agreement=LEAST_AGREEMENT - 0.01) == "lips move unlike: 0.59 < 0.6"
    assert fault(agreement=float("nan")).startswith("lips move unlike")
    assert fault(frozen=MOST_FROZEN + 0.01) == "one clip stands still: 16% > 15%"
    assert fault(freeze=3.0, slowest=0.0, fastest=9.0, after=1.0) == ""


def test_lips_that_never_move_agree_with_nothing():
    assert np.isnan(judged(np.zeros((60, 3)), lips(1, 60), np.arange(60.0)).agreement)
