"""The skin's colours: tone, blush, lips, lids, nostrils and cropped hair, all painted by rule.

Places are given in millimetres in the head's frame; sRGB everywhere.
"""

import numpy as np

from head.parts import brows
from head.parts.surface import smoothstep
from head.types import Skin

MM = 1e-3
TONE = (0.835, 0.655, 0.565)
BLUSH = (0.820, 0.555, 0.485)
LIPS = (0.735, 0.460, 0.430)
INNER_LIPS = (0.640, 0.320, 0.310)
MOUTH = (0.500, 0.225, 0.210)
LIDS = (0.735, 0.530, 0.460)
LID_RIM = (0.790, 0.500, 0.465)
LASH_LINE = (0.330, 0.220, 0.190)
NOSTRILS = (0.330, 0.170, 0.145)
HAIR = (0.230, 0.188, 0.155)

BLUSHES = (
    # middle (x, y, z), reach, share of BLUSH; millimetres. Both sides alike.
    ((45, -35, 10), 22, 0.30),
    ((0, -33, 42), 13, 0.30),
    ((12, -40, 30), 9, 0.30),
    ((0, -92, 22), 13, 0.22),
    ((28, -10, 18), 9, 0.15),
)
# The hairline: height y at each angle round the head's upright axis from the front (degrees).
HAIRLINE = np.array(
    [
        (0, 60),
        (10, 61),
        (24, 68),
        (33, 66),
        (40, 57),
        (48, 49),
        (57, 41),
        (65, 25),
        (70, 8),
        (74, -8),
        (80, -14),
        (86, -6),
        (92, 4),
        (100, 4),
        (106, -12),
        (114, -34),
        (125, -48),
        (140, -58),
        (160, -64),
        (180, -66),
    ]
)
# The border of the lips' red on the template: |x|, y above, y below; millimetres.
BORDER = np.array(
    [
        (0, -55.9, -74.6),
        (2.2, -55.2, -74.6),
        (4.7, -54.6, -74.4),
        (7.5, -54.9, -74.0),
        (10, -55.6, -73.3),
        (13, -56.6, -72.0),
        (16, -58.0, -70.2),
        (18.5, -59.6, -68.0),
        (20.5, -61.2, -65.8),
        (22.5, -62.6, -63.2),
    ]
)
PIT = (8.2, -36.7, 31.2)
"""The deepest point of the left nostril, millimetres."""
EAR = ((-20, -69), (28, 18))
"""Middle (y, z) and half sizes of the ears, which grow no hair, millimetres."""
AXIS = (0, -70)
"""x, z of the head's upright axis, millimetres."""
HAIR_SOFT = (14.0, 7.0)
"""The hairline fades over so many millimetres either way, in front and behind the temples."""


def colors(skin: Skin) -> np.ndarray:
    """sRGB (V, 3) in 0..1 of the skin's vertices."""
    places = skin.template / MM
    paint = np.tile(TONE, (len(places), 1))
    paint = paint * (1 + 0.018 * _mottle(places))[:, None]
    paint = _over(paint, BLUSH, _blush(places))
    paint = _over(paint, LIDS, _lids(skin))
    paint = _over(paint, NOSTRILS, _nostrils(places))
    paint = _over(paint, HAIR, 0.76 * _hair(places))
    paint = _over(paint, HAIR, 0.30 * _under_brows(skin))
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
    """The red of the lips, and the redder skin inside the mouth."""
    x, y, z = np.moveaxis(skin.template / MM, -1, 0)
    upper, lower = (np.interp(np.abs(x), BORDER[:, 0], BORDER[:, k]) for k in (1, 2))
    inside = _behind_lips(skin)
    within = smoothstep(-1, 1, (upper - y) / 1.2) * smoothstep(-1, 1, (y - lower) / 1.6)
    outer = within * (z > 5) * (np.abs(x) < BORDER[-1, 0]) * ~inside
    paint = _over(paint, LIPS, 0.92 * outer)
    line = skin.template[np.concatenate([skin.landmarks.lip_upper, skin.landmarks.lip_lower])] / MM
    away = np.linalg.norm(skin.template[:, None] / MM - line, axis=2).min(axis=1)
    paint = _over(paint, INNER_LIPS, np.where(inside, 1, 0.75 * np.exp(-((away / 2.2) ** 2))))
    return _over(paint, MOUTH, inside * smoothstep(0, 9, away))


def _lids(skin: Skin) -> np.ndarray:
    """Share (V,) of the darker tone of the lids and round the eyes."""
    share = np.zeros(len(skin.template))
    for side in (0, 1):
        upper, lower = skin.landmarks.lid_upper[side], skin.landmarks.lid_lower[side]
        for rim, reach, most in ((upper, 9, 0.55), (lower, 7, 0.35)):
            gaps = np.linalg.norm(skin.template[:, None] - skin.template[rim], axis=2)
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


def _nostrils(places: np.ndarray) -> np.ndarray:
    """Share (V,) of dark: skin in the two pits below the nose."""
    pits = np.abs(places) * [1, 0, 0] + places * [0, 1, 1]
    return 1 - smoothstep(1.6, 4.0, np.linalg.norm(pits - PIT, axis=1))


def _under_brows(skin: Skin) -> np.ndarray:
    """Share (V,) of shade below the brows' hairs."""
    line = brows.middle_line(skin) / MM
    places = np.abs(skin.template[:, :2]) * [1, 0] + skin.template[:, :2] * [0, 1]
    away = np.linalg.norm(places[:, None] / MM - line, axis=2).min(axis=1)
    return np.exp(-((away / 3.2) ** 2)) * (skin.template[:, 2] > 0)


def _hair(places: np.ndarray) -> np.ndarray:
    """Share (V,) of cropped hair: above the hairline, soft at its edge."""
    x, y, z = np.moveaxis(places, -1, 0)
    angle = np.degrees(np.arctan2(np.abs(x - AXIS[0]), z - AXIS[1]))
    line = np.interp(angle, HAIRLINE[:, 0], HAIRLINE[:, 1])
    ear = np.linalg.norm((places[:, 1:] - EAR[0]) / EAR[1], axis=1)
    bare = (1 - smoothstep(0.90, 1.08, ear)) * (np.abs(x) > 56)
    soft = np.interp(angle, (40, 65), HAIR_SOFT)
    return smoothstep(-1, 1, (y - line) / soft) * (1 - bare)
