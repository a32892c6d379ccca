"""Faces whose shapes bear ARKit's names, from whatever file: names, size, axes, then a Face."""

import re
from collections.abc import Mapping

import numpy as np

from mien.errors import MienError
from mien.face import UNIT_NAMES, Face, Labiodental
from mien.faces import lips, paint

BLINKS_APART = 0.060
"""metres: between the middles of the two blinks on the Mien head"""
BLINKS_PLACE = (0.0, 0.0021, 0.0138)
"""metres: half way between them there, from the origin"""
PLAUSIBLE = (0.045, 0.080)
"""metres: a face whose blinks lie so far apart is taken to be in metres already"""
STEPS = (0.01, 0.1, 0.001, 10.0, 100.0, 1000.0)
"""Units of length that files are in, metres: tried in this order."""
STILL = 1e-6
"""metres: a displacement that is smaller is none"""
EYE_SAMPLES = 64
"""How many vertices of an eyeball count in the basis, as on the Mien head."""
BITE = (0.0005, 0.02)
"""metres at rest from the lower lip to the upper incisors' edge; else those are no teeth"""
SPLIT = ("browInnerUp", "cheekPuff")
"""Units of both sides at once that some files, ICT-FaceKit's too, have for each side."""
NEEDED = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight")
"""Without these, neither the lips nor size and axes of a face can be found."""


def unit_of(name: str) -> str | None:
    """The unit that a shape's name means; None for a name that is not ARKit's.

    Understood are ARKit's own names, Live Link's capitals, `_L` and `_R` for the sides, and words
    before a dot or an underscore ("blendShape1.jawOpen"). browInnerUp and cheekPuff, which some
    files split into sides, are the sum of both.
    """
    word = name.split(".")[-1]
    starts = (0, *(place.end() for place in re.finditer("_", word)))
    known = (_BY_PLAIN.get(_plain(word[start:])) for start in starts)
    return next(filter(None, known), None)


def _plain(word: str) -> str:
    """Small letters alone, a side written out."""
    word = re.sub("_l$", "left", re.sub("_r$", "right", word.lower()))
    return re.sub("[^a-z]", "", word)


_BY_PLAIN = {name.lower(): name for name in UNIT_NAMES}
_BY_PLAIN |= {f"{name}{side}".lower(): name for name in SPLIT for side in ("Left", "Right")}


def face_of_shapes(
    name: str,
    template: np.ndarray,
    triangles: np.ndarray,
    shapes: Mapping[str, np.ndarray],
    parts: Mapping[str, slice],
    colors: np.ndarray | None = None,
) -> Face:
    """Make a Face of a mesh whose displacements have ARKit's names.

    Args:
        name: what the face is called.
        template: (V, 3) in any unit of length and with any axes, which are found from the shapes.
        triangles: (F, 3), counter-clockwise seen from outside.
        shapes: displacements (V, 3) by name; those that are no units are left out. Units that are
            missing move nothing.
        parts: ranges of vertices; one of them is `skin`.
        colors: (V, 3) sRGB in 0..1, NaN where the file has none; painted there.

    The rules of clashing units are those of the Mien head: they are about the same 52 units.
    Raises MienError where there is no jawOpen or no blink.
    """
    deltas = np.zeros((len(UNIT_NAMES), *template.shape))
    for shape, moved in shapes.items():
        if unit := unit_of(shape):
            deltas[UNIT_NAMES.index(unit)] += moved
    for unit in NEEDED:
        if not np.abs(deltas[UNIT_NAMES.index(unit), parts["skin"]]).max() > 0:
            raise MienError(
                f"the face {name!r} has no shape {unit!r}; shapes with ARKit's names are wanted, "
                f"and it has {', '.join(list(shapes)[:6]) or 'none'}"
            )
    turn, scale, origin = _frame(template, deltas, parts["skin"])
    template = ((template @ turn.T - origin) * scale).astype(np.float32)
    deltas = deltas @ turn.T * scale
    deltas[np.abs(deltas) < STILL] = 0.0
    deltas = deltas.astype(np.float32)
    triangles = np.ascontiguousarray(triangles, np.int32)
    opening = deltas[UNIT_NAMES.index("jawOpen")]
    seam = lips.find_seam(template, triangles, opening, parts["skin"])
    pairs, normals = lips.contact(template, seam)
    regions = lips.regions(template, parts, seam)
    painted = paint.colors(template, parts, regions["lips"])
    if colors is not None:
        painted = np.where(np.isfinite(colors), colors, painted).astype(np.float32)
    return Face(
        name=name,
        template=template,
        triangles=triangles,
        colors=painted,
        unit_names=UNIT_NAMES,
        unit_deltas=deltas,
        parts=dict(parts),
        basis_vertices=_basis_vertices(template, parts),
        regions=regions,
        contact_pairs=pairs,
        contact_normals=normals,
        labiodental=_labiodental(template, parts, pairs, opening),
        limits=Face.load().limits,
    )


def _frame(
    template: np.ndarray, deltas: np.ndarray, skin: slice
) -> tuple[np.ndarray, float, np.ndarray]:
    """How a file's axes and unit become ours: rotation (3, 3), metres a unit, origin (3,).

    The blinks tell left from right and how large the head is, the jaw tells where down is; the
    file's axes are kept but for quarter turns.
    """
    middles = []
    for unit in NEEDED:
        sizes = np.linalg.norm(deltas[UNIT_NAMES.index(unit), skin], axis=1)
        middles.append(sizes @ template[skin] / sizes.sum())
    jaw, left, right = middles
    across = _nearest_axis(left - right)
    up = (left + right) / 2 - jaw
    up = _nearest_axis(np.where(across != 0, 0.0, up))
    turn = np.stack([across, up, np.cross(across, up)])
    apart = float(np.linalg.norm(left - right))
    low, high = PLAUSIBLE
    fitting = [step for step in (1.0, *STEPS) if low <= apart * step <= high]
    scale = fitting[0] if fitting else BLINKS_APART / apart
    return turn, scale, turn @ ((left + right) / 2) - np.array(BLINKS_PLACE) / scale


def _nearest_axis(direction: np.ndarray) -> np.ndarray:
    """The unit vector along the axis, or against it, that is nearest to a direction."""
    axis = int(np.abs(direction).argmax())
    return np.eye(3)[axis] * np.sign(direction[axis])


def _basis_vertices(template: np.ndarray, parts: Mapping[str, slice]) -> np.ndarray:
    """Skin, tongue, and a few of the front of each eyeball, as on the Mien head."""
    chosen = []
    for name, part in parts.items():
        at = np.arange(part.start, part.stop)
        if name in ("skin", "tongue"):
            chosen.append(at)
        elif name.startswith("eye"):
            front = at[template[at, 2] >= np.median(template[at, 2])]
            picked = np.linspace(0, len(front) - 1, min(EYE_SAMPLES, len(front))).round()
            chosen.append(front[picked.astype(int)])
    return np.sort(np.concatenate(chosen)).astype(np.int32)


def _labiodental(
    template: np.ndarray, parts: Mapping[str, slice], pairs: np.ndarray, opening: np.ndarray
) -> Labiodental:
    """The lower lip and the upper incisors; empty where the face shows no teeth."""
    none = Labiodental(lip=np.zeros(0, np.int32), teeth=np.zeros(0, np.int32))
    teeth = [np.arange(p.start, p.stop) for name, p in parts.items() if name.startswith("teeth")]
    if not teeth or not len(pairs):
        return none
    upper = np.concatenate(teeth)
    moved = np.linalg.norm(opening, axis=1)
    edge = lips.incisor_edge(template, upper[moved[upper] < lips.STILL * moved.max()])
    lip = np.unique(pairs[:, 1])
    if not len(edge):
        return none
    apart = np.linalg.norm(template[edge, None] - template[lip], axis=2).min(axis=1).mean()
    return Labiodental(lip=lip, teeth=edge) if BITE[0] <= apart <= BITE[1] else none
