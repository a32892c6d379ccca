"""Find on the finished head what is measured later: lip contact, the f and v distance, regions."""

import numpy as np

from head.types import Part, Skin
from mien.face import Labiodental

SIDES = ("left", "right")
CONTACT_REACH = 0.012
"""metres: lip pairs lie within this distance of the midline."""
CONTACT_REST = 0.001
"""metres: pairs that are further apart than this in the neutral do not count as closed."""
INCISOR_REACH = 0.005
"""metres: half the width of the edge and lip that f and v bring together."""
INCISOR_DEPTH = 0.0008
"""metres: how far behind the front-most point of the incisors' edge it still counts."""
EYE_SAMPLES = 64
"""How many vertices of each eyeball count in the basis."""
EYE_CAP = np.radians(40)
"""How far from straight ahead they lie."""
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
    """The lower lip's rim and the upper incisors' front edge; `first`: where the teeth start."""
    marks = skin.landmarks
    row = np.unique(np.concatenate([marks.lip_crest, *(lower for _, lower in marks.lip_rows)]))
    lip = row[np.abs(skin.template[row, 0]) <= 2 * INCISOR_REACH]
    edge = teeth.marks["incisor_edge"]
    edge = edge[np.abs(teeth.vertices[edge, 0]) <= INCISOR_REACH]
    depth = teeth.vertices[edge, 2]
    front = edge[depth >= depth.max() - INCISOR_DEPTH]
    return Labiodental(lip=lip.astype(np.int32), teeth=(front + first).astype(np.int32))


def basis_vertices(skin: Skin, pieces: list[Part], parts: dict[str, slice]) -> np.ndarray:
    """(B,) int32: skin, tongue, and EYE_SAMPLES vertices round the front of each eyeball.

    All of an eyeball's vertices would make a glance weigh more than any expression.
    """
    tongue = np.arange(parts["tongue"].start, parts["tongue"].stop)
    chosen = [np.arange(len(skin.template)), tongue]
    for side, centre in zip(SIDES, skin.landmarks.eye_centres, strict=True):
        eye = next(piece for piece in pieces if piece.name == f"eye_{side}")
        chosen.append(parts[eye.name].start + _front_of_eye(eye, centre))
    return np.sort(np.concatenate(chosen)).astype(np.int32)


def _front_of_eye(eye: Part, centre: np.ndarray) -> np.ndarray:
    """The vertices nearest to EYE_SAMPLES points spread evenly over the front cap of a sphere."""
    place = (np.arange(EYE_SAMPLES) + 0.5) / EYE_SAMPLES
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(EYE_SAMPLES)
    forward = 1 - place * (1 - np.cos(EYE_CAP))
    sideways = np.sqrt(1 - forward**2)
    points = np.stack([np.cos(turn) * sideways, np.sin(turn) * sideways, forward], axis=1)
    rays = eye.vertices - centre
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    return np.unique((points @ rays.T).argmax(axis=1))


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


def _near(skin: Skin, seeds: np.ndarray, reach: float) -> np.ndarray:
    """Sorted skin vertices within `reach` of any of the seeds, metres."""
    offsets = skin.template[:, None] - skin.template[seeds]
    return np.flatnonzero((np.linalg.norm(offsets, axis=2) <= reach).any(axis=1))
