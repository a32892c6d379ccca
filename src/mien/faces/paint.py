"""Colours for heads that come without any: skin, redder lips, and eyes that look forward."""

from collections.abc import Mapping

import numpy as np

SKIN, LIPS = (0.78, 0.60, 0.52), (0.70, 0.42, 0.40)
BY_PART = {
    "teeth": (0.90, 0.88, 0.82),
    "tongue": (0.70, 0.38, 0.38),
    "cavity": (0.45, 0.20, 0.20),
    "hair": (0.20, 0.15, 0.12),
    "lashes": (0.12, 0.09, 0.08),
    "brows": (0.25, 0.18, 0.14),
}
"""sRGB in 0..1, by the first word of a part's name."""
WHITE, IRIS, PUPIL = (0.92, 0.91, 0.89), (0.32, 0.22, 0.15), (0.03, 0.03, 0.03)
IRIS_ANGLE, PUPIL_ANGLE = 27.0, 10.0
"""degrees from straight ahead, seen from the middle of the eyeball"""


def colors(template: np.ndarray, parts: Mapping[str, slice], lips: np.ndarray) -> np.ndarray:
    """Return (V, 3) float32, sRGB in 0..1, for the vertices (V, 3) of a face, metres."""
    found = np.tile(np.array(SKIN, np.float32), (len(template), 1))
    found[lips] = LIPS
    for name, part in parts.items():
        if name.startswith("eye"):
            found[part] = eye(template[part])
        elif color := BY_PART.get(name.split("_")[0]):
            found[part] = color
    return found


def eye(vertices: np.ndarray) -> np.ndarray:
    """Return (n, 3) float32: white, iris and pupil of an eyeball (n, 3), by the angle from +z."""
    rays = vertices - (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    ahead = rays[:, 2] / np.linalg.norm(rays, axis=1).clip(1e-9)
    found = np.tile(np.array(WHITE, np.float32), (len(vertices), 1))
    found[ahead > np.cos(np.radians(IRIS_ANGLE))] = IRIS
    found[ahead > np.cos(np.radians(PUPIL_ANGLE))] = PUPIL
    return found
