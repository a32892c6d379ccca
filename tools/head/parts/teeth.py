"""Two rows of fourteen teeth, each shaped by its kind, with gums.

The upper row belongs to the skull and never moves; the lower one follows the jaw, see `jaw.py`.
"""

import numpy as np

from head.parts import gums, jaw
from head.parts.arch import MM, Arch, arches, shade
from head.parts.kinds import LOWER, UPPER, Kind, places
from head.parts.surface import Piece, body, joined
from head.types import Part, Skin

AROUND = 12
"""Points round a tooth."""
ROUNDNESS = 2.5
"""Exponent of a tooth's section: 2 is an ellipse, more is squarer."""
SHARE = 0.98
"""Of its place along the arch that a tooth fills."""
BELLY = 0.45
"""How far a crown's front bulges, millimetres."""

# Rings of a tooth, below the gum (-0.2), at it (0) and on to the biting edge (1), closed by a cap:
# level, width as a share of the widest (None: the neck's), sRGB.
RINGS = (
    (-0.2, None, (0.88, 0.80, 0.66)),
    (0.0, None, (0.88, 0.80, 0.66)),
    (0.3, 0.92, (0.95, 0.91, 0.83)),
    (0.6, 0.97, (0.963, 0.936, 0.876)),
    (0.86, 0.985, (0.968, 0.945, 0.90)),
    (0.975, 0.90, (0.97, 0.95, 0.91)),
    (1.0, 0.0, (0.97, 0.95, 0.91)),
)
LEVELS = np.array([level for level, _, _ in RINGS])
EDGE_LEVEL = 0.97
"""Rings from here on are the biting edge."""


def build(skin: Skin) -> list[Part]:
    """The upper row, with its incisors' edge marked, then the lower row."""
    above, below = arches(skin)
    upper, lower = _row(above, UPPER), _row(below, LOWER)
    still = np.zeros((len(skin.unit_names), len(upper.vertices), 3))
    moved = jaw.Jaw.of(skin).deltas(skin.unit_names, lower.vertices)
    marks = {"incisor_edge": _incisor_edge()}
    return [
        Part("teeth_upper", upper.vertices, upper.triangles, still, upper.colors, marks),
        Part("teeth_lower", lower.vertices, lower.triangles, moved, lower.colors),
    ]


def _row(arch: Arch, kinds: tuple[Kind, ...]) -> Piece:
    """Teeth from the midline outward, left and right in turn, then the gum."""
    pieces = [
        _tooth(arch, kind, side * where)
        for kind, where in zip(kinds, places(kinds), strict=True)
        for side in (1, -1)
    ]
    return joined([*pieces, gums.strip(arch, kinds)])


def _incisor_edge() -> np.ndarray:
    """Vertex ids of the biting edges of a row's four incisors, which come first."""
    edge = np.flatnonzero(np.repeat(LEVELS > EDGE_LEVEL, AROUND))
    return np.concatenate([edge + tooth * len(RINGS) * AROUND for tooth in range(4)])


def _tooth(arch: Arch, kind: Kind, where: float) -> Piece:
    """One crown: a stack of rounded sections, closed by a cap at the biting edge."""
    turn = np.arange(AROUND) * (2 * np.pi / AROUND)
    side, out = (np.sign(f) * np.abs(f) ** (2 / ROUNDNESS) for f in (np.cos(turn), np.sin(turn)))
    along = _widths(kind)[:, None] / 2 * side
    outward = BELLY * np.sin(np.pi * np.clip(LEVELS, 0, 1))[:, None]
    outward = outward + (out - 1) / 2 * _depths(kind)[:, None]
    outward[-1] = -kind.edge / 2
    corner = kind.point * (2 * np.abs(along) / kind.width) ** 1.5
    short = kind.height * (1 - LEVELS)[:, None] + corner * np.clip(LEVELS, 0, 1)[:, None] ** 4
    vertices = _placed(arch, where, along, outward, short + kind.raised)
    tint = np.repeat([color for *_, color in RINGS], AROUND, axis=0)
    behind = np.tile(np.where(out > -0.5, 1.0, 0.8), len(RINGS))
    return Piece(vertices, body(vertices, len(RINGS)), tint * (shade(where) * behind)[:, None])


def _widths(kind: Kind) -> np.ndarray:
    """Width (rings,) of the sections along the arch, millimetres."""
    shares = [kind.neck if share is None else share for _, share, _ in RINGS]
    return SHARE * kind.width * np.array(shares)


def _depths(kind: Kind) -> np.ndarray:
    """Depth (rings,) of the sections, front to back, millimetres."""
    thin = (kind.depth + 2 * kind.edge) / 3
    return np.interp(LEVELS, [0, 0.75, 0.98, 1], [kind.depth, thin, kind.edge, 0])


def _placed(
    arch: Arch, where: float, along: np.ndarray, outward: np.ndarray, short: np.ndarray
) -> np.ndarray:
    """Millimetre offsets in one tooth's own frame to points (n, 3) in the head's, metres."""
    point, normal = (a[0] for a in arch.at(np.array([where])))
    tangent = np.cross([0, 1, 0], normal)
    back = outward - arch.lean * short
    offset = along[..., None] * tangent + back[..., None] * normal
    offset = offset - arch.down * short[..., None] * np.array([0, 1, 0])
    return (point + offset * MM).reshape(-1, 3)
