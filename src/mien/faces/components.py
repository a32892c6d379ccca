"""Faces whose movement is no set of named units: orthonormal components, amounts of either sign.

FLAME's expressions and jaw, or a folder of vertex arrays: whatever moves a mesh is spanned by
orthonormal displacements, in which the sum of squared amounts *is* the sum of squared distances
of the vertices.
"""

from collections.abc import Mapping

import numpy as np

from mien.errors import MienError
from mien.face import Face, Labiodental
from mien.faces import lips, paint
from mien.limits import Limits

LEAST = 1e-6
"""Share of the largest direction below which another one is rounding, and left out."""


def orthonormal(rows: np.ndarray) -> np.ndarray:
    """Rows (n, D) -> (m <= n, D) float64 with the same span, orthonormal, in the given order.

    A row that those before it span already is left out. The sign of each is that of its own row,
    so that every machine finds the same.
    """
    rows = np.asarray(rows, np.float64)
    directions, triangle = np.linalg.qr(rows.T)
    sizes = np.diag(triangle)
    kept = np.abs(sizes) > LEAST * np.linalg.norm(rows, axis=1).max(initial=0.0)
    if kept.all():
        return directions.T * np.sign(sizes)[:, None]
    # QR fills a dependent row's place with any direction, so begin again without it.
    return orthonormal(rows[kept]) if kept.any() else rows[:0]


def principal(rows: np.ndarray, count: int) -> np.ndarray:
    """Rows (n, D) -> (m <= count, D) float64: the orthonormal directions of most energy, in order.

    Each has the sign that makes its largest entry positive.
    """
    rows = np.asarray(rows, np.float64)
    energies, mixes = np.linalg.eigh(rows @ rows.T)
    kept = np.flatnonzero(energies > LEAST**2 * energies.max(initial=0.0))[::-1][:count]
    found = mixes[:, kept].T @ rows / np.sqrt(energies[kept])[:, None]
    largest = np.abs(found).argmax(axis=1)
    return found * np.sign(found[np.arange(len(found)), largest])[:, None]


def outside(rows: np.ndarray, components: np.ndarray) -> np.ndarray:
    """What of the rows (n, D) the orthonormal components (m, D) leave over, (n, D)."""
    return rows - (rows @ components.T) @ components


def face_of_components(
    name: str,
    template: np.ndarray,
    triangles: np.ndarray,
    components: np.ndarray,
    opening: np.ndarray,
    *,
    parts: Mapping[str, slice] | None = None,
    regions: Mapping[str, np.ndarray] | None = None,
) -> Face:
    """Make a signed Face.

    Args:
        name: what the face is called.
        template: (V, 3) metres, y up, z toward the viewer, origin between the eyes.
        triangles: (F, 3), counter-clockwise seen from outside.
        components: (K, V, 3), orthonormal.
        opening: (V, 3) metres, how an opening jaw moves the vertices: it tells the lips apart.
        parts: ranges of vertices, of which `skin` is one; all is skin where nothing is said.
        regions: those that are known; lips, eyes, lower_face and upper_face are found else.

    Raises MienError where the arrays do not fit each other.
    """
    vertices = len(template)
    if components.shape[1:] != (vertices, 3) or opening.shape != (vertices, 3):
        raise MienError(
            f"components {components.shape} and opening {opening.shape} are not of the "
            f"{vertices} vertices of the face {name!r}"
        )
    parts = dict(parts or {"skin": slice(0, vertices)})
    template = np.asarray(template, np.float32)
    triangles = np.asarray(triangles, np.int32)
    seam = lips.find_seam(template, triangles, opening, parts["skin"])
    pairs, normals = lips.contact(template, seam)
    regions = {**lips.regions(template, parts, seam), **(regions or {})}
    count = len(components)
    return Face(
        name=name,
        template=template,
        triangles=triangles,
        colors=paint.colors(template, parts, regions["lips"]),
        unit_names=tuple(f"component_{k:03d}" for k in range(count)),
        unit_deltas=np.asarray(components, np.float32),
        parts=parts,
        basis_vertices=np.arange(vertices, dtype=np.int32),
        regions={key: np.asarray(at, np.int32) for key, at in regions.items()},
        contact_pairs=pairs,
        contact_normals=normals,
        labiodental=Labiodental(lip=np.zeros(0, np.int32), teeth=np.zeros(0, np.int32)),
        limits=Limits(
            targets=np.zeros(0, np.int32),
            sources=np.zeros((0, count), np.float32),
            ceilings=np.zeros(0, np.float32),
        ),
        signed=True,
    )
