"""The skin's colours: tone, blush, lips, lids, nostrils and cropped hair, all painted by rule.

Places are given in millimetres in the head's frame; sRGB everywhere.
"""

import numpy as np

from head.parts.surface import normals, smoothstep
from head.types import Skin

MM = 1e-3
TONE = (0.835, 0.655, 0.565)
BLUSH = (0.815, 0.525, 0.460)
LIPS = (0.735, 0.430, 0.405)
INNER_LIPS = (0.640, 0.320, 0.310)
MOUTH = (0.400, 0.160, 0.155)
LIDS = (0.735, 0.530, 0.460)
LID_RIM = (0.790, 0.500, 0.465)
LASH_LINE = (0.330, 0.220, 0.190)
NOSTRILS = (0.330, 0.170, 0.145)
HAIR = (0.235, 0.180, 0.150)

BLUSHES = (
    # middle (x, y, z), reach, share of BLUSH; millimetres. Both sides alike.
    ((45, -35, 10), 22, 0.50),
    ((0, -33, 42), 13, 0.45),
    ((12, -40, 30), 9, 0.30),
    ((0, -92, 22), 13, 0.22),
    ((28, -10, 18), 9, 0.15),
)
# The hairline: height y at each angle round the head's upright axis from the front (degrees).
HAIRLINE = np.array([
    (0, 60), (15, 61), (30, 57), (42, 49), (52, 46), (62, 40), (70, 22), (76, 2), (82, -10),
    (88, -8), (93, 12), (100, 24), (110, 22), (118, 4), (125, -18), (135, -42), (150, -58),
    (165, -64), (180, -66),
])
AXIS = (0, -70)
"""x, z of the head's upright axis, millimetres."""
HAIR_SOFT = 5.0
"""The hairline fades over so many millimetres either way."""


def colors(skin: Skin) -> np.ndarray:
    """sRGB (V, 3) in 0..1 of the skin's vertices."""
    places = skin.template / MM
    paint = np.tile(TONE, (len(places), 1))
    paint = paint * (1 + 0.018 * _mottle(places))[:, None]
    paint = _over(paint, BLUSH, _blush(places))
    paint = _over(paint, LIDS, _lids(skin))
    paint = _over(paint, NOSTRILS, _nostrils(skin))
    paint = _over(paint, HAIR, 0.80 * _hair(places))
    paint = _lips(paint, skin)
    return np.clip(_lid_rims(paint, skin), 0, 1)


def _over(below: np.ndarray, color: tuple[float, float, float], share: np.ndarray) -> np.ndarray:
    """A colour laid over others (V, 3) with an opacity (V,)."""
    return below + share[:, None] * (np.array(color) - below)


def _mottle(places: np.ndarray) -> np.ndarray:
    """Slow unevenness of the tone (V,), about -1..1, the same on every build."""
    random = np.random.default_rng(7)
    waves = random.normal(0, 1, (12, 3)) / random.uniform(8, 30, (12, 1))
    return np.sin(places @ waves.T + random.uniform(0, 2 * np.pi, 12)).sum(1) / 4


def _blush(places: np.ndarray) -> np.ndarray:
    """Share of the redder tone (V,): cheeks, nose, chin, ears."""
    share = np.zeros(len(places))
    mirrored = np.abs(places) * [1, 0, 0] + places * [0, 1, 1]
    for middle, reach, most in BLUSHES:
        away = np.linalg.norm(mirrored - middle, axis=1) / reach
        share = np.maximum(share, most * np.exp(-(away**2)))
    ears = smoothstep(70, 80, mirrored[:, 0]) * (np.abs(places[:, 1] + 15) < 45)
    return np.maximum(share, 0.45 * ears)


def _hops(skin: Skin, start: np.ndarray, most: int) -> np.ndarray:
    """Number of edges (V,) from the nearest of the vertices `start`, at most `most`."""
    edges = np.concatenate([skin.quads[:, [k, (k + 1) % 4]] for k in range(4)])
    hops = np.full(len(skin.template), most)
    hops[start] = 0
    for _ in range(most):
        for a, b in ((0, 1), (1, 0)):
            np.minimum.at(hops, edges[:, a], hops[edges[:, b]] + 1)
    return hops


def _behind_lips(skin: Skin) -> np.ndarray:
    """(V,) bool: the skin inside the mouth, behind the line where the lips touch."""
    line = np.concatenate([skin.landmarks.lip_upper, skin.landmarks.lip_lower])
    edges = np.concatenate([skin.quads[:, [k, (k + 1) % 4]] for k in range(4)])
    edges = edges[~np.isin(edges, line).any(axis=1)]
    inside = np.zeros(len(skin.template), dtype=bool)
    inside[skin.landmarks.mouth_rim] = True
    while True:
        grown = inside.copy()
        for a, b in ((0, 1), (1, 0)):
            grown[edges[inside[edges[:, a]], b]] = True
        if (grown == inside).all():
            return inside
        inside = grown


def _lips(paint: np.ndarray, skin: Skin) -> np.ndarray:
    """The red of the lips, by rings of the mesh out from the line where they touch."""
    line = np.concatenate([skin.landmarks.lip_upper, skin.landmarks.lip_lower])
    hops = _hops(skin, line, 9).astype(float)
    inside = _behind_lips(skin)
    outer = np.interp(hops, [0, 4, 5, 6, 7], [0.95, 0.9, 0.75, 0.25, 0.0]) * ~inside
    paint = _over(paint, LIPS, outer)
    paint = _over(paint, INNER_LIPS, 0.8 * np.exp(-hops / 1.2) * ~inside)
    inner = inside.astype(float)
    paint = _over(paint, INNER_LIPS, inner)
    return _over(paint, MOUTH, inner * smoothstep(0, 3, hops))


def _lids(skin: Skin) -> np.ndarray:
    """Share (V,) of the darker tone of the lids and round the eyes."""
    share = np.zeros(len(skin.template))
    for side in (0, 1):
        for rims, reach, most in ((skin.landmarks.lid_upper, 9, 0.55), (skin.landmarks.lid_lower, 7, 0.35)):
            gaps = np.linalg.norm(skin.template[:, None] - skin.template[rims[side]], axis=2)
            share = np.maximum(share, most * np.exp(-((gaps.min(1) / MM / reach) ** 2)))
    return share


def _lid_rims(paint: np.ndarray, skin: Skin) -> np.ndarray:
    """Pink wet rims, and a thin dark line where the lashes are rooted."""
    marks = skin.landmarks
    for side in (0, 1):
        centre, radius = marks.eye_centres[side], marks.eye_radii[side]
        away = np.linalg.norm(skin.template - centre, axis=1)
        paint = _over(paint, LID_RIM, (away < radius - 0.2 * MM).astype(float))
        for rim, share in ((marks.lid_upper[side], 0.55), (marks.lid_lower[side], 0.18)):
            line = np.zeros(len(paint))
            line[rim[3:-1]] = share
            paint = _over(paint, LASH_LINE, line)
    return paint


def _nostrils(skin: Skin) -> np.ndarray:
    """Share (V,) of dark: skin in the two pits below the nose."""
    x, y, z = np.moveaxis(skin.template / MM, -1, 0)
    down = -normals(skin.template, skin.triangles)[:, 1]
    away = np.hypot((np.abs(x) - 6.5) / 5.5, (z - 30) / 7.5)
    return (1 - smoothstep(0.75, 1.1, away)) * smoothstep(-46, -42.5, y) * (y < -30) * (down > -0.9)


def _hair(places: np.ndarray) -> np.ndarray:
    """Share (V,) of cropped hair: above the hairline, soft at its edge."""
    x, y, z = np.moveaxis(places, -1, 0)
    angle = np.degrees(np.arctan2(np.abs(x - AXIS[0]), z - AXIS[1]))
    line = np.interp(angle, HAIRLINE[:, 0], HAIRLINE[:, 1])
    return smoothstep(-HAIR_SOFT, HAIR_SOFT, y - line)
