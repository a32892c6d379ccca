"""Simulated clips, recalled from their records and performed again."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from mien.data.again import LATEST_ARRIVAL, Again
from mien.data.clips import Clip, Phone
from mien.data.demanded import Demanded
from mien.data.simulate.actor import perform
from mien.data.simulate.articulation import Style
from mien.data.simulate.expressions import STATES
from mien.data.simulate.prominence import prominence
from mien.data.simulate.recall import recall
from mien.face import Face

FPS, FRAMES, SEED = 30.0, 90, 5
STYLE = Style(jaw=1.1, side=0.3)
SAID = ["pau", "m", "aa", "p", "iy", "f", "ow", "b", "ah", "v", "eh", "pau", "pau", "pau"]
PHONES = [
    Phone(name, 0.1 * place, 0.1 * (place + 1))
    for place, name in enumerate(
        ["pau", "m", "aa", "p", "iy", "f", "ow", "b", "ah", "v", "eh", "pau", "pau", "pau"] * 2
    )
]


@pytest.fixture(scope="module")
def face() -> Face:
    return Face.load()


@pytest.fixture(scope="module")
def clip(face) -> Clip:
    """A clip as the corpus keeps it."""
    speech = np.random.default_rng(0).normal(0, 0.1, 48000).astype(np.float32)
    shown = perform(
        PHONES,
        FRAMES,
        fps=FPS,
        state=STATES["happy"],
        level=0.8,
        style=STYLE,
        seed=SEED,
        face=face,
        prominence=prominence(speech, PHONES),
    )
    return Clip(
        id="0-0", sentence="map", sentence_id=0, actor="sid", voice="slt", rate=1.0,
        emotion="happy", level=0.8, fps=FPS, frames=FRAMES, steady=shown.steady, split="train",
        provenance={"prosody": "independent", "style": dataclasses.asdict(STYLE), "seed": SEED},
        speech=speech, weights=shown.weights, phones=PHONES, envelope=shown.envelope,
    )  # fmt: skip


def test_a_clip_performed_again_as_it_was_is_the_same(face, clip):
    """What is recalled is what the actor was told: the same expression and seed, the same face."""

    class Same:
        def integers(self, _):
            return SEED

    again = Again.of([clip], face)
    made = again.perform(Same(), clip.id, STATES["happy"], 0.8)  # type: ignore[arg-type]
    assert np.allclose(made, face.weights_to_coefficients(clip.weights), atol=1e-7)


def test_only_known_phones_are_recalled_and_only_an_independent_voice_again(face, clip):
    captured = dataclasses.replace(clip, provenance={})
    assert recall(dataclasses.replace(captured, phones=[]), face) is None
    assert recall(captured, face) is not None
    follows = {**clip.provenance, "prosody": "confounded"}
    assert not Again.of([captured, dataclasses.replace(clip, provenance=follows)], face).said


def test_quads_share_the_content_across_and_the_expression_along(face, clip):
    """Under a_n and a_m the same closures; the expression is that of its own half's sentence."""
    again = Again.of([clip], face)
    frames = (FRAMES - int(np.ceil(LATEST_ARRIVAL * FPS))) // 2
    quads = again.quads(np.random.default_rng(1), 6, frames)
    assert quads.shape == (6, 4, frames, 52)
    a_n, b_n, a_m, b_m = np.moveaxis(quads, 1, 0)
    own = np.linalg.norm(a_n.mean(1) - b_n.mean(1)) + np.linalg.norm(a_m.mean(1) - b_m.mean(1))
    other = np.linalg.norm(a_n.mean(1) - b_m.mean(1)) + np.linalg.norm(a_m.mean(1) - b_n.mean(1))
    assert own < other
    gaps = [face.coefficients_to_weights(x.reshape(-1, 52)) for x in (a_n, a_m)]
    rows = face.unit_coefficients @ face.contact_coefficients.T
    shut = [((w @ rows).max(axis=1) < 1e-3) for w in gaps]
    assert (shut[0] == shut[1]).mean() > 0.8
    assert not again.usable(frames + 1)


def test_demands_of_a_clip_are_those_of_its_phones(face, clip):
    corpus = SimpleNamespace(records=[clip.record], clip=lambda _: clip)
    heard = np.arange(2 * FRAMES * 384, dtype=np.float32).reshape(2, FRAMES, 384) / 1e4
    demanded = Demanded(corpus, heard, face, split="train")  # type: ignore[arg-type]
    assert len(demanded) == 1
    speech, wanted = demanded.draw(np.random.default_rng(0), 3, 40)
    assert speech.shape == (3, 40, 384)
    assert wanted.shape == (3, 40, 3)
    ((_, whole),) = demanded.clips()
    shut, bitten = round(0.15 * FPS), round(0.55 * FPS)
    assert whole[shut, 0] > 0.9 > 0.1 > whole[shut, 1]
    assert whole[bitten, 1] > 0.9 > 0.1 > whole[bitten, 0]
    assert whole[:, 2].max() > 2e-3
    assert len(Demanded(corpus, heard, face, split="test")) == 0  # type: ignore[arg-type]
