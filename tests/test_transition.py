"""Changes of the description whose arrival and jumps are planted."""

import json
import math

import numpy as np
import pytest

from mien.animation import Animation
from mien.audio import FPS, SPEECH_RATE, frame_times
from mien.errors import MienError
from mien.evaluate.samples import Share
from mien.evaluate.transition import (
    HELD,
    PAIRS,
    arrival,
    measure,
    progress_of,
    transition,
)
from mien.face import UNIT_NAMES, Face
from mien.timeline import Timeline
from planted import Planted, weights_of

FRAMES, MOMENT = 240, 120
JAW = UNIT_NAMES.index("jawOpen")
SMILING = weights_of(mouthSmileLeft=0.8, mouthSmileRight=0.8)
FROWNING = weights_of(browDownLeft=0.9, browDownRight=0.9)


@pytest.fixture(scope="module")
def face():
    return Face.load()


def speaking(expression):
    """Weights (FRAMES, U): an expression (U,) or (FRAMES, U) over a jaw that speaks."""
    weights = np.zeros((FRAMES, len(UNIT_NAMES)))
    weights[:, JAW] = 0.2 + 0.2 * np.sin(np.arange(FRAMES))
    return weights + expression


def changing(frames):
    """A straight change that begins at the moment and is whole after so many frames."""
    share = ((np.arange(FRAMES) - MOMENT) / frames).clip(0, 1)[:, None]
    return speaking((1 - share) * SMILING + share * FROWNING)


def measured(switched, face):
    before, after, switched = (
        face.weights_to_coefficients(weights)
        for weights in (speaking(SMILING), speaking(FROWNING), switched)
    )
    return measure("smile", "frown", before, after, switched, MOMENT, face)


@pytest.mark.parametrize(("length", "frames"), [(1, 1), (10, 9), (13, 12), (14, 13), (40, 36)])
def test_a_planted_change_arrives_when_nine_tenths_are_there(face, length, frames):
    found = measured(changing(length), face)
    assert found.frames == frames
    assert found.in_time == (frames <= 12)


def test_a_change_that_stays_away_never_arrives(face):
    found = measured(speaking(SMILING), face)
    assert math.isinf(found.frames)
    assert not found.in_time


def test_progress_is_told_whatever_is_said(face):
    """The jaw speaks in all three alike and does not count."""
    coefficients = face.weights_to_coefficients
    share = progress_of(
        coefficients(changing(20)),
        coefficients(speaking(SMILING)),
        coefficients(speaking(FROWNING)),
    )
    assert share[:MOMENT] == pytest.approx(0, abs=1e-6)
    assert share[MOMENT + 10] == pytest.approx(0.5, abs=1e-6)
    assert share[MOMENT + 20 :] == pytest.approx(1, abs=1e-6)


def test_frames_without_a_way_tell_no_progress():
    before, after = np.zeros((4, 2)), np.array([[1.0, 0], [1, 0], [0, 0], [-1, 0.0]])
    share = progress_of(after / 2, before, after)
    assert share[:2] == pytest.approx(0.5)
    assert np.isnan(share[2:]).all()


def test_a_passing_overshoot_is_no_arrival():
    passing = [0.0] + [1.2] * (HELD - 1) + [0.5] * 5 + [0.95] * 20
    assert arrival(np.array(passing)) == HELD + 5
    assert arrival(np.array([0.0] + [1.2] * HELD + [0.5] * 5)) == 1
    assert arrival(np.array([0.0, np.nan, 0.95, np.nan, 0.9])) == 1
    assert math.isinf(arrival(np.zeros(20)))


def test_jumps_are_told_in_metres_a_frame(face):
    """A cut moves the face by the whole way in a frame; spread over 12 it is a twelfth of it."""
    way = face.weights_to_vertices(FROWNING) - face.weights_to_vertices(SMILING)
    kept = way[face.basis_vertices]
    whole = np.sqrt((kept**2).sum() / len(kept))
    still = np.tile(face.weights_to_coefficients(SMILING), (FRAMES, 1))
    other = np.tile(face.weights_to_coefficients(FROWNING), (FRAMES, 1))
    for length in (1, 12):
        share = ((np.arange(FRAMES) - MOMENT + 1) / length).clip(0, 1)[:, None]
        found = measure(
            "smile", "frown", still, other, (1 - share) * still + share * other, MOMENT, face
        )
        assert found.jump == pytest.approx(whole / length, rel=1e-3)
        assert found.unchanged == 0


def test_a_cut_jumps_and_a_slow_change_does_not(face):
    cut, slow = measured(changing(1), face), measured(changing(30), face)
    assert not cut.smooth
    assert slow.jump < 1.5 * slow.unchanged
    assert cut.unchanged == slow.unchanged > 0


def test_coming_from_rest_is_no_jump_to_compare_with(face):
    """The first second of what does not change is left out, else its onset would allow cuts."""
    beginning = speaking(SMILING)
    beginning[0] = 0
    before, after, switched = (
        face.weights_to_coefficients(w) for w in (beginning, speaking(FROWNING), changing(8))
    )
    found = measure("smile", "frown", before, after, switched, MOMENT, face)
    assert found.unchanged == pytest.approx(measured(changing(8), face).unchanged)


class Changing(Planted):
    """Eases to a timeline's second description over its ease and `late` seconds more."""

    def __init__(self, late=0.0):
        super().__init__({"smile": SMILING, "frown": FROWNING})
        self.late, self.asked = late, []

    def animate(self, speech, description, *, features):
        self.asked.append(description)
        frames = len(features)
        if not isinstance(description, Timeline):
            weights = np.tile(self.answers[description], (frames, 1))
        else:
            first, second = description.cues
            place = (frame_times(frames) - second.at) / (0.3 + self.late)
            share = place.clip(0, 1)[:, None]
            weights = (1 - share) * self.answers[first.description]
            weights = weights + share * self.answers[second.description]
        weights = weights.astype(np.float32)
        # It speaks up at the end, so that the change is not the only quick movement.
        loudness = np.where(np.arange(frames) < 0.8 * frames, 0.1, 0.4)
        weights[:, JAW] = 0.4 + loudness * np.sin(1.5 * np.arange(frames))
        return Animation(weights, FPS, self.face, speech)


SPEECH = np.zeros(5 * SPEECH_RATE, np.float32)
BOTH = [("smile", "frown"), ("frown", "smile")]


def test_a_prompt_animator_is_in_time_and_smooth():
    """0.3 s are 9 frames; nine tenths of a straight change are there after 8.1."""
    animator = Changing()
    found = transition(animator, [SPEECH, SPEECH], BOTH)
    assert found.in_time == Share(4, 4)
    assert found.frames.value == 9
    assert found.smooth == Share(4, 4)
    assert 0 < found.jump_ratio.value < 1
    assert "**" not in found.markdown()


def test_the_change_is_asked_for_in_the_middle_and_the_rest_is_made_once():
    animator = Changing()
    transition(animator, [SPEECH], BOTH)
    timelines = [one for one in animator.asked if isinstance(one, Timeline)]
    assert [[(cue.at, cue.description) for cue in one.cues] for one in timelines] == [
        [(0, "smile"), (2.5, "frown")],
        [(0, "frown"), (2.5, "smile")],
    ]
    assert len(animator.asked) == 4


def test_a_late_animator_is_found():
    found = transition(Changing(late=0.3), [SPEECH], BOTH)
    assert found.in_time == Share(0, 2)
    assert found.frames.value == 17
    assert "| smile → frown | **17** |" in found.markdown()


def test_an_animator_that_never_changes_is_null_in_json():
    found = transition(Changing(late=1e6), [SPEECH], BOTH)
    assert "**never**" in found.markdown()
    assert "| frames until 90 %, mean |  | - |" in found.markdown()
    assert found.frames.cases == 0
    assert json.loads(json.dumps(found.rows()))["changes"][0]["frames"] == math.inf


def test_short_speech_is_refused():
    with pytest.raises(MienError, match=r"speech is 3\.0 s long; at least 4 s"):
        transition(Changing(), [SPEECH, SPEECH[: 3 * SPEECH_RATE]], BOTH)


def test_the_pairs_go_round():
    assert len(PAIRS) == 13
    assert [second for _, second in PAIRS] == [first for first, _ in (*PAIRS[1:], PAIRS[0])]
