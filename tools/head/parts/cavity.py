"""The dark bag behind the lips: MakeHuman's own mouth bag, joined to the skin's open edge."""

import numpy as np

from head.parts.surface import smoothstep
from head.types import Part, Skin

FADE = 0.012
"""The skin's corrections of a unit reach this far into the bag, metres."""
DARK = ((0.50, 0.22, 0.21), (0.36, 0.13, 0.125), (0.16, 0.045, 0.045))
"""sRGB at the lips, at the molars and in the throat."""


def build(skin: Skin) -> list[Part]:
    """The bag, closed at the back, so that nothing shines through an open mouth."""
    marks = skin.landmarks
    vertices = marks.helpers["cavity"].copy()
    deltas = marks.helper_deltas["cavity"].copy()
    rim = skin.template[marks.mouth_rim]
    gaps = np.linalg.norm(vertices[:, None] - rim, axis=2)
    nearest = gaps.argmin(axis=1)
    own = gaps.argmin(axis=0)
    pull = 1 - smoothstep(0, FADE, gaps.min(axis=1))
    correction = skin.unit_deltas[:, marks.mouth_rim] - deltas[:, own]
    deltas += pull[:, None] * correction[:, nearest]
    vertices += pull[:, None] * (rim - vertices[own])[nearest]
    quads = marks.helper_quads["cavity"]
    triangles = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]]]).astype(np.int32)
    return [Part("cavity", vertices, triangles, deltas, _colors(vertices, rim))]


def _colors(vertices: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """sRGB (n, 3): dark red behind the lips, black in the throat."""
    depth = rim[:, 2].max() - vertices[:, 2]
    near, middle, far = (np.array(c) for c in DARK)
    to_middle = smoothstep(0, 0.028, depth)[:, None]
    to_far = smoothstep(0.028, 0.060, depth)[:, None]
    return (near * (1 - to_middle) + middle * to_middle) * (1 - to_far) + far * to_far
