"""Gaze: what is added to an expression's own, and that eyes keep their aim."""

import numpy as np
import pytest

from mien.face import UNIT_NAMES, Face
from mien.life import gaze
from mien.life.head import head_turning
from mien.life.voice import Voice

FPS = 30.0
STILL = np.zeros((1800, 3))
TALK = Voice(tuple((start, start + 3.0) for start in np.arange(0.0, 60.0, 3.6)))
LOOKS = [i for i, name in enumerate(UNIT_NAMES) if name.startswith("eyeLook")]


def shown(**units):
    weights = np.zeros((1800, len(UNIT_NAMES)), np.float32)
    for name, amount in units.items():
        weights[:, UNIT_NAMES.index(name)] = amount
    return weights


def glanced(weights, seed=0, head=STILL, voice=TALK):
    return gaze.glanced(weights, head, fps=FPS, seed=seed, voice=voice)


def test_units_turn_the_eyes_as_far_as_gaze_believes():
    """Gaze thinks in degrees; the head file says what a weight of 1 turns."""
    face = Face.load()
    eye = face.parts["eye_left"]
    apart = face.template[eye] - face.template[eye].mean(0)
    for stem, degrees in (("Out", 30), ("In", 30), ("Up", 20), ("Down", 25)):
        deltas = face.unit_deltas[UNIT_NAMES.index(f"eyeLook{stem}Left")][eye]
        there = apart + deltas - deltas.mean(0)
        u, _, v = np.linalg.svd(apart.T @ there)
        angle = np.degrees(np.arccos((np.trace(u @ v) - 1) / 2))
        assert angle == pytest.approx(degrees, abs=0.5)
        looks = shown(**{f"eyeLook{stem}Left": 1.0})
        assert np.abs(gaze.direction(looks)[0]).max() == pytest.approx(degrees / 2)


@pytest.mark.parametrize(
    ("degrees", "units"),
    [
        ((15.0, 0.0), {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}),
        ((-15.0, 0.0), {"eyeLookInLeft": 0.5, "eyeLookOutRight": 0.5}),
        ((0.0, 10.0), {"eyeLookUpLeft": 0.5, "eyeLookUpRight": 0.5}),
        ((0.0, -12.5), {"eyeLookDownLeft": 0.5, "eyeLookDownRight": 0.5}),
    ],
)
def test_degrees_become_the_right_units(degrees, units):
    turned = gaze.turned(shown(), np.tile(degrees, (1800, 1)))
    assert np.allclose(turned, shown(**units), atol=1e-6)
    assert np.allclose(gaze.direction(turned), degrees, atol=1e-5)


def test_only_looks_move_and_both_eyes_together():
    alive = glanced(shown())
    assert np.delete(alive, LOOKS, 1).max() == 0
    for one, other in (("OutLeft", "InRight"), ("InLeft", "OutRight"), ("UpLeft", "UpRight")):
        columns = (alive[:, UNIT_NAMES.index(f"eyeLook{name}")] for name in (one, other))
        assert np.allclose(*columns, atol=1e-6)


def test_eyes_stay_near_the_viewer_and_leave_now_and_then():
    """No darting: most of the time near, jumps apart, and no glance farther than nine degrees."""
    for seed in range(10):
        looks = gaze.direction(glanced(shown(), seed))
        far = np.linalg.norm(looks, axis=1)
        assert 0.55 < (far < 4.0).mean() < 0.97
        assert far.max() < 11
        jumps = np.flatnonzero(np.linalg.norm(np.diff(looks, axis=0), axis=1) > 0.9)
        begun = jumps[np.r_[True, np.diff(jumps) > 2]]
        assert 0.5 < len(begun) / 60 < 1.8, "saccades a second"


def test_a_listener_looks_longer_than_a_talker():
    share = []
    for voice in (TALK, Voice()):
        looks = [gaze.direction(glanced(shown(), seed, voice=voice)) for seed in range(10)]
        share.append((np.linalg.norm(looks, axis=2) < 4.0).mean())
    assert share[1] > share[0] + 0.05


@pytest.mark.parametrize("stem", ["Down", "Up"])
def test_a_held_gaze_keeps_only_microsaccades(stem):
    weights = shown(**{f"eyeLook{stem}Left": 0.6, f"eyeLook{stem}Right": 0.6})
    before = gaze.direction(weights)
    away = np.linalg.norm(gaze.direction(glanced(weights)) - before, axis=1)
    assert 0 < away.max() < 1.5


def test_an_eye_turns_back_as_the_head_turns():
    """Head and eyes together keep looking where they would with a still head."""
    head = head_turning(np.arange(1800) / FPS, seed=3, voice=TALK)
    apart = gaze.direction(glanced(shown(), head=head)) - gaze.direction(glanced(shown()))
    assert np.abs(apart).max() > 2
    assert np.allclose(apart[:, 0], -np.degrees(head[:, 0]), atol=1e-3)
    assert np.allclose(apart[:, 1], np.degrees(head[:, 1]), atol=1e-3)


def test_looks_begin_and_end_in_order():
    for seed in range(20):
        moments = gaze.fixations(60.0, np.random.default_rng(seed), TALK)[:, 0]
        assert moments[0] == 0
        assert np.diff(moments).min() >= min(gaze.SHORTEST, gaze.SHORTEST_AWAY) - 1e-9
