"""Walk a mesh of quads: rings across it, and what lies inside a ring."""

from collections import defaultdict

import numpy as np


class QuadMesh:
    """Neighbourhoods of a closed mesh of quads (Q, 4)."""

    def __init__(self, quads: np.ndarray) -> None:
        self.quads = quads
        self.neighbours: dict[int, set[int]] = defaultdict(set)
        self._faces: dict[int, set[int]] = defaultdict(set)
        for face, quad in enumerate(quads.tolist()):
            for here, there in zip(quad, quad[1:] + quad[:1], strict=True):
                self.neighbours[here].add(there)
                self.neighbours[there].add(here)
                self._faces[here].add(face)

    def ahead(self, behind: int, here: int) -> int | None:
        """The vertex straight across `here` when coming from `behind`; None at a pole."""
        near = self._faces[behind] & self._faces[here]
        across = [
            there
            for there in self.neighbours[here]
            if there != behind and not (self._faces[there] & near)
        ]
        return across[0] if len(self.neighbours[here]) == 4 and len(across) == 1 else None

    def faces_of(self, here: int, there: int) -> list[int]:
        """The (one or two) quads that have both vertices of an edge."""
        return sorted(self._faces[here] & self._faces[there])

    def opposite(self, face: int, edge: tuple[int, int]) -> tuple[int, int]:
        """The edge of a quad across from `edge`, its ends in the same order."""
        quad = self.quads[face].tolist()
        place = quad.index(edge[0])
        after, across, before = (quad[(place + step) % 4] for step in (1, 2, 3))
        return (before, across) if after == edge[1] else (after, across)

    def sides(self, here: int, toward: int) -> tuple[int, int]:
        """The two neighbours of `here` that the line through `toward` passes between."""
        line = {toward, self.ahead(toward, here)}
        first, second = sorted(self.neighbours[here] - line)
        return first, second

    def ring(self, start: int, toward: int) -> np.ndarray:
        """Vertex ids of the closed ring through `start` that crosses the edge to `toward`."""
        behind, here = start, self.sides(start, toward)[0]
        ring = [start]
        while here != start:
            ring.append(here)
            ahead = self.ahead(behind, here)
            assert ahead is not None, f"the ring through {start} meets a pole at {here}"
            behind, here = here, ahead
        return np.array(ring)

    def inside(self, seed: int, *rings: np.ndarray) -> np.ndarray:
        """Sorted vertex ids reached from `seed` without crossing a ring; the rings come too."""
        walls = {int(vertex) for ring in rings for vertex in ring}
        found, open_ends = {seed}, [seed]
        while open_ends:
            for there in self.neighbours[open_ends.pop()] - found:
                found.add(there)
                if there not in walls:
                    open_ends.append(there)
        return np.array(sorted(found))


def steps_from(quads: np.ndarray, row: np.ndarray) -> np.ndarray:
    """(V,): least number of edges to a vertex of `row`, whose two ends do not count as starts."""
    edges = np.concatenate([quads[:, [corner, (corner + 1) % 4]] for corner in range(4)])
    edges = np.concatenate([edges, edges[:, ::-1]])
    steps = np.full(quads.max() + 1, np.inf)
    steps[row[1:-1]] = 0
    while True:
        nearer = steps.copy()
        np.minimum.at(nearer, edges[:, 0], steps[edges[:, 1]] + 1)
        if (nearer == steps).all():
            return steps
        steps = nearer


def triangles_of(quads: np.ndarray, vertices: np.ndarray) -> np.ndarray:
    """Cut each quad (Q, 4) along its shorter diagonal: (2Q, 3) int32."""
    a, b, c, d = (vertices[quads[:, corner]] for corner in range(4))
    along = np.linalg.norm(a - c, axis=1) <= np.linalg.norm(b - d, axis=1)
    first = np.where(along[:, None], quads[:, [0, 1, 2]], quads[:, [0, 1, 3]])
    second = np.where(along[:, None], quads[:, [0, 2, 3]], quads[:, [1, 2, 3]])
    return np.stack([first, second], axis=1).reshape(-1, 3).astype(np.int32)


def arc(ring: np.ndarray, start: int, end: int, through: int) -> np.ndarray:
    """The part of a ring from `start` to `end`, both included, that passes `through`."""
    turned = np.roll(ring, -int(np.flatnonzero(ring == start)[0]))
    stop = int(np.flatnonzero(turned == end)[0])
    one = turned[: stop + 1]
    return one if through in one else np.concatenate([turned[:1], turned[: stop - 1 : -1]])
