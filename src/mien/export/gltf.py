"""glTF: the head with its units as named morph targets, and their weights over time (.glb).

One mesh; each part of the face is a primitive with all units, stored sparsely: only the vertices
that a unit moves. A unit that leaves a part alone is an accessor without data, which glTF reads as
zeros. Positions are exact; normals bend linearly with the weights, as glTF has it. The mesh hangs
on two joints: the head turns, the neck stays, and the skin between them follows in part.
"""

import json
import struct
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mien import audio
from mien.animation import PIVOT, Animation, turning_share
from mien.face import Face
from mien.raster import vertex_normals

FLOAT, UINT8, UINT16, UINT32 = 5126, 5121, 5123, 5125  # component types
MESH, NECK, HEAD = range(3)  # nodes
VERTEX_DATA, INDEX_DATA = 34962, 34963  # what a buffer view is for
LEAST_SHIFT = 1e-7
"""metres; a shift that is smaller is left out"""
LEAST_BEND = 1e-2
"""change of a normal, of length 1, that is left out if smaller (0.6 degrees)"""

ROUGHNESS = {"skin": 0.55, "eye_left": 0.1, "eye_right": 0.1, "tongue": 0.35, "cavity": 0.8}
TEETH_ROUGHNESS, HAIR_ROUGHNESS = 0.25, 0.8
CLOSED = ("skin", "eye_left", "eye_right")
"""Parts whose inside is never seen; the others are strips and shells with two sides."""


def write(animation: Animation, path: Path, progress: bool = False) -> None:
    """Write the face and its animation as binary glTF 2.0; it takes no time worth a progress bar.

    The joint `head` turns where the animation's head does; else no channel moves it. Viewers loop
    the animation; the speech is not in the file, as glTF knows no sound. The components of a
    signed face are scaled, so that their weights lie in [-1, 1].
    """
    animation = _scaled(animation) if animation.face.signed else animation
    glb = _Glb()
    face = animation.face
    document = {
        "asset": {"version": "2.0", "generator": f"Mien {version('mien')}"},
        "scene": 0,
        "scenes": [{"nodes": [MESH, NECK]}],
        "nodes": _nodes(face),
        "meshes": [_mesh(glb, face)],
        "skins": [_skin(glb)],
        "materials": [_material(name) for name in face.parts],
        "animations": [_animation(glb, animation)],
        "accessors": glb.accessors,
        "bufferViews": glb.views,
        "buffers": [{"byteLength": len(glb.data)}],
    }
    path.write_bytes(_container(document, glb.data))


def _scaled(animation: Animation) -> Animation:
    """The same movement, each unit at weight 1 as far as it ever goes: an amount of 1 of an
    orthonormal component, a metre in all, would bend every normal."""
    weights = np.asarray(animation.weights)
    most = np.abs(weights).max(axis=0)
    most = np.where(most > 0, most, LEAST_SHIFT).astype(np.float32)
    deltas = animation.face.unit_deltas * most[:, None, None]
    face = replace(animation.face, unit_deltas=deltas)
    return replace(animation, face=face, weights=weights / most)


class _Glb:
    """The binary part as it grows, and the accessors that say what lies where in it."""

    def __init__(self):
        self.data = bytearray()
        self.views: list[dict] = []
        self.accessors: list[dict] = []

    def view(self, array: np.ndarray, **options: int) -> int:
        """Append the array's bytes and return the number of their buffer view."""
        self.views.append(
            {"buffer": 0, "byteOffset": len(self.data), "byteLength": array.nbytes, **options}
        )
        self.data += array.tobytes()
        self.data += bytes(-len(self.data) % 4)
        return len(self.views) - 1

    def accessor(self, kind: str, *, count: int, componentType: int = FLOAT, **options) -> int:
        """Describe `count` values of a kind, such as VEC3, and return the accessor's number."""
        self.accessors.append(
            {"type": kind, "componentType": componentType, "count": count, **options}
        )
        return len(self.accessors) - 1

    def indices(self, values: np.ndarray, **options: int) -> dict[str, int]:
        """Store indices in as few bytes as hold them; return their view and component type."""
        kind, component = ("<u2", UINT16) if values.max() < 65535 else ("<u4", UINT32)
        view = self.view(values.astype(kind), **options)
        return {"bufferView": view, "componentType": component}

    def vectors(self, values: np.ndarray, **bounds) -> int:
        """Store values (n, 3) for vertices."""
        view = self.view(values.astype("<f4"), target=VERTEX_DATA)
        return self.accessor("VEC3", count=len(values), bufferView=view, **bounds)

    def quadruples(self, values: np.ndarray, **options) -> int:
        """Store whole numbers (n, 4) for vertices, in the type that they have."""
        view = self.view(np.ascontiguousarray(values), target=VERTEX_DATA)
        kind = {1: UINT8, 2: UINT16}[values.itemsize]
        return self.accessor(
            "VEC4", count=len(values), componentType=kind, bufferView=view, **options
        )

    def sparse_vectors(self, values: np.ndarray, least: float, *, bounded: bool) -> int:
        """Store the rows of values (n, 3) that are longer than `least`; the others are zero."""
        rows = np.flatnonzero(np.linalg.norm(values, axis=1) > least)
        kept = np.zeros_like(values)
        kept[rows] = values[rows]
        options: dict = _bounds(kept) if bounded else {}
        if len(rows):
            moved = {"bufferView": self.view(kept[rows].astype("<f4"))}
            options["sparse"] = {
                "count": len(rows),
                "indices": self.indices(rows),
                "values": moved,
            }
        return self.accessor("VEC3", count=len(values), **options)


@dataclass(frozen=True)
class _Shapes:
    """The face's neutral and units, with the normals that go with them."""

    normals: np.ndarray  # (V, 3), unit length
    bends: np.ndarray  # (U, V, 3), what a unit at weight 1 adds to the normals
    colors: np.ndarray  # (V, 4) uint16, linear light
    joints: np.ndarray  # (V, 4) uint8, which joints a vertex hangs on: neck and head
    shares: np.ndarray  # (V, 4) uint16, how much on each; 65535 is all


def _shapes(face: Face) -> _Shapes:
    neutral = _normals(face.template, face.triangles)
    moved = [_normals(face.template + deltas, face.triangles) for deltas in face.unit_deltas]
    opaque = np.ones((len(face.colors), 1))
    linear = np.concatenate([_srgb_to_linear(face.colors), opaque], axis=1)
    colors = np.round(linear * 65535).astype("<u2")
    return _Shapes(neutral, np.stack(moved) - neutral, colors, *_hanging(face))


def _hanging(face: Face) -> tuple[np.ndarray, np.ndarray]:
    """Joints and shares; a joint that a vertex does not hang on is written as 0."""
    turning = np.round(turning_share(face) * 65535).astype("<u2")
    shares = np.stack([65535 - turning, turning, 0 * turning, 0 * turning], 1)
    joints = np.where(shares > 0, [0, 1, 0, 0], 0).astype("u1")
    return joints, shares


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    normals = vertex_normals(vertices, triangles)
    normals[np.linalg.norm(normals, axis=1) < 0.5] = (0, 0, 1)  # where triangles have no area
    return normals


def _srgb_to_linear(colors: np.ndarray) -> np.ndarray:
    return np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)


def _nodes(face: Face) -> list[dict]:
    """The mesh; and apart from it, since its joints alone move it, the neck that bears the head."""
    return [
        {"name": face.name, "mesh": 0, "skin": 0},
        {"name": "neck", "children": [HEAD]},
        {"name": "head", "translation": list(PIVOT)},
    ]


def _skin(glb: _Glb) -> dict:
    """The joints, and the matrices that take the mesh to each, column by column."""
    matrices = np.stack([np.eye(4, dtype="<f4")] * 2)
    matrices[1, 3, :3] = -np.array(PIVOT)
    stored = glb.accessor("MAT4", count=2, bufferView=glb.view(matrices))
    return {"name": "neck", "joints": [NECK, HEAD], "skeleton": NECK, "inverseBindMatrices": stored}


def _mesh(glb: _Glb, face: Face) -> dict:
    shapes = _shapes(face)
    parts = enumerate(face.parts.values())
    return {
        "name": face.name,
        "primitives": [_primitive(glb, face, shapes, part, number) for number, part in parts],
        "weights": [0.0] * len(face.unit_names),
        "extras": {"targetNames": list(face.unit_names)},
    }


def _primitive(glb: _Glb, face: Face, shapes: _Shapes, part: slice, material: int) -> dict:
    """Describe one part: its vertices count from 0."""
    corners = face.triangles[:, 0]
    own = face.triangles[(corners >= part.start) & (corners < part.stop)] - part.start
    corner_indices = glb.indices(own, target=INDEX_DATA)
    template = face.template[part]
    return {
        "attributes": {
            "POSITION": glb.vectors(template, **_bounds(template)),
            "NORMAL": glb.vectors(shapes.normals[part]),
            "COLOR_0": glb.quadruples(shapes.colors[part], normalized=True),
            "JOINTS_0": glb.quadruples(shapes.joints[part]),
            "WEIGHTS_0": glb.quadruples(shapes.shares[part], normalized=True),
        },
        "indices": glb.accessor("SCALAR", count=own.size, **corner_indices),
        "material": material,
        "targets": [
            {
                "POSITION": glb.sparse_vectors(deltas[part], LEAST_SHIFT, bounded=True),
                "NORMAL": glb.sparse_vectors(bends[part], LEAST_BEND, bounded=False),
            }
            for deltas, bends in zip(face.unit_deltas, shapes.bends, strict=True)
        ],
    }


def _bounds(values: np.ndarray) -> dict[str, list[float]]:
    return {"min": values.min(0).tolist(), "max": values.max(0).tolist()}


def _material(part: str) -> dict:
    other = TEETH_ROUGHNESS if part.startswith("teeth") else HAIR_ROUGHNESS
    surface = {"metallicFactor": 0.0, "roughnessFactor": ROUGHNESS.get(part, other)}
    return {
        "name": part,
        "pbrMetallicRoughness": surface,
        **({} if part in CLOSED else {"doubleSided": True}),
    }


def _animation(glb: _Glb, animation: Animation) -> dict:
    """The weights over time, and the head's rotation where it turns."""
    times = audio.frame_times(animation.frames, animation.fps).astype("<f4")
    first, last = [float(times[0])], [float(times[-1])]
    when = glb.accessor("SCALAR", count=len(times), bufferView=glb.view(times), min=first, max=last)
    weights = np.ascontiguousarray(animation.weights, "<f4")
    moved = {"weights": glb.accessor("SCALAR", count=weights.size, bufferView=glb.view(weights))}
    if animation.head is not None:
        turned = quaternions(animation.head).astype("<f4")
        moved["rotation"] = glb.accessor("VEC4", count=len(turned), bufferView=glb.view(turned))
    nodes = {"weights": MESH, "rotation": HEAD}
    return {
        "name": "performance",
        "samplers": [
            {"input": when, "output": what, "interpolation": "LINEAR"} for what in moved.values()
        ],
        "channels": [
            {"sampler": number, "target": {"node": nodes[path], "path": path}}
            for number, path in enumerate(moved)
        ],
    }


def quaternions(head: np.ndarray) -> np.ndarray:
    """Yaw, pitch, roll (T, 3), radians → unit quaternions x, y, z, w (T, 4) of `rotations`."""
    (cos_y, cos_x, cos_z), (sin_y, sin_x, sin_z) = np.cos(head / 2).T, np.sin(head / 2).T
    return np.stack(
        [
            cos_y * sin_x * cos_z + sin_y * cos_x * sin_z,
            sin_y * cos_x * cos_z - cos_y * sin_x * sin_z,
            cos_y * cos_x * sin_z - sin_y * sin_x * cos_z,
            cos_y * cos_x * cos_z + sin_y * sin_x * sin_z,
        ],
        1,
    )


def _container(document: dict, data: bytearray) -> bytes:
    """Return the file: a header, the document as JSON, and the data."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
