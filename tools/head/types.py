"""The two records that the steps of the head builder hand to each other."""

from dataclasses import dataclass, field

import numpy as np

LEFT, RIGHT = 0, 1
"""Index of a side in every array that has one row per side; left is the face's own left, +x."""


@dataclass(frozen=True, eq=False)
class Landmarks:
    """Points and vertex lists on the skin that the other parts are placed by (metres, skin ids)."""

    eye_centres: np.ndarray
    """(2, 3): centres of the eyeballs' spheres, left (+x) first."""
    eye_radii: np.ndarray
    """(2,): radius that the lids were modelled round; our eyeball should be a little smaller."""
    lid_upper: tuple[np.ndarray, np.ndarray]
    """Per side, skin ids of the upper lid's rim, from the nose outward, corners included."""
    lid_lower: tuple[np.ndarray, np.ndarray]
    """Per side, skin ids of the lower lid's rim, from the nose outward, corners included."""
    lip_upper: np.ndarray
    """Skin ids along the upper lip where it meets the lower, from -x to +x, corners included."""
    lip_lower: np.ndarray
    """Skin ids along the lower lip where it meets the upper, from -x to +x, corners included."""
    lip_rows: tuple[tuple[np.ndarray, np.ndarray], ...]
    """Rows of skin ids (upper lip, lower lip) that face each other across the closed mouth."""
    lip_front: tuple[np.ndarray, np.ndarray]
    """The rows (upper, lower) in front of the line where the lips meet."""
    lip_crest: np.ndarray
    """Skin ids along the lower lip where it bulges forward: what the teeth meet in f and v."""
    mouth_rim: np.ndarray
    """Skin ids of the skin's open edge inside the mouth, one loop; the cavity joins here."""
    neck_rim: np.ndarray
    """Skin ids of the open edge at the neckline, one closed loop."""
    brows: tuple[np.ndarray, np.ndarray]
    """Per side, skin ids along the brow ridge, from the nose outward."""
    helpers: dict[str, np.ndarray] = field(default_factory=dict)
    """MakeHuman's fitting proxies in our frame (n, 3), metres, for placing only: 'teeth_upper',
    'teeth_lower', 'tongue', 'eye_left', 'eye_right', 'lashes', 'hair'. They follow the template."""
    helper_deltas: dict[str, np.ndarray] = field(default_factory=dict)
    """How each proxy moves with each unit, (52, n, 3) metres (as MakeHuman made it, unfixed)."""
    helper_quads: dict[str, np.ndarray] = field(default_factory=dict)
    """'cavity': (Q, 4), the bag behind the lips; its open edge lies exactly on `mouth_rim`."""


@dataclass(frozen=True, eq=False)
class Skin:
    """The cut skin of the head with its 52 units, fixed and ready."""

    template: np.ndarray
    """(V, 3) float64, metres, y up, z to the viewer, origin between the eyes."""
    triangles: np.ndarray
    """(F, 3) int32, counter-clockwise seen from outside."""
    quads: np.ndarray
    """(Q, 4) int32: the same surface before it was cut into triangles."""
    unit_names: tuple[str, ...]
    """The 52 names in ARKit's order."""
    unit_deltas: np.ndarray
    """(52, V, 3) float64: displacement at weight 1, metres."""
    ids: np.ndarray
    """(V,) int32: the vertex of MakeHuman's base mesh each skin vertex is (-1: made by us)."""
    uv: np.ndarray
    """(V, 2): MakeHuman's texture coordinates (one of them where a seam has two)."""
    landmarks: Landmarks
    """Where the eyes, lids, lips, mouth rim and brows are."""

    def delta(self, name: str) -> np.ndarray:
        """Displacement (V, 3) of one unit at weight 1, metres."""
        return self.unit_deltas[self.unit_names.index(name)]

    def posed(self, **weights: float) -> np.ndarray:
        """Skin vertices (V, 3) under the named weights: `skin.posed(jawOpen=0.5)`."""
        return self.template + sum(w * self.delta(name) for name, w in weights.items())


@dataclass(frozen=True, eq=False)
class Part:
    """One piece of the head besides the skin: an eye, a row of teeth, the brows."""

    name: str
    """One of eye_left, eye_right, teeth_upper, teeth_lower, tongue, brows, lashes, cavity."""
    vertices: np.ndarray
    """(Vp, 3) metres, in the skin's frame."""
    triangles: np.ndarray
    """(Fp, 3) int32, into the part's own vertices, counter-clockwise from outside."""
    unit_deltas: np.ndarray
    """(52, Vp, 3) metres: displacement at weight 1, same order as the skin's units."""
    colors: np.ndarray
    """(Vp, 3) sRGB in 0..1."""
    marks: dict[str, np.ndarray] = field(default_factory=dict)
    """Named vertex ids of the part that the face needs; teeth_upper: 'incisor_edge'."""
