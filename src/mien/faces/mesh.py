"""Meshes as files have them: connected pieces, polygons, and vertices that are the same."""

from itertools import pairwise

import numpy as np


def pieces(triangles: np.ndarray, vertices: int) -> list[slice]:
    """The connected pieces of a mesh as ranges of vertices, in order; empty if one is no range."""
    labels = np.arange(vertices)
    while True:
        lowest = labels[triangles].min(axis=1)
        before = labels.copy()
        for corner in range(3):
            np.minimum.at(labels, triangles[:, corner], lowest)
        labels = labels[labels]
        if np.array_equal(labels, before):
            break
    starts = np.unique(labels)
    found = [slice(int(a), int(b)) for a, b in zip(starts, [*starts[1:], vertices], strict=True)]
    whole = all((labels[piece] == piece.start).all() for piece in found)
    return found if whole else []


def fan(polygon: list[int]) -> list[tuple[int, int, int]]:
    """A polygon as triangles around its first corner."""
    return [(polygon[0], a, b) for a, b in pairwise(polygon[1:])]


def weld(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows (n, D) of which some are equal -> (kept (m,), place of each row among the kept (n,)).

    The kept stay in the order in which they first come.
    """
    _, first, place = np.unique(columns, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    return first[order], rank[place.reshape(-1)]
