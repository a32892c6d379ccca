"""What a face's mouth does, from coefficients: the gaps of the lips, and the lip at the teeth.

`Face.gap` and `Face.lip_to_teeth` measure vertices; these are the same in PyTorch, for the losses.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from mien.face import Face


@dataclass(frozen=True, eq=False)
class Mouth:
    """Rows of the face's basis at the mouth, P pairs of the lips, L vertices and E of the teeth."""

    pairs: Tensor
    """(P, K): coefficients to the gap of each pair of the inner lips, metres."""
    lip: Tensor
    """(L, 3): the lower lip's crest on the template, metres."""
    lip_rows: Tensor
    """(L, 3, K): coefficients to its displacement."""
    teeth: Tensor
    """(E, 3): the edge of the upper incisors, which never move."""

    @classmethod
    def of(cls, face: Face, device: str = "cpu") -> "Mouth":
        """The mouth of a face, float32."""
        crest, edge = face.labiodental.lip, face.labiodental.teeth
        arrays = (
            face.contact_coefficients,
            face.template[crest],
            face.basis[:, crest].transpose(1, 2, 0),
            face.template[edge],
        )
        tensors = (torch.as_tensor(array, dtype=torch.float32) for array in arrays)
        return cls(*(tensor.to(device) for tensor in tensors))

    def gaps(self, coefficients: Tensor) -> Tensor:
        """(..., K), metres -> (..., P), metres; the largest is `Face.gap`."""
        return coefficients @ self.pairs.T

    def lip_to_teeth(self, coefficients: Tensor) -> Tensor:
        """(..., K), metres -> (...,), metres, as `Face.lip_to_teeth`."""
        lip = self.lip + torch.einsum("lck,...k->...lc", self.lip_rows, coefficients)
        apart = self.teeth[:, None] - lip[..., None, :, :]
        return apart.square().sum(-1).amin(-1).clamp(min=1e-12).sqrt().mean(-1)
