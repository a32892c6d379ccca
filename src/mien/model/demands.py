"""What speech demands of the lips, heard: when they shut, when the lower one is bitten, how far
a vowel keeps them open.

Audio2Con blends this into everything else that a face does, and a millimetre is lost on the way;
a small network that hears nothing but this does not miss it. What it hears is solved as constraints
under whatever expression the face wears (`mien.lips`), as the simulated actor does.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

SURELY = (0.2, 0.8)
"""A contact likelier than the second is made, one less likely than the first is none; eased
between. Chosen on validation clips: `docs/LOG.md`."""
FLOOR_SCALE = 0.1
"""Weight of a millimetre of `floor` beside the cross-entropy of the contacts."""
DROPOUT, FEATURE_DROPOUT = 0.2, 0.1


class Demands(nn.Module):
    """speech_features -> closure, labiodental and floor, each seeing four frames to either side."""

    def __init__(self, speech_size: int, width: int):
        super().__init__()
        self.read = nn.Sequential(
            nn.Dropout(FEATURE_DROPOUT), nn.LayerNorm(speech_size), nn.Linear(speech_size, width)
        )
        self.look = nn.ModuleList(nn.Conv1d(width, width, 5, padding=2) for _ in range(2))
        self.dropout = nn.Dropout(DROPOUT)
        self.write = nn.Linear(width, 3)

    def heard(self, speech: Tensor) -> Tensor:
        """speech (B, T, speech_size) -> (B, T, 3): logits of both contacts; millimetres."""
        x = F.gelu(self.read(speech)).transpose(1, 2)
        for look in self.look:
            x = self.dropout(x + F.gelu(look(x)))
        return self.write(x.transpose(1, 2))

    def forward(self, speech: Tensor) -> Tensor:
        """speech (B, T, speech_size) -> (B, T, 3): contacts in [0, 1], floor ≥ 0 in metres."""
        heard = self.heard(speech)
        first, surely = SURELY
        likely = ((heard[..., :2].sigmoid() - first) / (surely - first)).clamp(0.0, 1.0)
        contacts = likely * likely * (3 - 2 * likely)
        return torch.cat([contacts, 1e-3 * F.relu(heard[..., 2:])], dim=-1)

    def loss(self, speech: Tensor, wanted: Tensor) -> Tensor:
        """Cross-entropy of the contacts and smooth L1 of the floor; wanted as `forward` gives."""
        heard = self.heard(speech)
        contacts = F.binary_cross_entropy_with_logits(heard[..., :2], wanted[..., :2])
        floor = F.smooth_l1_loss(F.relu(heard[..., 2]), 1e3 * wanted[..., 2])
        return contacts + FLOOR_SCALE * floor
