"""A head with ARKit-named morph targets from glTF 2.0 (.glb, or .gltf with its buffers).

Every mesh of the file that lies around the one with most of the shapes is taken: eyes and teeth
stay, a body does not. Textures are not read: colours are those of vertices and materials, or ours.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mien.errors import MienError
from mien.face import Face
from mien.faces.arkit import face_of_shapes, unit_of
from mien.faces.gltf_file import Document
from mien.faces.mesh import weld

TRIANGLES = 4
MARGIN = 0.2
"""How far beyond the box of the face, in parts of its size, other meshes may reach."""
KINDS = (
    ("lashes", "lash"),
    ("brows", "brow"),
    ("teeth", "teeth|tooth|denture"),
    ("tongue", "tongue|gum"),
    ("cavity", "cavity|mouthbag|mouth_?inner|oral|socket"),
    ("hair", "hair|beard|mustache|moustache"),
    ("eye", "eye|sclera|iris|cornea"),
)
"""What a mesh is, by a word in its name or its material's; else it is `other`."""
LEAST_MOVED = 1e-3
"""Share of the largest movement under a unit, from which on a vertex is moved."""


@dataclass(frozen=True, eq=False)
class _Piece:
    """One primitive of a mesh, in the axes of the scene."""

    name: str
    template: np.ndarray
    triangles: np.ndarray
    shapes: dict[str, np.ndarray]
    colors: np.ndarray

    def moved(self) -> int:
        """How many vertices its units move, counted for each unit."""
        sizes = [np.linalg.norm(moved, axis=1) for moved in self.shapes.values()]
        return sum(int((size > LEAST_MOVED * size.max()).sum()) for size in sizes if size.any())

    def part(self, chosen: np.ndarray) -> "_Piece":
        """The vertices chosen (n,), a bool each, and the triangles between them."""
        place = np.cumsum(chosen) - 1
        return replace(
            self,
            template=self.template[chosen],
            triangles=place[self.triangles[chosen[self.triangles].all(axis=1)]],
            shapes={name: moved[chosen] for name, moved in self.shapes.items()},
            colors=self.colors[chosen],
        )


def read(path: Path | str) -> Face:
    """Read the head of a .glb or .gltf file.

    Raises MienError for a file that is damaged or compressed, and for one without a jawOpen and
    blinks by ARKit's names.
    """
    path = Path(path)
    document = Document.read(path)
    try:
        found = [piece for piece in _pieces(document) if len(piece.triangles)]
    except MienError:
        raise
    except Exception as error:  # a damaged file fails in any way
        raise MienError(f"{path} is damaged: {_why(error)}; export it again") from error
    if not found:
        raise MienError(f"{path} holds no triangles; a head is wanted")
    skin = max(found, key=lambda piece: (piece.moved(), len(piece.template)))
    pieces = {"skin": skin}
    for piece in found:
        if piece is not skin and _around(piece.template, skin.template):
            for kind, part in _kinds(piece):
                count = sum(re.sub(r"_\d+$", "", name) == kind for name in pieces)
                pieces[f"{kind}_{count + 1}" if count else kind] = part
    return _joined(path.stem, pieces)


def _joined(name: str, pieces: dict[str, _Piece]) -> Face:
    """Put the pieces one after the other."""
    parts, triangles, first = {}, [], 0
    for part, piece in pieces.items():
        parts[part] = slice(first, first + len(piece.template))
        triangles.append(piece.triangles + first)
        first = parts[part].stop
    shapes = {}
    for shape in dict.fromkeys(shape for piece in pieces.values() for shape in piece.shapes):
        still = ((shape, np.zeros_like(piece.template)) for piece in pieces.values())
        moved = [
            piece.shapes.get(key, zero)
            for piece, (key, zero) in zip(pieces.values(), still, strict=True)
        ]
        shapes[shape] = np.concatenate(moved)
    return face_of_shapes(
        name,
        np.concatenate([piece.template for piece in pieces.values()]),
        np.concatenate(triangles),
        shapes,
        parts,
        np.concatenate([piece.colors for piece in pieces.values()]),
    )


def _pieces(document: Document) -> Iterator[_Piece]:
    """Every primitive of triangles in the scene, with vertices that are the same made one."""
    for node, world in document.placed():
        # A skin's joints place its mesh, and the node does not; at rest they leave it as it is.
        matrix = np.eye(4) if "skin" in node else world
        mesh = document.json["meshes"][node["mesh"]]
        for primitive in mesh["primitives"]:
            if primitive.get("mode", TRIANGLES) != TRIANGLES:
                continue
            material = document.material(primitive)
            names = (node.get("name", ""), mesh.get("name", ""), material.get("name", ""))
            yield _piece(document, mesh, primitive, matrix, " ".join(names))


def _piece(
    document: Document, mesh: dict, primitive: dict, matrix: np.ndarray, name: str
) -> _Piece:
    """One primitive: positions and displacements under the node's matrix, welded."""
    template = document.array(primitive["attributes"]["POSITION"])
    targets = primitive.get("targets", [])
    shapes = {
        shape: document.array(target["POSITION"]) @ matrix[:3, :3].T
        for shape, target in zip(_names(document, mesh, primitive), targets, strict=True)
        if "POSITION" in target and unit_of(shape)
    }
    if "indices" in primitive:
        corners = document.array(primitive["indices"]).astype(np.int64).ravel()
    else:
        corners = np.arange(len(template))
    if len(corners) % 3 or corners.max(initial=0) >= len(template):
        raise ValueError("triangles reach beyond their vertices")
    template = template @ matrix[:3, :3].T + matrix[:3, 3]
    # Files have a vertex twice where its texture has a seam; the surface has none there.
    kept, place = weld(np.concatenate([template, *shapes.values()], axis=1))
    triangles = place[corners.reshape(-1, 3)]
    if np.linalg.det(matrix[:3, :3]) < 0:
        triangles = triangles[:, ::-1]
    return _Piece(
        name=name,
        template=template[kept],
        triangles=triangles,
        shapes={shape: moved[kept] for shape, moved in shapes.items()},
        colors=document.colors(primitive, len(template))[kept],
    )


def _names(document: Document, mesh: dict, primitive: dict) -> list[str]:
    """Names of the morph targets, where exporters put them: extras, or the accessors' own."""
    targets = primitive.get("targets", [])
    for holder in (mesh, primitive):
        names = (holder.get("extras") or {}).get("targetNames")
        if names and len(names) == len(targets):
            return [str(name) for name in names]
    accessors = document.json["accessors"]
    return [
        str(accessors[t["POSITION"]].get("name", "")) if "POSITION" in t else "" for t in targets
    ]


def _around(template: np.ndarray, skin: np.ndarray) -> bool:
    """Whether a mesh lies in the box around the skin, nearly."""
    low, high = skin.min(axis=0), skin.max(axis=0)
    margin = MARGIN * (high - low).max()
    return bool((template >= low - margin).all() and (template <= high + margin).all())


def _kinds(piece: _Piece) -> list[tuple[str, _Piece]]:
    """What a piece is; eyes are split into left and right, and teeth told by whether they move."""
    name = piece.name.lower()
    kind = next((kind for kind, words in KINDS if re.search(words, name)), "other")
    if kind == "teeth":
        jaw = [moved for shape, moved in piece.shapes.items() if unit_of(shape) == "jawOpen"]
        moving = np.linalg.norm(sum(jaw), axis=1) > 0 if jaw else np.zeros(len(piece.template))
        still = not np.any(moving)
        return [("teeth_upper" if still else "teeth_lower" if np.all(moving) else "teeth", piece)]
    if kind != "eye":
        return [(kind, piece)]
    sides = {"eye_left": piece.template[:, 0] > 0, "eye_right": piece.template[:, 0] <= 0}
    return [(side, piece.part(chosen)) for side, chosen in sides.items() if chosen.any()]


def _why(error: Exception) -> str:
    return f"{type(error).__name__} {error}".strip()
