"""Renderer: a face's vertices in, pictures out. No display, GL library or GPU is needed."""

from __future__ import annotations

import re
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mien import lighting, raster, shading
from mien.animation import Animation
from mien.camera import Camera, project, to_camera, touched_box
from mien.face import Face
from mien.faces.paint import BY_PART
from mien.lips import ease

PART_MATERIALS = {
    "skin": "skin",
    "eye_left": "eyes",
    "eye_right": "eyes",
    "teeth_upper": "teeth",
    "teeth_lower": "teeth",
    "teeth": "teeth",
    "tongue": "tongue",
    "brows": "hair",
    "lashes": "hair",
    "hair": "hair",
    "cavity": "cavity",
    "lining": "cavity",
}
"""By a part's name, or by what is before its number (`hair_2`); any other is like skin."""
ONE_SIDED = ("skin", "eye_left", "eye_right", "lining")
"""Parts whose inside is not drawn. The others are thin strips, or only seen through the lips."""
ROUNDED = ("skin", "tongue", "lining")
"""Parts whose triangles are split and rounded, so that the outline shows no corners."""
BLOCKING = ("skin", "cavity")
"""Parts that throw shadows."""
NECK_FADE = 0.07
"""metres from the cut over which the neck comes out of the background"""
SHADOW_TEXELS = 192
SHADOW_REACH = np.float32(0.2)
"""metres around the camera's target that a shadow map covers: about 2 mm a texel"""
TEETH_LIFT, USUAL_LIFT = 0.0035, 0.0018
"""metres off the surface at which shadows are looked up: enough that no triangle shades itself,
and more for teeth, or they would be grey in the lips' shadow"""
SOFT_NORMAL_BLURS = 3
LIP_GLOSS = 2.2
"""times the shine of other skin"""


@dataclass(frozen=True, eq=False)
class Surface:
    """What of a `Face` is drawn."""

    template: np.ndarray
    triangles: np.ndarray
    colors: np.ndarray
    parts: dict[str, slice]
    regions: dict[str, np.ndarray]


class Renderer:
    """Draws one face; size and camera are fixed, vertices are not. Several threads may share it."""

    def __init__(
        self, face: Face, *, width: int = 960, height: int = 960, camera: Camera | None = None
    ):
        """width, height: pixels; in a square the head fills three fifths of the width."""
        self.width, self.height = width, height
        self.camera = camera or Camera()
        self._lining = None if "cavity" in face.parts else face.parts.get("skin")
        drawn = face if self._lining is None else lined(face)
        self._set_shape(drawn)
        self._set_surface(drawn)
        self._set_lighting()
        self._thread = threading.local()

    def render(self, vertices: np.ndarray) -> np.ndarray:
        """vertices (V, 3), metres → picture (H, W, 3) uint8, sRGB."""
        if self._lining is not None:
            vertices = np.concatenate([vertices, vertices[self._lining]])
        seen = to_camera(vertices, self.camera)
        normals = raster.vertex_normals(seen, self._coarse)
        rounded = raster.round_edges(seen, normals, self._edges)
        coarse = np.concatenate([self._soft(normals), self._light(seen, normals)], 1)
        finer = raster.spread(coarse, self._edges)
        normals = raster.vertex_normals(rounded, self._triangles)
        return self._paint(rounded, self._values(normals, finer))

    def _set_shape(self, face: Face | Surface) -> None:
        """Which triangles are drawn, split, seen from behind, and throw shadows."""
        self._coarse = np.ascontiguousarray(face.triangles, np.int32)
        self._neighbours, _ = raster.split_triangles(self._coarse, len(face.template))
        self._degrees = np.bincount(self._neighbours.ravel(), minlength=len(face.template))
        corner = self._coarse[:, 0]
        split = by_part(face, dict.fromkeys(ROUNDED, 1))[corner] > 0
        two_sided = by_part(face, dict.fromkeys(ONE_SIDED, 0), other=1)[corner] > 0
        blocking = by_part(face, dict.fromkeys(BLOCKING, 1))[corner] > 0
        self._blockers = np.ascontiguousarray(self._coarse[blocking])
        self._edges, finer = raster.split_triangles(self._coarse[split], len(face.template))
        self._triangles = np.concatenate([finer, self._coarse[~split]])
        self._two_sided = np.concatenate([two_sided[split].repeat(4), two_sided[~split]])

    def _set_surface(self, face: Face | Surface) -> None:
        """Material, colour and what else does not move, of the vertices and the edges' middles."""
        rows = {part: list(lighting.MATERIALS).index(name) for part, name in PART_MATERIALS.items()}
        materials = by_part(face, rows).astype(np.int32)
        self._vertex_materials = np.concatenate([materials, materials[self._edges[:, 0]]])
        self._triangle_materials = self._vertex_materials[self._triangles[:, 0]]
        lifts = {"teeth_upper": TEETH_LIFT, "teeth_lower": TEETH_LIFT}
        self._lift = by_part(face, lifts, other=USUAL_LIFT)[:, None]
        columns = neck_fade(face), lip_gloss(face), skin_grain(face), around_head(face)
        still = np.column_stack([lighting.srgb_to_linear(face.colors), *columns])
        still = raster.spread(still.astype(np.float32), self._edges)
        self._albedo, self._still = np.ascontiguousarray(still[:, :3]), still[:, 3:]

    def _set_lighting(self) -> None:
        """Lights, and the empty picture."""
        self._axes = lighting.shadow_axes()
        self._lighting = shading.Lighting(
            materials=lighting.material_table(list(lighting.MATERIALS)),
            lights=lighting.light_table(),
            sky=np.array([lighting.SKY, lighting.GROUND], np.float32),
            pores=lighting.pores(),
            backdrop=lighting.backdrop(self.width, self.height),
            curve=lighting.tone_curve(),
            grain=lighting.grain(self.width, self.height),
        )
        light, curve, grain = self._lighting[-3:]
        self._empty = shading.to_bytes(light, curve, grain)

    def _soft(self, normals: np.ndarray) -> np.ndarray:
        """normals (V, 3), blurred over the surface."""
        for _ in range(SOFT_NORMAL_BLURS):
            normals = raster.blur(normals, self._neighbours, self._degrees)
        return normals

    def _light(self, seen: np.ndarray, normals: np.ndarray) -> np.ndarray:
        """Share 0..1 of each lamp's light, and of the sky's, that reaches vertices: (V, L + 1)."""
        maps = np.zeros(3, np.float32), SHADOW_REACH, SHADOW_TEXELS
        lift = self._lift * normals
        visible = raster.light_visibility(seen, lift, self._blockers, self._axes, *maps)
        sky = visible[-lighting.SKY_RAYS :]
        cosine = np.maximum(self._axes[-lighting.SKY_RAYS :, 2] @ normals.T, 0.0)
        openness = (sky * cosine).sum(0) / np.maximum(cosine.sum(0), 1e-6)
        columns, first = [], 0
        for light in lighting.LIGHTS:
            rays = visible[first : first + light.rays]
            columns.append(rays.mean(0) if light.rays else openness)
            first += light.rays
        light = np.stack([*columns, openness], 1)
        return raster.blur(light, self._neighbours, self._degrees)

    def _values(self, normals: np.ndarray, finer: np.ndarray) -> np.ndarray:
        """What is blended over the triangles, (V + E, COLUMNS); finer: soft normals, light."""
        color = shading.diffuse(
            normals,
            finer[:, :3],
            finer[:, 3:-1],
            finer[:, -1],
            self._albedo,
            self._vertex_materials,
            self._lighting,
        )
        return np.concatenate([normals, color, finer[:, 3:], self._still], 1)

    def _paint(self, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Picture (H, W, 3) uint8 of vertices in the camera's axes with their values."""
        screen = project(seen, self.camera, width=self.width, height=self.height)
        box = touched_box(screen, width=self.width, height=self.height)
        nearest = self._samples()
        raster.rasterise(screen, self._triangles, self._two_sided, box, nearest)
        drawing = shading.Drawing(screen, self._triangles, self._triangle_materials, values)
        picture = self._empty.copy()
        shading.paint(picture, box, nearest, drawing, self._lighting)
        return picture

    def _samples(self) -> np.ndarray:
        """This thread's own (H, W, 4): new for each frame, 30 MB would cost more than drawing."""
        if not hasattr(self._thread, "samples"):
            shape = (self.height, self.width, raster.SAMPLES)
            self._thread.samples = np.empty(shape, np.int64)
        return self._thread.samples


def frames(renderer: Renderer, animation: Animation, threads: int = 2) -> Iterator[np.ndarray]:
    """Every frame as a picture (H, W, 3) uint8, in order; a few are under way at once."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque = deque()
        for t in range(animation.frames):
            vertices = animation.turned_vertices(t, t + 1)[0]
            waiting.append(pool.submit(renderer.render, vertices))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def lined(face: Face) -> Surface:
    """The face with the inside of its skin as a part `lining`, which follows all others.

    For faces that have no cavity: through an open mouth one would see the background.
    """
    skin, count = face.parts["skin"], len(face.template)
    corners = face.triangles
    own = corners[((corners >= skin.start) & (corners < skin.stop)).all(1)]
    size = skin.stop - skin.start
    dark = np.tile(np.array(BY_PART["cavity"], np.float32), (size, 1))
    return Surface(
        template=np.concatenate([face.template, face.template[skin]]),
        triangles=np.concatenate([corners, own[:, ::-1] - skin.start + count]),
        colors=np.concatenate([face.colors, dark]),
        parts={**face.parts, "lining": slice(count, count + size)},
        regions=face.regions,
    )


def by_part(face: Face | Surface, values: Mapping[str, float], *, other: float = 0) -> np.ndarray:
    """One number for each vertex, (V,) float32: its part's in `values`, else `other`."""
    of_vertex = np.full(len(face.template), other, np.float32)
    for name, part in face.parts.items():
        of_vertex[part] = values.get(re.sub(r"_\d+$", "", name), other)
    return of_vertex


def neck_fade(face: Face | Surface) -> np.ndarray:
    """How far each vertex (V,) is out of the background, 0..1, from the cut at the neck up."""
    rim = lower_rim(face)
    if not len(rim):
        return np.ones(len(face.template), np.float32)
    apart = np.linalg.norm(face.template[:, None] - face.template[rim], axis=2).min(1)
    return ease(apart / NECK_FADE)


def lower_rim(face: Face | Surface) -> np.ndarray:
    """Vertices (n,) on an edge that has only one triangle, in the lowest third of the head."""
    sides = np.sort(face.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), 1)
    edges, count = np.unique(sides, axis=0, return_counts=True)
    rim = np.unique(edges[count == 1])
    height = face.template[:, 1]
    return rim[height[rim] < height.min() + np.ptp(height) / 3]


def lip_gloss(face: Face | Surface) -> np.ndarray:
    """How much more than usual each vertex (V,) shines."""
    gloss = np.ones(len(face.template), np.float32)
    gloss[face.regions.get("lips", [])] = LIP_GLOSS
    return gloss


def skin_grain(face: Face | Surface) -> np.ndarray:
    """How strong the grain is at each vertex (V,): weak where skin turns from its cylinder."""
    template = np.ascontiguousarray(face.template, np.float32)
    normals = raster.vertex_normals(template, np.ascontiguousarray(face.triangles, np.int32))
    x, z = template[:, 0], template[:, 2] - template[:, 2].mean()
    outward = (normals[:, 0] * x + normals[:, 2] * z) / np.hypot(x, z).clip(1e-6)
    return np.clip(outward, 0, 1) ** 2 * by_part(face, {"skin": 1})


def around_head(face: Face | Surface) -> np.ndarray:
    """Where vertices look up the grain, (V, 2) in texels: on a cylinder of 9 cm about the head."""
    x, y, z = face.template.T
    around = 0.09 * np.arctan2(x, z - z.mean())
    return np.column_stack([around, y]) / lighting.PORE_TEXEL + 4 * lighting.PORE_TEXELS
