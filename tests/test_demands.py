"""The network that hears what speech demands of the lips, and how it is judged."""

import numpy as np
import pytest
import torch

from mien.model.demands import SURELY, Demands
from mien.train.demands import heard_rightly

FRAMES = 40


def planted(closure=(), bitten=(), floor=()):
    """Demands (T, 3) that are full in these ranges of frames; a vowel's floor is 4 mm."""
    demands = np.zeros((FRAMES, 3), np.float32)
    for kind, ranges, amount in ((0, closure, 1.0), (1, bitten, 1.0), (2, floor, 4e-3)):
        for first, last in ranges:
            demands[first:last, kind] = amount
    return demands


def test_a_contact_counts_where_it_is_wanted_and_a_shut_vowel_is_told():
    wanted = planted(closure=[(5, 8), (20, 22)], bitten=[(12, 14)], floor=[(24, 34)])
    near = planted(closure=[(8, 9), (30, 32)], bitten=[(12, 13)], floor=[(24, 34)])
    found = heard_rightly([(wanted, wanted), (near, wanted)])
    assert found["closures_heard"] == pytest.approx(3 / 4)  # a frame late, and missed
    assert found["bites_heard"] == 1.0
    assert found["vowels_closed"] == pytest.approx(2 / 20)
    assert found["floor_error"] == 0.0
    assert heard_rightly([(near * 0, wanted)])["floor_error"] == pytest.approx(4.0)


def test_contacts_are_sharpened_and_the_floor_is_in_metres():
    """The likelihoods of SURELY's ends are none and all; a floor is never negative."""
    network = Demands(6, 4).eval()
    first, surely = SURELY
    for likely, wanted in ((first, 0.0), (surely, 1.0), ((first + surely) / 2, 0.5)):
        logit = float(np.log(likely / (1 - likely)))
        with torch.no_grad():
            network.write.weight.zero_()
            network.write.bias.copy_(torch.tensor([logit, -logit, -2.0]))
            made = network(torch.zeros(1, 5, 6))[0]
        assert made[:, 0].numpy() == pytest.approx(np.full(5, wanted), abs=1e-5)
        assert made[:, 1].numpy() == pytest.approx(np.full(5, 1 - wanted), abs=1e-5)
        assert (made[:, 2] == 0).all()
    with torch.no_grad():
        network.write.bias[2] = 3.0
        assert network(torch.zeros(1, 5, 6))[0, :, 2].numpy() == pytest.approx(3e-3)


def test_a_frame_hears_four_to_either_side():
    torch.manual_seed(0)
    network = Demands(6, 8).eval()
    speech = torch.randn(1, 30, 6)
    changed = speech.clone()
    changed[:, 20:] = torch.randn(1, 10, 6)
    with torch.no_grad():
        apart = (network.heard(speech) - network.heard(changed)).abs().amax(-1)[0]
    assert (apart[:16] < 1e-6).all()
    assert apart[16] > 1e-6


def test_it_learns_what_can_be_heard():
    """A channel that shuts the lips, one that bites, one that is the opening."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    network = Demands(6, 16)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    speech = rng.normal(size=(8, 60, 6)).astype(np.float32)
    wanted = np.stack([speech[..., 0] > 0.5, speech[..., 1] > 0.5, 2e-3 * (speech[..., 2] > 0)], -1)
    crops, wanted = torch.tensor(speech), torch.tensor(wanted, dtype=torch.float32)
    first = network.loss(crops, wanted).item()
    for _ in range(150):
        optimizer.zero_grad()
        loss = network.loss(crops, wanted)
        loss.backward()
        optimizer.step()
    assert network.eval().loss(crops, wanted).item() < 0.3 * first
