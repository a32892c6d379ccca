"""The films of a study: two subfolders of equal names, and a description for each name.

    films/ours/hello.mp4  films/theirs/hello.mp4  films/descriptions.csv: hello|quietly furious

Everything that could go wrong on a participant's screen is refused here: a film without its
partner or without sound, a codec that browsers do not play, two films of unequal length.
"""

import hashlib
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import av

from mien.errors import MienError
from mien.features import check_description

SUFFIXES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".webm": "video/webm"}
DESCRIPTIONS = "descriptions.csv"
MADE = "films.json"
"""what the films were made of, where `making` made them; it also says which are ours"""
OURS = "ours"
PLAYED = {"h264": {"yuv420p", "yuvj420p"}, "vp8": {"yuv420p"}, "vp9": {"yuv420p"}}
"""codecs and their pixel formats that today's browsers play"""
MAX_PAIRS = 1000
MAX_BYTES = 256 * 2**20
MAX_SECONDS = 300.0
SLACK = 0.5
"""seconds by which the films of a pair may differ in length: systems round differently"""


@dataclass(frozen=True)
class Film:
    """One film, and the name under which it is served, which tells no one whose it is."""

    path: Path
    digest: str
    """sha256 of the file, hex"""

    @property
    def key(self) -> str:
        """The name in its address: from the file's content, so that it says nothing else."""
        return f"{self.digest[:24]}{self.path.suffix.lower()}"

    @property
    def media_type(self) -> str:
        """The media type that it is served as."""
        return SUFFIXES[self.path.suffix.lower()]


@dataclass(frozen=True)
class Pair:
    """Two systems' films of one recording under one description."""

    name: str
    description: str
    theirs: Film
    ours: Film

    def film(self, system: str) -> Film:
        """The film of `theirs` or `ours`."""
        return self.ours if system == OURS else self.theirs


@dataclass(frozen=True)
class Films:
    """All pairs of a study, in the order of their names, and what the two systems are called."""

    theirs: str
    ours: str
    pairs: tuple[Pair, ...]

    @cached_property
    def by_name(self) -> dict[str, Pair]:
        """Each pair by its name."""
        return {pair.name: pair for pair in self.pairs}

    @cached_property
    def by_key(self) -> dict[str, Film]:
        """Each film by the name in its address: whatever is not in here is not served."""
        return {film.key: film for pair in self.pairs for film in (pair.theirs, pair.ours)}

    @cached_property
    def fingerprint(self) -> str:
        """What makes this study this one (hex): systems, names, descriptions and films."""
        rows = [[p.name, p.description, p.theirs.digest, p.ours.digest] for p in self.pairs]
        return hashlib.sha256(json.dumps([self.theirs, self.ours, rows]).encode()).hexdigest()


def read_films(folder: Path | str, *, ours: str | None = None) -> Films:
    """Read a folder of films; `ours` is the name of the subfolder that holds ours.

    It may be left out where a subfolder is called "ours", or where Mien made the films. Raises
    MienError unless there are exactly two subfolders, and each name has two playable films of one
    length and a description.
    """
    folder = Path(folder)
    systems = _systems(folder)
    ours = _which_is_ours(folder, systems, ours)
    (theirs,) = systems.keys() - {ours}
    for label, other in ((theirs, ours), (ours, theirs)):
        if alone := sorted(systems[label].keys() - systems[other].keys()):
            raise MienError(
                f"{folder / label} has {systems[label][alone[0]].name} and {folder / other} has no "
                "film of that name; give both or neither"
            )
    names = sorted(systems[ours])
    if not 1 <= len(names) <= MAX_PAIRS:
        raise MienError(f"{folder} holds {len(names)} pairs of films; give 1 to {MAX_PAIRS:,}")
    described = read_descriptions(folder / DESCRIPTIONS)
    for name in names:
        if not described.get(name):
            raise MienError(f"{folder / DESCRIPTIONS} does not describe {name}; add {name}|…")
    if strange := sorted(described.keys() - set(names)):
        raise MienError(
            f"{folder / DESCRIPTIONS} describes {strange[0]}, of which there is no film"
        )
    pairs = tuple(
        _pair(name, described[name], systems[theirs][name], systems[ours][name]) for name in names
    )
    return Films(theirs, ours, pairs)


def read_descriptions(path: Path) -> dict[str, str]:
    """Read lines of name|description; MienError where a line is none, or a name comes twice."""
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError:
        raise MienError(f"{path} does not exist; write lines of name|description") from None
    except (OSError, ValueError) as error:
        raise MienError(f"{path} cannot be read ({error}); write name|description") from error
    described: dict[str, str] = {}
    for line in filter(str.strip, lines):
        name, bar, text = line.partition("|")
        if not bar or name in described:
            what = "twice" if bar else "without a description"
            raise MienError(f"{path} has {name!r} {what}; write one name|description for each")
        described[name] = check_description(text)
    return described


def made_of(folder: Path) -> dict | None:
    """What `making` wrote about the films of a folder; None where it did not make them."""
    path = folder / MADE
    if not path.exists():
        return None
    try:
        made = json.loads(path.read_text(encoding="utf-8"))
        return {**made, "ours": str(made["ours"]), "theirs": str(made["theirs"])}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise MienError(f"{path} cannot be read ({error!r}); make the films anew") from error


def _systems(folder: Path) -> dict[str, dict[str, Path]]:
    """The films of each of the two subfolders by their names without suffix."""
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "does not exist"
        raise MienError(f"{folder} {what}; give a folder with two subfolders of films")
    found = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    if len(found) != 2:
        raise MienError(
            f"{folder} has {len(found)} subfolders; give two, with films of equal names"
        )
    return {place.name: _films_in(place) for place in found}


def _films_in(place: Path) -> dict[str, Path]:
    films: dict[str, Path] = {}
    for path in sorted(place.iterdir()):
        if path.name.startswith("."):
            continue
        if path.suffix.lower() not in SUFFIXES or not path.is_file():
            raise MienError(f"{path} is no film that browsers play; give {', '.join(SUFFIXES)}")
        if path.stem in films:
            raise MienError(f"{path} and {films[path.stem]} have one name; keep one of them")
        films[path.stem] = path
    return films


def _which_is_ours(folder: Path, systems: dict[str, dict[str, Path]], ours: str | None) -> str:
    made = made_of(folder)
    wanted = ours or (made["ours"] if made else OURS)
    if wanted not in systems:
        labels = " or ".join(systems)
        raise MienError(f"{folder} has no subfolder {wanted}; say which is ours: --ours {labels}")
    return wanted


def _pair(name: str, description: str, theirs: Path, ours: Path) -> Pair:
    lengths = [_playable_seconds(path) for path in (theirs, ours)]
    if abs(lengths[0] - lengths[1]) > SLACK:
        raise MienError(
            f"{theirs} lasts {lengths[0]:.2f} s and {ours} {lengths[1]:.2f} s; "
            "give films of one recording"
        )
    return Pair(name, description, _film(theirs), _film(ours))


def _film(path: Path) -> Film:
    with open(path, "rb") as file:
        return Film(path, digest(file.read()))


def digest(content: bytes) -> str:
    """The sha256 of bytes, hex."""
    return hashlib.sha256(content).hexdigest()


def _playable_seconds(path: Path) -> float:
    """The length of a film in seconds; MienError where a browser would not play it with sound."""
    if path.stat().st_size > MAX_BYTES:
        raise MienError(f"{path} is larger than {MAX_BYTES // 2**20} MB; give a smaller film")
    try:
        with av.open(str(path)) as film:
            seconds = (film.duration or 0) / av.time_base
            pictures, sounds = film.streams.video, film.streams.audio
            coder = pictures[0].codec_context if pictures else None
            codec, pixels = (coder.name, coder.pix_fmt) if coder else ("none", None)
    except (av.FFmpegError, OSError) as error:
        raise MienError(f"{path} cannot be read as a film ({error}); make it anew") from error
    if pixels not in PLAYED.get(codec, ()):
        raise MienError(
            f"{path} has pictures in {codec} {pixels or ''}; browsers play h264, vp8 and vp9 in "
            "yuv420p: encode it anew"
        )
    if not sounds:
        raise MienError(f"{path} has no sound; give films with their speech")
    if not 0 < seconds <= MAX_SECONDS:
        raise MienError(f"{path} lasts {seconds:.1f} s; give films of up to {MAX_SECONDS:g} s")
    return seconds
