"""Small geometry shared by the parts: triangles of grids, soft steps, motions bound to the skin."""

from dataclasses import dataclass

import numpy as np

from head.types import Skin


def rings_to_triangles(rings: int, segments: int, *, closed: bool = True) -> np.ndarray:
    """Triangles (F, 3) int32 of a grid whose vertex (ring r, segment s) is r * segments + s.

    Seen from outside, segments run counter-clockwise and rings outward. `closed` joins the last
    segment to the first.
    """
    r, s = np.meshgrid(
        np.arange(rings - 1), np.arange(segments if closed else segments - 1), indexing="ij"
    )
    a, d = r * segments + s, r * segments + (s + 1) % segments
    b, c = a + segments, d + segments
    halves = [np.stack(t, axis=-1).reshape(-1, 3) for t in ((a, b, c), (a, c, d))]
    return np.concatenate(halves).astype(np.int32)


def smoothstep(low: float, high: float, x: np.ndarray | float) -> np.ndarray:
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


def body(vertices: np.ndarray, rings: int) -> np.ndarray:
    """Triangles (F, 3) of a body whose vertices stand ring by ring, counter-clockwise from outside.

    A ring may be a single point repeated; the slivers there are left out.
    """
    triangles = rings_to_triangles(rings, len(vertices) // rings)
    a, b, c = (vertices[triangles[:, k]] - vertices.mean(0) for k in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    whole = np.linalg.norm(np.cross(b - a, c - a), axis=1) > 1e-14
    return triangles[whole] if volume > 0 else triangles[whole, ::-1]


@dataclass(frozen=True, eq=False)
class Piece:
    """A bit of a part: vertices (n, 3) metres, triangles (f, 3), sRGB colours (n, 3)."""

    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray


def joined(pieces: list[Piece]) -> Piece:
    """All pieces as one, in their order."""
    starts = np.cumsum([0] + [len(p.vertices) for p in pieces[:-1]])
    triangles = [p.triangles + start for p, start in zip(pieces, starts, strict=True)]
    return Piece(
        np.concatenate([p.vertices for p in pieces]),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate([p.colors for p in pieces]),
    )


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


def project(skin: Skin, points: np.ndarray) -> Binding:
    """Pins points (n, 2), x and y in metres, to the front-most skin behind them (along -z)."""
    a, b, c = (skin.template[skin.triangles[:, k]] for k in range(3))
    area = _cross(b - a, c - a)
    facing = np.flatnonzero(area > 1e-12)
    a, b, c, area = a[facing], b[facing], c[facing], area[facing]
    found, shares = np.zeros(len(points), dtype=int), np.zeros((len(points), 3))
    for i, point in enumerate(points):
        p = np.append(point, 0.0)
        share = np.stack([_cross(b - p, c - p), _cross(c - p, a - p), _cross(a - p, b - p)], 1)
        share /= area[:, None]
        depth = share[:, 0] * a[:, 2] + share[:, 1] * b[:, 2] + share[:, 2] * c[:, 2]
        best = int(np.where((share >= -1e-9).all(axis=1), depth, -np.inf).argmax())
        found[i], shares[i] = facing[best], share[best]
    return Binding(skin.triangles[found], shares)


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Twice the signed area, seen from the front, of the triangles between u and v (n, 3)."""
    return u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
