"""Speech and a description in, an animation out: with a random pack and twins of the encoders."""

import dataclasses
from dataclasses import replace
from typing import Any

import numpy as np
import onnxruntime
import pytest

from mien import audio, lips
from mien.animator import RUN_UP, Animator, resampled, timeline_of
from mien.errors import MienError
from mien.face import UNIT_NAMES, Face
from mien.packfile import Pack
from mien.timeline import EASE, Cue, Timeline
from packs import TINY, write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder

SECONDS = 1.5


@pytest.fixture(scope="module")
def face():
    return Face.load()


@pytest.fixture(scope="module")
def pack(face, tmp_path_factory):
    return Pack.read(write_random_pack(tmp_path_factory.mktemp("pack") / "random.mien", face))


@pytest.fixture(scope="module")
def animator(pack, face):
    return new_animator(pack, face)


def new_animator(pack, face):
    return Animator(pack, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def speech():
    return babble(SECONDS)


def babble(seconds):
    moments = np.arange(audio.seconds_to_samples(seconds)) / audio.SPEECH_RATE
    noise = np.random.default_rng(0).standard_normal(len(moments))
    return (0.1 * noise * np.sin(2 * np.pi * 2.5 * moments) ** 2).astype(np.float32)


@pytest.fixture
def planted(animator, face, monkeypatch):
    """An animator whose networks say what the test says: weights by unit, in every frame, and
    demands (T, 3) of the lips, none unless given."""

    def plant(demands=None, **weights):
        pose = np.array([weights.get(name, 0.0) for name in UNIT_NAMES])
        frame = face.weights_to_coefficients(pose)
        monkeypatch.setattr(
            animator, "roll", lambda heard, *_, **__: np.tile(frame, (len(heard), 1))
        )
        none = np.zeros(3, np.float32)
        heard_in = (lambda heard: np.tile(none, (len(heard), 1))) if demands is None else demands
        monkeypatch.setattr(animator, "demands", heard_in)
        return animator

    return plant


# One input, one output


def test_the_same_twice(animator, pack, face, speech):
    """Nothing is left over in the animator from the description before."""
    first = animator.animate(speech, "calm").weights
    animator.animate(speech, "furious")
    assert np.array_equal(animator.animate(speech, "calm").weights, first)
    assert np.array_equal(new_animator(pack, face).animate(speech, "calm").weights, first)


def test_the_description_its_level_and_the_speech_matter(animator, speech):
    calm = animator.animate(speech, "calm").weights
    assert np.abs(animator.animate(speech, "furious").weights - calm).max() > 0.02
    assert np.abs(animator.animate(speech, "calm", strength=0.2).weights - calm).max() > 0.02
    assert np.abs(animator.animate(speech[::-1], "calm").weights - calm).max() > 0.02


def test_the_beginning_does_not_wait_for_the_end(animator, speech):
    """Half the features give half the frames, but for those that look ahead."""
    features = animator.encode_speech(speech)
    half = len(features) // 2
    whole = animator.run(features, "calm")
    part = animator.run(features[:half], "calm")
    sure = half - TINY.speech_reach
    assert np.array_equal(part[:sure], whole[:sure])
    assert not np.array_equal(part[sure:], whole[sure:half])


def test_each_frame_hears_its_own_features(animator):
    """A change at feature 20 is first seen `reach` frames before it."""
    features = np.zeros((40, 384), np.float32)
    changed = features.copy()
    changed[20] = np.random.default_rng(0).standard_normal(384)
    apart = np.abs(animator.run(features, "calm") - animator.run(changed, "calm")).max(1)
    assert np.flatnonzero(apart)[0] == 20 - TINY.speech_reach


def test_each_frame_comes_from_the_one_before(pack, animator, speech):
    """The slow twin hands every output of the graph to the input of its name."""
    features, text = animator.encode_speech(speech), animator.encode_description("calm")
    session = onnxruntime.InferenceSession(pack.step)
    inputs: dict[str, Any] = {
        one.name: np.zeros(one.shape, np.float32) for one in session.get_inputs()
    }
    inputs.update(text=text[None], level=np.full((1, 1), 0.8, np.float32))
    reach, last = TINY.speech_reach, len(features) - 1
    names = [one.name for one in session.get_outputs()]
    for t, found in enumerate(animator.roll(features, text, 0.8)):
        near = [min(max(t + away, 0), last) for away in range(-reach, reach + 1)]
        inputs["speech"] = np.stack([features[i] for i in near])[None]
        outputs: dict[str, Any] = dict(zip(names, session.run(None, inputs), strict=True))
        assert np.allclose(found, outputs["coefficients"][0], atol=1e-6)
        inputs.update(
            past=outputs["coefficients"],
            state=outputs["new_state"],
            decoder_state=outputs["new_decoder_state"],
            age=outputs["new_age"],
        )


def test_speech_is_encoded_once_for_many_descriptions(animator, face, speech, monkeypatch):
    wanted = {name: animator.animate(speech, name).weights for name in ("calm", "furious", "")}
    features = animator.encode_speech(speech)
    monkeypatch.setattr(animator, "encode_speech", lambda _: pytest.fail("encoded again"))
    for name, weights in wanted.items():
        assert np.array_equal(animator.animate(speech, name, features=features).weights, weights)
        solved = animator.solve(animator.run(features, name), features)
        assert np.allclose(solved, weights, atol=1e-6)


def test_text_features_may_be_mixed(animator, speech):
    """What `roll` makes at a mixture's ends is what `run` makes; between, it is neither."""
    features = animator.encode_speech(speech)
    calm, furious = (animator.encode_description(name) for name in ("calm", "furious"))
    assert calm.shape == (TINY.text_latents, TINY.text_size)
    assert np.array_equal(
        animator.roll(features, calm, 0.7), animator.run(features, "calm", strength=0.7)
    )
    ends = [animator.run(features, name) for name in ("calm", "furious")]
    mixed = animator.roll(features, 0.5 * (calm + furious), 1.0)
    assert min(np.abs(mixed - end).max() for end in ends) > 1e-4


# Description and level


@pytest.mark.parametrize("empty", ["", "   ", "\n\x00"])
def test_an_empty_description_is_neutral(animator, speech, empty):
    found = animator.animate(speech, empty, strength=1.5).weights
    assert np.array_equal(found, animator.animate(speech, "neutral", strength=0).weights)


def test_levels():
    assert timeline_of("calm", 0.4, 1.0) == Timeline((Cue(0, "calm", 0.4),))
    for wrong in (-0.1, 1.6, float("nan"), float("inf")):
        with pytest.raises(MienError, match=r"a number from 0 to 1\.5 is wanted"):
            timeline_of("calm", wrong, 1.0)


# Descriptions over time

TURN = Timeline((Cue(0, "calm"), Cue(0.5, "furious", 0.6), Cue(1.0, "")))


def test_one_cue_is_its_description_to_the_bit(animator, speech):
    """What was animated before there were timelines stays as it was."""
    features, text = animator.encode_speech(speech), animator.encode_description("calm")
    plain = animator.roll(features, text, 0.7)
    for way in ("calm", Timeline.of("calm"), Timeline((Cue(0.3, " calm\n", ease=1),))):
        assert np.array_equal(animator.run(features, way, strength=0.7), plain)
    wanted = animator.animate(speech, "calm", strength=0.7).weights
    timeline = Timeline((Cue(0, "calm", 0.7),))
    assert np.array_equal(animator.animate(speech, timeline).weights, wanted)


def test_a_face_is_what_its_cues_faces_are_faded_to(animator, speech):
    """The slow twin animates all of the speech under every cue and mixes the frames by hand."""
    features = animator.encode_speech(speech)
    calm = animator.run(features, "calm", strength=1.2)
    furious = animator.run(features, "furious", strength=0.72)
    neutral = animator.run(features, "")
    wanted = []
    for t in range(len(features)):
        x, y = (min(max((t / 30 - at) / EASE, 0), 1) for at in (0.5, 1.0))
        x, y = (3 * z**2 - 2 * z**3 for z in (x, y))
        wanted.append((1 - y) * ((1 - x) * calm[t] + x * furious[t]) + y * neutral[t])
    assert np.allclose(animator.run(features, TURN, strength=1.2), wanted, atol=1e-6)
    made = animator.animate(speech, TURN, strength=1.2).weights
    assert np.allclose(made, animator.solve(np.stack(wanted), features), atol=1e-5)


def test_a_late_cue_has_a_run_up_and_costs_no_more(animator, monkeypatch):
    """A cue is rolled from shortly before it shows to its end, and heard as from the beginning."""
    features = animator.encode_speech(babble(12.0))
    rolled, roll = [], animator.roll

    def counted(heard, *rest, **more):
        rolled.append(len(heard))
        return roll(heard, *rest, **more)

    monkeypatch.setattr(animator, "roll", counted)
    late = animator.run(features, Timeline((Cue(0, "calm"), Cue(8, "furious"), Cue(11, "sad"))))
    reach, change = TINY.speech_reach, round(30 * EASE)
    assert rolled == [240 + change + reach, RUN_UP + 90 + change - 1 + reach, RUN_UP + 29]
    # Two windows of four frames are forgotten by then.
    assert np.allclose(late[249:330], animator.run(features, "furious")[249:330], atol=1e-3)


def test_progress_of_several_cues_never_goes_back(animator, speech):
    calls = []
    animator.animate(speech, TURN, progress=lambda *call: calls.append(call))
    assert calls == [(done, 45) for done in range(46)]


def test_a_cue_that_is_cut_off_before_its_first_frame(animator, speech):
    cues = Cue(0, "calm"), Cue(0.51, "sad", ease=0), Cue(0.52, "furious", ease=0)
    features = animator.encode_speech(speech)
    made = animator.run(features, Timeline(cues))
    assert np.array_equal(made[:16], animator.run(features, "calm")[:16])
    assert np.array_equal(made[16:], animator.run(features, "furious")[16:])


def test_text_and_level_may_change_from_frame_to_frame(animator, speech):
    features, text = animator.encode_speech(speech), animator.encode_description("calm")
    still = animator.roll(features, text, 0.7)
    every = np.stack([text] * 45), np.full(45, 0.7)
    assert np.array_equal(animator.roll(features, *every), still)
    every[0][20:], every[1][30:] = 0, 0
    changed = animator.roll(features, *every)
    assert np.array_equal(changed[:20], still[:20])
    assert np.abs(changed[20:] - still[20:]).max() > 1e-3


def test_before_a_change_nothing_is_changed(animator, speech):
    features = animator.encode_speech(speech)
    calm, turned = animator.run(features, "calm"), animator.run(features, TURN)
    assert np.array_equal(turned[:16], calm[:16])
    assert not np.allclose(turned[16], calm[16], atol=1e-6)


def test_a_change_comes_at_its_second_at_any_fps(animator, speech):
    slow, usual = (animator.animate(speech, TURN, fps=fps).weights for fps in (15, 30))
    assert np.allclose(slow, usual[::2], atol=1e-6)


def test_a_cue_over_1_5_counts_as_1_5(animator, speech):
    loud = Timeline((Cue(0, "furious", 1.2),))
    most = Timeline((Cue(0, "furious", 1.5),))
    assert np.array_equal(
        animator.animate(speech, loud, strength=1.4).weights, animator.animate(speech, most).weights
    )


def test_each_description_is_encoded_once(animator, speech, monkeypatch):
    read = []
    encode = animator.encode_description
    monkeypatch.setattr(
        animator, "encode_description", lambda text: (read.append(text), encode(text))[1]
    )
    rows = [(0, "calm"), (0.3, "furious"), (0.6, " calm "), (0.9, "sad", 0), (1.2, "")]
    animator.animate(speech, Timeline.parse(rows))
    assert sorted(read) == ["", "calm", "furious"]


def test_values_of_other_frames_are_refused(animator, speech):
    features, text = animator.encode_speech(speech), animator.encode_description("calm")
    with pytest.raises(MienError, match="values for 44 frames are not of this speech; give 45"):
        animator.roll(features, np.stack([text] * 44), 1.0)
    with pytest.raises(MienError, match="values for 46 frames"):
        animator.roll(features, text, np.ones(46))


# Frames


@pytest.mark.parametrize("fps", [1, 12, 23.976, 25, 29.97, 30, 60, 120])
@pytest.mark.parametrize("seconds", [0.1, 0.4999, 1.0001])
def test_every_fps_has_its_number_of_frames(planted, fps, seconds):
    speech = babble(seconds)
    made = planted(jawOpen=0.5).animate(speech, "calm", fps=fps)
    assert made.weights.shape == (audio.frame_count(len(speech), fps), 52)
    assert made.weights.dtype == np.float32
    assert made.fps == fps
    jaw = made.weights[:, UNIT_NAMES.index("jawOpen")]
    assert np.allclose(jaw, 0.5, atol=1e-3)


def test_resampling_keeps_the_moments():
    """A ramp stays the same ramp in time; beyond the last frame it holds still."""
    ramp = np.arange(30, dtype=np.float32)[:, None] / 30
    for fps in (10, 24, 30, 50, 240):
        frames = int(fps)
        wanted = np.minimum(np.arange(frames) / fps, 29 / 30)
        assert np.allclose(resampled(ramp, frames, fps)[:, 0], wanted, atol=1e-6)
    noise = np.random.default_rng(0).random((100, 5), np.float32)
    assert np.array_equal(resampled(noise, 100, 30.0), noise)
    assert np.array_equal(resampled(noise, 200, 60.0)[::2], noise)


def test_progress_counts_every_frame(animator, speech):
    calls = []
    animator.animate(speech, "calm", fps=60, progress=lambda *call: calls.append(call))
    assert calls == [(done, 45) for done in range(46)]


# Weights


def test_weights_are_what_the_networks_mean(planted, speech):
    found = planted(mouthSmileLeft=0.6, browInnerUp=0.3).animate(speech, "calm").weights
    wanted = {"mouthSmileLeft": 0.6, "browInnerUp": 0.3}
    for unit, name in enumerate(UNIT_NAMES):
        assert np.allclose(found[:, unit], wanted.get(name, 0), atol=1e-3)


def test_lips_meet_what_is_heard_under_any_expression(planted, face, speech):
    """A grin that parts the lips shuts for p, and opens again; a clenched mouth opens for a vowel;
    silence demands nothing."""

    def heard(features):
        demands = np.zeros((len(features), 3), np.float32)
        demands[10:13, 0] = demands[20:23, 1] = 1.0
        demands[30:33, 2] = 4e-3
        return demands

    stems = {"mouthSmile": 0.9, "mouthUpperUp": 0.5, "mouthLowerDown": 0.5}
    grin = {f"{stem}{side}": amount for stem, amount in stems.items() for side in ("Left", "Right")}
    animator = planted(heard, **grin)
    made = animator.animate(speech, "grinning").weights
    gap, bite = 1e3 * lips.gap_of(made, face), 1e3 * lips.bite_of(made, face)
    assert gap[9] > 3 > 0.5 > abs(gap[11])
    assert bite[21] < 2 < bite[19]
    assert np.array_equal(made[:10], made[13:20][:1].repeat(10, 0))
    smile = UNIT_NAMES.index("mouthSmileLeft")
    assert made[11, smile] == pytest.approx(made[9, smile], abs=1e-6)
    animator = planted(heard, mouthPressLeft=0.6, mouthPressRight=0.6)
    gap = 1e3 * lips.gap_of(animator.animate(speech, "clenched").weights, face)
    assert gap[9] < 1 < 3.9 < gap[31]
    animator = planted(mouthUpperUpLeft=0.5, mouthUpperUpRight=0.5)
    assert np.ptp(animator.animate(speech, "sneering").weights, axis=0).max() < 1e-6


def test_a_pack_without_demands_animates_as_its_networks_say(pack, face, speech):
    """So are older packs, and those of corpora whose phones nobody knows."""
    bare = new_animator(replace(pack, demands=None), face)
    made = bare.animate(speech, "calm").weights
    features = bare.encode_speech(speech)
    assert np.array_equal(bare.demands(features), np.zeros((len(features), 3)))
    rows = bare.face.coefficients_to_weights(bare.run(features, "calm"))
    opened = lips.open_to(face.limit(rows), np.full(len(rows), lips.LEAST_GAP), face)
    assert np.allclose(made, face.limit(opened), atol=1e-5)


@pytest.mark.parametrize("life", [None, 3])
@pytest.mark.parametrize("fps", [30, 48])
def test_clashing_units_are_limited_always(planted, face, speech, life, fps):
    """The tongue cannot leave a closed mouth, whatever the networks say."""
    made = planted(tongueOut=0.8, jawRight=0.2).animate(speech, "calm", life=life, fps=fps)
    assert made.weights[:, UNIT_NAMES.index("tongueOut")].max() < 1e-6
    assert np.array_equal(face.limit(made.weights), made.weights)


@pytest.mark.parametrize("fps", [30, 48])
def test_life_is_what_add_life_makes_of_the_weights(planted, monkeypatch, fps):
    """`life` is a package of its own, with its own tests: here only that it is asked and kept."""
    animator, speech = planted(jawOpen=0.3), babble(1.0)
    still = animator.animate(speech, "calm", fps=fps)
    asked = []

    def watched(weights, **named):
        asked.append((weights, named))
        alive = weights.copy()
        alive[:, UNIT_NAMES.index("eyeBlinkLeft")] = 0.5
        return alive, np.full((len(weights), 3), 0.1, np.float32)

    monkeypatch.setattr("mien.animator.add_life", watched)
    made = animator.animate(speech, "calm", fps=fps, life=7)
    ((weights, named),) = asked
    assert np.array_equal(weights, still.weights)
    assert (named["fps"], named["seed"]) == (fps, 7)
    assert np.array_equal(named["speech"], speech)
    lid = UNIT_NAMES.index("eyeBlinkLeft")
    assert (made.weights[:, lid] == 0.5).all()
    assert np.array_equal(np.delete(made.weights, lid, 1), np.delete(still.weights, lid, 1))
    assert made.head is not None
    assert made.head.shape == (fps, 3)
    assert still.head is None


def test_the_seed_of_life_decides(planted):
    animator, speech = planted(jawOpen=0.3), babble(4.0)
    first, again, other = (animator.animate(speech, "calm", life=seed) for seed in (0, 0, 1))
    lids = [UNIT_NAMES.index(name) for name in ("eyeBlinkLeft", "eyeBlinkRight")]
    assert (first.weights[:, lids].max(0) > 0.9).all()
    assert np.array_equal(first.weights, again.weights)
    assert np.array_equal(first.head, again.head)
    assert not np.array_equal(first.weights, other.weights)


# Refusals


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"speech": babble(0.05)}, "at least 0.1 s is needed"),
        ({"speech": np.full(16000, np.nan)}, "not finite"),
        ({"speech": np.zeros((2, 16000))}, "one channel"),
        ({"description": "calm " * 300}, "1,500 characters"),
        ({"description": Timeline.parse([(0, "a"), (1, "b " * 600)])}, "1,200 characters"),
        (
            {"description": Timeline.parse([(0, "calm"), (1.5, "sad")])},
            r"the cue 'sad' is at 1\.5 s, but the speech is 1\.50 s long",
        ),
        ({"strength": 2.0}, "strength is 2.0"),
        ({"fps": 0}, "fps is 0"),
        ({"fps": float("nan")}, "fps is nan"),
        ({"features": np.zeros((44, 384))}, "44 features are not of this speech; give 45"),
    ],
)
def test_bad_input_is_refused_before_anything_is_computed(
    animator, speech, monkeypatch, changes, match
):
    for work in ("encode_speech", "encode_description", "roll"):
        monkeypatch.setattr(animator, work, lambda *_: pytest.fail("it was computed"))
    with pytest.raises(MienError, match=match):
        animator.animate(**{"speech": speech, "description": "calm", **changes})


@pytest.mark.parametrize("what", ["face", "speech_encoder", "text_encoder"])
def test_a_pack_belongs_to_its_face_and_encoders(pack, face, what):
    """Other features or another basis would animate nonsense, without any error."""
    other = dataclasses.replace(pack, card=dataclasses.replace(pack.card, **{what: "another"}))
    with pytest.raises(MienError, match=f"was trained with {what} 'another', not '"):
        new_animator(other, face)


@pytest.mark.parametrize(
    "change", [{"reach": 4}, {"state": (1, 2, 2, 16, 64)}, {"coefficients": 50}]
)
def test_a_card_that_does_not_fit_the_graph(pack, face, change):
    other = dataclasses.replace(pack, card=dataclasses.replace(pack.card, **change))
    with pytest.raises(MienError, match="does not fit its own card"):
        new_animator(other, face)


def test_strength_0_is_neutral_whatever_the_description(animator):
    """Guards the floor: a network alone leaves a trace of the words at level 0."""
    speech = np.zeros(8000, np.float32)
    furious = animator.animate(speech, "boiling with fury", strength=0.0).weights
    assert np.array_equal(furious, animator.animate(speech, "").weights)
    features = animator.encode_speech(speech)
    still = animator.run(features, "")
    assert np.array_equal(animator.run(features, "boiling with fury", strength=0.0), still)
