"""Small geometry shared by the parts: triangles of grids, soft steps, motions bound to the skin."""

from dataclasses import dataclass

import numpy as np

from head.types import Skin


def rings_to_triangles(rings: int, segments: int, *, closed: bool = True) -> np.ndarray:
    """Triangles (F, 3) int32 of a grid whose vertex (ring r, segment s) is r * segments + s.

    Seen from outside, segments run counter-clockwise and rings outward. `closed` joins the last
    segment to the first.
    """
    r, s = np.meshgrid(np.arange(rings - 1), np.arange(segments if closed else segments - 1),
                       indexing="ij")
    a, d = r * segments + s, r * segments + (s + 1) % segments
    b, c = a + segments, d + segments
    halves = [np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))]
    return np.concatenate(halves).astype(np.int32)


def smoothstep(low: float, high: float, x: np.ndarray) -> np.ndarray:
    """0 below `low`, 1 above `high`, a smooth cubic between."""
    t = np.clip((np.asarray(x, dtype=float) - low) / (high - low), 0, 1)
    return t * t * (3 - 2 * t)


def lerp_rows(x: np.ndarray, at: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows (n, C) read off at positions x (n,) from rows (k, C) that stand at rising `at` (k,)."""
    return np.stack([np.interp(x, at, rows[:, c]) for c in range(rows.shape[1])], axis=-1)


def normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Unit normals (V, 3) of the vertices, weighted by the triangles' areas."""
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    out = np.zeros_like(vertices)
    for k in range(3):
        np.add.at(out, triangles[:, k], area)
    return out / np.maximum(np.linalg.norm(out, axis=1, keepdims=True), 1e-15)


@dataclass(frozen=True, eq=False)
class Binding:
    """Points pinned to skin triangles: they move as the skin below them moves."""

    corners: np.ndarray
    """(n, 3) int: the three skin vertices of each point's triangle."""
    shares: np.ndarray
    """(n, 3): how much each corner counts; rows sum to 1."""

    def of(self, values: np.ndarray) -> np.ndarray:
        """Per-vertex values (..., V, C) of the skin, read off at the points: (..., n, C)."""
        return np.einsum("nk,...nkc->...nc", self.shares, values[..., self.corners, :])


def bind(skin: Skin, points: np.ndarray, faces: np.ndarray | None = None) -> Binding:
    """Pins each point (n, 3) to the nearest triangle, out of `faces` (ids) or all of them."""
    ids = np.arange(len(skin.triangles)) if faces is None else faces
    corners = skin.triangles[ids]
    found, shares = zip(*(_nearest(p, skin.template[corners]) for p in points), strict=True)
    return Binding(corners[np.array(found)], np.array(shares))


def _nearest(point: np.ndarray, triangles: np.ndarray) -> tuple[int, np.ndarray]:
    """Index of the triangle (m, 3, 3) nearest to the point, and the point's shares in it."""
    a, ab, ac = triangles[:, 0], triangles[:, 1] - triangles[:, 0], triangles[:, 2] - triangles[:, 0]
    ap = point - a
    d1, d2 = (ab * ap).sum(1), (ac * ap).sum(1)
    d11, d12, d22 = (ab * ab).sum(1), (ab * ac).sum(1), (ac * ac).sum(1)
    det = np.maximum(d11 * d22 - d12 * d12, 1e-24)
    v, w = (d22 * d1 - d12 * d2) / det, (d11 * d2 - d12 * d1) / det
    shares = np.clip(np.stack([1 - v - w, v, w], axis=1), 0, None)
    shares /= shares.sum(1, keepdims=True)
    gap = np.linalg.norm(np.einsum("mk,mkc->mc", shares, triangles) - point, axis=1)
    best = int(gap.argmin())
    return best, shares[best]
