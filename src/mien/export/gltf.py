"""glTF: the head with its units as named morph targets, and their weights over time (.glb).

One mesh; each part of the face is a primitive with all units, stored sparsely: only the vertices
that a unit moves. A unit that leaves a part alone is an accessor without data, which glTF reads as
zeros. Positions are exact; normals bend linearly with the weights, as glTF has it.
"""

import json
import struct
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np

from mien import audio
from mien.animation import Animation
from mien.face import Face
from mien.raster import vertex_normals

FLOAT, UINT16, UINT32 = 5126, 5123, 5125  # component types
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

    Viewers loop the animation; the speech is not in the file, as glTF knows no sound.
    """
    glb = _Glb()
    face = animation.face
    document = {
        "asset": {"version": "2.0", "generator": f"Mien {version('mien')}"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"name": face.name, "mesh": 0}],
        "meshes": [_mesh(glb, face)],
        "materials": [_material(name) for name in face.parts],
        "animations": [_animation(glb, animation)],
        "accessors": glb.accessors,
        "bufferViews": glb.views,
        "buffers": [{"byteLength": len(glb.data)}],
    }
    path.write_bytes(_container(document, glb.data))


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


def _shapes(face: Face) -> _Shapes:
    neutral = _normals(face.template, face.triangles)
    moved = [_normals(face.template + deltas, face.triangles) for deltas in face.unit_deltas]
    opaque = np.ones((len(face.colors), 1))
    linear = np.concatenate([_srgb_to_linear(face.colors), opaque], axis=1)
    colors = np.round(linear * 65535).astype("<u2")
    return _Shapes(neutral, np.stack(moved) - neutral, colors)


def _normals(vertices: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    normals = vertex_normals(vertices, triangles)
    normals[np.linalg.norm(normals, axis=1) < 0.5] = (0, 0, 1)  # where triangles have no area
    return normals


def _srgb_to_linear(colors: np.ndarray) -> np.ndarray:
    return np.where(colors <= 0.04045, colors / 12.92, ((colors + 0.055) / 1.055) ** 2.4)


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
    colors = glb.view(shapes.colors[part], target=VERTEX_DATA)
    template = face.template[part]
    return {
        "attributes": {
            "POSITION": glb.vectors(template, **_bounds(template)),
            "NORMAL": glb.vectors(shapes.normals[part]),
            "COLOR_0": glb.accessor(
                "VEC4",
                count=len(template),
                componentType=UINT16,
                bufferView=colors,
                normalized=True,
            ),
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
    times = audio.frame_times(animation.frames, animation.fps).astype("<f4")
    weights = np.ascontiguousarray(animation.weights, "<f4")
    first, last = [float(times[0])], [float(times[-1])]
    when, what = glb.view(times), glb.view(weights)
    sampler = {
        "input": glb.accessor("SCALAR", count=len(times), bufferView=when, min=first, max=last),
        "output": glb.accessor("SCALAR", count=weights.size, bufferView=what),
        "interpolation": "LINEAR",
    }
    target = {"node": 0, "path": "weights"}
    return {
        "name": "performance",
        "samplers": [sampler],
        "channels": [{"sampler": 0, "target": target}],
    }


def _container(document: dict, data: bytearray) -> bytes:
    """Return the file: a header, the document as JSON, and the data."""
    text = json.dumps(document, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    chunks = struct.pack("<I4s", len(text), b"JSON") + text
    chunks += struct.pack("<I4s", len(data), b"BIN\0") + data
    return struct.pack("<4sII", b"glTF", 2, 12 + len(chunks)) + chunks
