"""The gums: a strip along each arch, scalloped round the teeth's necks, risen between them."""

import numpy as np

from head.parts.arch import MM, Arch, shade
from head.parts.kinds import Kind, places
from head.parts.surface import Piece, rings_to_triangles, smoothstep

PAPILLA = 2.8
"""How far the gum rises between two teeth, millimetres."""

# Across the strip, from the tongue to the lip: whether it is measured from the teeth's back
# (1) or front (0), how far outward of that, how far from the margin (millimetres), sRGB.
SECTION = (
    (1, -5.0, 9.0, (0.46, 0.22, 0.21)),
    (1, -1.6, 2.5, (0.60, 0.31, 0.30)),
    (1, 0.0, 0.4, (0.70, 0.40, 0.38)),
    (0, 0.3, 0.0, (0.84, 0.56, 0.53)),
    (0, 0.8, 1.0, (0.80, 0.49, 0.47)),
    (0, 0.9, 4.0, (0.70, 0.37, 0.37)),
    (0, -1.0, 9.0, (0.42, 0.18, 0.18)),
)


def strip(arch: Arch, kinds: tuple[Kind, ...]) -> Piece:
    """The gum of one row of teeth."""
    distance, margin, depth = _scallops(kinds)
    points, normal = arch.at(distance)
    rows = []
    for behind, outward, away, _ in SECTION:
        short = margin + away
        offset = (outward - behind * depth - arch.lean * short)[:, None] * normal
        offset[:, 1] -= arch.down * short
        rows.append(points + offset * MM)
    triangles = rings_to_triangles(len(rows), len(distance), closed=False)
    red = np.repeat([color for *_, color in SECTION], len(distance), axis=0)
    colors = red * np.tile(shade(distance), len(rows))[:, None]
    facing = triangles[:, ::-1] if arch.down < 0 else triangles
    return Piece(np.concatenate(rows), facing, colors)


def _scallops(kinds: tuple[Kind, ...]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the whole arch: distance (n,) metres, height (n,) of the margin and depth (n,) mm."""
    half = []
    for i, (kind, where) in enumerate(zip(kinds, places(kinds), strict=True)):
        before = kinds[max(i - 1, 0)]
        for share in (-0.5, -0.3, 0.0, 0.3):
            crest = (kind.height + before.height) / 2 if share == -0.5 else kind.height
            papilla = PAPILLA * float(smoothstep(0.15, 0.5, abs(share)))
            half.append(
                (where + share * kind.width * MM, crest + kind.raised - papilla, kind.depth)
            )
    last, end = kinds[-1], places(kinds)[-1] + kinds[-1].width / 2 * MM
    half.append((end, last.height + last.raised - PAPILLA, last.depth))
    right = np.array(half)
    left = right[:0:-1] * [-1, 1, 1]
    distance, margin, depth = np.concatenate([left, right]).T
    return distance, margin, depth
