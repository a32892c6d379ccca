"""Renderer: a face's vertices in, pictures out. No display, GL library or GPU is needed."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mien import raster, shading

if TYPE_CHECKING:
    from mien.animation import Animation
    from mien.face import Face

SAMPLE_GRIDS = {
    1: [(0.5, 0.5)],
    4: [(0.375, 0.125), (0.875, 0.375), (0.125, 0.625), (0.625, 0.875)],
}
"""Where the samples of a pixel lie. Four stand on a turned grid: more steps on near-upright edges than 2 x 2."""
PART_MATERIALS = {
    "skin": "skin",
    "eye_left": "eyes",
    "eye_right": "eyes",
    "teeth_upper": "teeth",
    "teeth_lower": "teeth",
    "tongue": "tongue",
    "brows": "hair",
    "lashes": "hair",
    "cavity": "cavity",
}
ONE_SIDED = ("skin", "eye_left", "eye_right")
"""Parts whose inside is not drawn. The others are thin strips, or only ever seen through the lips."""
NECK_FADE = 0.045
"""metres above the cut over which the neck comes out of the background"""
SHADOW_TEXELS = 192
SHADOW_REACH = 0.2
"""metres around the camera's target that the shadow maps cover: about 2 mm a texel"""
SHADOW_LIFT = 0.0025
"""metres off the surface at which shadows are looked up"""
SOFT_NORMAL_BLURS = 3
LIP_GLOSS = 2.2


@dataclass(frozen=True)
class Camera:
    """Where the picture is taken from."""

    yaw: float = 0.0
    """degrees around the head; positive moves the camera to the face's own left (+x)"""
    pitch: float = 0.0
    """degrees; positive looks from above"""
    distance: float = 1.15
    """metres from the target"""
    field_of_view: float = 15.5
    """degrees, from the lower to the upper edge of the picture"""
    target: tuple[float, float, float] = (0.0, -0.03, -0.03)
    """metres; the point in the middle of the picture"""


class Renderer:
    """Draws one face; size and camera are fixed, the vertices are not. Several threads may share it."""

    def __init__(
        self,
        face: Face,
        *,
        width: int = 1280,
        height: int = 720,
        samples: int = 4,
        camera: Camera | None = None,
    ):
        """width, height: pixels. samples: 1 (fast) or 4 (smooth edges) a pixel."""
        self.width, self.height = width, height
        self.camera = camera or Camera()
        self._offsets = np.array(SAMPLE_GRIDS[samples], np.float32)
        self._coarse = np.ascontiguousarray(face.triangles, np.int32)
        self._edges, self._triangles = split_triangles(self._coarse, len(face.template))
        self._degrees = np.bincount(self._edges.ravel(), minlength=len(face.template)).astype(np.float32)
        self._materials, self._table = _materials(face, self._triangles)
        self._two_sided = _two_sided(face, self._triangles)
        self._still = _still_values(face)
        self._lights = shading.light_table()
        self._sky = np.array([shading.SKY, shading.GROUND], np.float32)
        self._key_axes = _cone_axes(shading.LIGHTS[0])
        self._sky_axes = _dome_axes(18)
        self._backdrop = backdrop(width, height)
        self._curve, self._grain = tone_curve(), _grain(width, height)
        self._empty = np.empty((height, width, 3), np.uint8)
        whole = (0, 0, width, height)
        shading.develop(self._empty, self._backdrop, whole, self._curve, self._grain)
        self._thread = threading.local()

    def render(self, vertices: np.ndarray) -> np.ndarray:
        """vertices (V, 3), metres → picture (H, W, 3) uint8, sRGB."""
        seen = to_camera(vertices, self.camera)
        values = self._values(seen)
        rounded = raster.round_edges(seen, values[:, : shading.SOFT], self._edges)
        values = raster.spread(values, self._edges)
        values[:, : shading.SOFT] = raster.vertex_normals(rounded, self._triangles)
        return self._paint(rounded, values)

    def _values(self, seen: np.ndarray) -> np.ndarray:
        """What is blended over the triangles, (V, COLUMNS): normals, light that arrives, and the skin's own values."""
        normals = raster.vertex_normals(seen, self._coarse)
        soft = normals
        for _ in range(SOFT_NORMAL_BLURS):
            soft = raster.blur(soft, self._edges, self._degrees)
        light = np.stack(self._light(seen, normals), 1)
        light = raster.blur(light, self._edges, self._degrees)
        return np.concatenate([normals, soft, light, self._still], 1)

    def _light(self, seen: np.ndarray, normals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """How much of the key light, and of the light from everywhere, reaches each vertex: two (V,), 0..1."""
        lifted = seen + SHADOW_LIFT * normals
        center = np.zeros(3, np.float32)
        maps = (center, np.float32(SHADOW_REACH), SHADOW_TEXELS)
        key = raster.light_visibility(seen, lifted, self._coarse, self._key_axes, *maps)
        sky = raster.light_visibility(seen, lifted, self._coarse, self._sky_axes, *maps)
        cosine = np.maximum(self._sky_axes[:, 2] @ normals.T, 0.0)
        openness = (sky * cosine).sum(0) / np.maximum(cosine.sum(0), 1e-6)
        return key.mean(0), openness

    def _paint(self, seen: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Picture (H, W, 3) uint8 of camera-axes vertices (V, 3) with their values (V, COLUMNS)."""
        screen = project(seen, self.camera, width=self.width, height=self.height)
        box = _box(screen, self.width, self.height)
        image, nearness, ids = self._buffers()
        raster.rasterise(screen, self._triangles, self._two_sided, self._offsets, box, nearness, ids)
        focal = focal_length(self.camera, self.height)
        lens = (np.float32(focal), np.float32(self.width / 2), np.float32(self.height / 2))
        shading.paint(
            image, box, lens, screen, self._triangles, self._materials, values, ids, nearness,
            self._table, self._lights, self._sky, self._backdrop,
        )  # fmt: skip
        picture = self._empty.copy()
        shading.develop(picture, image, box, self._curve, self._grain)
        return picture

    def _buffers(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """This thread's own image, nearness and triangle numbers: making 30 MB anew for each frame takes longer than drawing."""
        if not hasattr(self._thread, "buffers"):
            samples = (self.height, self.width, len(self._offsets))
            image = np.empty((self.height, self.width, 3), np.float32)
            self._thread.buffers = image, np.empty(samples, np.float32), np.empty(samples, np.int32)
        return self._thread.buffers


def frames(renderer: Renderer, animation: Animation, threads: int = 2) -> Iterator[np.ndarray]:
    """Every frame of `animation` as a picture (H, W, 3) uint8, in order; a few are under way at once."""
    with ThreadPoolExecutor(threads) as pool:
        waiting: deque = deque()
        for t in range(animation.frames):
            vertices = animation.vertices(t, t + 1)[0]
            waiting.append(pool.submit(renderer.render, vertices))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def to_camera(vertices: np.ndarray, camera: Camera) -> np.ndarray:
    """vertices (V, 3) → the same in the camera's axes (x right, y up, z toward it) around its target, metres."""
    seen = (np.asarray(vertices, np.float32) - np.array(camera.target, np.float32)) @ _rotation(camera).T
    return np.ascontiguousarray(seen, np.float32)


def project(seen: np.ndarray, camera: Camera, *, width: int, height: int) -> np.ndarray:
    """Camera-axes vertices (V, 3) → (V, 3): x right and y down in pixels, and 1 / depth in 1 / metres."""
    near = 1.0 / (camera.distance - seen[:, 2])
    focal = focal_length(camera, height)
    screen = np.empty_like(seen)
    screen[:, 0] = width / 2 + focal * seen[:, 0] * near
    screen[:, 1] = height / 2 - focal * seen[:, 1] * near
    screen[:, 2] = near
    return screen


def _box(screen: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The pixels that screen (V, 3) can touch: left, top, right, bottom, the last two outside."""
    low, high = np.floor(screen[:, :2].min(0)), np.ceil(screen[:, :2].max(0))
    left, right = np.clip([low[0], high[0] + 1], 0, width)
    top, bottom = np.clip([low[1], high[1] + 1], 0, height)
    return int(left), int(top), int(right), int(bottom)


def focal_length(camera: Camera, height: int) -> float:
    """Pixels that one metre at one metre's depth covers."""
    return float(height / 2 / np.tan(np.radians(camera.field_of_view) / 2))


def split_triangles(triangles: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """triangles (F, 3) over `count` vertices → edges (E, 2), and triangles (4F, 3) over vertices + edge middles."""
    sides = triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
    edges, which = np.unique(np.sort(sides, 1), axis=0, return_inverse=True)
    a, b, c = triangles.T
    ab, bc, ca = (which.reshape(-1, 3) + count).T
    finer = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], 1).reshape(-1, 3)
    return edges.astype(np.int32), finer.astype(np.int32)


def srgb_to_linear(colors: np.ndarray) -> np.ndarray:
    """sRGB 0..1 → linear light 0..1, any shape."""
    colors = np.asarray(colors, np.float32)
    low, high = colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4
    return np.where(colors <= 0.04045, low, high).astype(np.float32)


def linear_to_srgb(light: np.ndarray) -> np.ndarray:
    """linear light 0..1 → sRGB 0..1, any shape."""
    light = np.asarray(light, np.float32)
    return np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)


def tone_curve() -> np.ndarray:
    """sRGB bytes as floats, (4096,), over the square root of linear light 0..1."""
    return (255 * linear_to_srgb(np.linspace(0, 1, 4096) ** 2)).astype(np.float32)


def backdrop(width: int, height: int) -> np.ndarray:
    """A soft grey gradient, lighter behind the head, linear light (H, W, 3) float32."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    far = np.hypot((x - width * 0.5) / height, (y - height * 0.42) / height)
    fall = np.exp(-((far / 0.62) ** 2))[..., None]
    middle, corner = np.array([0.205, 0.222, 0.245]), np.array([0.030, 0.034, 0.042])
    return np.ascontiguousarray(corner + (middle - corner) * fall, np.float32)


def _rotation(camera: Camera) -> np.ndarray:
    """Rotation (3, 3) from the face's axes to the camera's."""
    yaw, pitch = np.radians([camera.yaw, camera.pitch])
    turn = [[np.cos(yaw), 0, -np.sin(yaw)], [0, 1, 0], [np.sin(yaw), 0, np.cos(yaw)]]
    nod = [[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]]
    return (np.array(nod) @ np.array(turn)).astype(np.float32)


def _materials(face: Face, triangles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each triangle's row (F,) in the table of materials (M, …), and that table."""
    names = list(shading.MATERIALS)
    of_vertex = np.zeros(len(face.template), np.int32)
    for part, material in PART_MATERIALS.items():
        if part in face.parts:
            of_vertex[face.parts[part]] = names.index(material)
    return _coarse_corner(of_vertex, triangles), shading.material_table(names)


def _two_sided(face: Face, triangles: np.ndarray) -> np.ndarray:
    """Which triangles (F,) are drawn from both sides."""
    of_vertex = np.ones(len(face.template), bool)
    for part in ONE_SIDED:
        if part in face.parts:
            of_vertex[face.parts[part]] = False
    return _coarse_corner(of_vertex, triangles)


def _coarse_corner(of_vertex: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """of_vertex (V,) → of each split triangle (4F,); every fourth has only edge middles, so its neighbour answers."""
    corner = triangles.reshape(-1, 4, 3)[:, 0, 0]
    return np.repeat(of_vertex[corner], 4)


def _still_values(face: Face) -> np.ndarray:
    """What does not move: albedo (linear), how far the neck has come out of the background, gloss: (V, 5) float32."""
    height = face.template[:, 1]
    rise = np.clip((height - height.min()) / NECK_FADE, 0, 1)
    fade = rise * rise * (3 - 2 * rise)
    gloss = np.ones(len(height), np.float32)
    gloss[getattr(face, "regions", {}).get("lips", [])] = LIP_GLOSS
    return np.column_stack([srgb_to_linear(face.colors), fade, gloss]).astype(np.float32)


def _cone_axes(light: shading.Light, count: int = 5, spread: float = 7.0) -> np.ndarray:
    """Axes (count, 3, 3) of rays that a soft lamp sends: `spread` degrees around its direction."""
    turns = np.arange(count) * 2 * np.pi / count
    directions = [
        shading.light_direction(
            light.azimuth + spread * np.sin(turn), light.elevation + spread * np.cos(turn)
        )
        for turn in turns
    ]
    return np.stack([_axes(direction) for direction in directions])


def _dome_axes(count: int) -> np.ndarray:
    """Axes (count, 3, 3) of rays spread evenly over the side of the head that the camera sees, and a little more."""
    steps = np.arange(count) + 0.5
    z = 1 - 1.3 * steps / count
    around = np.pi * (1 + 5**0.5) * steps
    flat = np.sqrt(1 - z * z)
    directions = np.stack([flat * np.cos(around), flat * np.sin(around), z], 1)
    return np.stack([_axes(direction) for direction in directions])


def _axes(direction: np.ndarray) -> np.ndarray:
    """Rows right, up, toward (3, 3) of a view along `direction`."""
    aside = np.array([1.0, 0, 0]) if abs(direction[1]) > 0.9 else np.array([0, 1.0, 0])
    right = np.cross(aside, direction)
    right /= np.linalg.norm(right)
    return np.stack([right, np.cross(direction, right), direction]).astype(np.float32)


def _grain(width: int, height: int) -> np.ndarray:
    """Half a byte plus noise (H, W): rounds, and breaks up the bands of slow gradients."""
    return np.random.default_rng(0).uniform(0.0, 1.0, (height, width)).astype(np.float32)
