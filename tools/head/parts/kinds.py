"""The shapes of the fourteen teeth of each row, from the midline to the back."""

from dataclasses import dataclass

import numpy as np

MM = 1e-3


@dataclass(frozen=True)
class Kind:
    """The shape of one tooth, millimetres."""

    width: float
    """Along the arch, at its widest."""
    height: float
    """Of the crown, gum to edge."""
    depth: float
    """Front to back at the gum."""
    edge: float
    """Front to back at the biting edge."""
    neck: float
    """Width at the gum, as a share of the widest."""
    point: float
    """How far the edge's middle stands out beyond its corners."""
    raised: float
    """How far its edge stays short of the incisors' edge line."""


UPPER = (
    Kind(8.5, 10.3, 6.6, 1.5, 0.85, 0.0, 0.0),
    Kind(6.7, 9.2, 5.8, 1.4, 0.84, 0.1, 0.8),
    Kind(7.5, 10.2, 7.4, 2.2, 0.82, 1.4, 0.1),
    Kind(6.9, 9.6, 8.6, 5.2, 0.82, 0.9, 0.9),
    Kind(6.7, 9.0, 8.8, 5.6, 0.84, 0.7, 1.0),
    Kind(9.6, 8.6, 10.2, 7.4, 0.86, 0.5, 1.2),
    Kind(9.0, 8.2, 10.0, 7.4, 0.86, 0.4, 1.6),
)
LOWER = (
    Kind(5.4, 8.6, 5.6, 1.3, 0.82, 0.0, 0.0),
    Kind(5.9, 8.8, 5.8, 1.3, 0.82, 0.0, 0.1),
    Kind(6.9, 9.8, 7.2, 2.0, 0.82, 1.0, -0.2),
    Kind(7.0, 8.2, 7.6, 4.6, 0.80, 0.8, 0.5),
    Kind(7.1, 7.8, 8.2, 5.6, 0.82, 0.6, 0.8),
    Kind(10.6, 7.2, 9.8, 7.6, 0.86, 0.5, 1.0),
    Kind(10.0, 6.8, 9.6, 7.6, 0.86, 0.4, 1.2),
)


def places(kinds: tuple[Kind, ...]) -> np.ndarray:
    """Distance (7,) of each tooth's middle from the midline along the arch, metres."""
    widths = np.array([kind.width for kind in kinds]) * MM
    return np.cumsum(widths) - widths / 2
