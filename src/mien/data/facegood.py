"""FACEGOOD's public performances: 116 Maya channels a frame, with sound, to captures of 52 units.

The layout is that of FACEGOOD/FACEGOOD-Audio2Face: code/train/bs_value/bs_value_NAME.npy (T, 116)
at 30 frames a second, code/train/wav/NAME.wav, and the channels' names in
code/train/shirley_1015_bs_name.npy (other lists there are shifted by one for these arrays).
"""

import warnings
from pathlib import Path

import numpy as np

from mien import audio
from mien.data.captures import Capture
from mien.data.facegood_units import CHANNELS, TABLE, channels_to_units
from mien.data.tracks import digest, matched_frames
from mien.errors import MienError

FPS = 30.0
HELD_OUT = frozenset(["1114_3_15"])
"""Never trained on: `mien evaluate capture` measures on it."""

NAMES = "shirley_1015_bs_name.npy"
BITING = (0.05, 0.20)
"""From the first to the second, the lower lip alone sucked in (mouth_suck_d beyond mouth_suck_u)
means an f: in p, b and m this animator sucks in both."""


def sequences(root: Path | str) -> list[str]:
    """Return the names of the sequences below `root`, in order; MienError where there are none."""
    found = sorted((_train(root) / "bs_value").glob("bs_value_*.npy"))
    if not found:
        raise MienError(f"{root} holds no code/train/bs_value/bs_value_*.npy as FACEGOOD's does")
    return [path.stem.removeprefix("bs_value_") for path in found]


def read(root: Path | str, name: str) -> Capture:
    """Read a sequence; MienError names the file that is missing, damaged or of another kind."""
    train = _train(root)
    path = train / "bs_value" / f"bs_value_{name}.npy"
    names, values = channel_names(train / NAMES), _array(path)
    if values.shape[1:] != (len(names),) or not len(values) or values.dtype.kind != "f":
        raise MienError(f"{path} is {values.shape}; (frames, {len(names)}) numbers are wanted")
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1.5:
        raise MienError(f"{path} holds weights outside 0 to 1; it is not FACEGOOD's")
    sound = train / "wav" / f"{name}.wav"
    speech = audio.decode(sound)
    most = matched_frames(speech, len(values) / FPS, FPS, f"{sound} and {path}")
    frames = min(len(values), most)
    speech, values = speech[: audio.sample_count(frames, FPS)], values[:frames]
    return Capture(
        name=f"facegood-{name}",
        speech=speech,
        weights=np.clip(values @ channels_to_units(names, TABLE), 0.0, 1.0),
        fps=FPS,
        labiodental=_bitten(values, names),
        seen=np.ones(len(values), bool),
        actor="facegood",
        split="test" if name in HELD_OUT else None,
        provenance={
            "dataset": "FACEGOOD/FACEGOOD-Audio2Face",
            "sequence": name,
            "source": digest(path, sound),
        },
    )


def channel_names(path: Path) -> list[str]:
    """Read the names of the channels; MienError unless they are the 116 that the table knows."""
    names = [str(name) for name in _array(path).ravel()]
    if strange := sorted(set(names) ^ CHANNELS) or (["twice"] if len(names) != 116 else []):
        raise MienError(
            f"{path} names other channels than the 116 of the table ({strange[0]}); give {NAMES} "
            "of FACEGOOD-Audio2Face"
        )
    return names


def _bitten(values: np.ndarray, names: list[str]) -> np.ndarray:
    def both(stem: str) -> np.ndarray:
        return values[:, [names.index(f"{stem}{side}") for side in "lr"]].mean(axis=1)

    low, high = BITING
    alone = both("mouth_suck_d") - both("mouth_suck_u")
    return np.clip((alone - low) / (high - low), 0.0, 1.0)


def _train(root: Path | str) -> Path:
    return Path(root) / "code" / "train"


def _array(path: Path) -> np.ndarray:
    """Read a .npy without executing anything in it, nor making room for more than it holds."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # written by Python 2: read all the same
            return np.array(np.lib.format.open_memmap(path, mode="r"))
    except FileNotFoundError as error:
        raise MienError(f"{path} does not exist; give the folder of FACEGOOD-Audio2Face") from error
    except (OSError, ValueError, EOFError) as error:
        raise MienError(f"{path} is not an array of numbers or names; download it again") from error
