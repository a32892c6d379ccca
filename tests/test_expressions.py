"""The states' table: right units and sides, room for speech, no doubles; reading it; mixtures."""

import itertools
import re

import numpy as np
import pytest

from mien.data.simulate.expressions import (
    RANGES,
    STATES,
    STATES_PATH,
    State,
    composed,
    mixture,
    read_states,
)
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face

NAMES = """
    neutral happy laughing sad crying angry seething disgusted contemptuous afraid terrified
    surprised delighted worried confused bored proud tender determined skeptical pouting shy
    thinking smug ashamed envious relieved flirtatious disappointed hopeful mischievous awed wistful
    pleading menacing cringing exasperated blissful

    tired pained drunk cold concentrating nauseous dazed

    wink_left wink_right brow_left brow_right cheeks_puffed tongue_out nose_wrinkled lip_bitten
    lips_pressed squinting eyes_wide eyes_closed mouth_open brows_raised brows_lowered smirk_left
    smirk_right kissing teeth_bared looking_up looking_down looking_left looking_right
"""
"""Emotions, states of the body, facial actions."""

ACTION_PARTS = {
    "cheeks_puffed": "cheekPuff mouth", "tongue_out": "tongue jaw mouthLower",
    "nose_wrinkled": "noseSneer cheekSquint eyeSquint mouthUpper", "lip_bitten": "mouth jaw",
    "lips_pressed": "mouth", "squinting": "eye cheekSquint browDown", "eyes_wide": "eyeWide",
    "eyes_closed": "eye", "mouth_open": "jawOpen", "brows_raised": "brow",
    "brows_lowered": "browDown noseSneer", "smirk_left": "mouth", "smirk_right": "mouth",
    "kissing": "mouth", "teeth_bared": "mouth", "looking_up": "eyeLook",
    "looking_down": "eyeLook", "looking_left": "eyeLook", "looking_right": "eyeLook",
}  # fmt: skip
"""What a facial action may move: nothing else is on the face."""

TABLE = """\
# a table of two
neutral: nothing
FACS
onset .4  decay .4  apex 0  arousal 0  valence 0  blinks 17

sly: a crooked smile
FACS L12 61
onset .5  decay .6  apex .05  arousal .2  valence .4  blinks 9
browInnerUp .3  mouthSmile .9/0
eyeSquint .25  mouthLeft .1

sly_right: the other way round
mirror of sly
"""


def read(tmp_path, text: str) -> dict[str, State]:
    path = tmp_path / "states.txt"
    path.write_text(text, encoding="utf-8")
    return read_states(path)


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


# -- the states -----------------------------------------------------------------------------------


def test_all_states_are_there():
    assert list(STATES) == NAMES.split()
    assert len(STATES) == 68


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_state_is_amounts_of_units_with_its_times(state):
    assert set(state.weights) <= set(UNIT_NAMES)
    assert all(0 < amount <= 1 for amount in state.weights.values())
    assert bool(state.facs) == bool(state.weights)
    assert state.note
    for key, (least, most) in RANGES.items():
        assert least <= getattr(state, key) <= most


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_state_leaves_room_for_speech(state):
    """The actor opens and closes the mouth on top of a state; mouth_open asks for no more."""
    assert state.weights.get("jawOpen", 0) <= (0.35 if state.name == "mouth_open" else 0.25)
    assert "mouthClose" not in state.weights
    assert state.weights.get("mouthFunnel", 0) <= 0.3


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_the_face_can_do_what_a_state_asks(state, face):
    """The face's limits cut nothing but lids that are squeezed shut already."""
    for level in (1 / 3, 1.0):
        asked = state.weights_at(level, UNIT_NAMES)
        cut = np.flatnonzero(asked - face.limit(asked) > 0.03)
        assert {UNIT_NAMES[unit] for unit in cut} <= {"eyeBlinkLeft", "eyeBlinkRight"}


@pytest.mark.parametrize("name", ACTION_PARTS)
def test_a_facial_action_moves_nothing_else(name):
    allowed = tuple(ACTION_PARTS[name].split())
    assert all(unit.startswith(allowed) for unit in STATES[name].weights)


def test_sides_are_the_faces_own():
    assert STATES["wink_left"].weights["eyeBlinkLeft"] == 1.0
    assert "eyeBlinkRight" not in STATES["wink_left"].weights
    assert STATES["brow_right"].weights["browOuterUpRight"] == 1.0
    assert "mouthSmileRight" not in STATES["smirk_left"].weights
    assert STATES["looking_left"].weights == {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0}


@pytest.mark.parametrize("name", ["wink", "brow", "smirk", "looking"])
def test_left_and_right_are_mirrors(name):
    left, right = STATES[f"{name}_left"], STATES[f"{name}_right"]
    swap = {"Left": "Right", "Right": "Left"}
    mirror = {re.sub("Left|Right", lambda m: swap[m[0]], u): a for u, a in left.weights.items()}
    assert mirror == right.weights
    assert left.facs != right.facs
    assert left.onset == right.onset


def test_looking_left_turns_both_eyes_to_the_faces_left(face):
    """Guards the sides of eyeLookIn and eyeLookOut: +x is the face's own left."""
    moved = face.weights_to_vertices(STATES["looking_left"].weights_at(1.0, UNIT_NAMES))
    for part in ("eye_left", "eye_right"):
        front = face.template[face.parts[part], 2].argmax()
        assert (moved - face.template)[face.parts[part]][front, 0] > 0.002


def test_no_two_states_look_alike(face):
    """At level 1, the 200 vertices that differ most, of the skin or of the eyes, are 1.5 mm apart
    on average."""
    weights = np.stack([s.weights_at(1.0, face.unit_names) for s in STATES.values()])
    vertices = face.weights_to_vertices(face.limit(weights))
    eyes = np.concatenate([vertices[:, face.parts[f"eye_{s}"]] for s in ("left", "right")], axis=1)
    shapes = (vertices[:, face.parts["skin"]], eyes)
    for (i, a), (j, b) in itertools.combinations(enumerate(STATES), 2):
        apart = [np.linalg.norm(shape[i] - shape[j], axis=-1) for shape in shapes]
        seen = max(np.sort(distance)[-200:].mean() for distance in apart)
        assert seen > 1.5e-3, f"{a} and {b} look alike"


def test_level_scales_and_stops_at_one():
    happy = STATES["happy"]
    smile = UNIT_NAMES.index("mouthSmileLeft")
    amount = happy.weights["mouthSmileLeft"]
    assert happy.weights_at(0.5, UNIT_NAMES)[smile] == pytest.approx(amount / 2)
    assert happy.weights_at(1.5, UNIT_NAMES)[smile] == 1.0
    assert not happy.weights_at(0.0, UNIT_NAMES).any()
    assert not STATES["neutral"].weights_at(1.5, UNIT_NAMES).any()


# -- reading the table ----------------------------------------------------------------------------


def test_a_table_is_read_as_written(tmp_path):
    states = read(tmp_path, TABLE)
    assert states["sly"] == State(
        name="sly",
        weights={
            "browInnerUp": 0.3, "mouthSmileLeft": 0.9, "eyeSquintLeft": 0.25,
            "eyeSquintRight": 0.25, "mouthLeft": 0.1,
        },
        onset=0.5, decay=0.6, apex=0.05, facs=("L12", "61"), note="a crooked smile",
        arousal=0.2, valence=0.4, blinks=9.0,
    )  # fmt: skip
    assert states["sly_right"].weights["mouthSmileRight"] == 0.9
    assert states["sly_right"].weights["mouthRight"] == 0.1
    assert states["sly_right"].facs == ("R12", "62")
    assert not states["neutral"].weights


@pytest.mark.parametrize(
    ("was", "becomes", "match"),
    [
        ("sly: a crooked smile", "sly", r"line 6: 'sly' should be 'name: what"),
        ("sly: a", "Sly: a", "should be 'name: what"),
        ("FACS L12 61", "FACS L12 mouth", r"\(sly\): 'mouth' is no action unit"),
        ("FACS L12 61", "AU 12", "lines 'FACS"),
        ("apex .05  ", "", "should be 'onset … decay … apex"),
        ("onset .5  decay .6", "decay .6  onset .5", "should be 'onset"),
        ("onset .5", "onset 5", "onset is 5; give one from 0.1 to 2"),
        ("onset .5", "onset nan", "onset is nan; give one from 0.1 to 2"),
        ("blinks 9", "blinks many", "'many' should be a number"),
        ("browInnerUp .3", "browInnrUp .3", "'browInnrUp .3' is no unit"),
        ("browInnerUp .3", "browInnerUp .3/.2", "is no unit with one amount"),
        ("mouthSmile .9/0", "mouthSmile .9/0/1", "nor a pair with two"),
        ("browInnerUp .3", "browInnerUp 3", "browInnerUp is 3; give an amount in"),
        ("browInnerUp .3", "browInnerUp", "come in pairs"),
        ("mouthLeft .1", "mouthSmileLeft .1", "mouthSmileLeft is given twice"),
        ("mirror of sly", "mirror of slow", "mirrors 'slow', but no such state is above"),
        ("sly_right: the", "sly: the", "a state of this name is above"),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, was, becomes, match):
    assert TABLE.count(was) == 1
    with pytest.raises(MienError, match=match):
        read(tmp_path, TABLE.replace(was, becomes))


def test_no_table_or_an_empty_one_is_refused(tmp_path):
    with pytest.raises(MienError, match="cannot be read"):
        read_states(tmp_path / "none.txt")
    with pytest.raises(MienError, match="holds no states"):
        read(tmp_path, "# nothing\n")


def test_the_table_ships_beside_the_module():
    assert read_states(STATES_PATH) == STATES


# -- other expressions ----------------------------------------------------------------------------


def test_a_mixture_lies_between_its_states():
    happy, sad = STATES["happy"], STATES["sad"]
    mixed = mixture(happy, sad, 0.7)
    assert mixed.name == "happy+sad"
    assert mixed.weights["mouthSmileLeft"] == pytest.approx(0.7 * 0.9)
    assert mixed.weights["browInnerUp"] == pytest.approx(0.3)
    assert mixed.onset == pytest.approx(0.7 * happy.onset + 0.3 * sad.onset)
    assert mixed.facs == (*happy.facs, *sad.facs)
    np.testing.assert_allclose(
        mixed.weights_at(0.5, UNIT_NAMES),
        0.7 * happy.weights_at(0.5, UNIT_NAMES) + 0.3 * sad.weights_at(0.5, UNIT_NAMES),
        atol=1e-6,
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_mixture_of_one_is_that_one(share):
    happy, sad = STATES["happy"], STATES["sad"]
    mixed = mixture(happy, sad, share)
    assert mixed.weights == pytest.approx((happy if share else sad).weights)


def test_a_wrong_share_is_refused():
    with pytest.raises(MienError, match=r"share is 1.2; give one in \[0, 1\]"):
        mixture(STATES["happy"], STATES["sad"], 1.2)


def test_a_composition_is_a_state():
    state = composed({"browInnerUp": 0.5, "jawOpen": 0.0}, name="brows up a little")
    assert state.weights == {"browInnerUp": 0.5}
    assert state.weights_at(1.0, UNIT_NAMES).sum() == pytest.approx(0.5)


@pytest.mark.parametrize(
    ("weights", "numbers", "match"),
    [
        ({"browUp": 0.5}, {}, "no unit is called 'browUp'"),
        ({"browInnerUp": 1.5}, {}, r"browInnerUp is 1.5; give an amount in \[0, 1\]"),
        ({"browInnerUp": float("nan")}, {}, "browInnerUp is nan"),
        ({}, {"onset": 0.0}, "onset is 0; give one from 0.1 to 2"),
        ({}, {"valence": 2.0}, "valence is 2; give one from -1 to 1"),
    ],
)
def test_a_wrong_composition_is_refused(weights, numbers, match):
    with pytest.raises(MienError, match=match):
        composed(weights, name="x", **numbers)
