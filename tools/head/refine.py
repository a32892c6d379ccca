"""Give the lower lip as many columns of vertices as the upper: MakeHuman's has half as many."""

from dataclasses import dataclass, field, replace

import numpy as np

from head.quads import QuadMesh, triangles_of
from head.types import Skin

OUTWARD, INWARD = 6, 3
"""Steps that a strip goes from the lip line, down toward the chin and back toward the gums."""
LEAST_WIDTH = 0.002
"""metres: columns narrower than this, near the mouth's corners, are left."""
_FOUR_POINTS = np.array([-1.0, 9.0, 9.0, -1.0]) / 16
"""Where a smooth curve through four evenly spaced points lies between the middle two."""


@dataclass(eq=False)
class Split:
    """A mesh of quads some of whose edges have been given a vertex in the middle."""

    mesh: QuadMesh
    count: int
    """Vertices before any split; new ones are numbered from here."""
    supports: list[tuple[int, int, int, int]] = field(default_factory=list)
    """For each new vertex, the four vertices along its ring that it is interpolated from."""
    middles: dict[frozenset[int], int] = field(default_factory=dict)
    """The new vertex on each split edge."""

    def strip(self, edge: tuple[int, int], *, outward: int, inward: int, outside: int) -> None:
        """Split `edge` and those opposite to it across the quads on both sides, so many each way.

        `outside` is a neighbour of the edge's first vertex on the outward side.
        """
        faces = self.mesh.faces_of(*edge)
        out = next(face for face in faces if outside in self.mesh.quads[face])
        other = next(face for face in faces if face != out)
        self._split(edge)
        for face, steps in ((out, outward), (other, inward)):
            here = edge
            for _ in range(steps):
                here = self.mesh.opposite(face, here)
                self._split(here)
                face = next(f for f in self.mesh.faces_of(*here) if f != face)

    def _split(self, edge: tuple[int, int]) -> None:
        first, second = edge
        before, after = self.mesh.ahead(second, first), self.mesh.ahead(first, second)
        self.middles[frozenset(edge)] = self.count + len(self.supports)
        if before is None or after is None:
            before, after = first, second
        self.supports.append((before, first, second, after))

    def grown(self, values: np.ndarray) -> np.ndarray:
        """Values (count, ...) of the old vertices, with those of the new ones appended."""
        new = np.einsum("k,nk...->n...", _FOUR_POINTS, values[np.array(self.supports)])
        return np.concatenate([values, new])

    def row(self, row: np.ndarray) -> np.ndarray:
        """A row of neighbouring vertices with the new ones between them put in."""
        longer = [int(row[0])]
        for here, there in zip(row[:-1].tolist(), row[1:].tolist(), strict=True):
            middle = self.middles.get(frozenset((here, there)))
            longer += [there] if middle is None else [middle, there]
        return np.array(longer)

    def quads(self) -> np.ndarray:
        """The quads (Q, 4), for walking: two for each that is split through.

        The quad at a strip's end stays as it was; for drawing, see `fans`.
        """
        found: list[list[int]] = []
        for quad in self.mesh.quads.tolist():
            found += self._halves(quad) or [quad]
        return np.array(found)

    def _halves(self, quad: list[int]) -> list[list[int]]:
        for turn in range(2):
            a, b, c, d = quad[turn:] + quad[:turn]
            low = self.middles.get(frozenset((a, b)))
            high = self.middles.get(frozenset((c, d)))
            if low is not None and high is not None:
                return [[a, low, high, d], [low, b, c, high]]
        return []

    def fans(self) -> tuple[np.ndarray, np.ndarray]:
        """The quads (E, 4) at the strips' ends, and the triangles (3E, 3) to draw instead."""
        ends, triangles = [], []
        for quad in self.mesh.quads.tolist():
            if self._halves(quad):
                continue
            for turn in range(4):
                a, b, c, d = quad[turn:] + quad[:turn]
                middle = self.middles.get(frozenset((a, b)))
                if middle is not None:
                    ends.append(quad)
                    triangles += [[middle, b, c], [middle, c, d], [middle, d, a]]
        return np.array(ends), np.array(triangles, np.int32)


def refined(skin: Skin) -> Skin:
    """The skin with the wide columns of its lower lip split; old vertices keep place and number."""
    split = Split(QuadMesh(skin.quads), len(skin.template))
    line, crest = skin.landmarks.lip_lower, set(skin.landmarks.lip_crest.tolist())
    for here, there in zip(line[:-1].tolist(), line[1:].tolist(), strict=True):
        if np.linalg.norm(skin.template[here] - skin.template[there]) >= LEAST_WIDTH:
            outside = (split.mesh.neighbours[here] & crest).pop()
            split.strip((here, there), outward=OUTWARD, inward=INWARD, outside=outside)
    ends, fans = split.fans()
    quads = split.quads()
    whole = quads[~(quads[:, None] == ends).all(axis=2).any(axis=1)]
    template = split.grown(skin.template)
    rows = ("lip_lower", "lip_crest")
    marks = {name: split.row(getattr(skin.landmarks, name)) for name in rows}
    front = (skin.landmarks.lip_front[0], marks["lip_crest"])
    facing = tuple((upper, split.row(lower)) for upper, lower in skin.landmarks.lip_rows)
    return replace(
        skin,
        template=template,
        triangles=np.concatenate([triangles_of(whole, template), fans]),
        quads=quads.astype(np.int32),
        unit_deltas=split.grown(skin.unit_deltas.swapaxes(0, 1)).swapaxes(0, 1),
        ids=np.concatenate([skin.ids, np.full(len(split.supports), -1, np.int32)]),
        uv=split.grown(skin.uv),
        landmarks=replace(skin.landmarks, lip_rows=facing, lip_front=front, **marks),
    )
