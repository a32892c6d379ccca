"""Losses with planted answers."""

import numpy as np
import pytest
import torch
from torch import nn

from mien.face import Face
from mien.model import losses
from mien.model.autoencoder import AutoEncoder
from mien.model.losses import LossScales
from mien.model.readout import Readout
from mien.model.settings import ModelSettings

T, K = 6, 4


def readout_of(pairs: torch.Tensor) -> Readout:
    """A readout with these pairs (P, K), a still lower lip, and coefficients for units."""
    still = torch.zeros(1, 3, pairs.shape[1])
    return Readout(pairs, torch.zeros(1, 3), still, torch.ones(1, 3), torch.eye(pairs.shape[1]))


class Additive(nn.Module):
    """A model that disentangles perfectly where content and expression live apart.

    Content is the first half of the coefficients, expression the second.
    """

    def __init__(self, broken: bool = False):
        super().__init__()
        self.broken = broken

    def content_encoder(self, x):
        return x[..., : K // 2]

    def expression_encoder(self, x):
        return x[..., K // 2 :]

    def decoder(self, content, expression):
        if self.broken:  # ignores the expression
            expression = torch.zeros_like(expression)
        return torch.cat([content, expression], dim=-1)


def quads() -> torch.Tensor:
    """a_n, b_n, a_m, b_m whose contents and expressions are exactly apart."""
    torch.manual_seed(0)
    a, b = torch.randn(2, 3, T, K // 2) * 3
    n, m = torch.randn(2, 3, 1, K // 2).expand(2, 3, T, K // 2) * 3
    return torch.stack([torch.cat(x, -1) for x in ((a, n), (b, n), (a, m), (b, m))], dim=1)


def test_a_model_that_disentangles_has_no_loss():
    readout = readout_of(torch.randn(2, K))
    found = losses.first_stage(Additive(), quads(), readout, 0.01, LossScales())  # type: ignore
    assert found["reconstruction"] == found["cross"] == found["contact"] == 0


def test_a_model_without_expression_pays_in_both():
    quad = quads()
    readout = readout_of(torch.randn(2, K))
    found = losses.first_stage(Additive(True), quad, readout, 0.01, LossScales())  # type: ignore
    a_n, b_n, a_m, b_m = (x[..., K // 2 :].square().mean() / 2 for x in quad.unbind(1))
    assert found["reconstruction"].item() == pytest.approx((a_n + b_m).item(), rel=1e-5)  # Eq. 1
    assert found["cross"].item() == pytest.approx((a_m + b_n).item(), rel=1e-5)  # Eq. 2


def test_cross_swaps_the_expressions():
    """Guards against crossing a with a: with the wrong swap this loss would not see the change."""
    quad = quads()
    quad[:, 2] += 1.0  # a_m is now not a's content with m's expression
    found = losses.first_stage(Additive(), quad, readout_of(torch.zeros(1, K)), 1.0, LossScales())  # type: ignore
    assert found["reconstruction"] == 0
    assert found["cross"].item() == pytest.approx(1.0, rel=1e-5)


@pytest.mark.parametrize(
    ("near", "far", "wanted"), [(0.0, 2.0, 0.0), (2.0, 0.0, 5.0), (1.0, 1.0, 1.0)]
)
def test_triplet(near, far, wanted):
    anchor = torch.zeros(1, T, K)
    found = losses.triplet(anchor, anchor + near, anchor + far, margin=1.0)
    assert found.item() == pytest.approx(wanted)


def test_contact_feels_a_closure_twenty_times_more_than_an_open_mouth():
    readout = readout_of(torch.tensor([[1.0, 0.0]]))
    closed, opened = torch.tensor([[[0.0005, 0.0]]]), torch.tensor([[[0.010, 0.0]]])
    miss = torch.tensor([[[0.002, 0.0]]])  # 2 mm
    near = losses.contact(closed + miss, closed, readout)
    far = losses.contact(opened + miss, opened, readout)
    assert near.item() == pytest.approx(1.5, rel=1e-4)  # smooth L1 of 2 mm
    assert near.item() == pytest.approx(20 * far.item(), rel=1e-4)


def test_contact_feels_the_lip_leave_the_teeth():
    """One coefficient lowers the lip; an f has it 1 mm off the teeth, where a miss weighs most."""
    lip_rows = torch.zeros(1, 3, 1)
    lip_rows[0, 1, 0] = -1.0
    readout = Readout(
        torch.zeros(1, 1), torch.zeros(1, 3), lip_rows, torch.zeros(1, 3), torch.zeros(1, 1)
    )
    bitten, far = torch.tensor([[[0.001]]]), torch.tensor([[[0.006]]])
    miss = torch.tensor([[[0.002]]])
    near = losses.contact(bitten + miss, bitten, readout)
    assert near.item() == pytest.approx(1.5, rel=1e-3)
    assert near.item() == pytest.approx(
        20 * losses.contact(far + miss, far, readout).item(), rel=1e-3
    )


def test_the_mouth_of_the_losses_is_the_face_s():
    face = Face.load()
    weights = face.limit(np.random.default_rng(0).uniform(0, 0.6, (5, 52)))
    coefficients = torch.as_tensor(face.weights_to_coefficients(weights), dtype=torch.float32)
    vertices, readout = face.weights_to_vertices(weights), Readout.of(face)
    gap = readout.gaps(coefficients).amax(-1)
    assert np.allclose(gap, face.gap(vertices), atol=2e-6)
    assert np.allclose(readout.lip_to_teeth(coefficients), face.lip_to_teeth(vertices), atol=2e-6)


def test_units_see_a_brow_as_well_as_a_jaw():
    """The weights that coefficients amount to, nearly; a brow is as much as a jaw there."""
    face = Face.load()
    readout = Readout.of(face)
    rest = torch.zeros(1, 52)
    for name in ("jawOpen", "browInnerUp", "eyeSquintLeft", "noseSneerRight"):
        weights = np.zeros((1, 52), np.float32)
        weights[0, face.unit_names.index(name)] = 0.8
        moved = torch.tensor(face.weights_to_coefficients(weights))
        assert readout.units(moved).numpy() == pytest.approx(weights, abs=0.12), name
        assert 0.35 < losses.units(moved, rest, readout).item() / (0.8**2 / 52) <= 1.05, name
    brow = torch.tensor(face.unit_coefficients[face.unit_names.index("browInnerUp")])
    jaw = torch.tensor(face.unit_coefficients[face.unit_names.index("jawOpen")])
    assert brow.square().sum() < 0.002 * jaw.square().sum()


def test_velocity_forgives_an_offset_and_counts_a_jump():
    true = torch.randn(2, T, K)
    assert losses.velocity(true + 5.0, true).item() == pytest.approx(0.0, abs=1e-9)
    jumped = true.clone()
    jumped[:, T // 2 :] += 2.0  # one step of 2 among T - 1
    assert losses.velocity(jumped, true).item() == pytest.approx(4.0 / (T - 1), rel=1e-4)


def test_embedding_compares_what_was_meant_with_what_is_read():
    """Eq. 7 on a decoder that adds 1 to every expression channel: mean |difference| is 1."""

    class Off(Additive):
        def decoder(self, content, expression):
            return torch.cat([content, expression + 1], dim=-1)

    content, expression = torch.randn(2, 2, T, K // 2)
    target = torch.cat([content, expression], dim=-1)
    made, found = losses.second_stage(
        Off(),  # type: ignore[arg-type]
        content,
        expression,
        target,
        readout_of(torch.zeros(1, K)),
        1.0,
    )
    assert found["embedding"].item() == pytest.approx(1.0, rel=1e-5)
    assert found["face"].item() == pytest.approx(0.5, rel=1e-5)  # Eq. 6: half the channels, by 1
    assert torch.equal(made[..., K // 2 :], expression + 1)


def test_half_precision_reads_and_does_not_write():
    """What is compared with the truth stays in float32: in bfloat16 a gap of 10 mm has steps of
    0.06 mm."""
    torch.manual_seed(0)
    model = AutoEncoder(ModelSettings(width=16, heads=2, layers=1, feature_size=8))
    nn.init.normal_(model.decoder.write.weight)
    content, expression, target = (torch.randn(2, T, n) for n in (8, 8, 52))
    readout = readout_of(torch.randn(3, 52))
    (whole, exact), (made, found) = (
        losses.second_stage(model, content, expression, target, readout, 0.01, half=half)
        for half in (False, True)
    )
    assert torch.equal(made, whole)
    assert all(found[name] == exact[name] for name in ("face", "contact", "velocity"))
    assert found["embedding"] != exact["embedding"]
    assert found["embedding"].item() == pytest.approx(exact["embedding"].item(), rel=0.02)


def test_total_weighs_by_name():
    scales = LossScales(reconstruction=2.0, cross=0.5)
    found = losses.total({"reconstruction": torch.tensor(3.0), "cross": torch.tensor(4.0)}, scales)
    assert found == 8.0
