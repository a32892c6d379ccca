"""The eyeballs: a ball with a slight corneal bulge, pupil, iris and sclera in vertex colours.

The `eyeLook...` units turn a ball about its centre. A unit is linear in its weight, so its
displacement is R x - x at weight 1: at half weight a point lies on the chord, at most 0.5 mm inside
the ball, never outside.
"""

import numpy as np

from head.parts.surface import body, lerp_rows, smoothstep
from head.types import LEFT, RIGHT, Part, Skin

Color = tuple[float, float, float]

LOOK_DEGREES = {"Up": 20.0, "Down": 25.0, "In": 30.0, "Out": 30.0}
"""How far the ball turns at weight 1; people turn the head as well for anything further."""

CLEARANCE = 0.0013
"""How much smaller the ball is than the sphere the lids were modelled round, metres."""
BULGE = 0.0005
"""How far the cornea stands out from the ball, metres."""
IRIS_RADIUS = 0.0055
"""Half the width of the iris, metres (people: 5.9 mm, with hardly any spread)."""
SEGMENTS = 48
BACK_DEGREES = 125.0
"""The ball ends here, measured from its front pole: what lies further back is never seen."""

# (fraction of the iris radius, sRGB). Pairs of close rings make the two edges sharp.
IRIS_RINGS = (
    (0.00, (0.010, 0.010, 0.012)),
    (0.34, (0.012, 0.011, 0.012)),
    (0.375, (0.13, 0.085, 0.050)),
    (0.44, (0.40, 0.27, 0.150)),
    (0.54, (0.43, 0.31, 0.180)),
    (0.66, (0.38, 0.30, 0.190)),
    (0.78, (0.31, 0.26, 0.175)),
    (0.87, (0.20, 0.165, 0.120)),
    (0.94, (0.095, 0.080, 0.070)),
    (0.99, (0.12, 0.105, 0.10)),
    (1.05, (0.51, 0.48, 0.46)),
    (1.12, (0.80, 0.77, 0.745)),
)
SCLERA_RINGS = 9
SCLERA = (
    # How far aside of the middle, as a share of the ball's radius; sRGB. Pinker in the corners.
    (0.30, (0.835, 0.805, 0.780)),
    (0.60, (0.805, 0.750, 0.720)),
    (0.95, (0.68, 0.50, 0.47)),
)


def build(skin: Skin) -> list[Part]:
    """The two eyeballs, left then right."""
    return [_eye(skin, LEFT, "eye_left"), _eye(skin, RIGHT, "eye_right")]


def radius(skin: Skin, side: int) -> float:
    """Radius of the ball on one side, metres."""
    return float(skin.landmarks.eye_radii[side]) - CLEARANCE


def rotation(unit: str, side: int) -> np.ndarray:
    """Rotation (3, 3) at weight 1 of a unit such as `eyeLookUpLeft`, for the eye on its side."""
    direction = unit.removeprefix("eyeLook").removesuffix("Left").removesuffix("Right")
    angle = np.deg2rad(LOOK_DEGREES[direction])
    c, s = np.cos(angle), np.sin(angle)
    if direction in ("Up", "Down"):
        s = s if direction == "Up" else -s
        return np.array([[1, 0, 0], [0, c, s], [0, -s, c]])
    toward_plus_x = (direction == "Out") == (side == LEFT)
    s = s if toward_plus_x else -s
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _eye(skin: Skin, side: int, name: str) -> Part:
    centre = skin.landmarks.eye_centres[side]
    offsets, fractions = _ball(radius(skin, side))
    suffix = "Left" if side == LEFT else "Right"
    deltas = np.zeros((len(skin.unit_names), len(offsets), 3))
    for u, unit in enumerate(skin.unit_names):
        if unit.startswith("eyeLook") and unit.endswith(suffix):
            deltas[u] = offsets @ rotation(unit, side).T - offsets
    triangles = body(offsets, len(IRIS_RINGS) + SCLERA_RINGS)
    colors = _colors(offsets, fractions, seed=side)
    return Part(name, centre + offsets, triangles, deltas, colors)


def _ball(ball_radius: float) -> tuple[np.ndarray, np.ndarray]:
    """Points (rings * SEGMENTS, 3) about the centre and, per point, its fraction of the iris."""
    iris = np.array([f for f, _ in IRIS_RINGS])
    iris_angles = np.arcsin(iris * IRIS_RADIUS / ball_radius)
    steps = np.linspace(0, 1, SCLERA_RINGS + 1)[1:] ** 1.2
    back = np.deg2rad(BACK_DEGREES)
    polar = np.concatenate([iris_angles, iris_angles[-1] + steps * (back - iris_angles[-1])])
    fractions = np.concatenate(
        [iris, np.sin(np.minimum(polar, np.pi / 2))[len(iris) :] * ball_radius / IRIS_RADIUS]
    )
    height = ball_radius + BULGE * (1 - smoothstep(0.6, 1.25, fractions))
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    directions = np.stack(
        [
            np.sin(polar)[:, None] * np.cos(turn),
            np.sin(polar)[:, None] * np.sin(turn),
            np.cos(polar)[:, None] * np.ones(SEGMENTS),
        ],
        axis=-1,
    )
    points = directions * height[:, None, None]
    return points.reshape(-1, 3), np.repeat(fractions, SEGMENTS)


def _colors(offsets: np.ndarray, fractions: np.ndarray, *, seed: int) -> np.ndarray:
    """sRGB (n, 3) of pupil, iris and white, a little shaded below the upper lid."""
    directions = offsets / np.linalg.norm(offsets, axis=1, keepdims=True)
    aside, up = np.abs(directions[:, 0]), directions[:, 1]
    iris = _read(IRIS_RINGS, fractions) * _glow(fractions, up, seed=seed)[:, None]
    white = smoothstep(1.0, 1.12, fractions)[:, None]
    colors = iris * (1 - white) + _read(SCLERA, aside) * white
    shade = 1 - 0.36 * smoothstep(0.08, 0.32, up) - 0.10 * smoothstep(0.1, 0.35, -up)
    return np.clip(colors * shade[:, None], 0, 1)


def _read(table: tuple[tuple[float, Color], ...], at: np.ndarray) -> np.ndarray:
    """Colours (n, 3) between those of a table."""
    return lerp_rows(at, np.array([x for x, _ in table]), np.array([c for _, c in table]))


def _glow(fractions: np.ndarray, up: np.ndarray, *, seed: int) -> np.ndarray:
    """How much brighter (n,) the iris is here: light comes in from above and leaves it below."""
    within = smoothstep(0.36, 0.45, fractions) * (1 - smoothstep(0.86, 0.98, fractions))
    return (1 + within * _streaks(seed, len(up))) * (1 - 1.1 * within * up)


def _streaks(seed: int, count: int) -> np.ndarray:
    """Radial light and dark fibres of the iris (count,), about -0.3..0.3, smooth round the ring."""
    random = np.random.default_rng(seed)
    turn = np.arange(SEGMENTS) * (2 * np.pi / SEGMENTS)
    waves = (5, 9, 13, 17, 22, 27)
    around = sum(
        random.uniform(0.05, 0.11) * np.sin(k * turn + random.uniform(0, 2 * np.pi)) for k in waves
    )
    return np.tile(np.asarray(around), count // SEGMENTS)
