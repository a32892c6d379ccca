"""Recordings with the words that are said in them, read from a folder.

The four English clips among the examples of NVIDIA's Audio2Face-3D come without their words. Those
in nvidia.csv were found by two listeners: Whisper tiny.en wrote them down (decoded in four ways,
which differed in the words below only), then both Whisper's decoder and pocketsphinx scored every
candidate for a doubtful word in its sentence. Both heard "lock" or "loch", not "lake"; and "rose",
not "rode" or "drove". "About" stands, not "above": the vowel's score in pocketsphinx and its
formants are a diphthong's. "Suzie'd have" won two of two in one clip, and one of two in the other.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mien import audio
from mien.errors import MienError

KNOWN = Path(__file__).with_name("nvidia.csv")
QUIET = 3e-4  # of full scale: the noise of a quiet room
QUIET_SECONDS = 2.0


@dataclass(frozen=True, eq=False)
class Recording:
    """Speech (S,) 16 kHz with the words that are said in it."""

    name: str
    speech: np.ndarray
    transcript: str


def read_folders(folders: Sequence[Path | str]) -> list[Recording]:
    """Read the recordings of all folders, one after the other."""
    return [recording for folder in folders for recording in read_folder(folder)]


def read_folder(folder: Path | str) -> list[Recording]:
    """Read a folder of wavs whose words are known.

    Either in LJSpeech's layout, metadata.csv (id|text|normalised text) and id.wav, beside it or in
    wavs/; or wavs without words whose names nvidia.csv has.
    """
    folder = Path(folder)
    if not (metadata := folder / "metadata.csv").is_file():
        return _known(folder)
    wavs = folder / "wavs" if (folder / "wavs").is_dir() else folder
    rows = _rows(metadata)
    return [Recording(row[0], audio.decode(wavs / f"{row[0]}.wav"), row[-1]) for row in rows]


def quietened(recording: Recording) -> Recording:
    """Return the recording with two seconds of quiet room noise after it."""
    speech = np.concatenate([recording.speech, quiet(QUIET_SECONDS)])
    return Recording(recording.name, speech, recording.transcript)


def quiet(seconds: float) -> np.ndarray:
    """Return the noise of a quiet room, (S,) float32: the same whenever it is asked for."""
    noise = np.random.default_rng(0).normal(0.0, QUIET, audio.seconds_to_samples(seconds))
    return noise.astype(np.float32)


def _known(folder: Path) -> list[Recording]:
    """Read wavs without a metadata.csv, where nvidia.csv has the words of every one."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise MienError(f"{folder} {what}; give a folder of recordings with a metadata.csv")
    texts = dict(_rows(KNOWN))
    wavs = sorted(folder.glob("*.wav"))
    unknown = [wav.name for wav in wavs if wav.stem not in texts]
    if not wavs or unknown:
        why = f" and what {unknown[0]} says is not known" if unknown else ""
        raise MienError(f"{folder} has no metadata.csv{why}; give a folder like LJSpeech's")
    return [Recording(wav.stem, audio.decode(wav), texts[wav.stem]) for wav in wavs]


def _rows(path: Path) -> list[list[str]]:
    """Return the lines of id|text, or id|text|normalised text."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise MienError(f"{path} cannot be read ({error}); write lines of id|text") from error
    rows = [row for row in csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE) if row]
    if not rows or min(len(row) for row in rows) < 2:
        raise MienError(f"{path} has a line without a transcript; write id|text")
    return rows
