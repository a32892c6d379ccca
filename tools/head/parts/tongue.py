"""The tongue: a flattened, domed tube that lies in the lower row of teeth and can be stuck out."""

import numpy as np

from head.parts.arch import MM, arches
from head.parts.jaw import Jaw
from head.parts.surface import body, lerp_rows, smoothstep
from head.types import Part, Skin

AROUND = 20
# Along the middle line, root to tip: (how far behind the lower incisors' edge, how far below it,
# half width, half height), millimetres.
SPINE = np.array(
    [
        (58, 16, 13.0, 9.0),
        (50, 6.5, 15.5, 10.5),
        (41, 3.6, 17.0, 10.5),
        (32, 3.6, 17.5, 9.0),
        (24, 4.2, 17.0, 7.2),
        (17, 4.4, 15.0, 5.6),
        (12, 4.0, 11.8, 4.2),
        (8.4, 3.2, 8.0, 2.9),
        (6.2, 2.5, 4.8, 2.0),
        (5.3, 2.2, 2.2, 1.1),
        (5.0, 2.1, 0.0, 0.0),
    ]
)
# Where the same points go when the tongue is out: (how far behind (+) or before (-) the edge, how
# far below (+) or above (-) it, half width, half height). Half-way it passes over the teeth.
SPINE_OUT = np.array(
    [
        (56, 15, 13.0, 9.0),
        (44, 7, 15.5, 9.0),
        (29, 2.0, 16.5, 7.0),
        (14, -2.6, 16.0, 5.0),
        (2, -4.6, 15.5, 4.0),
        (-10, -4.4, 14.6, 3.8),
        (-18, -2.6, 12.8, 3.4),
        (-24, 0.2, 9.6, 2.8),
        (-27.6, 2.6, 5.8, 2.0),
        (-28.9, 3.6, 2.8, 1.1),
        (-29.3, 4.0, 0.0, 0.0),
    ]
)
TIP, BODY, ROOT = (0.83, 0.51, 0.50), (0.83, 0.49, 0.48), (0.66, 0.33, 0.32)


def build(skin: Skin) -> list[Part]:
    """The tongue; it turns with the jaw, less toward the root, and `tongueOut` sticks it out."""
    lower = arches(skin)[1]
    origin = np.array([0, lower.edge, lower.front])
    vertices = origin + _tube(SPINE)
    carried = np.repeat(np.linspace(0.45, 1, 4).tolist() + [1.0] * (len(SPINE) - 4), AROUND)
    deltas = Jaw.of(skin).deltas(skin.unit_names, vertices) * carried[:, None]
    deltas[skin.unit_names.index("tongueOut")] = origin + _tube(SPINE_OUT) - vertices
    triangles = body(vertices, len(SPINE))
    return [Part("tongue", vertices, triangles, deltas, _colors())]


def _tube(spine: np.ndarray) -> np.ndarray:
    """Points (rings * AROUND, 3), metres, about the lower incisors' edge."""
    behind, below, width, height = spine.T * MM
    turn = np.arange(AROUND) * (2 * np.pi / AROUND)
    across, up = np.cos(turn), np.sin(turn)
    # Flat below, domed above with a groove along the middle.
    up = np.where(up < 0, 0.8 * up, up) - 0.28 * np.clip(np.sin(turn), 0, 1) ** 12
    x = width[:, None] * across
    y = -below[:, None] + height[:, None] * up
    z = -behind[:, None] + 0 * across
    return np.stack([x, y, z], axis=-1).reshape(-1, 3)


def _colors() -> np.ndarray:
    """sRGB (n, 3): pink at the tip, dark at the root, a darker groove and underside."""
    along = np.repeat(np.linspace(0, 1, len(SPINE)), AROUND)
    colors = lerp_rows(along, np.array([0.0, 0.55, 1.0]), np.array([ROOT, BODY, TIP]))
    turn = np.arange(AROUND) * (2 * np.pi / AROUND)
    groove = 1 - 0.22 * np.clip(np.sin(turn), 0, 1) ** 12
    under = 1 - 0.35 * smoothstep(0.1, 0.7, -np.sin(turn))
    return colors * np.tile(groove * under, len(SPINE))[:, None]
