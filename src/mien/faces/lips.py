"""Where the lips of a foreign head meet, and its regions, found from its shape and its jaw alone.

The lips are the only place where two vertices lie side by side, are far apart along the surface,
and part when the jaw opens.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

STILL, CARRIED = 0.35, 0.6
"""Share of the jaw's way: less moves the upper lip, more the lower."""
SEAM_REACH = 0.004
"""metres: lips that are further apart than this at rest are not taken for touching"""
CONTACT_REACH = 0.012
"""metres: contact is measured within this distance of the midline, as on the Mien head"""
COLUMN = 0.0012
"""metres across the face; one pair is taken in each"""
LIP_REACH = 0.010
"""metres: skin within this distance of the line between the lips counts as lips"""
EYE_REACH = 0.022
"""metres: skin within this distance of the middle of an eye counts as eyes"""
EYE_ASIDE = 0.031
"""metres: how far the middle of an eye lies from the midline where there are no eyeballs"""
FRONT, TOP = -0.06, 0.06
"""metres: the face lies before the first (z) and below the second (y)"""
CHUNK = 256
"""vertices compared with all others at once"""


@dataclass(frozen=True, eq=False)
class Seam:
    """Pairs of neighbours across the line between the lips, from corner to corner."""

    upper: np.ndarray
    """(n,) int: vertices of the upper lip."""
    lower: np.ndarray
    """(n,) int: what each of them touches."""


def find_seam(
    template: np.ndarray, triangles: np.ndarray, opening: np.ndarray, skin: slice
) -> Seam:
    """Find the line between the lips of a face in metres; empty where no lips meet.

    `opening` (V, 3), metres: how an opening jaw moves the vertices. A pair is two vertices of the
    skin that are each other's nearest, one of which the jaw carries along and the other not, and
    which no two edges connect.
    """
    way = -np.asarray(opening, np.float64)[skin, 1]
    front = template[skin, 2] > FRONT
    share = np.where(front, way / max(way[front].max(initial=0.0), 1e-9), np.nan)
    upper, lower = (np.flatnonzero(at) + skin.start for at in (share < STILL, share > CARRIED))
    if not len(upper) or not len(lower):
        return Seam(upper[:0], lower[:0])
    to_lower, apart = _nearest(template[upper], template[lower])
    to_upper, _ = _nearest(template[lower], template[upper])
    mutual = (to_upper[to_lower] == np.arange(len(upper))) & (apart <= SEAM_REACH)
    upper, lower = upper[mutual], lower[to_lower[mutual]]
    parted = ~_connected(triangles, len(template), upper, lower)
    order = np.argsort(template[upper[parted], 0])
    return Seam(upper[parted][order], lower[parted][order])


def contact(template: np.ndarray, seam: Seam) -> tuple[np.ndarray, np.ndarray]:
    """Pairs (P, 2) int32 (upper, lower) near the midline, and the normals (P, 3) between them.

    A normal points up the face, at right angles to the line between the lips.
    """
    x = template[seam.upper, 0]
    apart = np.linalg.norm(template[seam.upper] - template[seam.lower], axis=1)
    columns = np.round(x / COLUMN).astype(int)
    near = np.abs(x) <= CONTACT_REACH
    best = [
        min(np.flatnonzero(near & (columns == column)), key=lambda pair: apart[pair])
        for column in np.unique(columns[near])
    ]
    pairs = np.stack([seam.upper[best], seam.lower[best]], axis=1).astype(np.int32)
    if len(pairs) < 2:
        return pairs, np.tile(np.array([0, 1, 0], np.float32), (len(pairs), 1))
    middles = template[pairs].mean(axis=1).astype(np.float64)
    along = np.gradient(middles, axis=0)
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    normals = np.cross([0.0, 0.0, 1.0], along)
    return pairs, (normals / np.linalg.norm(normals, axis=1, keepdims=True)).astype(np.float32)


def regions(template: np.ndarray, parts: Mapping[str, slice], seam: Seam) -> dict[str, np.ndarray]:
    """Return vertex indices int32 by region: lips, eyes, and the face above and below the nose."""
    skin = np.arange(parts["skin"].start, parts["skin"].stop)
    x, y, z = template[skin].T
    middle = np.abs(x) < 0.004
    nose = y[middle][z[middle].argmax()] if middle.any() else 0.0
    chin = y[middle & (z > z.max() - 0.06) & (y < nose)].min(initial=nose)
    front = (z > FRONT) & (y > chin - 0.01) & (y < TOP)
    found = {
        "lips": skin[_within(template[skin], template[[*seam.upper, *seam.lower]], LIP_REACH)],
        "lower_face": skin[front & (y < nose)],
        "upper_face": skin[front & (y >= nose)],
        "eyes": _eyes(template, parts, skin),
    }
    return {name: at.astype(np.int32) for name, at in found.items()}


def incisor_edge(template: np.ndarray, teeth: np.ndarray) -> np.ndarray:
    """Which of the upper teeth's vertices (n,) are the incisors' lower edge, in front."""
    if not len(teeth):
        return teeth.astype(np.int32)
    near = teeth[np.abs(template[teeth, 0]) <= 0.005]
    near = near[template[near, 2] >= template[near, 2].max(initial=-1.0) - 0.004]
    return near[template[near, 1] <= template[near, 1].min(initial=1.0) + 0.0008].astype(np.int32)


def _eyes(template: np.ndarray, parts: Mapping[str, slice], skin: np.ndarray) -> np.ndarray:
    """Skin around the eyes, and the eyeballs."""
    balls = [np.arange(p.start, p.stop) for name, p in parts.items() if name.startswith("eye_")]
    middles = [template[ball].mean(axis=0) for ball in balls]
    if not balls:
        z = template[skin, 2].max() - 0.035
        middles = [np.array([side * EYE_ASIDE, 0.0, z]) for side in (-1, 1)]
    around = skin[_within(template[skin], np.array(middles), EYE_REACH)]
    return np.concatenate([around, *balls])


def _within(points: np.ndarray, seeds: np.ndarray, reach: float) -> np.ndarray:
    """Whether each of the points (n, 3) lies within reach of one of the seeds (m, 3)."""
    if not len(seeds):
        return np.zeros(len(points), bool)
    return _nearest(points, seeds)[1] <= reach


def _nearest(points: np.ndarray, others: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each of the points (n, 3) the place of the nearest of the others, and how far it is."""
    found = [
        np.linalg.norm(points[start : start + CHUNK, None] - others, axis=2)
        for start in range(0, len(points), CHUNK)
    ]
    places = np.concatenate([distances.argmin(axis=1) for distances in found])
    return places, np.concatenate([distances.min(axis=1) for distances in found])


def _connected(
    triangles: np.ndarray, vertices: int, one: np.ndarray, other: np.ndarray
) -> np.ndarray:
    """Whether at most two edges lie between each of `one` (n,) and its `other`."""
    sides = triangles[:, [0, 1, 1, 2, 2, 0, 1, 0, 2, 1, 0, 2]].reshape(-1, 2)
    sides = sides[np.argsort(sides[:, 0], kind="stable")]
    starts = np.searchsorted(sides[:, 0], np.arange(vertices + 1))

    def around(vertex: int) -> set[int]:
        return {vertex, *sides[starts[vertex] : starts[vertex + 1], 1].tolist()}

    pairs = zip(one.tolist(), other.tolist(), strict=True)
    return np.array([bool(around(a) & around(b)) for a, b in pairs], bool)
