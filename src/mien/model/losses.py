"""The losses of the paper, Eqs. 1-8, and the terms contact, units and velocity.

Norms are means: over batch, frames and the channels of the last axis. Coefficients are divided by
one global scale before (docs/architecture.md says why), features have unit variance. With `metres`
the squares of Eqs. 1, 2 and 6 are the paper's instead: of vertices in metres.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from mien.model.autoencoder import AutoEncoder
from mien.model.readout import Readout


@dataclass(frozen=True)
class LossScales:
    """The λ of each loss; zero switches it off."""

    reconstruction: float = 1.0
    """λ_self, Eq. 1."""
    cross: float = 1.0
    """λ_cross, Eq. 2."""
    content: float = 0.01
    """λ_con, Eq. 3."""
    expression: float = 0.01
    """λ_exp, Eq. 4."""
    face: float = 1.0
    """λ_face, Eq. 6."""
    embedding: float = 0.02
    """λ_emb, Eq. 7."""
    contact: float = 0.02
    """λ of the contact term, in both stages."""
    units: float = 0.0
    """λ of the units term, in both stages."""
    demands: float = 1.0
    """λ of what the network of the lips' demands is trained by, alone in its stage."""
    velocity: float = 0.0
    """λ of the velocity term, stage 2."""
    reading: float = 0.0
    """λ of the reading term, before and in stage 2."""
    naming: float = 0.0
    """λ of the naming term, before and in stage 2."""
    margin: float = 1.0
    """Margin of the triplet losses."""
    metres: bool = False
    """Whether Eqs. 1, 2 and 6 are means over frames, vertices and axes in square metres, as the
    paper's λ suppose; otherwise over coefficients in the global scale."""


def total(losses: dict[str, Tensor], scales: LossScales) -> Tensor:
    """Sum of the named losses times their scales (Eqs. 5 and 8)."""
    return torch.stack([getattr(scales, name) * value for name, value in losses.items()]).sum()


def mean_square(
    predicted: Tensor, true: Tensor, readout: Readout, scale: float, *, metres: bool
) -> Tensor:
    """‖·‖² of Eqs. 1, 2 and 6 for coefficients (..., K) divided by `scale`.

    The basis is orthonormal: with `metres` the sum over coefficients is that over the vertices that
    the basis counts, and is divided by their number and three axes.
    """
    found = (predicted - true).square().mean()
    return found * scale**2 * predicted.shape[-1] / (3 * readout.vertices) if metres else found


def triplet(anchor: Tensor, positive: Tensor, negative: Tensor, margin: float) -> Tensor:
    """max(0, ‖a - p‖² - ‖a - n‖² + margin) per frame, ‖·‖² the mean over channels; its mean."""
    near = (anchor - positive).square().mean(-1)
    far = (anchor - negative).square().mean(-1)
    return F.relu(near - far + margin).mean()


NEAR_CONTACT, NEAR_TEETH = 2.0, 2.5
"""Millimetres: where the true lips are nearer to each other, or the lower one to the upper teeth
(an f has 1.1), a frame weighs fully; others a twentieth."""


def contact(predicted: Tensor, true: Tensor, readout: Readout) -> Tensor:
    """Distance between the gaps of the lips, and between their distances to the teeth.

    A 1 mm error of the lips is 0.2 % of Eq. 6, which therefore sees neither a closure (p, b, m) nor
    a bitten lip (f, v); here the frames near contact weigh most. A face without pairs of the lips
    or without teeth feels nothing there.

    Args:
        predicted, true: (..., K), in metres.
    """
    near = predicted.new_zeros(())
    if readout.has_lips:
        near = _felt(readout.gaps(predicted), readout.gaps(true), NEAR_CONTACT)
    if not readout.has_teeth:
        return near
    bite, bitten = (readout.lip_to_teeth(x)[..., None] for x in (predicted, true))
    return near + _felt(bite, bitten, NEAR_TEETH)


def _felt(predicted: Tensor, true: Tensor, near: float) -> Tensor:
    """Smooth L1 in millimetres of distances (..., N) in metres; `near` as in NEAR_CONTACT."""
    predicted, true = 1e3 * predicted, 1e3 * true
    weight = torch.where(true.amax(-1, keepdim=True) < near, 1.0, 0.05)
    return (weight * F.smooth_l1_loss(predicted, true, reduction="none")).mean()


def units(predicted: Tensor, true: Tensor, readout: Readout) -> Tensor:
    """Mean square difference of the units' weights.

    A brow moves a thousandth of the squared distance that a jaw does, and Eq. 6 lets it go; whoever
    reads a face does not.

    Args:
        predicted, true: (..., K), in metres.
    """
    return readout.units(predicted - true).square().mean()


def velocity(predicted: Tensor, true: Tensor) -> Tensor:
    """Mean square difference of the steps between frames; predicted, true (B, T, K).

    A trembling of half a millimetre hardly counts in Eq. 6 and is what a viewer sees in silence.
    """
    return (predicted.diff(dim=1) - true.diff(dim=1)).square().mean()


def first_stage(
    model: AutoEncoder, quads: Tensor, readout: Readout, scale: float, scales: LossScales
) -> dict[str, Tensor]:
    """The losses of stage 1 for quads (B, 4, T, K): a_n, b_n, a_m, b_m, divided by `scale`."""
    a_n, b_n, a_m, b_m = quads.unbind(1)
    everything = torch.cat([a_n, b_n, a_m, b_m])
    content = model.content_encoder(everything)
    expression = model.expression_encoder(everything)
    con_an, con_bn, con_am, con_bm = content.chunk(4)
    exp_an, exp_bn, exp_am, exp_bm = expression.chunk(4)

    # Eq. 1 rebuilds a_n and b_m; Eq. 2: a's content with m's expression is a_m, and the reverse.
    contents = torch.cat([con_an, con_bm, con_an, con_bm])
    expressions = torch.cat([exp_an, exp_bm, exp_bm, exp_an])
    wanted = torch.cat([a_n, b_m, a_m, b_n])
    made = model.decoder(contents, expressions)
    own, crossed = (
        mean_square(*pair, readout, scale, metres=scales.metres)
        for pair in zip(made.chunk(2), wanted.chunk(2), strict=True)
    )
    margin = scales.margin
    return {
        "reconstruction": 2 * own,
        "cross": 2 * crossed,
        "content": triplet(con_an, con_am, con_bn, margin)
        + triplet(con_bm, con_bn, con_am, margin),  # Eq. 3: positives share the content
        "expression": triplet(exp_an, exp_bn, exp_am, margin)
        + triplet(exp_bm, exp_am, exp_bn, margin),  # Eq. 4: positives share the expression
        "contact": contact(made * scale, wanted * scale, readout),
        "units": units(made * scale, wanted * scale, readout),
    }


def second_stage(
    model: AutoEncoder,
    content: Tensor,
    expression: Tensor,
    target: Tensor,
    readout: Readout,
    scale: float,
    *,
    half: bool = False,
    metres: bool = False,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The animation that D makes of predicted features, and the losses of stage 2.

    Args:
        content, expression: (B, T, feature_size), from Audio2Con and Text2Exp.
        target: (B, T, K), the true animation divided by `scale`.
        half: whether E_con and E_exp run in bfloat16; D does not, or gaps would be rounded.
        metres: as in LossScales.
    """
    made = model.decoder(content, expression)
    # Eq. 7: the encoders, frozen, must see in the animation what the predictors meant. Every
    # second sample is enough: the term is small, and the encoders are a third of the step's work.
    with torch.autocast(made.device.type, torch.bfloat16, enabled=half):
        seen_content = model.content_encoder(made[::2])
        seen_expression = model.expression_encoder(made[::2])
    embedding = (content[::2] - seen_content).abs().mean()
    embedding = embedding + (expression[::2] - seen_expression).abs().mean()
    return made, {
        "face": mean_square(made, target, readout, scale, metres=metres),  # Eq. 6
        "embedding": embedding,
        "contact": contact(made * scale, target * scale, readout),
        "units": units(made * scale, target * scale, readout),
        "velocity": velocity(made, target),
    }
