"""The films of a study, made by two packs from the same recordings and descriptions.

    FOLDER/theirs-label/hello-01.mp4  FOLDER/ours-label/hello-01.mp4  FOLDER/descriptions.csv

What they are made of is written first, to films.json, so that a killed job goes on where it
stopped, and never mixes the films of two jobs.
"""

import json
import os
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from mien import animator, audio, export
from mien.errors import MienError
from mien.features import check_description
from mien.study.films import DESCRIPTIONS, MADE, MAX_PAIRS, MAX_SECONDS, digest, made_of

DEFAULT = "mien"
"""what the default pack is called"""
SEED = 0
"""of the blinks, glances and nods, the same on both sides"""


@dataclass(frozen=True)
class Scene:
    """One pair to be made."""

    name: str
    speech: np.ndarray
    """(S,) 16 kHz"""
    description: str


def make(
    folder: Path | str,
    *,
    theirs: Path | None,
    ours: Path | None,
    recordings: Sequence[Path],
    descriptions: Sequence[str],
    progress: bool = False,
) -> None:
    """Make every recording under every description with both packs (None: the default one).

    Films that are there already stay. Raises MienError for recordings and descriptions that cannot
    be used, and for a folder that holds anything else than what this makes.
    """
    folder = Path(folder)
    labels = _labels(theirs, ours)
    scenes = _scenes(recordings, descriptions)
    made = {
        "theirs": labels[0],
        "ours": labels[1],
        "packs": [digest(_content(pack)) if pack else DEFAULT for pack in (theirs, ours)],
        "speech": {scene.name: digest(scene.speech.tobytes()) for scene in scenes},
        "descriptions": {scene.name: scene.description for scene in scenes},
        "seed": SEED,
    }
    # Both packs are read before the first film: the second may be damaged.
    systems = dict(zip(labels, map(animator.load, (theirs, ours)), strict=True))
    _claim(folder, made)
    with tqdm(desc="films", total=2 * len(scenes), unit="film", disable=not progress) as bar:
        for label, actor in systems.items():
            for scene in scenes:
                film = folder / label / f"{scene.name}.mp4"
                if not film.exists():
                    animation = actor.animate(scene.speech, scene.description, life=SEED)
                    export.save(animation, film)
                bar.update()


def _labels(theirs: Path | None, ours: Path | None) -> tuple[str, str]:
    label, other = (pack.stem if pack else DEFAULT for pack in (theirs, ours))
    if label == other:
        raise MienError(f"both packs are called {label}; give one of them another file name")
    return label, other


def _scenes(recordings: Sequence[Path], descriptions: Sequence[str]) -> list[Scene]:
    """Every recording under every description, named after the recording."""
    said = [check_description(text) for text in descriptions]
    if not said or not all(said):
        raise MienError("a description is missing or empty; say what the faces express")
    if len(set(said)) < len(said):
        raise MienError("a description comes twice; give each once")
    stems = [path.stem for path in recordings]
    if twice := [stem for stem in stems if stems.count(stem) > 1]:
        raise MienError(f"two recordings are called {twice[0]}; rename one of them")
    if wrong := [stem for stem in stems if "|" in stem or stem.startswith(".")]:
        raise MienError(f"{wrong[0]} cannot name a film; rename the recording")
    if not 1 <= len(stems) * len(said) <= MAX_PAIRS:
        raise MienError(f"{len(stems) * len(said)} pairs were asked for; 1 to {MAX_PAIRS:,} fit")
    scenes = []
    for path in recordings:
        speech = audio.decode(path)
        if (seconds := audio.samples_to_seconds(len(speech))) > MAX_SECONDS:
            raise MienError(f"{path} lasts {seconds:.0f} s; give up to {MAX_SECONDS:g} s")
        names = [f"{path.stem}-{i:02d}" for i in range(1, len(said) + 1)]
        scenes += [Scene(name, speech, text) for name, text in zip(names, said, strict=True)]
    return scenes


def _claim(folder: Path, made: dict[str, Any]) -> None:
    """Begin the folder, or find in it what the same job has begun."""
    if folder.exists() and not folder.is_dir():
        raise MienError(f"{folder} is a file; name a new folder for the films")
    there = made_of(folder)
    if there is not None and there != made:
        raise MienError(
            f"{folder} holds films of other packs, recordings or descriptions; name a new folder"
        )
    folder.mkdir(parents=True, exist_ok=True)
    if there is None and any(not path.name.startswith(".") for path in folder.iterdir()):
        raise MienError(f"{folder} is not empty; name a new folder for the films")
    _write(folder / MADE, [json.dumps(made, indent=1, ensure_ascii=False)])
    described = made["descriptions"].items()
    _write(folder / DESCRIPTIONS, [f"{name}|{text}" for name, text in described])
    for label in (made["theirs"], made["ours"]):
        (folder / label).mkdir(exist_ok=True)


def _write(path: Path, lines: Iterable[str]) -> None:
    """Write a text whole or not at all."""
    temporary = path.with_name(f".mien-{secrets.token_hex(6)}")
    try:
        temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _content(pack: Path) -> bytes:
    try:
        return pack.read_bytes()
    except OSError as error:
        raise MienError(f"cannot read {pack}: {error.strerror}; give a pack (.mien)") from error
