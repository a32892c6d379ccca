"""Clips and corpora on disk: a folder with manifest.jsonl and clips/<id>.npz.

Where the clips are of another face than the default, `face.npz` beside them holds it.

A clip counts when its line is in the manifest; the line is written after the clip's file is in
place, so a job that was killed leaves nothing half-written and goes on where it stopped.
"""

import dataclasses
import json
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mien import audio
from mien.data.described import with_descriptions
from mien.errors import MienError
from mien.face import Face

SPLITS = ("train", "validation", "test")
MANIFEST = "manifest.jsonl"
FACE = "face.npz"


@dataclass(frozen=True)
class Phone:
    """One phone: its name, lower-case ARPAbet without stress ("pau" is silence), in seconds."""

    name: str
    start: float
    end: float

    @property
    def centre(self) -> float:
        """The middle of the phone, seconds."""
        return (self.start + self.end) / 2


@dataclass(frozen=True)
class Record:
    """What the manifest says about a clip: cheap to read for a whole corpus."""

    id: str
    """unique in the corpus; the clip's file is clips/<id>.npz"""
    sentence: str
    """the words; empty for silence"""
    sentence_id: int
    """equal for clips that say the same"""
    actor: str
    voice: str
    """who is heard"""
    rate: float
    """speed of speech; 1 is the voice's own"""
    emotion: str
    """name of the expression's state"""
    level: float
    """how strong the expression is, 0 to 1.5"""
    fps: float
    frames: int
    steady: tuple[int, int]
    """frames start ≤ t < stop within which the expression is constant"""
    split: str
    """train, validation or test; decided by the sentence"""
    provenance: dict[str, Any] = field(default_factory=dict)
    """how the clip was made: seeds, settings, versions"""
    descriptions: list[str] = field(default_factory=list)
    """wordings of this very clip; empty where those of its state in the bank describe it"""

    @property
    def seconds(self) -> float:
        """Length of the clip."""
        return self.frames / self.fps


@dataclass(frozen=True)
class Clip(Record):
    """One recorded or simulated performance: a record and its arrays."""

    speech: np.ndarray = field(kw_only=True)
    """(S,) float32 in [-1, 1], 16 kHz"""
    weights: np.ndarray = field(kw_only=True)
    """(T, U) float32 within the limits of the corpus's face"""
    phones: list[Phone] = field(kw_only=True)
    """in order, covering the speech; empty where nobody knows them, as in captures"""
    envelope: np.ndarray | None = field(default=None, kw_only=True)
    """(T,) float32: share of the full expression in each frame; None: full, after an onset"""

    @property
    def record(self) -> Record:
        """The clip without its arrays."""
        return Record(**{f.name: getattr(self, f.name) for f in dataclasses.fields(Record)})


class Corpus:
    """A folder of clips, for reading. MienError where it is missing or damaged."""

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        if not (self.folder / MANIFEST).is_file():
            raise MienError(
                f"{self.folder} holds no {MANIFEST}; make a corpus with mien simulate or prepare"
            )
        self.records = with_descriptions(read_manifest(self.folder / MANIFEST), self.folder)
        """list of Record, in the order of the manifest"""

    def clip(self, clip_id: str) -> Clip:
        """Read the clip with this id."""
        if clip_id not in self._by_id:
            raise MienError(f"{self.folder} has no clip {clip_id!r}")
        units = len(self.face.unit_names)
        return read_clip(clip_path(self.folder, clip_id), self._by_id[clip_id], units)

    def clips(self, split: str) -> Iterator[Clip]:
        """Read the clips of a split, in the order of the manifest."""
        for record in self.records:
            if record.split == split:
                yield self.clip(record.id)

    @cached_property
    def face(self) -> Face:
        """The face that the clips' weights are of."""
        return face_of(self.folder)

    @property
    def seconds(self) -> float:
        """Length of all clips together."""
        return sum(record.seconds for record in self.records)

    @cached_property
    def _by_id(self) -> dict[str, Record]:
        return {record.id: record for record in self.records}


class CorpusWriter:
    """Adds clips to a folder. Clips that are there already stay; `done` names them.

    `face` is what the clips' weights are of; None: the default, or the one that is there already.
    MienError where the folder's clips are of another face.
    """

    def __init__(self, folder: Path | str, face: Face | None = None) -> None:
        self.folder = Path(folder)
        try:
            (self.folder / "clips").mkdir(parents=True, exist_ok=True)
            self.records = self._recover()
            self.face = self._settle_face(face)
        except OSError as error:
            raise MienError(f"cannot write a corpus to {folder}: {error.strerror}") from error

    @property
    def done(self) -> set[str]:
        """The ids of the clips that are complete."""
        return {record.id for record in self.records}

    def add(self, clip: Clip) -> None:
        """Write the clip's file, then its line in the manifest."""
        if clip.id in self.done:
            raise MienError(f"{self.folder} already has a clip {clip.id!r}")
        check_clip(clip, clip.id, len(self.face.unit_names))
        write_clip(clip_path(self.folder, clip.id), clip)
        line = json.dumps(dataclasses.asdict(clip.record), ensure_ascii=False)
        with (self.folder / MANIFEST).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        self.records.append(clip.record)

    def _settle_face(self, face: Face | None) -> Face:
        """Return the face of the folder's clips; a new folder gets `face`."""
        if face is None:
            return face_of(self.folder)
        if self.records or (self.folder / FACE).exists():
            theirs = face_of(self.folder)
            if theirs.fingerprint != face.fingerprint:
                raise MienError(
                    f"the clips in {self.folder} are of the face {theirs.name!r}, not of "
                    f"{face.name!r}; choose another folder"
                )
        elif face.fingerprint != Face.load().fingerprint:
            face.save(self.folder / FACE)
        return face

    def _recover(self) -> list[Record]:
        """Read the manifest; a last line that a kill cut short is removed."""
        path = self.folder / MANIFEST
        if not path.exists():
            return []
        text = path.read_bytes()
        whole = text[: text.rfind(b"\n") + 1]
        if whole != text:
            part = path.with_suffix(".part")
            part.write_bytes(whole)
            os.replace(part, path)
        return read_manifest(path)


def face_of(folder: Path) -> Face:
    """Return the face that a corpus's clips are of: its face.npz, else the default."""
    return Face.load(folder / FACE if (folder / FACE).exists() else None)


def clip_path(folder: Path, clip_id: str) -> Path:
    """Return where a clip's arrays are stored; MienError for an id that is no plain file name."""
    if not clip_id or Path(clip_id).name != clip_id or not clip_id.isprintable():
        raise MienError(f"{clip_id!r} cannot be the id of a clip; a plain file name is wanted")
    return folder / "clips" / f"{clip_id}.npz"


def read_manifest(path: Path) -> list[Record]:
    """Read manifest.jsonl; MienError names the line that is damaged."""
    records = []
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise MienError(f"{path} is damaged: {error}; make the corpus again") from error
    # Not `splitlines`: a name or a sentence may hold U+2028 and its like.
    lines = text.removesuffix("\n").split("\n") if text else []
    for number, line in enumerate(lines, start=1):
        try:
            values = json.loads(line)
            record = Record(**{**values, "steady": tuple(values["steady"])})
        except (ValueError, TypeError, KeyError) as error:
            raise MienError(f"{path}, line {number} is damaged: {error}; remove it") from error
        if record.split not in SPLITS:
            raise MienError(f"{path}, line {number}: split is {record.split!r}, not of {SPLITS}")
        records.append(record)
    return records


def write_clip(path: Path, clip: Clip) -> None:
    """Write the clip's arrays under a temporary name, then rename; speech is kept as 16-bit."""
    part = path.with_suffix(".part")
    more = {} if clip.envelope is None else {"envelope": clip.envelope.astype(np.float32)}
    try:
        with part.open("wb") as file:
            np.savez(
                file,
                **more,  # type: ignore[arg-type]
                speech=np.round(np.clip(clip.speech, -1, 1) * 32767).astype("<i2"),
                weights=clip.weights.astype(np.float32),
                phone_names=np.array([phone.name for phone in clip.phones], "U8"),
                phone_times=np.array([(p.start, p.end) for p in clip.phones]).reshape(-1, 2),
            )
        os.replace(part, path)
    except OSError as error:
        raise MienError(f"cannot write {path}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def read_clip(path: Path, record: Record, units: int) -> Clip:
    """Read the arrays of a record's clip, of a face with so many units.

    MienError where the file is missing or damaged.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            names, times = arrays["phone_names"].tolist(), arrays["phone_times"].tolist()
            clip = Clip(
                **{f.name: getattr(record, f.name) for f in dataclasses.fields(Record)},
                speech=arrays["speech"].astype(np.float32) / 32767,
                weights=arrays["weights"],
                phones=[Phone(n, start, end) for n, (start, end) in zip(names, times, strict=True)],
                envelope=arrays.get("envelope"),
            )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise MienError(
            f"{path} cannot be read as a clip: {error}; make the corpus again"
        ) from error
    check_clip(clip, str(path), units)
    return clip


def check_clip(clip: Clip, where: str, units: int) -> None:
    """Raise MienError where the arrays of a clip contradict each other or its record."""
    frames, (start, stop) = clip.frames, clip.steady
    if clip.weights.shape != (frames, units) or not np.isfinite(clip.weights).all():
        raise MienError(
            f"{where}: weights are {clip.weights.shape}; {(frames, units)} finite ones are wanted"
        )
    if clip.envelope is not None and clip.envelope.shape != (frames,):
        raise MienError(f"{where}: the envelope is {clip.envelope.shape}; ({frames},) is wanted")
    if clip.speech.ndim != 1 or audio.frame_count(len(clip.speech), clip.fps) != frames:
        raise MienError(
            f"{where}: speech is {clip.speech.shape} for {frames} frames; make it again"
        )
    if not 0 <= start <= stop <= frames:
        raise MienError(f"{where}: steady is {clip.steady}, outside its {frames} frames")
    if clip.split not in SPLITS:
        raise MienError(f"{where}: split is {clip.split!r}; one of {SPLITS} is wanted")
