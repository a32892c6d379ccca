"""Onsets, decays, blinks and accents are planted; the stretch between them is asked back."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mien.data import steady as module
from mien.data.steady import running_median, steady, widest
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

FPS = 30.0
FACE = Face.load()
GLAD = {"browInnerUp": 0.6, "browOuterUpLeft": 0.5, "browOuterUpRight": 0.5}
GRIM = {"browDownLeft": 0.8, "browDownRight": 0.8, "noseSneerLeft": 0.5, "noseSneerRight": 0.5}


def shown(frames, **amounts):
    """Weights (frames, 52) in which units have these amounts, numbers or curves."""
    weights = np.zeros((frames, len(UNIT_NAMES)))
    for name, amount in amounts.items():
        weights[:, UNIT_NAMES.index(name)] = amount
    return weights


def speaking(frames):
    return 0.25 + 0.25 * np.sin(np.arange(frames) * 1.3)


def steps(*pieces):
    """A curve of (amount, frames) pieces."""
    return np.concatenate([np.full(frames, amount, float) for amount, frames in pieces])


def acted(curve, look, **more):
    return shown(len(curve), **{name: amount * curve for name, amount in look.items()}, **more)


def test_the_onset_and_the_decay_are_found():
    curve = steps((0, 25), (1, 60), (0, 25))
    found = steady(acted(curve, GRIM, jawOpen=speaking(110)), FPS, FACE)
    assert found == pytest.approx((25, 85), abs=1)


def test_a_slow_onset_begins_to_count_near_its_end():
    """An expression that takes a second to build up: what is within 40 % of its size counts."""
    curve = np.concatenate([np.linspace(0, 1, 31), np.ones(60)])
    start, stop = steady(acted(curve, GRIM, jawOpen=speaking(91)), FPS, FACE)
    assert stop == 91
    assert 0.5 < curve[start] < 0.75


def test_the_rule_does_not_depend_on_the_rate():
    times = np.linspace(0, 4, 201)
    curve = np.clip(times - 1, 0, 1)
    fine = steady(acted(curve, GRIM, jawOpen=0.5 + 0.5 * np.sin(30 * times)), 50, FACE)
    coarse = steady(acted(curve[::2], GRIM, jawOpen=0.5 + 0.5 * np.sin(30 * times[::2])), 25, FACE)
    assert np.subtract(fine, np.multiply(coarse, 2)) == pytest.approx(0, abs=2)


def test_a_neutral_face_and_one_that_never_changes_are_steady_throughout():
    for look in ({}, GRIM):
        weights = acted(np.ones(80), look, jawOpen=speaking(80), mouthPucker=speaking(80)[::-1])
        assert steady(weights, FPS, FACE) == (0, 80)
    assert steady(shown(40), FPS, FACE) == (0, 40)


def test_blinks_glances_and_accents_do_not_end_a_stretch():
    blink, accent = np.zeros(90), np.zeros(90)
    blink[20:60], accent[40:45] = 1.0, 1.0
    weights = acted(
        np.ones(90), GRIM,
        eyeBlinkLeft=blink, eyeBlinkRight=blink, eyeLookDownLeft=blink, eyeLookDownRight=blink,
        browOuterUpLeft=accent, browInnerUp=accent,
    )  # fmt: skip
    assert steady(weights, FPS, FACE) == (0, 90)
    raised = shown(90, browInnerUp=np.roll(blink, 10), browOuterUpLeft=1.0, browOuterUpRight=1.0)
    assert steady(raised, FPS, FACE) == (30, 70)  # but 40 frames of it are a change


def test_the_stretch_that_speaks_wins_over_the_longer_one():
    """An actor holds an expression silently after the words; its content would be nothing."""
    glad, grim = steps((1, 40), (0, 70)), steps((0, 40), (1, 70))
    jaw = np.where(np.arange(110) < 40, speaking(110), 0.0)
    found = steady(acted(glad, GLAD, jawOpen=jaw) + acted(grim, GRIM), FPS, FACE)
    assert found == pytest.approx((0, 40), abs=1)
    silent = steady(acted(glad, GLAD) + acted(grim, GRIM), FPS, FACE)
    assert silent == pytest.approx((40, 110), abs=8)  # the turn itself moves the lips a little


def test_the_widest_stretch_is_what_trying_all_of_them_finds():
    rng = np.random.default_rng(0)
    for _ in range(30):
        poses, worth = rng.normal(size=(14, 2)).cumsum(0), rng.uniform(size=14)

        def fits(a, b, poses=poses):
            return np.linalg.norm(poses[a:b, None] - poses[None, a:b], axis=2).max() <= 3.0

        every = [(a, b) for a in range(14) for b in range(a + 1, 15) if fits(a, b)]
        best = max(every, key=lambda span: worth[slice(*span)].sum())
        assert widest(poses, 3.0, worth) == best


def test_of_equals_the_longer_and_then_the_later_stretch_wins():
    poses = steps((0, 3), (9, 5), (0, 5))[:, None]
    assert widest(poses, 1.0, np.zeros(13)) == (8, 13)
    assert widest(poses, 1.0, steps((1, 3), (0, 10))) == (0, 3)


def test_a_running_median_keeps_steps_and_drops_spikes():
    curve = steps((0, 10), (1, 10))
    curve[4] = 5.0
    np.testing.assert_array_equal(running_median(curve[:, None], 6)[:, 0], steps((0, 10), (1, 10)))


def test_any_face_with_an_upper_face_has_steady_stretches():
    """Components of a signed face have no names that tell; what they move tells."""

    face: Any = SimpleNamespace(
        name="flame",
        unit_names=("component_000", "component_001"),
        regions={"upper_face": np.array([0, 1]), "lips": np.array([2])},
        unit_deltas=np.zeros((2, 3, 3)),
    )
    face.unit_deltas[0, :2, 1] = 1.0
    face.unit_deltas[1, 2, 1] = 1.0
    weights = np.stack([-2e-3 * steps((0, 20), (1, 40)), 0.01 * speaking(60)], axis=1)
    assert steady(weights, FPS, face) == pytest.approx((20, 60), abs=1)
    rows = module.upper_rows(face)
    assert np.linalg.norm(np.array([2e-3, 7.0]) @ rows) == pytest.approx(2e-3)


def test_what_is_no_recording_is_refused():
    assert steady(np.zeros((0, 52)), FPS, FACE) == (0, 0)
    with pytest.raises(MienError, match=r"\(10, 51\); \(frames, 52\) is wanted"):
        steady(np.zeros((10, 51)), FPS)
    with pytest.raises(MienError, match="without a face"):
        steady(np.full((10, 52), np.nan), FPS, FACE)
