"""The curves on which the rows of teeth stand, and how far light reaches along them."""

from dataclasses import dataclass

import numpy as np

from head.parts.surface import smoothstep
from head.types import Skin

MM = 1e-3
FULLNESS = 2.15
"""Exponent of the arch's ellipse: above 2 it is flatter in front and rounder at the sides."""


@dataclass(frozen=True)
class Arch:
    """Where a row of teeth stands; metres."""

    front: float
    """z of the incisors' front at the edge."""
    edge: float
    """y of the incisors' edge."""
    half_width: float
    """Of the ellipse through the teeth's fronts."""
    length: float
    """Of the ellipse, front to back."""
    down: float
    """-1 where crowns point down (upper row), +1 where they point up."""
    lean: float
    """How far the gum end lies behind (+) the edge, as a slope."""

    def at(self, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) and outward normals (n, 3) at distances along the arch from the midline."""
        turn = np.linspace(-np.pi / 2, np.pi / 2, 801)[1:-1]
        power = 2 / FULLNESS
        across = np.sign(turn) * np.abs(np.sin(turn)) ** power
        x, z = self.half_width * across, self.length * (np.cos(turn) ** power - 1)
        steps = np.hypot(np.diff(x), np.diff(z))
        along = np.concatenate([[0], np.cumsum(steps)])
        px, pz = (np.interp(distance, along - along[399], a) for a in (x, z))
        zero = np.zeros_like(px)
        points = np.stack([px, zero + self.edge, self.front + pz], axis=-1)
        nx = np.sign(px) * np.abs(px / self.half_width) ** (FULLNESS - 1) / self.half_width
        nz = (pz / self.length + 1) ** (FULLNESS - 1) / self.length
        normal = np.stack([nx, zero, nz], axis=-1)
        return points, normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def arches(skin: Skin) -> tuple[Arch, Arch]:
    """Upper and lower arch, placed behind the closed lips of the template."""
    line = skin.template[skin.landmarks.lip_upper]
    middle = line[np.abs(line[:, 0]).argmin()]
    front = float(skin.template[skin.landmarks.mouth_rim, 2].max()) - 1.8 * MM
    edge = float(middle[1]) - 2.0 * MM
    upper = Arch(front, edge, 29.5 * MM, 47 * MM, -1, 0.10)
    lower = Arch(front - 2.8 * MM, edge + 1.0 * MM, 27.5 * MM, 45 * MM, 1, 0.10)
    return upper, lower


def shade(distance: np.ndarray | float) -> np.ndarray:
    """How bright things are at a distance along the arch from the midline, metres; 1 in front."""
    return 1 - 0.30 * smoothstep(10 * MM, 42 * MM, np.abs(distance))
