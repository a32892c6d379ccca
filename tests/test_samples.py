"""Shares, averages and ranks against values that are known or that a slow twin finds."""

import math

import numpy as np
import pytest

from mien.evaluate import samples
from mien.evaluate.samples import Share, estimate


def test_interval_is_wilson_s():
    """Known values: 8 of 10 is 0.490-0.943; none of 20 still leaves room up to 0.161."""
    np.testing.assert_allclose(Share(8, 10).interval, (0.4902, 0.9433), atol=1e-4)
    np.testing.assert_allclose(Share(0, 20).interval, (0, 0.1611), atol=1e-4)
    assert Share(0, 0).interval == (0, 1)
    assert math.isnan(Share(0, 0).value)
    assert Share(1, 2) + Share(3, 4) == Share(4, 6)


def test_the_bootstrap_of_a_mean_is_as_wide_as_theory_says():
    cases = np.random.default_rng(1).normal(5.0, 2.0, 400)
    found = estimate(cases)
    assert (found.value, found.cases) == (pytest.approx(cases.mean()), 400)
    reach = 1.96 * cases.std() / 20
    np.testing.assert_allclose(
        (found.low, found.high), (cases.mean() - reach, cases.mean() + reach), atol=0.04
    )
    assert estimate(cases) == found  # the same draws every time


def test_the_bootstrap_draws_whole_cases_and_leaves_out_undefined_ones():
    pairs = np.array([[2.0, 1.0], [4.0, 2.0], [6.0, 3.0]])
    assert estimate(pairs, samples.ratio) == samples.Estimate(2.0, 2.0, 2.0, 3)
    some = np.array([[3.0, 0.0], [3.0, 1.0]])  # drawing the first twice is undefined
    found = estimate(some, samples.ratio)
    assert found.value == 6
    assert math.isfinite(found.low + found.high)


def test_nothing_has_no_average():
    found = estimate(np.zeros((0, 2)), samples.ratio)
    assert found.cases == 0
    assert math.isnan(found.value + found.low + found.high)


def test_ranks_share_their_mean():
    np.testing.assert_array_equal(samples.ranks(np.array([3.0, 1.0, 3.0, 2.0])), [3.5, 1, 3.5, 2])


def test_spearman_knows_order_only():
    a = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert samples.spearman(a, np.exp(a)) == pytest.approx(1)
    assert samples.spearman(a, -(a**3)) == pytest.approx(-1)
    # By hand: d = (1, -1, 0, 0, 0), rho = 1 - 6·2 / (5·24).
    assert samples.spearman(a, np.array([2.0, 1.0, 3.0, 4.0, 5.0])) == pytest.approx(0.9)
    assert math.isnan(samples.spearman(a, np.ones(5)))


def test_precedence_counts_pairs():
    random = np.random.default_rng(2)
    low, high = random.integers(0, 6, 13).astype(float), random.integers(2, 9, 17).astype(float)
    pairs = [(a < b) + 0.5 * (a == b) for a in low for b in high]
    assert samples.precedence(low, high) == pytest.approx(np.mean(pairs))
    assert samples.precedence(np.array([1.0]), np.array([2.0, 3.0])) == 1
    assert math.isnan(samples.precedence(low, low[:0]))
