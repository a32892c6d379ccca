"""ICT-FaceKit's light model (USC Institute for Creative Technologies, MIT licence) as a Face.

Its folder FaceXModel holds `generic_neutral_mesh.obj` and one .obj for each expression, named as
ARKit names them with `_L` and `_R` for the sides, all of one topology, in centimetres. Which
vertices are what is in the table of its README.
"""

from itertools import chain
from pathlib import Path

import numpy as np

from mien.errors import MienError
from mien.face import Face
from mien.faces.arkit import face_of_shapes, unit_of
from mien.faces.mesh import fan

NEUTRAL = "generic_neutral_mesh.obj"
VERTICES = 26719
PIECES = {
    "skin": (0, 11248),
    "cavity": (11248, 14062),
    "tongue": (14062, 17039),
    "teeth_upper": (17039, 19247),
    "teeth_lower": (19247, 21451),
    "eye_left": (21451, 23021),
    "eye_right": (23021, 24591),
    "lashes": (25351, 26719),
}
"""First vertex and the one after the last. Mouth and eye sockets are `cavity`, gums go with the
tongue; fluid, blends and shadows of the eyes (24591 to 25350), which are see-through, are left
out."""


def read(folder: Path | str) -> Face:
    """Read the neutral and all expressions of a folder; the repository's own folder will do too.

    A neutral with another number of vertices is taken to be skin alone. Raises MienError where
    the folder holds no neutral, a shape has other vertices, or a file is damaged.
    """
    folder = Path(folder)
    inner = folder / "FaceXModel"
    folder = inner if (inner / NEUTRAL).is_file() else folder
    if not (folder / NEUTRAL).is_file():
        raise MienError(
            f"{folder} holds no {NEUTRAL}; give ICT-FaceKit's folder FaceXModel "
            "(https://github.com/ICT-VGL/ICT-FaceKit)"
        )
    template, triangles = read_obj(folder / NEUTRAL)
    shapes = {}
    for path in sorted(folder.glob("*.obj")):
        if unit_of(path.stem) is None:
            continue
        shape, _ = read_obj(path, triangles=False)
        if shape.shape != template.shape:
            raise MienError(
                f"{path} has {len(shape)} vertices and {NEUTRAL} {len(template)}; "
                "all must be of one topology"
            )
        shapes[path.stem] = shape - template
    if len(template) != VERTICES:
        parts = {"skin": slice(0, len(template))}
        return face_of_shapes(f"ICT {folder.name}", template, triangles, shapes, parts)
    kept, parts, first = [], {}, 0
    for name, (start, stop) in PIECES.items():
        kept.append(np.arange(start, stop))
        parts[name] = slice(first, first + stop - start)
        first += stop - start
    at = np.concatenate(kept)
    place = np.full(len(template), -1)
    place[at] = np.arange(len(at))
    triangles = place[triangles]
    return face_of_shapes(
        f"ICT {folder.name}",
        template[at],
        triangles[(triangles >= 0).all(axis=1)],
        {name: moved[at] for name, moved in shapes.items()},
        parts,
    )


def read_obj(path: Path, *, triangles: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Vertices (V, 3) float64 and triangles (F, 3) of a Wavefront .obj; polygons become fans.

    Everything but `v` and `f` lines is left out. Raises MienError for a damaged file.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
        points = [line.split()[1:4] for line in lines if line.startswith("v ")]
        vertices = np.array(points, np.float64).reshape(-1, 3)
        if not triangles:
            return vertices, np.zeros((0, 3), np.int32)
        corners = (line.split()[1:] for line in lines if line.startswith("f "))
        polygons = ([int(corner.split("/")[0]) - 1 for corner in line] for line in corners)
        faces = np.array(list(chain.from_iterable(map(fan, polygons))), np.int64).reshape(-1, 3)
    except OSError as error:
        raise MienError(f"cannot read {path}: {error.strerror}") from error
    except ValueError as error:
        raise MienError(f"{path} is damaged ({error}); get it anew") from error
    faces = np.where(faces < -1, faces + 1 + len(vertices), faces)  # -1 in the file is the last
    if not np.isfinite(vertices).all() or not (faces >= 0).all() or (faces >= len(vertices)).any():
        raise MienError(f"{path} is damaged: a corner or a number is out of range; get it anew")
    return vertices, faces.astype(np.int32)
