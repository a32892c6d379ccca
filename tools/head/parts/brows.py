"""The brows: many short tapering hairs that lie on the skin and follow it."""

from dataclasses import dataclass

import numpy as np

from head.parts.surface import Binding, lerp_rows, normals, project
from head.types import Part, Skin

MM = 1e-3
HAIRS = 210
"""In one brow."""
STEPS = np.array([0.0, 0.35, 0.7, 1.0])
"""Sections of a hair, root to tip."""
WIDTH = 0.42 * MM
LIFT = 0.35 * MM
"""How far a hair's root and tip lie above the skin; its middle a little more."""
COLOR = (0.205, 0.140, 0.105)

# Along the brow, from the nose outward: x as a share of the eye's x, y in millimetres above it,
# half the brow's height in millimetres, the hairs' rise in degrees (90 = straight up), length mm.
SHAPE = np.array([
    (0.42, 13.2, 2.4, 78, 5.0),
    (0.55, 14.4, 2.7, 62, 6.2),
    (0.80, 16.0, 2.6, 40, 7.0),
    (1.05, 17.6, 2.3, 24, 7.0),
    (1.28, 18.0, 1.8, 4, 6.5),
    (1.48, 16.4, 1.2, -20, 5.8),
    (1.68, 12.8, 0.5, -36, 4.6),
])


@dataclass(frozen=True, eq=False)
class Hairs:
    """Flat hairs in the plane of the face, metres: points (n, STEPS, 2) and their half widths."""

    points: np.ndarray
    across: np.ndarray


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
    edges = np.stack([hairs.points - hairs.across, hairs.points + hairs.across], axis=2)
    flat = edges.reshape(-1, 2) * [sign, 1]
    pinned = project(skin, flat)
    upward = pinned.of(normals(skin.template, skin.triangles))
    lift = LIFT * (1 + 1.2 * np.sin(np.pi * STEPS))
    lift = lift * random.uniform(0.7, 1.3, (HAIRS, 1))
    vertices = pinned.of(skin.template) + np.repeat(lift.ravel(), 2)[:, None] * upward
    tone = random.uniform(0.8, 1.35, (HAIRS, 1, 1)) * np.array(COLOR)
    colors = np.repeat((tone * (1 + 0.35 * STEPS[:, None])).reshape(-1, 3), 2, axis=0)
    return vertices, pinned.of(skin.unit_deltas), colors


def _hairs(eye_x: float, random: np.random.Generator) -> Hairs:
    """One left brow's hairs as seen from the front; roots thin out at both ends and edges."""
    place = np.clip(random.beta(1.25, 1.2, HAIRS), 0, 1)
    x_share, middle, half, rise, length = lerp_rows(
        place, np.linspace(0, 1, len(SHAPE)), SHAPE).T
    height = np.clip(random.normal(0, 0.48, HAIRS), -1, 1)
    # A root sits so that the middle of its hair, not its start, lies on the brow's line.
    angle = np.deg2rad(rise - 16 * height + random.normal(0, 7, HAIRS))
    heading = np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    length = length * random.uniform(0.75, 1.15, HAIRS)
    center = np.stack([x_share * eye_x, (middle + height * half) * MM], axis=-1)
    root = center - 0.4 * length[:, None] * MM * heading
    normal = np.stack([-heading[:, 1], heading[:, 0]], axis=-1)
    bend = random.normal(-0.10, 0.05, HAIRS) * length
    along = STEPS[None, :, None] * (length[:, None] * heading)[:, None]
    points = root[:, None] + (along + (STEPS**2)[None, :, None] * (bend[:, None] * normal)[:, None]) * MM
    taper = np.array([0.8, 1.0, 0.75, 0.08])[None, :, None]
    return Hairs(points, 0.5 * WIDTH * taper * normal[:, None])


def _strips(count: int) -> np.ndarray:
    """Triangles (F, 3) of `count` flat strips, each two vertices wide and STEPS long."""
    a = 2 * np.arange(len(STEPS) - 1)
    strip = np.concatenate([np.stack([a, a + 2, a + 1], 1), np.stack([a + 1, a + 2, a + 3], 1)])
    starts = np.arange(count)[:, None, None] * 2 * len(STEPS)
    return (strip + starts).reshape(-1, 3).astype(np.int32)
