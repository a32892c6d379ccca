"""Two rows of fourteen teeth, each shaped by its kind, with gums.

The rows stand on an arch: a half ellipse in the horizontal plane. The upper row belongs to the skull
and never moves; the lower one follows the jaw, see `jaw.py`.
"""

from dataclasses import dataclass

import numpy as np

from head.types import Part, Skin
from head.parts import jaw
from head.parts.surface import lerp_rows, rings_to_triangles, smoothstep

MM = 1e-3
AROUND = 14
"""Points round a tooth."""
LEVELS = np.array([0.0, 0.16, 0.36, 0.58, 0.78, 0.91, 0.98])
"""Rings of a tooth, from the gum (0) to the biting edge (1)."""


@dataclass(frozen=True)
class Kind:
    """The shape of one tooth, millimetres."""

    width: float
    """Along the arch, at its widest."""
    height: float
    """Of the crown, gum to edge."""
    depth: float
    """Front to back at the gum."""
    edge: float
    """Front to back at the biting edge."""
    neck: float
    """Width at the gum, as a share of the widest."""
    point: float
    """How far the edge's middle stands out beyond its corners."""
    raised: float
    """How far its edge stays short of the incisors' edge line."""


UPPER = (
    Kind(8.5, 10.3, 6.6, 1.5, 0.80, 0.0, 0.0),
    Kind(6.7, 9.2, 5.8, 1.4, 0.78, 0.1, 0.8),
    Kind(7.5, 10.2, 7.4, 2.2, 0.76, 1.4, 0.1),
    Kind(6.9, 8.6, 8.6, 5.2, 0.82, 0.9, 0.9),
    Kind(6.7, 7.8, 8.8, 5.6, 0.84, 0.7, 1.0),
    Kind(9.6, 7.2, 10.2, 7.4, 0.86, 0.5, 1.2),
    Kind(9.0, 6.8, 10.0, 7.4, 0.86, 0.4, 1.6),
)
LOWER = (
    Kind(5.4, 8.6, 5.6, 1.3, 0.76, 0.0, 0.0),
    Kind(5.9, 8.8, 5.8, 1.3, 0.76, 0.0, 0.1),
    Kind(6.9, 9.8, 7.2, 2.0, 0.76, 1.0, -0.2),
    Kind(7.0, 8.2, 7.6, 4.6, 0.80, 0.8, 0.5),
    Kind(7.1, 7.8, 8.2, 5.6, 0.82, 0.6, 0.8),
    Kind(10.6, 7.2, 9.8, 7.6, 0.86, 0.5, 1.0),
    Kind(10.0, 6.8, 9.6, 7.6, 0.86, 0.4, 1.2),
)


@dataclass(frozen=True)
class Arch:
    """Where a row of teeth stands; metres."""

    front: float
    """z of the incisors' front at the edge."""
    edge: float
    """y of the incisors' edge."""
    half_width: float
    """Of the ellipse through the teeth's fronts."""
    length: float
    """Of the ellipse, front to back."""
    down: float
    """-1 where crowns point down (upper row), +1 where they point up."""
    lean: float
    """How far the gum end lies behind (+) the edge, as a slope."""

    def at(self, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Points (n, 3) and outward normals (n, 3) at distances along the arch from the midline."""
        turn = np.linspace(-np.pi / 2, np.pi / 2, 801)
        x, z = self.half_width * np.sin(turn), self.length * (np.cos(turn) - 1)
        steps = np.hypot(np.diff(x), np.diff(z))
        along = np.concatenate([[0], np.cumsum(steps)])
        t = np.interp(distance, along - along[400], turn)
        zero = np.zeros_like(t)
        points = np.stack([self.half_width * np.sin(t), zero + self.edge,
                           self.front + self.length * (np.cos(t) - 1)], axis=-1)
        normal = np.stack([np.sin(t) / self.half_width, zero, np.cos(t) / self.length], axis=-1)
        return points, normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def build(skin: Skin) -> list[Part]:
    """The upper row, then the lower row."""
    upper, lower = arches(skin)
    still = np.zeros((len(skin.unit_names), 1, 3))
    up, down = _row(upper, UPPER), _row(lower, LOWER)
    edge = np.flatnonzero(up.edge)
    return [
        Part("teeth_upper", up.vertices, up.triangles, np.repeat(still, len(up.vertices), axis=1),
             up.colors, {"incisor_edge": edge}),
        Part("teeth_lower", down.vertices, down.triangles,
             jaw.Jaw.of(skin).deltas(skin.unit_names, down.vertices), down.colors),
    ]


def arches(skin: Skin) -> tuple[Arch, Arch]:
    """Upper and lower arch, placed behind the closed lips of the template."""
    line = skin.template[skin.landmarks.lip_upper]
    middle = line[np.abs(line[:, 0]).argmin()]
    front = float(skin.landmarks.helpers["teeth_upper"][:, 2].max()) - 1.6 * MM
    edge = float(middle[1]) - 2.0 * MM
    upper = Arch(front, edge, 29.5 * MM, 47 * MM, -1, 0.10)
    lower = Arch(front - 3.0 * MM, edge + 1.0 * MM, 27.5 * MM, 45 * MM, 1, 0.10)
    return upper, lower


@dataclass
class Row:
    """A finished row: vertices (n, 3), triangles, sRGB colours, edge (n,) bool (front incisors)."""

    vertices: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray
    edge: np.ndarray


def _row(arch: Arch, kinds: tuple[Kind, ...]) -> Row:
    pieces = [_tooth(arch, kind, side * where, index)
              for index, (kind, where) in enumerate(zip(kinds, _places(kinds), strict=True))
              for side in (1, -1)]
    pieces.append(_gum(arch, kinds))
    starts = np.cumsum([0] + [len(p.vertices) for p in pieces[:-1]])
    return Row(
        np.concatenate([p.vertices for p in pieces]),
        np.concatenate([p.triangles + s for p, s in zip(pieces, starts, strict=True)]),
        np.concatenate([p.colors for p in pieces]),
        np.concatenate([p.edge for p in pieces]),
    )


def _places(kinds: tuple[Kind, ...]) -> np.ndarray:
    """Distance (7,) of each tooth's middle from the midline along the arch, metres."""
    widths = np.array([k.width for k in kinds]) * MM
    return np.cumsum(widths) - widths / 2


def _tooth(arch: Arch, kind: Kind, where: float, index: int) -> Row:
    """One crown, a stack of rounded sections closed by a cap at the biting edge."""
    turn = np.arange(AROUND) * (2 * np.pi / AROUND)
    side = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** (2 / 2.7)
    out = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** (2 / 2.7)
    levels = np.concatenate([[-0.2], LEVELS, [1.0]])
    widest = np.interp(levels, [-0.2, 0, 0.4, 0.75, 0.91, 0.98, 1],
                       [kind.neck * 0.95, kind.neck, 0.93, 1, 0.975, 0.90, 0])
    depth = np.interp(levels, [-0.2, 0, 0.75, 0.98, 1],
                      [kind.depth, kind.depth, (kind.depth + 2 * kind.edge) / 3, kind.edge, 0])
    along = widest[:, None] * kind.width * 0.49 * side
    belly = 0.45 * np.sin(np.pi * np.clip(levels, 0, 1))
    outward = belly[:, None] + (out - 1) / 2 * depth[:, None]
    outward[-1] = -kind.edge / 2
    corner = kind.point * (2 * np.abs(along) / kind.width) ** 1.5
    short = kind.height * (1 - levels)[:, None] + corner * np.clip(levels, 0, 1)[:, None] ** 4
    vertices = _place(arch, where, along, outward, short + kind.raised)
    shade = _shade(where)
    tint = lerp_rows(np.repeat(levels, AROUND), np.array([0.0, 0.35, 1.0]),
                     np.array([(0.80, 0.72, 0.58), (0.90, 0.86, 0.77), (0.93, 0.91, 0.86)]))
    inner = np.tile(0.72 + 0.28 * (out > -0.5), len(levels))
    triangles = rings_to_triangles(len(levels), AROUND)
    edge = np.repeat((levels > 0.95) & (index < 2), AROUND)
    return Row(vertices, _outward(vertices, triangles), tint * (shade * inner)[:, None], edge)


def _place(arch: Arch, where: float, along: np.ndarray, outward: np.ndarray,
           short: np.ndarray) -> np.ndarray:
    """Millimetre offsets in one tooth's own frame to points (n, 3) in the head's."""
    point, normal = (a[0] for a in arch.at(np.array([where])))
    tangent = np.cross([0, 1, 0], normal)
    back = outward - arch.lean * short
    offset = along[..., None] * tangent + back[..., None] * normal
    offset = offset - arch.down * short[..., None] * np.array([0, 1, 0])
    return (point + offset * MM).reshape(-1, 3)


def _gum(arch: Arch, kinds: tuple[Kind, ...]) -> Row:
    """A strip along the arch, scalloped round the necks and rising between the teeth."""
    distance, margin, depth = _scallops(kinds)
    # (outward from the necks' front, away from the margin), millimetres, from tongue to lip side.
    front = ((0.30, 0.0), (0.80, 0.9), (1.0, 3.0), (0.4, 6.0), (-1.5, 9.0))
    behind = ((-5.0, 9.0), (-2.6, 4.0), (-0.6, 0.8), (0.0, 0.4))
    points, normal = arch.at(distance)
    rows = []
    for group, shift in ((behind, -depth), (front, 0 * depth)):
        for out, away in group:
            short = margin + away
            offset = (out + shift - arch.lean * short)[:, None] * normal
            offset[:, 1] -= arch.down * short
            rows.append(points + offset * MM)
    vertices = np.concatenate(rows)
    triangles = rings_to_triangles(len(rows), len(distance), closed=False)
    red = np.array([(0.42, 0.20, 0.19)] * 2 + [(0.60, 0.31, 0.30)] * 2
                   + [(0.80, 0.52, 0.50), (0.76, 0.45, 0.44), (0.68, 0.36, 0.36),
                      (0.50, 0.22, 0.23), (0.35, 0.14, 0.15)])
    colors = np.repeat(red, len(distance), axis=0) * np.tile(_shade(distance), len(rows))[:, None]
    return Row(vertices, triangles if arch.down < 0 else triangles[:, ::-1], colors,
               np.zeros(len(vertices), dtype=bool))


def _scallops(kinds: tuple[Kind, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the whole arch: distance (n,) metres, height of the gum's margin and depth (n,) mm."""
    half, margin, depth = [], [], []
    for i, (kind, where) in enumerate(zip(kinds, _places(kinds), strict=True)):
        for share in (-0.5, -0.3, 0.0, 0.3) if i < len(kinds) - 1 else (-0.5, -0.3, 0.0, 0.3, 0.5):
            neighbour = kinds[max(i - 1, 0)] if share < 0 else kind
            crest = 0.5 * (kind.height + neighbour.height) if share == -0.5 else kind.height
            papilla = 3.0 * smoothstep(0.15, 0.5, abs(share))
            half.append(where + share * kind.width * MM)
            margin.append(crest + kind.raised - float(papilla))
            depth.append(kind.depth)
    flip = [np.concatenate([np.array(a)[:0:-1] * sign, np.array(a)])
            for a, sign in ((half, -1), (margin, 1), (depth, 1))]
    return flip[0], flip[1], flip[2]


def _shade(distance: np.ndarray | float) -> np.ndarray:
    """How much light reaches that far into the mouth, 1 at the front."""
    return 1 - 0.62 * smoothstep(10 * MM, 42 * MM, np.abs(distance))


def _outward(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """The triangles, all flipped if they enclose a negative volume."""
    a, b, c = (vertices[triangles[:, k]] - vertices.mean(0) for k in range(3))
    volume = np.einsum("ij,ij->", a, np.cross(b, c))
    return triangles if volume > 0 else triangles[:, ::-1]
