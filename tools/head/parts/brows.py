"""The brows: many short tapering hairs that lie on the skin and follow it."""

from dataclasses import dataclass

import numpy as np

from head.parts.surface import lerp_rows, normals, project
from head.types import Part, Skin

MM = 1e-3
HAIRS = 120
"""In one brow."""
STEPS = np.array([0.0, 0.5, 1.0])
"""Sections of a hair, root to tip."""
WIDTH = 0.62 * MM
LIFT = 0.35 * MM
"""How far a hair's root and tip lie above the skin; its middle a little more."""
COLOR = (0.335, 0.245, 0.190)
TIP_COLOR = (0.60, 0.465, 0.385)

# Along the brow, from the nose outward: x as a share of the eye's x, y in millimetres above it,
# half the brow's height in millimetres, the hairs' rise in degrees (90 = straight up), length mm.
SHAPE = np.array(
    [
        (0.42, 12.8, 1.5, 72, 4.2),
        (0.54, 13.7, 2.2, 58, 5.6),
        (0.78, 15.0, 2.4, 38, 7.0),
        (1.05, 16.4, 2.1, 22, 7.0),
        (1.28, 16.8, 1.7, 5, 6.5),
        (1.50, 15.2, 1.1, -20, 5.8),
        (1.70, 11.8, 0.5, -34, 4.6),
    ]
)


@dataclass(frozen=True, eq=False)
class Hairs:
    """Flat hairs in the plane of the face, metres."""

    points: np.ndarray
    """(n, STEPS, 2)"""
    across: np.ndarray
    """(n, STEPS, 2): from the middle of a hair to its edge."""
    thin: np.ndarray
    """(n,): 0..1, how pale a hair is: more so at the brow's start and its upper and lower edge."""


def build(skin: Skin) -> list[Part]:
    """Both brows as one part; the right one mirrors the left with hairs of its own."""
    halves = [_brow(skin, sign, seed) for seed, sign in enumerate((1, -1))]
    vertices, deltas, colors = (np.concatenate(a, axis=-2) for a in zip(*halves, strict=True))
    count = len(vertices) // (2 * len(STEPS))
    return [Part("brows", vertices, _strips(count), deltas, colors)]


def _brow(skin: Skin, sign: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n, 3), deltas (52, n, 3) and colours (n, 3) of one brow."""
    random = np.random.default_rng(seed)
    hairs = _hairs(abs(float(skin.landmarks.eye_centres[0, 0])), random)
    # Mirroring turns a strip over; its two edges trade places so that it still faces outward.
    across = sign * hairs.across
    edges = np.stack([hairs.points - across, hairs.points + across], axis=2)
    flat = edges.reshape(-1, 2) * [sign, 1]
    pinned = project(skin, flat)
    upward = pinned.of(normals(skin.template, skin.triangles))
    lift = LIFT * (1 + 1.2 * np.sin(np.pi * STEPS))
    lift = lift * random.uniform(0.7, 1.3, (HAIRS, 1))
    vertices = pinned.of(skin.template) + np.repeat(lift.ravel(), 2)[:, None] * upward
    pale = STEPS**1.5 * 0.75 + random.uniform(-0.15, 0.25, (HAIRS, 1))
    pale = np.clip(pale + hairs.thin[:, None], 0, 1)[..., None]
    tone = np.array(COLOR) + pale * (np.array(TIP_COLOR) - COLOR)
    colors = np.repeat(tone.reshape(-1, 3), 2, axis=0)
    return vertices, pinned.of(skin.unit_deltas), colors


def _hairs(eye_x: float, random: np.random.Generator) -> Hairs:
    """One left brow's hairs as seen from the front; roots thin out at both ends and edges."""
    place = np.clip(random.beta(1.25, 1.2, HAIRS), 0, 1)
    x_share, middle, half, rise, length = lerp_rows(place, np.linspace(0, 1, len(SHAPE)), SHAPE).T
    height = np.clip(random.normal(0, 0.48, HAIRS), -1, 1)
    # A root sits so that the middle of its hair, not its start, lies on the brow's line.
    angle = np.deg2rad(rise - 16 * height + random.normal(0, 7, HAIRS))
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    length = length * random.uniform(0.75, 1.15, HAIRS)
    center = np.stack([x_share * eye_x, (middle + height * half) * MM], axis=-1)
    root = center - 0.4 * length[:, None] * MM * heading
    normal = np.stack([-heading[:, 1], heading[:, 0]], axis=-1)
    bend = random.normal(-0.10, 0.05, HAIRS) * length
    along = STEPS[:, None] * (length[:, None] * heading)[:, None]
    aside = (STEPS**2)[:, None] * (bend[:, None] * normal)[:, None]
    points = root[:, None] + (along + aside) * MM
    taper = np.array([0.4, 1.0, 0.12])[:, None]
    thin = 0.65 * np.exp(-((place / 0.14) ** 2)) + 0.35 * np.abs(height) ** 2
    return Hairs(points, 0.5 * WIDTH * taper * normal[:, None], thin)


def middle_line(skin: Skin) -> np.ndarray:
    """The left brow's middle as seen from the front: (40, 2), x and y in metres."""
    share, height = lerp_rows(np.linspace(0, 1, 40), np.linspace(0, 1, len(SHAPE)), SHAPE[:, :2]).T
    eye_x = abs(float(skin.landmarks.eye_centres[0, 0]))
    return np.stack([share * eye_x, height * MM], axis=-1)


def _strips(count: int) -> np.ndarray:
    """Triangles (F, 3) of `count` flat strips, each two vertices wide and STEPS long."""
    a = 2 * np.arange(len(STEPS) - 1)
    strip = np.concatenate([np.stack([a, a + 2, a + 1], 1), np.stack([a + 1, a + 2, a + 3], 1)])
    starts = np.arange(count)[:, None, None] * 2 * len(STEPS)
    return (strip + starts).reshape(-1, 3).astype(np.int32)
