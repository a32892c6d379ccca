"""Recordings as arrays of vertices, by whatever reconstructed them, and a face made of such arrays.

An array is (pictures, V, 3), metres, the head's pose taken out, in .npy or as `vertices` in an
.npz, below its folder as the recording's video is below its root: M003/front/angry/level_1/001.npy.
A picture in which no face was seen is a row of NaN.
"""

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from mien.data.mead import Recording
from mien.errors import MienError
from mien.face import Face
from mien.faces.components import face_of_components, outside, principal

COMPONENTS = 100
SAMPLED = 600
"""Pictures, of all arrays, of which the components are found."""

OPEN_SHARE = 0.05
"""So many of the sampled pictures, those whose lowest point moved furthest down, show an open jaw;
as many at the other end a shut one."""


def find(folder: Path, recording: Recording) -> Path:
    """Return where the array of a recording is; MienError where there is none."""
    for below in (recording.actor, f"{recording.actor}/video"):
        for suffix in (".npy", ".npz"):
            path = folder / below / f"{recording.folder}{suffix}"
            if path.is_file():
                return path
    wanted = folder / recording.actor / f"{recording.folder}.npy"
    raise MienError(f"there is no array of vertices {wanted}")


def read(path: Path, template: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the pictures (N,) that show a face, and their vertices (N, V, 3), metres.

    MienError for a file that is damaged, of another topology than template (V, 3), in another
    unit of length, or without any face.
    """
    try:
        with path.open("rb") as file:
            found = np.load(file, allow_pickle=False)
            shown = found if isinstance(found, np.ndarray) else found["vertices"]
    except Exception as error:  # zip, header, key and value errors all mean the same to the user
        raise MienError(f"{path} cannot be read as vertices ({error}); make it again") from error
    if shown.ndim != 3 or shown.shape[1:] != template.shape:
        raise MienError(
            f"{path} holds {shown.shape}; vertices (pictures, {len(template)}, 3) of the face are "
            "wanted"
        )
    pictures = np.flatnonzero(np.isfinite(shown).all(axis=(1, 2)))
    if not len(pictures):
        raise MienError(f"{path} shows no face in any picture")
    shown = shown[pictures].astype(np.float64)
    ratio = np.ptp(shown[0], axis=0).max() / np.ptp(template, axis=0).max()
    if not 0.5 <= ratio <= 2:
        raise MienError(f"{path} is {ratio:.3g} times as large as the face; metres are wanted")
    return pictures, shown


def make_face(
    name: str,
    template: np.ndarray,
    triangles: np.ndarray,
    arrays: Iterable[Path],
    *,
    components: int = COMPONENTS,
) -> tuple[Face, float]:
    """Return a signed face of what the arrays show, and what it leaves over.

    template (V, 3), metres: the neutral; triangles (F, 3). The components are the principal
    directions of SAMPLED pictures, spread over all arrays; the second value is the root mean square
    distance of a vertex, metres, that they do not span. MienError as in `read`.
    """
    paths = sorted(arrays)
    if not paths:
        raise MienError("there is no array of vertices to make a face of")
    each = -(-SAMPLED // len(paths))
    samples = []
    for path in paths[:: max(1, len(paths) // SAMPLED)]:
        _, shown = read(path, template)
        chosen = np.linspace(0, len(shown) - 1, min(each, len(shown))).round().astype(int)
        samples.append(shown[chosen] - template)
    moved = np.concatenate(samples)[: 2 * SAMPLED]
    rows = moved.reshape(len(moved), -1)
    found = principal(rows, components)
    left = outside(rows, found)
    face = face_of_components(
        name,
        template,
        triangles,
        found.reshape(-1, *template.shape),
        _opening(moved),
    )
    return face, float(np.sqrt(np.square(left).sum() / (left.size / 3)))


def _opening(moved: np.ndarray) -> np.ndarray:
    """Return how an opening jaw moves the vertices (V, 3), from displacements (N, V, 3)."""
    order = moved[:, :, 1].min(axis=1).argsort()
    count = max(1, round(OPEN_SHARE * len(order)))
    return moved[order[:count]].mean(axis=0) - moved[order[-count:]].mean(axis=0)
