"""Files out: one writer for each suffix, all from the same weights, and never half a file."""

import os
import secrets
from collections.abc import Callable
from pathlib import Path

from mien.animation import Animation
from mien.errors import MienError
from mien.export import curves, gltf, mesh, video

Writer = Callable[[Animation, Path, bool], None]

WRITERS: dict[str, Writer] = {
    ".mp4": video.write,
    ".glb": gltf.write,
    ".csv": curves.write,
    ".npz": mesh.write,
}
"""Each takes the animation, the path, and whether to show a progress bar."""


def check(path: Path | str, *, overwrite: bool = False) -> Path:
    """Return the path; MienError if `save` could not write there, before anything is computed.

    Raises for a suffix that no writer has, a folder that is missing or not writable, a path that
    is a folder, and, unless `overwrite`, a file that exists.
    """
    path = Path(path)
    if path.suffix.lower() not in WRITERS:
        *most, last = WRITERS
        raise MienError(
            f"cannot write {path}: unknown suffix {path.suffix!r}; "
            f"choose {', '.join(most)} or {last}"
        )
    if path.is_dir():
        raise MienError(f"cannot write {path}: it is a folder; give a file name")
    if not path.parent.is_dir():
        raise MienError(f"cannot write {path}: there is no folder {path.parent}; make it first")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise MienError(f"cannot write {path}: no permission to write in {path.parent}")
    if not overwrite and os.path.lexists(path):
        raise MienError(f"{path} exists; choose another name or allow it: --overwrite")
    return path


def save(
    animation: Animation, path: Path | str, *, overwrite: bool = False, progress: bool = False
) -> None:
    """Write the animation in the format that the suffix names: .mp4, .glb, .csv or .npz.

    The file appears whole or not at all: it is written under another name in the same folder and
    then renamed; on any failure, Ctrl-C included, nothing of it stays. Raises MienError as
    `check` does, and where the disk refuses.
    """
    path = check(path, overwrite=overwrite)
    suffix = path.suffix.lower()
    temporary = path.with_name(f".mien-{secrets.token_hex(6)}{suffix}")
    try:
        WRITERS[suffix](animation, temporary, progress)
        os.replace(temporary, path)
    except OSError as error:
        raise MienError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
