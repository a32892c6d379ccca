"""The lashes: thin curved hairs rooted on the lids' rims, which turn with the lids."""

from dataclasses import dataclass

import numpy as np

from head.parts.surface import Binding, body, smoothstep
from head.types import LEFT, RIGHT, Part, Skin

MM = 1e-3
STEPS = np.array([0.0, 0.5, 1.0])
SIDES = 3
PALE = (0.58, 0.44, 0.38)
"""sRGB that a hair fades to at its tip."""


@dataclass(frozen=True)
class Row:
    """The lashes of one lid."""

    count: int
    length: tuple[float, float, float]
    """At the nose, in the middle, at the outer corner; millimetres."""
    start: float
    """Degrees by which the roots point up (+) or down (-)."""
    curl: float
    """Degrees by which the tips have turned up (+) or down (-) from there."""
    radius: float
    """Of a hair at its root, millimetres."""
    color: tuple[float, float, float]
    """sRGB at the root."""


UPPER = Row(34, (3.0, 6.4, 7.2), -8, 66, 0.17, (0.14, 0.10, 0.085))
LOWER = Row(18, (0.8, 1.8, 2.4), -28, -22, 0.12, (0.42, 0.31, 0.27))


def build(skin: Skin) -> list[Part]:
    """The lashes of both lids of both eyes as one part."""
    marks = skin.landmarks
    rows = [
        _lashes(skin, side, rims[side], row, seed=2 * side + k)
        for side in (LEFT, RIGHT)
        for k, (rims, row) in enumerate(((marks.lid_upper, UPPER), (marks.lid_lower, LOWER)))
    ]
    vertices, deltas, colors = (np.concatenate(a, axis=-2) for a in zip(*rows, strict=True))
    each = len(STEPS) * SIDES
    tube = body(vertices[:each], len(STEPS))
    starts = np.arange(len(vertices) // each)[:, None, None] * each
    triangles = (tube + starts).reshape(-1, 3).astype(np.int32)
    return [Part("lashes", vertices, triangles, deltas, colors)]


def _lashes(
    skin: Skin, side: int, rim: np.ndarray, row: Row, *, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices (n, 3), deltas (52, n, 3) and colours (n, 3) of one lid's lashes."""
    random = np.random.default_rng(seed)
    jitter = random.normal(0, 0.25 / row.count, row.count)
    place = np.clip(np.linspace(0.12, 0.97, row.count) + jitter, 0, 1)
    pinned = _on_rim(skin, rim, place)
    roots = pinned.of(skin.template)
    center = skin.landmarks.eye_centres[side]
    offsets = _tubes(roots, center, place, row, random)
    moved = roots + pinned.of(skin.unit_deltas)
    turns = _turns(roots - center, moved - center)
    spun = np.einsum("unij,nkj->unki", turns, offsets)
    deltas = moved[:, :, None] + spun - roots[:, None] - offsets
    tone = np.array(row.color) + STEPS[:, None] * (np.array(PALE) - row.color)
    colors = np.tile(np.repeat(tone, SIDES, axis=0), (row.count, 1))
    vertices = (roots[:, None] + offsets).reshape(-1, 3)
    return vertices, deltas.reshape(len(deltas), -1, 3), colors


def _on_rim(skin: Skin, rim: np.ndarray, place: np.ndarray) -> Binding:
    """Pins shares (n,) of the rim's length, from the nose outward, to its edges."""
    steps = np.linalg.norm(np.diff(skin.template[rim], axis=0), axis=1)
    along = np.concatenate([[0], np.cumsum(steps)]) / steps.sum()
    at = np.interp(place, along, np.arange(len(rim)))
    low = np.minimum(at.astype(int), len(rim) - 2)
    share = at - low
    corners = np.stack([rim[low], rim[low + 1], rim[low + 1]], axis=1)
    return Binding(corners, np.stack([1 - share, share, 0 * share], axis=1))


def _tubes(
    roots: np.ndarray, center: np.ndarray, place: np.ndarray, row: Row, random: np.random.Generator
) -> np.ndarray:
    """Offsets (n, STEPS * SIDES, 3) from the roots: tapering three-sided tubes that curl."""
    out = roots - center
    out = out * [1, 0, 1] / np.linalg.norm(out * [1, 0, 1], axis=1, keepdims=True)
    fan = np.array([1, 0, 0]) * np.sign(center[0]) * ((place - 0.42) * 0.9)[:, None]
    out = out * [0.55, 1, 1] + fan + random.normal(0, 0.05, (len(out), 1)) * [1, 0, 0]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    length = np.interp(place, (0, 0.5, 1), row.length) * random.uniform(0.8, 1.1, len(place))
    length *= 1 - 0.5 * smoothstep(0.85, 1.0, place)
    angle = np.deg2rad(row.start + row.curl * STEPS + random.normal(0, 5, (len(place), 1)))
    step = np.diff(STEPS, prepend=0.0) * length[:, None] * MM
    spine = np.cumsum(
        step[..., None]
        * (np.cos(angle)[..., None] * out[:, None] + np.sin(angle)[..., None] * [0, 1, 0]),
        axis=1,
    )
    aside = np.cross([0, 1, 0], out)
    lift = np.cross(out, aside)
    turn = np.arange(SIDES) * (2 * np.pi / SIDES)
    ring = np.cos(turn)[:, None] * aside[:, None] + np.sin(turn)[:, None] * lift[:, None]
    taper = row.radius * MM * np.array([1.0, 0.8, 0.10])
    tube = spine[:, :, None] + taper[:, None, None] * ring[:, None]
    return tube.reshape(len(roots), -1, 3)


def _turns(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Smallest rotations (52, n, 3, 3) that turn the directions (n, 3) into (52, n, 3)."""
    a = before / np.linalg.norm(before, axis=-1, keepdims=True)
    b = after / np.linalg.norm(after, axis=-1, keepdims=True)
    axis = np.cross(a, b)
    cosine = (a * b).sum(-1)[..., None, None]
    x, y, z = np.moveaxis(axis, -1, 0)
    zero = np.zeros_like(x)
    skew = np.stack([zero, -z, y, z, zero, -x, -y, x, zero], axis=-1).reshape(*x.shape, 3, 3)
    return np.eye(3) + skew + skew @ skew / (1 + cosine)
