"""A corpus that is played back as it was has no error; one whose brows never move has."""

import dataclasses
import json
from types import SimpleNamespace

import numpy as np
import pytest

from mien import audio
from mien.animation import Animation
from mien.data.clips import Clip, CorpusWriter, Phone
from mien.errors import MienError
from mien.evaluate.replay import _undecayed, replay
from mien.face import UNIT_NAMES, Face

BROW = UNIT_NAMES.index("browInnerUp")
FRAMES = 30


@pytest.fixture(scope="module")
def face():
    return Face.load()


def swaying(times):
    """Weights (T, 52) of a brow that goes up and down."""
    weights = np.zeros((len(times), len(UNIT_NAMES)), np.float32)
    weights[:, BROW] = 0.5 + 0.4 * np.sin(9 * times)
    return weights


@pytest.fixture
def corpus(tmp_path):
    writer = CorpusWriter(tmp_path)
    weights = swaying(audio.frame_times(FRAMES))
    for k, split in enumerate(("train", "test", "test")):
        writer.add(
            Clip(
                id=str(k),
                sentence="la",
                sentence_id=k,
                actor="a",
                voice="a",
                rate=1.0,
                emotion="brow_left",
                level=0.5 + 0.25 * k,
                fps=30.0,
                frames=FRAMES,
                steady=(0, FRAMES),
                split=split,
                speech=np.zeros(16000, np.float32),
                weights=weights,
                phones=[Phone("pau", 0, 1)],
            )
        )
    return tmp_path


class Player:
    """Plays what the corpus holds, its brow `factor` times as high."""

    def __init__(self, face, factor=1.0):
        self.face, self.factor, self.asked = face, factor, []
        self.actors = []

    def animate(self, speech, description, *, strength, fps, actor=None):
        self.asked.append((description, strength))
        self.actors.append(actor)
        weights = swaying(audio.frame_times(audio.frame_count(len(speech), fps), fps))
        return Animation(weights * np.float32(self.factor), fps, self.face, speech)


def test_what_is_played_back_has_no_error(corpus, face):
    player = Player(face)
    found = replay(player, corpus)
    assert player.asked == [("brow left", 0.75), ("brow left", 1.0)]
    assert found.by_set["face"].largest.value == pytest.approx(0, abs=1e-9)
    assert found.dynamics_absolute.value == pytest.approx(0, abs=1e-9)
    assert found.dynamics_squared_absolute.value == pytest.approx(0, abs=1e-12)
    assert found.dynamics.cases == 2


def test_a_face_that_stays_still_misses_the_brow_and_not_the_lips(corpus, face):
    found = replay(Player(face, factor=0.0), corpus)
    lift = np.linalg.norm(face.unit_deltas[BROW], axis=1).max()
    height = swaying(audio.frame_times(FRAMES))[:, BROW].mean()
    assert found.by_set["face"].largest.value == pytest.approx(lift * height, rel=1e-4)
    assert found.by_set["upper_face"].largest.value == pytest.approx(lift * height, rel=1e-4)
    assert found.by_set["lips"].largest.value == pytest.approx(0, abs=1e-6)
    assert found.dynamics.value > 2e-5  # it moves too little
    assert found.dynamics_squared.value > 0
    assert replay(Player(face, factor=2.0), corpus).dynamics.value < -2e-5
    assert found.by_set["face"].vertices == 3706
    assert json.loads(json.dumps(found.rows()))["by_set"]["lips"]["largest"]["cases"] == 2
    assert "upper_face (1211 vertices)" in found.markdown()


def test_actors_whom_the_pack_knows_are_animated_as_themselves(corpus, face):
    player = Player(face)
    replay(player, corpus, actors=("a", "b"))
    assert player.actors == ["a", "a"]
    replay(stranger := Player(face), corpus, actors=("b",))
    assert stranger.actors == [None, None]


def test_a_pack_of_another_face_is_refused(corpus, face):
    other = dataclasses.replace(face, name="other", unit_deltas=2 * face.unit_deltas)
    with pytest.raises(MienError, match="and the pack is of 'other'"):
        replay(Player(other), corpus)


def test_a_split_without_clips_is_refused(corpus, face):
    with pytest.raises(MienError, match="no clip in its split 'validation'"):
        replay(Player(face), corpus, split="validation")


@pytest.mark.parametrize(
    ("envelope", "frames"),
    [
        (None, 90),
        ([0, 0.5, 1.05, 1, 1, 1], 6),
        ([0, 0.5, 1.05, 1, 0.7, 0], 4),
        ([0, 0.6, 0.3, 0, 0, 0], 2),
    ],
)
def test_a_clip_counts_until_its_expression_decays(envelope, frames):
    """From its apex an expression settles to 1, which is no decay; one may fade unfinished."""
    shown = None if envelope is None else np.array(envelope, np.float32)
    clip = SimpleNamespace(envelope=shown, frames=90 if shown is None else len(shown))
    assert _undecayed(clip) == frames  # type: ignore[arg-type]
