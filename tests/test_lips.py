"""The study finds in animations what was put into them, and says it in tables."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mien import audio
from mien.animation import Animation
from mien.data.clips import Phone
from mien.data.simulate.bank import Bank
from mien.data.simulate.expressions import STATES
from mien.evaluate import lips, scenes
from mien.evaluate.lips import Report, Row, Spoken
from mien.evaluate.recordings import Recording, quietened, read_folders
from mien.evaluate.samples import Estimate, Share
from mien.evaluate.scenes import NEUTRAL, TWELVE, Scene
from mien.evaluate.tables import Column, table
from mien.evaluate.watch import own_f, watch
from mien.face import UNIT_NAMES, Face
from mien.lips import f_pose

FPS = 30.0
SPEECH = Path(__file__).parents[2] / "shared" / "data" / "speech"
PHONES = [
    Phone("pau", 0, 0.2), Phone("hh", 0.2, 0.3), Phone("aa", 0.3, 0.5), Phone("m", 0.5, 0.6),
    Phone("ae", 0.6, 0.8), Phone("f", 0.8, 0.9), Phone("iy", 0.9, 1.1), Phone("pau", 1.1, 3.0),
]  # fmt: skip


@pytest.fixture(scope="module")
def face():
    return Face.load()


def posed(**units):
    """Weights (52,) of the named units."""
    return np.array([units.get(name, 0.0) for name in UNIT_NAMES])


# Watching


def test_curves_are_the_face_s_own(face):
    random = np.random.default_rng(0)
    weights = face.limit(random.uniform(0, 0.4, (9, 52))).astype(np.float32)
    seen, vertices = watch(weights, face), face.weights_to_vertices(weights)
    np.testing.assert_allclose(seen.gap, face.gap(vertices), atol=1e-6)
    np.testing.assert_allclose(seen.bite, face.lip_to_teeth(vertices), atol=1e-6)
    np.testing.assert_allclose(seen.lips, vertices[:, face.regions["lips"]], atol=1e-6)


def test_width_is_that_of_the_mouth(face):
    """A pucker narrows the mouth, a stretch widens it, and at rest it is as wide as a mouth."""
    poses = [posed(), posed(mouthPucker=1.0), posed(mouthStretchLeft=1.0, mouthStretchRight=1.0)]
    rest, round_, wide = watch(np.stack(poses), face).width * 1e3
    assert 50 < rest < 65
    assert round_ < rest - 5
    assert wide > rest + 3


def test_the_face_s_own_f_is_on_the_teeth(face):
    assert own_f(face) < 1.5e-3
    assert watch(posed()[None], face).bite[0] > own_f(face) + 2e-3


# The study


class Puppeteer:
    """Does with a real face what the phones say, unless the description says otherwise."""

    def __init__(self, face):
        self.face = face
        self.asked = []

    def encode_speech(self, speech):
        self.asked.append("speech")
        return np.arange(audio.frame_count(len(speech)))

    def animate(self, speech, description, *, features):
        frames = audio.frame_count(len(speech))
        np.testing.assert_array_equal(features, np.arange(frames))
        weights = np.tile(posed(jawOpen=0.5), (frames, 1))
        if description != "gaping":
            weights[audio.seconds_to_frame(0.55)] = posed()
            weights[audio.seconds_to_frame(0.85)] = f_pose()
        if description == "trembling":
            weights[60::2] = posed(jawOpen=0.6)
        return Animation(weights.astype(np.float32), FPS, self.face, speech)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(lips, "align_phones", lambda speech, transcript: PHONES)
    (tmp_path / "metadata.csv").write_text('one|ham\ntwo|"ham\n')
    for name in ("one", "two"):
        audio.write_wav(tmp_path / f"{name}.wav", np.zeros(16000, np.float32))
    return tmp_path


def test_study_finds_what_the_puppet_does(folder, face):
    """Two recordings of a second get two seconds of quiet: 90 frames each."""
    puppeteer = Puppeteer(face)
    report = lips.study(puppeteer, [folder], ["neutral", "gaping", "trembling"])
    good, gaping, trembling = report.measured
    assert puppeteer.asked == ["speech"] * 2  # once a recording, not once a description
    assert [row.description for row in report.measured] == ["neutral", "gaping", "trembling"]
    assert (good.contact, good.labiodentals) == (Share(2, 2), Share(2, 2))
    assert (gaping.contact, gaping.labiodentals) == (Share(0, 2), Share(0, 2))
    assert good.penetration == Share(0, 180)
    assert good.false_contacts == Share(0, 6)
    assert good.resting == Share(0, 2 * 48)  # 1.25..2.85 s, twice
    assert good.speed.value == pytest.approx(0)
    assert trembling.speed.value > 20
    assert trembling.jitter.value > 1.1 * good.jitter.value
    assert good.closure_ratio.cases == 2
    assert math.isnan(gaping.closure_ratio.value)
    assert gaping.vowel_gap.value == pytest.approx(
        1e3 * watch(posed(jawOpen=0.5)[None], face).gap[0], rel=1e-5
    )
    assert report.truth == ()


def test_the_truth_scores_fully_and_is_performed_in_its_state(folder, face):
    report = lips.study(Puppeteer(face), [folder], ["neutral", TWELVE[0].description], truth=True)
    for row in report.truth:
        assert (row.contact, row.labiodentals) == (Share(2, 2), Share(2, 2))
        assert row.lag.value == pytest.approx(0, abs=1e-9)
        assert row.opening.value == pytest.approx(1)
        assert row.speed.value < 2
    plain, laughing = report.truth
    assert laughing.vowel_gap.value > 1.1 * plain.vowel_gap.value
    assert "simulated truth itself" in report.markdown()


def test_opening_and_lag_are_held_against_the_truth(face):
    """An actor who comes three frames late, and one who opens the mouth 10 % less, are found."""
    spoken = [Spoken(Recording("one", np.zeros(48000, np.float32), "ham"), PHONES, 90)]
    (truth,) = lips.simulated(spoken, face)("neutral", 1.0)
    late = replace(truth, gap=np.roll(truth.gap, 3))
    row = lips.measure(NEUTRAL, [late], [truth], spoken, face)
    assert row.lag.value == pytest.approx(3, abs=0.1)
    less = replace(truth, gap=truth.gap * 0.9)
    assert lips.measure(NEUTRAL, [less], [truth], spoken, face).opening.value == pytest.approx(0.9)


def test_speed_is_that_of_all_steps():
    """Recordings of unlike silences: the root of 25 over three steps, not a mean of two roots."""
    found = lips._speed([np.array([3.0, 4.0]), np.array([0.0]), np.zeros(0)])
    assert (found.value, found.cases) == (pytest.approx(math.sqrt(25 / 3)), 2)
    assert math.isnan(lips._speed([np.zeros(0)]).value)


def test_nothing_is_performed_twice(face, monkeypatch):
    done = []
    perform = lips.perform
    monkeypatch.setattr(
        lips, "perform", lambda *a, **k: done.append(k["level"]) or perform(*a, **k)
    )
    actor = lips.simulated(
        [Spoken(Recording("one", np.zeros(48000, np.float32), "ham"), PHONES, 90)], face
    )
    for level in (1.0, 0.5, 1.0):
        actor("sad", level)
    assert done == [1.0, 0.5]


HARD = ("neutral", "laughing", "terrified", "disgusted", "seething")  # parts or presses lips most
HARDEST = [scene for scene in (NEUTRAL, *TWELVE) if scene.state in HARD]


@pytest.mark.filterwarnings("ignore:spelled out by rule")
@pytest.mark.parametrize("scene", HARDEST, ids=lambda scene: str(scene.state))
def test_the_simulated_truth_passes_on_real_speech(scene, real_speech, face):
    """What the networks learn from must itself do what is asked of them, contact above all."""
    spoken, actor = real_speech
    seen = actor(scene.state, scene.level)
    row = lips.measure(scene, seen, seen, spoken, face)
    assert row.contact.hits == row.contact.total == 20
    assert row.penetration.hits == 0
    assert row.labiodentals.hits == row.labiodentals.total > 10
    assert row.false_contacts.value <= 0.03
    assert row.order.value >= 0.8
    assert row.speed.value <= 2
    assert row.told_apart.value > 0.9


@pytest.fixture(scope="module")
def real_speech(face):
    """Three recordings, and the actor who performs them."""
    if not SPEECH.is_dir():
        pytest.skip(f"the recordings {SPEECH} are not here")
    found = read_folders([SPEECH / "ljspeech", SPEECH / "nvidia"])
    names = ("LJ001-0003", "LJ001-0005", "Claire_anger")
    spoken = [lips.spell(quietened(one)) for one in found if one.name in names]
    return spoken, lips.simulated(spoken, face)


# Scenes


def test_the_twelve_are_no_training_wordings():
    bank = Bank.load()
    trained = {d.text.casefold() for state in STATES for d in bank.descriptions(state, "train")}
    texts = [scene.description.casefold() for scene in TWELVE]
    assert len(set(texts)) == 12
    assert not trained & set(texts)
    assert len({scene.state for scene in TWELVE}) == 12
    assert {scene.state for scene in (NEUTRAL, *TWELVE)} <= set(STATES)


def test_descriptions_find_their_state():
    assert scenes.scenes_of(None) == (NEUTRAL, *TWELVE)
    found = scenes.scenes_of(
        ["Neutral", "snickering", TWELVE[3].description.upper(), "a wonky thing"]
    )
    assert [scene.state for scene in found] == ["neutral", "laughing", "tender", None]
    assert found[1].level == 0.7  # as the bank has it
    assert found[3] == Scene("a wonky thing", None)
    assert scenes.scenes_of(["nobody came to his party."])[0].state == "sad"  # a sentence's case


# Tables


def estimate(value, cases=12):
    return Estimate(value, value - 0.25, value + 0.25, cases)


def row(description="neutral", state: str | None = "neutral", hits=49):
    share, one = Share(hits, 50), estimate(1.0)
    return Row(description, state, share, Share(0, 300), Share(2, 80), Share(40, 40),
               *[one] * 11, resting=Share(1, 2))  # fmt: skip


def test_a_cell_has_value_cases_and_interval_and_a_miss_is_bold():
    columns = (
        Column("contact", "closed", low=0.95),
        Column("order", "order", low=2.0, digits=2),
        Column("closure_seconds", "ms", scale=1e3, digits=0),
    )
    lines = table([row("a | b"), row(hits=45)], columns).splitlines()
    assert lines[:2] == ["| description | closed | order | ms |", "| --- | --- | --- | --- |"]
    assert lines[2] == (
        "| a   b | 98.0 % (49/50, 90-100) | **1.00** (12, 0.75 to 1.25) | 1000 (12, 750 to 1250) |"
    )
    assert "**90.0 %** (45/50, 79-96)" in lines[3]
    assert table([replace(row(), contact=Share(0, 0))], columns[:1]).endswith("| neutral | - |")


def test_report_says_what_the_costliest_description_costs():
    dear = Report((row(), row("furious", "angry", 48), row("merry", "happy", 47)))
    said = dear.markdown()
    assert "merry, 4.0 points below neutral (at most 3 wanted: **missed**)" in said
    cheap = Report((row(), row("furious", "angry", 48))).markdown()
    assert "furious, 2.0 points below neutral (at most 3 wanted: met)" in cheap
    assert "Costliest" not in Report((row(),)).markdown()
    mute = [replace(row(name), contact=Share(0, 0)) for name in ("neutral", "furious")]
    assert "Costliest" not in Report(tuple(mute)).markdown()


def test_report_names_unknown_states_and_is_plain_data():
    report = Report((row(), row("odd", None)), truth=(row(),))
    assert "the state is not known: odd." in report.markdown()
    data = json.loads(json.dumps(report.rows()))
    assert data["measured"][0]["contact"] == {"hits": 49, "total": 50}
    assert data["truth"][0]["order"]["cases"] == 12
