"""What coefficients mean on a face: gaps of the lips, lip at the teeth, weights of the units.

`Face` measures these on vertices; here they are in PyTorch, for the losses.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from mien.face import Face

RIDGE = 0.01
"""Share of the strongest direction of the units; directions weaker than this fade from `units`."""


@dataclass(frozen=True, eq=False)
class Readout:
    """Rows of the face's basis: P pairs of the lips, L vertices and E of the teeth, U units."""

    pairs: Tensor
    """(P, K): coefficients to the gap of each pair of the inner lips, metres."""
    lip: Tensor
    """(L, 3): the lower lip's crest on the template, metres."""
    lip_rows: Tensor
    """(L, 3, K): coefficients to its displacement."""
    teeth: Tensor
    """(E, 3): the edge of the upper incisors, which never move."""
    unit_rows: Tensor
    """(U, K): coefficients to the weights of the units."""
    vertices: int = 1
    """How many vertices the basis counts."""

    @classmethod
    def of(cls, face: Face, device: str = "cpu") -> "Readout":
        """The readout of a face, float32."""
        crest, edge = face.labiodental.lip, face.labiodental.teeth
        arrays = (
            face.contact_coefficients,
            face.template[crest],
            face.basis[:, crest].transpose(1, 2, 0),
            face.template[edge],
            _unit_rows(face.unit_coefficients),
        )
        tensors = (torch.as_tensor(array, dtype=torch.float32) for array in arrays)
        return cls(*(tensor.to(device) for tensor in tensors), vertices=len(face.basis_vertices))

    @property
    def has_lips(self) -> bool:
        """Whether the face has pairs of the inner lips."""
        return len(self.pairs) > 0

    @property
    def has_teeth(self) -> bool:
        """Whether the face has teeth and a lip to bite with."""
        return len(self.lip) > 0 and len(self.teeth) > 0

    def gaps(self, coefficients: Tensor) -> Tensor:
        """(..., K), metres -> (..., P), metres; the largest is `Face.gap`."""
        return coefficients @ self.pairs.T

    def lip_to_teeth(self, coefficients: Tensor) -> Tensor:
        """(..., K), metres -> (...,), metres, as `Face.lip_to_teeth`."""
        lip = self.lip + torch.einsum("lck,...k->...lc", self.lip_rows, coefficients)
        apart = self.teeth[:, None] - lip[..., None, :, :]
        return apart.square().sum(-1).amin(-1).clamp(min=1e-12).sqrt().mean(-1)

    def units(self, coefficients: Tensor) -> Tensor:
        """(..., K), metres -> (..., U): weights without bounds, by ridge regression, linear."""
        return coefficients @ self.unit_rows.T


def _unit_rows(units: np.ndarray) -> np.ndarray:
    """(U, K) coefficients of the units -> (U, K): rows that give their weights back, nearly."""
    gram = units @ units.T
    weakest = (RIDGE * np.linalg.norm(units, 2)) ** 2
    return np.linalg.solve(gram + weakest * np.eye(len(units)), units)
