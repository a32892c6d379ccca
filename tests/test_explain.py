"""What a face does is named as an animator would, and far-away texts are told from known ones."""

import dataclasses

import numpy as np
import pytest

from mien import explain
from mien.animator import Animator
from mien.data.known import UNFAMILIAR, index_of, sampled
from mien.data.simulate.bank import Bank
from mien.data.simulate.expressions import STATES
from mien.errors import MienError
from mien.explain import LEVELS, Familiarity, likest_states, strongest_units
from mien.face import UNIT_NAMES
from mien.packfile import Pack
from twins import TwinTextEncoder, twin_speech_encoder

STRANGER = "quarterly tax report"
WORDS = ["a wide smile", "a small smile", "happy", "very happy", "happy and calm", "sad and calm"]


def shown(face, state, level):
    """Coefficients (K,) of a state held at a level."""
    return face.weights_to_coefficients(face.limit(STATES[state].weights_at(level, UNIT_NAMES)))


@pytest.fixture
def actor(pack, face):
    """An animator of a random pack that knows WORDS, and calls far what is less near than 0.5."""
    known = dataclasses.replace(index_of(WORDS, WORDS, TwinTextEncoder()), familiar=0.5)
    read = dataclasses.replace(Pack.read(pack), known=known)
    return Animator(read, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]


@pytest.fixture
def poses(monkeypatch, actor, face):
    """Let the animator settle to a given pose, from something else before."""

    def pose(coefficients):
        def run(features, description, *, strength=1.0):
            made = np.tile(coefficients, (len(features), 1)).astype(np.float32)
            made[:-10] = 1.0
            return made

        solve = face.coefficients_to_weights
        monkeypatch.setattr(actor, "run", run)
        monkeypatch.setattr(actor, "solve", lambda made: np.repeat(solve(made[-1:]), 45, axis=0))

    return pose


# States


@pytest.mark.parametrize("level", [0.3, 0.75, 1.0, 1.4])
def test_a_planted_state_is_found_with_its_level(face, level):
    names = [name for name, state in STATES.items() if state.weights]
    found = {name: likest_states(shown(face, name, level), face)[0] for name in names}
    wrong = {name: one for name, one in found.items() if one.state != name}
    assert not wrong
    for name, one in found.items():
        assert one.share > 0.99
        # Units at their bounds grow no more, so that a high level may look like a lower one.
        assert np.allclose(shown(face, name, one.level), shown(face, name, level), atol=2e-3)


def test_a_share_is_of_the_way_from_neutral(face):
    """A third of the movement is something else, at right angles to a happy face."""
    happy = shown(face, "happy", 1.0)
    other = np.random.default_rng(0).normal(size=len(happy))
    other -= happy * (other @ happy) / (happy @ happy)
    other *= np.linalg.norm(happy) / 3 / np.linalg.norm(other)
    found = {one.state: one for one in likest_states(happy + other, face)}
    assert found["happy"].share == pytest.approx(1 - (1 / 3) / np.hypot(1, 1 / 3), abs=0.02)
    assert found["happy"].level == pytest.approx(1.0, abs=0.051)


def test_a_face_like_no_state_has_none(face):
    """No state shifts the jaw to a side."""
    aside = np.array([unit == "jawLeft" for unit in UNIT_NAMES], np.float32)
    assert likest_states(face.weights_to_coefficients(aside), face) == ()


def test_states_are_named_likest_first(face):
    between = 0.6 * shown(face, "sad", 1.0) + 0.4 * shown(face, "angry", 1.0)
    shares = [one.share for one in likest_states(between, face)]
    assert shares == sorted(shares, reverse=True)
    assert len(shares) == 3


# Units


def weights(**amounts):
    return np.array([amounts.get(name, 0.0) for name in UNIT_NAMES])


def test_sides_are_merged_where_they_are_alike():
    found = strongest_units(
        weights(
            mouthSmileLeft=0.8, mouthSmileRight=0.72, eyeBlinkLeft=0.9, eyeBlinkRight=0.3,
            jawOpen=0.2, browInnerUp=0.05,
        ),
        UNIT_NAMES,
    )  # fmt: skip
    assert [unit for unit, _ in found] == [
        "eyeBlinkLeft", "mouthSmile", "eyeBlinkRight", "jawOpen"
    ]  # fmt: skip
    assert [amount for _, amount in found] == pytest.approx([0.9, 0.76, 0.3, 0.2])


def test_a_face_at_rest_has_no_units():
    assert strongest_units(weights(), UNIT_NAMES) == ()


def test_units_and_states_are_those_of_the_settled_face(actor, face, poses):
    """What comes before the last third of a second is the way there."""
    poses(shown(face, "wink_left", 1.0))
    made = explain.explain(actor, "  a\twide smile ")
    assert made.description == "a wide smile"
    assert made.states[0].state == "wink_left"
    amounts = dict(made.units)
    held = face.limit(STATES["wink_left"].weights_at(1.0, UNIT_NAMES))
    assert amounts["eyeBlinkLeft"] == pytest.approx(
        held[UNIT_NAMES.index("eyeBlinkLeft")], abs=0.05
    )
    assert amounts.get("eyeBlinkRight", 0) < 0.2
    assert not made.at_rest


def test_a_face_at_rest_is_neutral_and_nothing_else(actor, face, poses):
    poses(np.full(len(UNIT_NAMES), 5e-3 / len(UNIT_NAMES) ** 0.5))
    made = explain.explain(actor, "happy", strength=0.0)
    assert made.at_rest
    assert (made.states, made.units) == ((), ())
    assert "neutral: the face is at rest" in made.text()
    assert "none above 0.1" in made.text()


def test_components_have_no_names_to_tell(actor, face, poses):
    """A signed face, such as FLAME, moves by components: neither units nor states are made up."""
    names = tuple(f"component_{place:03d}" for place in range(len(UNIT_NAMES)))
    actor.face = dataclasses.replace(face, unit_names=names, signed=True)
    poses(shown(face, "happy", 1.0))
    made = explain.explain(actor, "happy")
    assert (made.units, made.states, made.at_rest) == ((), (), False)
    assert "by components without names" in made.text()
    assert "component_" not in made.text()
    poses(np.zeros(len(UNIT_NAMES)))
    assert explain.explain(actor, "happy").at_rest


def test_strength_reaches_the_face(actor):
    """A random pack moves otherwise at another level."""
    full, none = (explain.explain(actor, "happy", strength=s) for s in (1.0, 0.0))
    assert full.units != none.units
    with pytest.raises(MienError, match="strength is 2"):
        explain.explain(actor, "happy", strength=2.0)


# Familiarity


def test_known_wordings_are_near_and_strangers_far(actor):
    near, far = (explain.familiarity(actor, d) for d in ("happy and calm", STRANGER))
    assert near
    assert far
    assert near.wordings[0] == ("happy and calm", pytest.approx(1.0, abs=2e-3))
    assert not near.far
    assert far.far
    assert explain.warning(actor, "happy and calm") is None
    said = explain.warning(actor, STRANGER) or ""
    assert said.startswith(f'"{STRANGER}" is far from all')
    assert f"Warning: {said}." in explain.explain(actor, STRANGER).text()
    assert "Warning" not in explain.explain(actor, "happy and calm").text()


def test_nearness_is_the_mean_of_the_five_greatest_cosines(actor):
    vector = TwinTextEncoder().embed(["a happy smile"])[0]
    cosines = sorted(float(c) for c in TwinTextEncoder().embed(WORDS) @ vector)
    found = explain.familiarity(actor, "a happy smile")
    assert found
    assert found.nearness == pytest.approx(np.mean(cosines[1:]), abs=1e-3)
    assert [cosine for _, cosine in found.wordings] == pytest.approx(cosines[:-4:-1], abs=1e-3)


def test_what_is_familiar_leaves_out_a_twentieth():
    held_out = [f"{a} {b}" for a in ("a", "very", "wide", "happy") for b in map(str, range(25))]
    known = index_of(WORDS, held_out, TwinTextEncoder())
    vectors = TwinTextEncoder().embed(held_out)
    assert np.mean(known.nearness(vectors) < known.familiar) == pytest.approx(UNFAMILIAR, abs=0.011)


def test_a_sample_holds_every_state_and_only_its_split():
    texts = sampled(np.random.default_rng(0), "train", per_state=3, composed=20)
    assert len(set(texts)) == len(texts)
    bank = Bank.load()
    own = {s: {d.text for d in bank.descriptions(s, "train")} for s in bank.entries}
    assert all(len(own[state] & set(texts)) == 3 for state in own)
    assert len(set(texts) - set().union(*own.values())) == 20
    assert texts == sampled(np.random.default_rng(0), "train", per_state=3, composed=20)
    held_out = {d.text for s in bank.entries for d in bank.descriptions(s, "validation")}
    assert not held_out & set(texts)


def test_a_pack_without_known_wordings_says_that_it_cannot_judge(pack, face):
    encoders = twin_speech_encoder(), TwinTextEncoder()
    old = Animator(Pack.read(pack), face, *encoders)  # type: ignore[arg-type]
    assert explain.warning(old, STRANGER) is None
    text = explain.explain(old, STRANGER).text()
    assert "cannot be judged" in text
    assert "Warning" not in text


# The text and the command


def test_the_text():
    made = explain.Explanation(
        "quietly furious", 1.0, (("browDown", 0.784), ("eyeBlinkLeft", 0.5)),
        (explain.Likeness("seething", 0.857, 0.85),), False,
        Familiarity(0.3, 0.4, (("furious", 0.813),)),
    )  # fmt: skip
    assert made.text() == (
        '"quietly furious" at strength 1\n\n'
        "Nearest states\n  seething         86% alike, at level 0.85\n\n"
        "Strongest units\n  browDown            0.78\n  eyeBlinkLeft        0.50\n\n"
        'Nearest known wordings\n  0.81  "furious"\n\n'
        f"Warning: {explain.far_away('quietly furious')}."
    )
    assert LEVELS[0] > 0


@pytest.fixture
def knowing(actor, folder):
    """The path of the actor's pack."""
    actor.pack.write(folder / "knowing.mien")
    return folder / "knowing.mien"


@pytest.mark.usefixtures("quick")
def test_the_command_prints_it(mien_, knowing):
    status, out, err = mien_("explain", "happy", "--strength", "0.5", pack=knowing)
    assert (status, err) == (0, "")
    assert out.startswith('"happy" at strength 0.5\n\nNearest states\n')
    assert 'Nearest known wordings\n  1.00  "happy"\n' in out
    assert "Warning: " in mien_("explain", STRANGER, pack=knowing)[1]


@pytest.mark.usefixtures("quick")
def test_animate_warns_once_of_each_stranger(mien_, knowing):
    cues = ["--at", "0", "happy and calm", "--at", "0.1", STRANGER, "--at", "0.3", STRANGER]
    status, out, err = mien_("animate", "hello.wav", *cues, "-o", "a.csv", "--quiet", pack=knowing)
    assert (status, out) == (0, "a.csv\n")
    assert err == f"mien: {explain.far_away(STRANGER)}\n"


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("arguments", "match", "loads"),
    [
        (["  "], "the description is empty", False),
        (["so calm..." * 1000], "has 10,000 characters", False),
        (["calm", "--strength", "much"], "'much' is not a number", False),
        (["calm", "--strength", "2"], r"strength is 2\.0; a number from 0 to 1\.5", False),
        ([], "the following arguments are required: description", False),
    ],
)
def test_refused(refused, arguments, match, loads):
    refused("explain", *arguments, match=match, loads=loads)
