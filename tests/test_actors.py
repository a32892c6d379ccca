"""Actors told apart: a code for each, their mean for anybody else, the same in training and use."""

import dataclasses

import numpy as np
import pytest
import torch

from mien.animator import Animator
from mien.data.batches import Batch, Batches
from mien.errors import MienError
from mien.model.actors import ActorCodes
from mien.model.autoencoder import AutoEncoder
from mien.model.predictors import Audio2Con, Step, Text2Exp
from mien.model.settings import ModelSettings
from mien.packfile import Pack
from mien.train.trainee import UNKNOWN, Trainee
from packs import TINY, write_random_pack
from twins import TwinTextEncoder, twin_speech_encoder

ACTORS = ("M003", "W009", "W011")
SMALL = ModelSettings(
    width=16, heads=2, layers=2, feature_size=8, window=6, decoder_window=3, speech_reach=2,
    speech_size=12, text_size=10, text_latents=3, coefficients=5, actors=ACTORS,
)  # fmt: skip


def test_the_unknown_actor_is_the_mean_of_the_known():
    codes = ActorCodes(3, 4)
    torch.nn.init.normal_(codes.codes)
    assert torch.allclose(codes(None)[0, 0], codes.codes.mean(0))
    assert torch.equal(codes(torch.eye(3))[:, 0], codes.codes)
    assert torch.allclose(codes(torch.full((1, 3), 1 / 3)), codes(None))


@torch.no_grad()
def test_stepping_is_the_sequence_form_for_each_actor():
    torch.manual_seed(0)
    audio2con, text2exp, decoder = Audio2Con(SMALL), Text2Exp(SMALL), AutoEncoder(SMALL).decoder
    for parameter in (p for net in (audio2con, text2exp, decoder) for p in net.parameters()):
        torch.nn.init.normal_(parameter, std=0.4)
    step = Step(SMALL, audio2con, text2exp, decoder, scale=0.01).eval()
    speech = torch.randn(1, 12 + 2 * SMALL.speech_reach, SMALL.speech_size).expand(3, -1, -1)
    text = torch.randn(1, SMALL.text_latents, SMALL.text_size).expand(3, -1, -1)
    level, who = torch.ones(3, 1), torch.tensor([[1.0, 0, 0], [0, 1.0, 0], [1 / 3] * 3])
    past, *memory = step.start(3)
    frames = []
    for t in range(12):
        past, *memory = step(past, speech[:, t : t + SMALL.speech_rows], text, level, *memory, who)
        frames.append(past)
    made = torch.stack(frames, dim=1) / step.scale
    before = torch.cat([torch.zeros_like(made[:, :1]), made[:, :-1]], dim=1)
    content = audio2con(before, speech, None, who)
    expression = text2exp(before, text[:, None], level[:, None], torch.ones(3, 1, 1), who)
    assert torch.allclose(made, decoder(content, expression), atol=1e-4)
    first, second, anybody = made
    for one, other in ((first, second), (first, anybody), (second, anybody)):
        assert (one - other).abs().max() > 0.01
    alone = audio2con(before[2:], speech[2:])
    assert torch.allclose(alone, content[2:], atol=1e-5)  # unsaid, it is the mean


@pytest.fixture(scope="module")
def pack(face, tmp_path_factory) -> Pack:
    settings = dataclasses.replace(TINY, actors=ACTORS)
    folder = tmp_path_factory.mktemp("actors")
    return Pack.read(write_random_pack(folder / "many.mien", face, settings=settings))


@pytest.fixture(scope="module")
def animator(pack, face) -> Animator:
    return Animator(pack, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]


def test_a_pack_animates_the_actor_that_is_named(animator):
    assert animator.pack.card.actors == ACTORS
    features = np.random.default_rng(0).standard_normal((8, 384)).astype(np.float32)
    shown = [animator.run(features, "glad", actor=actor) for actor in (*ACTORS, None)]
    for k, one in enumerate(shown):
        assert all(np.abs(one - other).max() > 1e-4 for other in shown[:k])
    assert np.array_equal(shown[0], animator.run(features, "glad", actor="M003"))


def test_an_actor_whom_the_pack_does_not_know_is_refused(animator):
    speech = np.zeros(16000, np.float32)
    with pytest.raises(MienError, match="does not know the actor 'M004'; it knows M003, W009, W01"):
        animator.animate(speech, "glad", actor="M004")
    plain = dataclasses.replace(animator.pack.card, actors=())
    with pytest.raises(MienError, match="trained as if all were one"):
        plain.actor_shares("M003")


def test_a_pack_whose_card_hides_its_actors_is_refused(pack, face):
    other = dataclasses.replace(pack, card=dataclasses.replace(pack.card, actors=()))
    with pytest.raises(MienError, match="does not fit its own card"):
        Animator(other, face, twin_speech_encoder(), TwinTextEncoder())  # type: ignore[arg-type]


class Drawn:
    """What `Trainee.actor_shares` needs of a trainee."""

    def tensor(self, values):
        return torch.as_tensor(values, dtype=torch.float32)


def test_now_and_then_training_does_not_tell_who_it_is():
    shares = np.eye(3, dtype=np.float32)[np.arange(900) % 3]
    empty = np.zeros(0)
    batch = Batch(*[empty] * 6, actor=shares)
    told = Trainee.actor_shares(Drawn(), batch, np.random.default_rng(0))  # type: ignore[arg-type]
    assert told is not None
    hidden = np.isclose(told.numpy(), 1 / 3).all(1)
    assert hidden.mean() == pytest.approx(UNKNOWN, abs=0.04)
    assert np.array_equal(told.numpy()[~hidden], shares[~hidden])
    always = Trainee.actor_shares(Drawn(), batch)  # type: ignore[arg-type]
    assert np.array_equal(always, shares)  # type: ignore[arg-type]


def test_crops_say_whose_they_are():
    """A clip of somebody whom the model does not tell apart has the mean of all."""
    batches = Batches.__new__(Batches)
    batches._actors = ("ann", "bob")
    clips = [type("Clip", (), {"actor": name}) for name in ("bob", "cem", "ann")]
    assert np.allclose(batches._shares(clips), [[0, 1], [0.5, 0.5], [1, 0]])  # type: ignore
    batches._actors = ()
    assert batches._shares(clips) is None  # type: ignore[arg-type]
