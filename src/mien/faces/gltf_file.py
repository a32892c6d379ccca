"""glTF 2.0 as it lies on disk: its JSON, its buffers, and arrays out of them."""

import base64
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

import numpy as np

from mien.errors import MienError

NUMBERS = {5120: "<i1", 5121: "<u1", 5122: "<i2", 5123: "<u2", 5125: "<u4", 5126: "<f4"}
"""numpy's dtype of each component type"""
WIDTHS = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT2": 4, "MAT3": 9, "MAT4": 16}
PACKED = ("KHR_draco_mesh_compression", "EXT_meshopt_compression")
"""Compressions that are not undone here."""


@dataclass(frozen=True, eq=False)
class Document:
    """A glTF file."""

    path: Path
    json: dict
    """the document, as the standard describes it"""
    binary: bytes
    """the second chunk of a .glb"""

    @classmethod
    def read(cls, path: Path) -> "Document":
        """Read a .glb or .gltf; MienError for anything else, and for compressed meshes."""
        try:
            data = path.read_bytes()
            text, binary = _chunks(data) if data[:4] == b"glTF" else (data, b"")
            found = json.loads(text)
            if not isinstance(found, dict) or "meshes" not in found:
                raise ValueError("it describes no mesh")
        except OSError as error:
            raise MienError(f"cannot read {path}: {error.strerror}") from error
        except (ValueError, struct.error, RecursionError) as error:
            raise MienError(f"{path} cannot be read as glTF 2.0 ({error})") from error
        for name in PACKED:
            if name in found.get("extensionsRequired", ()):
                raise MienError(f"{path} is compressed ({name}); export it without compression")
        return cls(path, found, binary)

    def placed(self) -> Iterator[tuple[dict, np.ndarray]]:
        """Each node of the scene that bears a mesh, and the matrix (4, 4) that places it."""
        nodes = self.json.get("nodes", [])
        scenes = self.json.get("scenes") or [{"nodes": list(range(len(nodes)))}]
        scene = scenes[self.json.get("scene", 0)]
        waiting = [(number, np.eye(4)) for number in scene.get("nodes", [])]
        seen = set()
        while waiting:
            number, parent = waiting.pop(0)
            if number in seen:
                continue
            seen.add(number)
            node = nodes[number]
            world = parent @ _matrix(node)
            waiting += [(child, world) for child in node.get("children", [])]
            if "mesh" in node:
                yield node, world

    def material(self, primitive: dict) -> dict:
        """The material of a primitive; empty where it has none."""
        number = primitive.get("material")
        return {} if number is None else self.json["materials"][number]

    def colors(self, primitive: dict, vertices: int) -> np.ndarray:
        """(V, 3) sRGB in 0..1 of a primitive's vertices or material; NaN where both say nothing."""
        surface = self.material(primitive).get("pbrMetallicRoughness", {})
        factor = np.array(surface.get("baseColorFactor", (1, 1, 1, 1)), np.float64)[:3]
        linear = np.tile(factor, (vertices, 1))
        if "COLOR_0" in primitive["attributes"]:
            linear = linear * self.array(primitive["attributes"]["COLOR_0"])[:, :3]
        elif "baseColorTexture" in surface or (factor == 1).all():
            return np.full((vertices, 3), np.nan)
        linear = linear.clip(0, 1)
        curve = 1.055 * linear ** (1 / 2.4) - 0.055
        return np.where(linear <= 0.0031308, 12.92 * linear, curve)

    def array(self, number: int) -> np.ndarray:
        """The values (count, width) of an accessor: whole numbers as they are, else float64."""
        accessor = self.json["accessors"][number]
        count, width = accessor["count"], WIDTHS[accessor["type"]]
        kind = np.dtype(NUMBERS[accessor["componentType"]])
        values = np.zeros((count, width), kind)
        if "bufferView" in accessor:
            offset = accessor.get("byteOffset", 0)
            values = self._view(accessor["bufferView"], offset, count, width, kind)
        if sparse := accessor.get("sparse"):
            at, new = sparse["indices"], sparse["values"]
            whole = np.dtype(NUMBERS[at["componentType"]])
            size = sparse["count"]
            rows = self._view(at["bufferView"], at.get("byteOffset", 0), size, 1, whole)
            moved = self._view(new["bufferView"], new.get("byteOffset", 0), size, width, kind)
            values = values.copy()
            values[rows[:, 0].astype(np.int64)] = moved
        if accessor.get("normalized"):
            return np.maximum(values / np.iinfo(kind).max, -1.0)
        found = values.astype(np.float64) if width > 1 or kind.kind == "f" else values
        if not np.isfinite(found).all():
            raise ValueError("it holds what is no number")
        return found

    def _view(self, number: int, offset: int, count: int, width: int, kind: np.dtype) -> np.ndarray:
        """Values (count, width) from a buffer view, whose items may lie apart."""
        view = self.json["bufferViews"][number]
        start = view.get("byteOffset", 0) + offset
        step = view.get("byteStride") or width * kind.itemsize
        last = start + step * (count - 1) + width * kind.itemsize
        data = self._buffers[view["buffer"]]
        if count and not 0 <= start < last <= len(data):
            raise ValueError("its buffers end too early")
        strides = (step, kind.itemsize)
        return (
            np.ndarray((count, width), kind, data, start, strides)
            if count
            else np.empty((0, width), kind)
        )

    @cached_property
    def _buffers(self) -> list[bytes]:
        """The buffers: the second chunk, what the document itself holds, or files beside it."""
        return [self._buffer(buffer.get("uri")) for buffer in self.json.get("buffers", [])]

    def _buffer(self, uri: str | None) -> bytes:
        if uri is None:
            return self.binary
        if uri.startswith("data:"):
            return base64.b64decode(uri.partition(",")[2])
        name = unquote(uri)
        if Path(name).is_absolute() or ".." in Path(name).parts:
            raise MienError(f"{self.path} wants the file {name}, outside its folder; export a .glb")
        try:
            return (self.path.parent / name).read_bytes()
        except OSError as error:
            raise MienError(
                f"{self.path} wants the file {name} beside it ({error.strerror}); export a .glb"
            ) from error


def _chunks(data: bytes) -> tuple[bytes, bytes]:
    """The JSON and the binary chunk of a .glb."""
    _, version, _, size, kind = struct.unpack_from("<4sIII4s", data)
    if version != 2 or kind != b"JSON":
        raise ValueError(f"version {version}, chunk {kind!r}")
    text, rest = data[20 : 20 + size], data[20 + size :]
    if len(rest) < 8:
        return text, b""
    (length,) = struct.unpack_from("<I", rest)
    return text, rest[8 : 8 + length]


def _matrix(node: dict) -> np.ndarray:
    """How a node is placed in its parent (4, 4)."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = node.get("rotation", (0.0, 0.0, 0.0, 1.0))
    turn = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
    placed = np.eye(4)
    placed[:3, :3] = turn * np.array(node.get("scale", (1.0, 1.0, 1.0)))
    placed[:3, 3] = node.get("translation", (0.0, 0.0, 0.0))
    return placed
