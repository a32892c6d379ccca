"""What EMOCA saved of a video: FLAME's expression and jaw for each picture.

EMOCA (Daněček, Black and Bolkart, CVPR 2022; github.com/radekd91/emoca) writes, with --save_codes,
a folder for each face that it found, named by picture and face (000001_000), in it shape.npy,
exp.npy and pose.npy; pose is the head's turn and the jaw's, three numbers each. Shape and the
head's turn are not read: the face is FLAME's own, and it keeps still. Pictures without a folder
showed no face.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien.data.mead import Recording
from mien.errors import MienError

SEEN = re.compile(r"(?:.*_)?(\d+)_(\d{3})|(\d+)")
"""A folder's name: picture and face, or the picture alone."""

POSE = 6
"""Numbers of `pose`: three of the head, three of the jaw; axis times angle, radians."""


@dataclass(frozen=True, eq=False)
class Codes:
    """FLAME's amounts in the N pictures that showed a face."""

    pictures: np.ndarray
    """(N,) int, rising; 0 is the first picture of the video"""
    expression: np.ndarray
    """(N, E)"""
    jaw: np.ndarray
    """(N, 3) radians"""


def find(folder: Path, recording: Recording) -> Path:
    """Return where the codes of a recording are; MienError where they are not, or twice.

    Below `folder` as the video is below its root: M003/front/angry/level_1 (or with video/ after
    the actor), in it 001/ or 001.npz, or what EMOCA's demo makes of 001.mp4 when that folder is
    its output: processed_…/001/results/MODEL.
    """
    found: list[Path] = []
    for below in (recording.actor, f"{recording.actor}/video"):
        place = folder / below / recording.folder.parent
        name = recording.folder.name
        found += [path for path in (place / name, place / f"{name}.npz") if path.exists()]
        found += sorted(place.glob(f"processed_*/{name}/results/*"))
    if not found:
        wanted = folder / recording.actor / recording.folder
        raise MienError(f"there are no codes {wanted}, nor EMOCA's own folders there")
    if len(found) > 1:
        raise MienError(f"there are several codes: {found[0]} and {found[1]}; keep one")
    return found[0]


def read(path: Path) -> Codes:
    """Read the codes in a folder of pictures, or stacked in exp.npy and pose.npy or an .npz.

    Stacked codes have a row for each picture; a row that is not finite showed no face. An .npz
    holds `exp` and `pose`, or `jaw` instead of pose. MienError where they are missing, damaged,
    of other sizes, or of two faces.
    """
    if path.suffix == ".npz" or (path / "exp.npy").is_file():
        return _stacked(path)
    if not path.is_dir():
        raise MienError(f"{path} is no folder of codes; run EMOCA with --save_codes True")
    found: dict[int, Path] = {}
    for below in sorted(path.iterdir()):
        if not below.is_dir() or (told := SEEN.fullmatch(below.name)) is None:
            continue
        picture = int(told[1] or told[3])
        if picture in found:
            raise MienError(
                f"{path} has two faces in picture {picture}; remove the folders of the other one"
            )
        found[picture] = below
    if not found:
        raise MienError(f"{path} holds no face such as 000001_000/exp.npy; none was found")
    numbers = np.array(sorted(found))
    expression = _rows((found[k] / "exp.npy" for k in numbers), None)
    pose = _rows((found[k] / "pose.npy" for k in numbers), POSE)
    first = 0 if numbers[0] == 0 else 1  # FFmpeg counts from 1
    return Codes(numbers - first, expression, pose[:, 3:])


def check_count(pictures: np.ndarray, shown: int) -> None:
    """MienError where codes are of pictures (N,) that a video of so many does not have."""
    if pictures[-1] >= shown:
        raise MienError(
            f"the codes are of {pictures[-1] + 1} pictures and the video has {shown}; they are of "
            "another video, or of one with another frame rate"
        )


def _rows(paths: Iterable[Path], size: int | None) -> np.ndarray:
    """Return the codes (N, size) of N files; all must be of one size."""
    codes: list[np.ndarray] = []
    for path in paths:
        code = _load(path).reshape(-1)
        size = len(code) if size is None else size
        if len(code) != size or not np.isfinite(code).all():
            raise MienError(f"{path} holds {len(code)} numbers; {size} finite ones are wanted")
        codes.append(code)
    return np.array(codes, np.float64)


def _stacked(path: Path) -> Codes:
    if path.suffix == ".npz":
        arrays = _load_all(path)
    else:
        arrays = {name: _load(path / f"{name}.npy") for name in ("exp", "pose")}
    jaw = arrays["jaw"] if "jaw" in arrays else arrays.get("pose", np.zeros((0, 0)))[..., 3:]
    expression = arrays.get("exp", np.zeros((0, 0)))
    if expression.ndim != 2 or jaw.shape != (len(expression), 3) or not len(jaw):
        raise MienError(
            f"{path}: exp is {expression.shape} and the jaw {jaw.shape}; (pictures, E) and "
            "(pictures, 3) are wanted, the jaw as the last three of pose"
        )
    seen = np.isfinite(expression).all(axis=1) & np.isfinite(jaw).all(axis=1)
    if not seen.any():
        raise MienError(f"{path} shows no face in any picture")
    pictures = np.flatnonzero(seen)
    return Codes(pictures, expression[seen].astype(float), jaw[seen].astype(float))


def _load_all(path: Path) -> dict[str, np.ndarray]:
    """Read an .npz without pickles; MienError where it is damaged."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return {key: found[key] for key in found.files}
    except Exception as error:  # zip, header and value errors all mean the same to the user
        raise MienError(f"{path} cannot be read as arrays ({error}); make it again") from error


def _load(path: Path) -> np.ndarray:
    """Read an .npy without pickles; MienError where it is missing or damaged."""
    try:
        return np.atleast_1d(np.load(path, allow_pickle=False))
    except (OSError, ValueError, EOFError) as error:
        raise MienError(f"{path} cannot be read as codes ({error}); run EMOCA again") from error
