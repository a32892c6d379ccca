"""MEAD as it is distributed: which recordings there are, in folders and in tar archives.

Recordings lie in M003/video/front/angry/level_1/001.mp4 and their sound in
M003/audio/angry/level_1/001.m4a, somewhere below the root: part folders, one tar for an actor, or
one each for its video and audio are all read, and archives stay packed. The actor is told by the
last name on the way that says one (M003, W009_video.tar, video_m9.tar).
Wang et al., "MEAD: A Large-scale Audio-visual Dataset for Emotional Talking-face Generation",
ECCV 2020.
"""

import os
import re
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mien.errors import MienError

STATES = {
    "angry": "angry",
    "contempt": "contemptuous",
    "disgusted": "disgusted",
    "fear": "afraid",
    "happy": "happy",
    "neutral": "neutral",
    "sad": "sad",
    "surprised": "surprised",
}
"""MEAD's labels, and the states that our bank has wordings for."""

NEUTRAL = "neutral"
LEVELS = (1, 2, 3)
VIEWS = ("front", "left_30", "left_60", "right_30", "right_60", "top", "down")
SUFFIXES = {".mp4": "video", ".avi": "video", ".mov": "video", ".m4a": "audio", ".wav": "audio"}
PACKED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")
"""Archives that would have to be unpacked as a whole for each file."""

ACTOR = re.compile(r"(?<![a-z])([mw])0*(\d{1,3})(?![0-9])", re.IGNORECASE)


@dataclass(frozen=True)
class Stored:
    """A file, in a folder or in a tar archive."""

    path: Path
    """the file, or the archive that holds it"""
    name: str
    """what it is called below the root"""
    start: int | None = None
    """where its bytes begin in the archive; None: it is a file of its own"""
    size: int = 0
    """its bytes in the archive"""

    @contextmanager
    def opened(self) -> Iterator[Path]:
        """Give a path of the file for a while; out of an archive it is a temporary copy."""
        if self.start is None:
            yield self.path
            return
        with tempfile.TemporaryDirectory(prefix="mien-") as folder:
            copy = Path(folder) / PurePosixPath(self.name).name
            with self.path.open("rb") as archive, copy.open("wb") as file:
                archive.seek(self.start)
                left = self.size
                while left and (block := archive.read(min(left, 1 << 20))):
                    file.write(block)
                    left -= len(block)
            yield copy


@dataclass(frozen=True, order=True)
class Recording:
    """One sentence of one actor, seen from one side."""

    actor: str
    view: str
    label: str
    """MEAD's name of the emotion"""
    level: int
    """1 to 3; of neutral there is only 1"""
    number: int
    """MEAD's number of the sentence, from 1 on"""
    video: Stored | None = None
    sound: Stored | None = None
    """the file of the audio folder, where there is one"""

    @property
    def id(self) -> str:
        """The id of its clip."""
        return f"mead-{self.actor}-{self.view}-{self.label}-{self.level}-{self.number:03d}"

    @property
    def take(self) -> tuple[str, str, int, int]:
        """What all views of it share: actor, label, level and number."""
        return self.actor, self.label, self.level, self.number

    @property
    def amount(self) -> float:
        """The level as clips count it: a third each, neutral 0."""
        return 0.0 if self.label == NEUTRAL else self.level / len(LEVELS)

    @property
    def folder(self) -> PurePosixPath:
        """Where it lies below its actor's video folder, without suffix."""
        return PurePosixPath(self.view, self.label, f"level_{self.level}", f"{self.number:03d}")


def recordings(root: Path | str, *, pictures: bool = True) -> list[Recording]:
    """Return all recordings below a folder, in order.

    Without `pictures` a sound alone is a recording too, once for each of VIEWS: what was seen is
    then elsewhere. MienError where there are none, or an archive cannot be read in place.
    """
    root = Path(root)
    if not root.is_dir():
        raise MienError(f"{root} is no folder; give the one that holds MEAD's actors (M003, …)")
    seen: dict[str, dict[tuple, Stored]] = {"video": {}, "audio": {}}
    packed = []
    for stored in _files(root):
        if stored.name.lower().endswith(PACKED):
            packed.append(stored.name)
        elif (told := _told(stored.name)) is not None:
            kind, key = told
            seen[kind].setdefault(key, stored)  # plain files come first
    found = {
        key: Recording(*key, video=video, sound=seen["audio"].get(_without_view(key)))
        for key, video in seen["video"].items()
    }
    if not pictures:
        for (actor, *rest), sound in seen["audio"].items():
            for view in VIEWS:
                key = (actor, view, *rest)
                found.setdefault(key, Recording(*key, sound=sound))
    if not found:
        hint = f"; unpack {packed[0]} first" if packed else ""
        raise MienError(
            f"{root} holds no recording such as M003/video/front/angry/level_1/001.mp4{hint}"
        )
    return [found[key] for key in sorted(found)]


def select(
    found: Iterable[Recording],
    *,
    actors: tuple[str, ...] = (),
    labels: tuple[str, ...] = (),
    levels: tuple[int, ...] = (),
    views: tuple[str, ...] = ("front",),
) -> list[Recording]:
    """Return the recordings of these actors, labels, levels and views; none given means all.

    Neutral is chosen by its label and has no level to choose. MienError where one that was asked
    for is nowhere among them.
    """
    kept = list(found)
    kept = _kept(kept, "actor", actors, lambda r: r.actor)
    kept = _kept(kept, "view", views, lambda r: r.view)
    kept = _kept(kept, "emotion", labels, lambda r: r.label)
    neutral = [r for r in kept if r.label == NEUTRAL]
    acted = [r for r in kept if r.label != NEUTRAL]
    if acted:
        acted = _kept(acted, "level", levels, lambda r: r.level)
    return sorted(neutral + acted)


def _kept(
    found: list[Recording], what: str, wanted: tuple, value: Callable[[Recording], str | int]
) -> list[Recording]:
    there = sorted({value(recording) for recording in found})
    for one in wanted:
        if one not in there:
            known = ", ".join(map(str, there))
            raise MienError(f"there is no {what} {one} in what was found; there is: {known}")
    return [recording for recording in found if not wanted or value(recording) in wanted]


def _files(root: Path) -> Iterator[Stored]:
    """Yield the files below the root, then those inside its tar archives, in order."""
    archives = []
    for folder, below, names in os.walk(root):
        below.sort()
        for name in sorted(names):
            path = Path(folder) / name
            if path.suffix.lower() == ".tar":
                archives.append(path)
            else:
                yield Stored(path, path.relative_to(root).as_posix())
    for path in archives:
        yield from _members(path, path.relative_to(root).as_posix())


def _members(path: Path, name: str) -> Iterator[Stored]:
    """Yield the plain files inside an archive; MienError where it is damaged or cut off."""
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                if member.isreg():
                    inside = f"{name}/{member.name}"
                    yield Stored(path, inside, member.offset_data, member.size)
    except (tarfile.TarError, OSError) as error:
        raise MienError(
            f"{path} cannot be read as a tar archive ({error}); copy it again"
        ) from error


def _told(name: str) -> tuple[str, tuple] | None:
    """Return video or audio, and (actor, view, label, level, number); None for other files."""
    path = PurePosixPath(name)
    kind = SUFFIXES.get(path.suffix.lower())
    if kind is None or len(path.parts) < 3 or not path.stem.isdecimal():
        return None
    *above, label, folder, _ = (part.lower() for part in path.parts)
    level = re.fullmatch(r"level_?([123])", folder)
    actors = [match for part in above for match in ACTOR.finditer(part)]
    if level is None or label not in STATES or not actors:
        return None
    actor = f"{actors[-1][1].upper()}{int(actors[-1][2]):03d}"
    views = [part for part in above if part in VIEWS]
    if kind == "audio":
        return kind, (actor, label, int(level[1]), int(path.stem))
    return kind, (actor, views[-1] if views else VIEWS[0], label, int(level[1]), int(path.stem))


def _without_view(key: tuple) -> tuple:
    return key[0], *key[2:]
