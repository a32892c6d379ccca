"""Heads of other people: FLAME, ICT-FaceKit, glTF and our own files, each as a `Face`."""

import zipfile
from pathlib import Path

from mien.errors import MienError
from mien.face import Face


def read(path: Path | str, *, masks: Path | str | None = None) -> Face:
    """Read a face from any file or folder that mien knows, by what it is called.

    .npz: what `Face.save` wrote (such as a corpus's face.npz), or FLAME's arrays; .pkl: FLAME;
    .glb and .gltf: a head with ARKit-named shapes; a folder: ICT-FaceKit. `masks` goes with FLAME.
    Raises MienError for anything else.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if path.is_dir():
        return Face.from_ict(path)
    if suffix in (".glb", ".gltf"):
        return Face.from_gltf(path)
    if suffix == ".pkl" or (suffix == ".npz" and _is_flame(path)):
        return Face.from_flame(path, masks=masks)
    if suffix == ".npz":
        return Face.load(path)
    raise MienError(
        f"{path} is no face that mien reads: .npz, .pkl (FLAME), .glb, .gltf, or ICT's folder"
    )


def _is_flame(path: Path) -> bool:
    """Whether an .npz holds FLAME's arrays and not a Face's."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "v_template.npy" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
