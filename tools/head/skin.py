"""Blend MakeHuman's shapes to a neutral adult and cut the skin of the head from the body.

Vertex numbers in this file are those of MakeHuman's base mesh `hm08`.
"""

import numpy as np

from head.makehuman import BaseMesh, Source
from head.quads import QuadMesh, arc, triangles_of
from head.types import Landmarks, Skin
from mien.face import UNIT_NAMES

FEMALE = 0.8
"""The rest is male: younger and softer than the half-way blend, whose brow looks stern."""
ANCESTRY = {"african": 0.2, "asian": 0.3, "caucasian": 0.5}
CHARACTER = {
    "mouth/mouth-angles-up": 0.35,
    "eyes/l-eye-scale-incr": 0.25,
    "eyes/r-eye-scale-incr": 0.25,
    "nose/nose-scale-horiz-decr": 0.3,
}
"""Further shapes on top of the blend, by their path below `targets`: the plain blend looks sad."""

_NECK = (1526, 1524)
"""A vertex of the ring at the collarbones and its neighbour above: the lowest ring with no pole."""
_MOUTH_EDGE = (588, 571)
"""The ring behind the lips, in the folds where they meet the gums: the skin ends here."""
_LIP_LINE = (520, 474)
"""The ring where the lips touch; 520 is the upper lip's middle."""
_LIP_ROWS = ((520, 474), (537, 520))
"""The rings that face each other across the closed mouth: where the lips touch and behind it."""
_LIP_FRONT = ((474, 468), (493, 523))
"""The rings in front of it, of the upper lip and of the lower, whose crest that is."""
_LID_RIMS = ((6785, 11465), (1, 4847))
"""Per side, the ring along the lids' inner rim; its first vertex is the upper lid's middle."""
_SOCKET_EDGES = ((7774, 7748), (1082, 1056))
"""Per side, the ring behind the lids, inside the eyeball: the skin ends here."""
_BROW_LINE = ((10, 15), (16, 18), (22, 19.5), (28, 20), (34, 19), (40, 16.5), (45, 13))
"""Points along the left brow (x, y), millimetres."""
_NOSE_TIP = 5054
_PROXIES = {
    "teeth_upper": "helper-upper-teeth",
    "teeth_lower": "helper-lower-teeth",
    "tongue": "helper-tongue",
    "eye_left": "helper-l-eye",
    "eye_right": "helper-r-eye",
    "hair": "helper-hair",
}


def build(source: Source) -> Skin:
    """The cut skin with MakeHuman's own 52 units, made symmetric; nothing else is corrected."""
    base = source.base()
    count = len(base.vertices)
    whole = _adult(source, base)
    units = np.stack([source.target(_unit_path(name), count) for name in UNIT_NAMES])
    mesh = QuadMesh(base.quads["body"])
    edges = [mesh.ring(*pair) for pair in (_NECK, _MOUTH_EDGE, *_SOCKET_EDGES)]
    ids = mesh.inside(_NOSE_TIP, *edges)
    quads = _within(mesh.quads, ids, count)
    mirror = source.mirror(count)
    whole = (whole + whole[mirror] * [-1.0, 1.0, 1.0]) / 2
    units = symmetric_units(units, mirror)
    template = whole[ids]
    return Skin(
        template=template,
        triangles=triangles_of(quads, template),
        quads=quads.astype(np.int32),
        unit_names=UNIT_NAMES,
        unit_deltas=units[:, ids],
        ids=ids.astype(np.int32),
        uv=base.uv[ids],
        landmarks=_landmarks(mesh, base, whole, units, ids),
    )


def symmetric_units(deltas: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Average every unit (52, V, 3) with the mirror image of its twin on the other side."""
    flipped = deltas[:, mirror] * [-1.0, 1.0, 1.0]
    twins = [UNIT_NAMES.index(_twin(name)) for name in UNIT_NAMES]
    return (deltas + flipped[twins]) / 2


def _twin(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def _unit_path(name: str) -> str:
    return f"faceunits01/targets/faceunits/{name}.target"


def _adult(source: Source, base: BaseMesh) -> np.ndarray:
    """All vertices (N, 3) of the blended adult, metres, the origin between the eyes."""
    recipe = dict(CHARACTER)
    for gender, share in (("female", FEMALE), ("male", 1 - FEMALE)):
        recipe[f"macrodetails/universal-{gender}-young-averagemuscle-averageweight"] = share
        for race, part in ANCESTRY.items():
            recipe[f"macrodetails/{race}-{gender}-young"] = share * part
    vertices = base.vertices.copy()
    for path, amount in recipe.items():
        shape = source.target(f"mpfb2/targets/{path}.target.gz", len(vertices))
        vertices += amount * shape
    eyes = [vertices[base.groups[f"joint-{side}-eye"]].mean(axis=0) for side in "lr"]
    return vertices - np.mean(eyes, axis=0)


def _within(quads: np.ndarray, ids: np.ndarray, count: int) -> np.ndarray:
    """The quads all of whose corners are in `ids`, renumbered to positions in `ids`."""
    new = np.full(count, -1)
    new[ids] = np.arange(len(ids))
    faces = new[quads]
    return faces[(faces >= 0).all(axis=1)]


def _landmarks(
    mesh: QuadMesh, base: BaseMesh, whole: np.ndarray, units: np.ndarray, ids: np.ndarray
) -> Landmarks:
    new = np.full(len(whole), -1)
    new[ids] = np.arange(len(ids))
    centres = np.array([whole[base.groups[f"joint-{side}-eye"]].mean(axis=0) for side in "lr"])
    lids = [_rim_halves(mesh.ring(*pair), whole, pair[0]) for pair in _LID_RIMS]
    lid_radii = [
        np.linalg.norm(whole[np.concatenate(halves)] - centre, axis=1).min()
        for halves, centre in zip(lids, centres, strict=True)
    ]
    lips = _rim_halves(mesh.ring(*_LIP_LINE), whole, _LIP_LINE[0])
    rows = [_rim_halves(mesh.ring(*pair), whole, pair[0]) for pair in _LIP_ROWS]
    above, crest = (new[_rim_halves(mesh.ring(*pair), whole, pair[0])[0]] for pair in _LIP_FRONT)
    proxies = {name: base.groups[group] for name, group in _PROXIES.items()}
    proxies["cavity"] = mesh.inside(_deep_in_mouth(mesh), mesh.ring(*_MOUTH_EDGE))
    return Landmarks(
        eye_centres=centres,
        eye_radii=np.array(lid_radii),
        lid_upper=(_outward(new[lids[0][0]], 0), _outward(new[lids[1][0]], 1)),
        lid_lower=(_outward(new[lids[0][1]], 0), _outward(new[lids[1][1]], 1)),
        lip_upper=new[lips[0]],
        lip_lower=new[lips[1]],
        lip_rows=tuple((new[upper], new[lower]) for upper, lower in rows),
        lip_front=(above, crest),
        lip_crest=crest,
        mouth_rim=new[mesh.ring(*_MOUTH_EDGE)],
        neck_rim=new[mesh.ring(*_NECK)],
        brows=_brows(whole[ids]),
        helpers={name: whole[vertices] for name, vertices in proxies.items()},
        helper_deltas={name: units[:, vertices] for name, vertices in proxies.items()},
        helper_quads={"cavity": _within(mesh.quads, proxies["cavity"], len(whole))},
    )


def _rim_halves(ring: np.ndarray, whole: np.ndarray, top: int) -> tuple[np.ndarray, np.ndarray]:
    """Upper and lower half of a ring round an opening, from -x to +x, both corners in both."""
    x = whole[ring, 0]
    first, last = int(ring[x.argmin()]), int(ring[x.argmax()])
    upper = arc(ring, first, last, top)
    rest = set(ring.tolist()) - set(upper.tolist())
    return upper, arc(ring, first, last, rest.pop())


def _outward(row: np.ndarray, side: int) -> np.ndarray:
    """A row of lid vertices that runs from -x to +x, turned to run from the nose outward."""
    return row if side == 0 else row[::-1]


def _deep_in_mouth(mesh: QuadMesh) -> int:
    """The vertex just beyond the mouth's edge: a seed for the bag that MakeHuman keeps there."""
    edge, front = _MOUTH_EDGE
    deeper = mesh.ahead(front, edge)
    assert deeper is not None
    return deeper


def _brows(vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Per side, the front-most vertices nearest to the points of the brow line."""
    line = np.array(_BROW_LINE) / 1000
    front = np.flatnonzero(vertices[:, 2] > 0)
    rows = []
    for sign in (1, -1):
        offsets = vertices[front, None, :2] - line * [sign, 1]
        rows.append(front[np.linalg.norm(offsets, axis=2).argmin(axis=0)])
    return rows[0], rows[1]
