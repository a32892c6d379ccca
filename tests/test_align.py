"""Paths are planted and asked back; the dynamic programme has a slow, obvious twin."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien.data import align
from mien.data.clips import Phone
from mien.data.simulate.actor import perform
from mien.data.simulate.articulation import Style
from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.evaluate.metrics import contact_recall
from mien.face import Face

FPS = 30.0
FACE = Face.load()


def performances(seed, *, rate=1.25, jitter=0.2):
    """Return lips of m and n (metres) and the true place on m's clock of each frame of n.

    One row of phone targets, two timings; m has another rest position and other amplitudes, as
    another expression has.
    """
    rng = np.random.default_rng(seed)
    phones, axes = 30, 16
    size = np.geomspace(4e-3, 2e-4, axes)
    targets = rng.normal(size=(phones, axes)) * size
    seconds = rng.uniform(0.05, 0.16, phones)
    ends_n = np.concatenate([[0], np.cumsum(seconds)])
    slower = seconds * rate * np.exp(rng.normal(0, jitter, phones))
    ends_m = np.concatenate([[0], np.cumsum(slower)])
    gain, offset = np.exp(rng.normal(0, 0.25, axes)), 1.5 * rng.normal(size=axes) * size
    lips_n, lips_m = spoken(targets, ends_n), spoken(targets, ends_m) * gain + offset
    truth = np.interp(np.arange(len(lips_n)) / FPS, ends_n, ends_m) * FPS
    return lips_m, lips_n, np.minimum(truth, len(lips_m) - 1)


def spoken(targets, ends):
    moments = np.arange(int(ends[-1] * FPS)) / FPS
    middle, width = (ends[1:] + ends[:-1]) / 2, 0.7 * np.diff(ends)
    pull = np.exp(-0.5 * ((moments[:, None] - middle) / width) ** 2)
    return pull / pull.sum(1, keepdims=True) @ targets


def least_sum(costs):
    """The obvious twin: the least sum over every path, by trying all of them."""

    def best(i, j):
        if i < 0 or j < 0:
            return np.inf
        before = 0.0 if i == j == 0 else min(best(i - 1, j - 1), best(i - 1, j), best(i, j - 1))
        return before + costs[i, j]

    return best(len(costs) - 1, costs.shape[1] - 1)


@pytest.mark.parametrize("shape", [(6, 6), (3, 8), (8, 2), (2, 2)])
def test_path_costs_what_the_best_of_all_paths_costs(shape):
    rng = np.random.default_rng(sum(shape))
    for _ in range(10):
        costs = rng.uniform(size=shape)
        path = align.best_path(costs)
        assert costs[path[:, 0], path[:, 1]].sum() == pytest.approx(least_sum(costs), abs=1e-12)


def test_path_is_a_path():
    rng = np.random.default_rng(0)
    path = align.best_path(rng.uniform(size=(40, 70)))
    assert path[0].tolist() == [0, 0]
    assert path[-1].tolist() == [39, 69]
    assert {tuple(step) for step in np.diff(path, axis=0)} <= {(1, 1), (1, 0), (0, 1)}


def test_planted_path_comes_back():
    planted = [(0, 0), (1, 1), (1, 2), (1, 3), (2, 4), (3, 4), (4, 4), (5, 5), (6, 6)]
    costs = np.ones((7, 7))
    costs[tuple(np.transpose(planted))] = 0.0
    assert [tuple(step) for step in align.best_path(costs)] == planted


def test_the_same_clip_aligns_with_itself():
    lips = performances(1)[0]
    path = align.align(lips, lips, FPS)
    assert (path[:, 0] == path[:, 1]).all()


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [0.8, 1.25])
def test_true_clock_is_found_within_half_a_frame(seed, rate):
    """Guards the bug that DESIGN measured: without the mean removed the error is many frames."""
    lips_m, lips_n, truth = performances(seed, rate=rate)
    found = align.clock(align.align(lips_m, lips_n, FPS), len(lips_n))
    assert np.median(np.abs(found - truth)) <= 0.5


SAID = [
    "pau", "p", "l", "iy", "z", "b", "r", "ih", "ng", "m", "ay", "ow", "l", "d", "b", "r", "ow",
    "k", "ax", "n", "f", "ih", "sh", "b", "ow", "l", "t", "uh", "dh", "ax", "m", "aa", "r", "k",
    "ax", "t", "pau",
]  # fmt: skip


def perform_at(rate, state, seed):
    """The simulated actor says SAID; return the performance and where each phone ends, seconds."""
    rng = np.random.default_rng(99)
    seconds = np.array([0.25 if name == "pau" else rng.uniform(0.06, 0.16) for name in SAID]) / rate
    ends = np.cumsum(seconds)
    phones = [Phone(*row) for row in zip(SAID, ends - seconds, ends, strict=True)]
    performance = perform(
        phones, int(ends[-1] * FPS), fps=FPS, state=STATES[state], level=1.0,
        style=Style(), seed=seed, face=FACE,
    )  # fmt: skip
    return performance, ends


@pytest.mark.parametrize("rates", [(0.9, 1.15), (1.2, 0.85), (1.0, 1.0)])
@pytest.mark.parametrize("states", [("neutral", "happy"), ("angry", "surprised"), ("sad", "happy")])
def test_two_expressions_at_two_rates_align_within_half_a_frame(rates, states):
    """The real case on the real head: the true clock is known from the phones' times.

    Larger errors lie in the pauses at the ends, where any clock will do, and in the onset of an
    expression, which quads leave out.
    """
    m, ends_m = perform_at(rates[0], states[0], 1)
    n, ends_n = perform_at(rates[1], states[1], 2)
    rows = align.lip_rows(FACE)
    moments = np.arange(len(n.weights)) / FPS
    truth = np.interp(moments, [0, *ends_n], [0, *ends_m]) * FPS
    found = align.clock(align.align(m.weights @ rows, n.weights @ rows, FPS), len(moments))
    errors = np.abs(found - np.minimum(truth, len(m.weights) - 1))
    assert np.median(errors) <= 0.5
    steady = (np.arange(len(moments)) >= n.steady[0]) & (truth >= m.steady[0])
    assert np.percentile(errors[steady & (moments < ends_n[-2])], 95) <= 3


def test_closures_survive_the_warp():
    """A closure that the warp blurs open would teach the decoder to mumble."""
    m, ends_m = perform_at(0.9, "happy", 1)
    n, ends_n = perform_at(1.2, "neutral", 2)
    rows = align.lip_rows(FACE)
    path = align.align(m.weights @ rows, n.weights @ rows, FPS)
    warped = align.warp(m.weights, path, len(n.weights))
    for weights, ends in ((m.weights, ends_m), (warped, ends_n)):
        phones = [Phone(*row) for row in zip(SAID, [0, *ends[:-1]], ends, strict=True)]
        gap = FACE.gap(FACE.weights_to_vertices(weights))
        assert contact_recall(gap, phones, fps=FPS).value == 1.0


def test_a_constant_shift_of_the_lips_changes_nothing():
    lips_m, lips_n, _ = performances(3)
    path = align.align(lips_m, lips_n, FPS)
    assert np.array_equal(align.align(lips_m + 0.05, lips_n, FPS), path)


def test_velocity_tells_opening_from_closing():
    """At equal positions only the velocity says which of two equal frames is meant."""
    lips = np.concatenate([np.linspace(0, 0.01, 10), np.linspace(0.01, 0, 10)])[:, None]
    rows = align.lip_features(lips, FPS)
    assert rows[4, 0] == pytest.approx(rows[15, 0])
    assert rows[4, 1] == pytest.approx(-rows[15, 1])
    assert rows[4, 1] == pytest.approx(0.01 / 9 * FPS * align.VELOCITY_SECONDS)


def test_lip_rows_keep_every_distance():
    rng = np.random.default_rng(5)
    face: Any = SimpleNamespace(
        unit_deltas=rng.normal(0, 1e-3, (52, 300, 3)).astype(np.float32),
        regions={"lips": rng.choice(300, 150, replace=False)},
    )
    weights = rng.uniform(size=(20, 52))
    rows = weights @ align.lip_rows(face)
    lips = np.einsum("tu,uvc->tvc", weights, face.unit_deltas[:, face.regions["lips"]])
    flat = lips.reshape(20, -1)
    expected = np.linalg.norm(flat[:, None] - flat[None], axis=-1)
    np.testing.assert_allclose(align.distances(rows, rows), expected, atol=1e-8)
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), np.linalg.norm(flat, axis=1))


def test_clock_keeps_the_ends_and_never_stands_still():
    """A stair of a path is a frozen frame: the clock must rise where the path waits."""
    stairs = [
        (0, 0),
        (1, 1),
        (2, 2),
        *[(2, j) for j in range(3, 7)],
        *[(i, 6) for i in range(3, 9)],
    ]
    path = np.array([*stairs, *[(i, i - 2) for i in range(9, 40)]], np.int32)
    clock = align.clock(path, 38)
    assert clock[0] == pytest.approx(0, abs=1e-9)
    assert clock[-1] == pytest.approx(39, abs=1e-9)
    assert 0 <= clock.min() <= clock.max() <= 39
    assert np.diff(clock).min() > 0.1


def test_clock_of_a_straight_path_is_straight():
    path = np.stack([np.arange(50)] * 2, axis=1)
    np.testing.assert_allclose(align.clock(path, 50), np.arange(50), atol=1e-9)


def test_clock_rises_even_through_a_very_long_pause():
    path = np.array([(min(j, 10), j) for j in range(200)], np.int32)
    clock = align.clock(path, 200)
    assert np.diff(clock).min() > 0
    assert clock[-1] == pytest.approx(10)


def test_warp_brings_m_onto_n():
    """Warped by the found path, m's lips lie on n's own, as far as the gains allow."""
    lips_m, lips_n, truth = performances(2, jitter=0.3)
    path = align.align(lips_m, lips_n, FPS)
    values = np.sin(np.arange(len(lips_m)) / 9)[:, None].astype(np.float32)
    warped = align.warp(values, path, len(lips_n))
    assert warped.shape == (len(lips_n), 1)
    assert np.sqrt(np.mean((warped[:, 0] - np.sin(truth / 9)) ** 2)) < 0.06


def test_sampling_is_exact_on_frames_and_on_straight_lines():
    rng = np.random.default_rng(8)
    values = rng.normal(size=(20, 3, 2))
    np.testing.assert_allclose(align.sample(values, np.arange(20.0)), values, atol=1e-6)
    line = np.arange(20.0)[:, None]
    np.testing.assert_allclose(align.sample(line, np.array([1.0, 3.3, 17.9]))[:, 0], [1, 3.3, 17.9])
    assert align.sample(values[:1], np.zeros(3)).shape == (3, 3, 2)


def test_sampling_reads_between_frames_better_than_straight_lines():
    moments = np.arange(30) * 0.5
    between = np.linspace(2, 27, 100)
    error = np.abs(align.sample(np.sin(moments), between) - np.sin(between * 0.5)).max()
    assert (
        error
        < np.abs(np.interp(between, np.arange(30), np.sin(moments)) - np.sin(between * 0.5)).max()
        / 2
    )


@pytest.mark.parametrize(
    ("lips_m", "lips_n", "said"),
    [
        (np.zeros((1, 4)), np.zeros((9, 4)), "1 and 9 frames"),
        (np.zeros((9, 4)), np.zeros((9, 5)), "axes"),
    ],
)
def test_lips_that_cannot_be_aligned_are_refused(lips_m, lips_n, said):
    with pytest.raises(MienError, match=said):
        align.align(lips_m, lips_n, FPS)
