"""Find on the finished head what is measured later: lip contact, the f and v distance, regions."""

import numpy as np

from head.types import Part, Skin
from mien.face import Labiodental

CONTACT_REACH = 0.012
"""metres: lip pairs lie within this distance of the midline."""
CONTACT_REST = 0.001
"""metres: pairs that are further apart than this in the neutral do not count as closed."""
INCISOR_REACH = 0.005
"""metres: half the width of the edge and lip that f and v bring together."""
LIP_REACH = 0.010
"""metres: skin within this distance of the line between the lips counts as lips."""
EYE_REACH = 0.008
"""metres: skin within this distance of a lid's rim counts as eyes."""


def contact(skin: Skin) -> tuple[np.ndarray, np.ndarray]:
    """Inner-lip pairs (P, 2) int32 (upper, lower) and the unit normals (P, 3) between them."""
    pairs = [
        (_nearest_in_x(skin, upper, vertex), vertex)
        for upper, lower in skin.landmarks.lip_rows
        for vertex in lower
        if abs(skin.template[vertex, 0]) <= CONTACT_REACH
    ]
    pairs = [pair for pair in pairs if abs(_rest(skin, *pair)) <= CONTACT_REST]
    normals = np.stack([_lip_normal(skin, upper) for upper, _ in pairs])
    return np.array(pairs, np.int32), normals.astype(np.float32)


def _nearest_in_x(skin: Skin, row: np.ndarray, vertex: int) -> int:
    return int(row[np.abs(skin.template[row, 0] - skin.template[vertex, 0]).argmin()])


def _rest(skin: Skin, upper: int, lower: int) -> float:
    """metres: how far a pair is apart in the neutral."""
    return float((skin.template[upper] - skin.template[lower]) @ _lip_normal(skin, upper))


def _lip_normal(skin: Skin, vertex: int) -> np.ndarray:
    """Up the face, at right angles to the line between the lips beside `vertex`."""
    row = next(row for row, _ in skin.landmarks.lip_rows if vertex in row)
    place = int(np.flatnonzero(row == vertex)[0])
    along = skin.template[row[place + 2]] - skin.template[row[place - 2]]
    normal = np.cross([0.0, 0.0, 1.0], along)
    return normal / np.linalg.norm(normal)


def labiodental(skin: Skin, teeth: Part, first: int) -> Labiodental:
    """The lower lip's crest and the upper incisors' edge; `first`: where the teeth start."""
    row = skin.landmarks.lip_crest
    lip = row[np.abs(skin.template[row, 0]) <= 2 * INCISOR_REACH]
    edge = teeth.marks["incisor_edge"]
    middle = edge[np.abs(teeth.vertices[edge, 0]) <= INCISOR_REACH]
    return Labiodental(lip=lip.astype(np.int32), teeth=(middle + first).astype(np.int32))


def regions(skin: Skin, parts: dict[str, slice]) -> dict[str, np.ndarray]:
    """Vertex indices by region: lips, eyes (with the eyeballs), and the face above and below."""
    x, y, z = skin.template.T
    nose = skin.template[z.argmax(), 1]
    chin = skin.template[np.abs(x) < 1e-4]
    chin = chin[(chin[:, 2] > 0.01) & (chin[:, 1] < nose)][:, 1].min()
    front = (z > -0.06) & (y > chin - 0.01) & (y < 0.06)
    marks = skin.landmarks
    lids = np.concatenate([*marks.lid_upper, *marks.lid_lower])
    eyeballs = [np.arange(parts[f"eye_{side}"].start, parts[f"eye_{side}"].stop) for side in SIDES]
    found = {
        "lips": _near(skin, np.concatenate([marks.lip_upper, marks.lip_lower]), LIP_REACH),
        "lower_face": np.flatnonzero(front & (y < nose)),
        "upper_face": np.flatnonzero(front & (y >= nose)),
        "eyes": np.concatenate([_near(skin, lids, EYE_REACH), *eyeballs]),
    }
    return {name: indices.astype(np.int32) for name, indices in found.items()}


SIDES = ("left", "right")


def _near(skin: Skin, seeds: np.ndarray, reach: float) -> np.ndarray:
    """Sorted skin vertices within `reach` of any of the seeds, metres."""
    offsets = skin.template[:, None] - skin.template[seeds]
    return np.flatnonzero((np.linalg.norm(offsets, axis=2) <= reach).any(axis=1))
