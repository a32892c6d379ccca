"""Vertices: every frame's positions in one .npz, written piece by piece."""

import zipfile
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mien.animation import PIVOT, Animation

CHUNK = 64
"""frames held in memory at once"""


def write(animation: Animation, path: Path, progress: bool = False) -> None:
    """Write vertices (T, V, 3) metres, triangles (F, 3), fps, weights (T, U) and unit_names (U,).

    The vertices are those of a head that keeps still; how it turns is beside them: head (T, 3),
    radians, about head_pivot (3,), metres. `np.load` reads it. The arrays are stored as they are:
    compressing them saves a tenth and takes far longer than making them.
    """
    still = np.zeros((animation.frames, 3), np.float32)
    small = {
        "triangles": animation.face.triangles,
        "fps": np.float64(animation.fps),
        "weights": animation.weights,
        "unit_names": np.array(animation.face.unit_names),
        "head": still if animation.head is None else np.asarray(animation.head, np.float32),
        "head_pivot": np.array(PIVOT, np.float32),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, array in small.items():
            with archive.open(f"{name}.npy", "w") as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
        with archive.open("vertices.npy", "w", force_zip64=True) as file:
            _write_vertices(file, animation, progress)


def _write_vertices(file, animation: Animation, progress: bool) -> None:
    shape = (animation.frames, len(animation.face.template), 3)
    header = {"descr": "<f4", "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    bar = tqdm(total=animation.frames, desc="vertices", unit="frame", disable=not progress)
    with bar:
        for start in range(0, animation.frames, CHUNK):
            vertices = animation.vertices(start, start + CHUNK)
            file.write(np.ascontiguousarray(vertices, "<f4").data)
            bar.update(len(vertices))
