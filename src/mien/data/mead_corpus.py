"""MEAD into a corpus: each recording becomes a clip, as it was performed.

First what each actor says is found (`mead_notes`), then each recording is seen (`mead_seen`), an
actor's neutral ones before the others: what they read at rest is subtracted from all. What is done
stays; a recording that cannot be used is noted in lost.txt with the reason, and the next one comes.
A run that ended early goes on where it stopped, and tries again what was lost.
"""

import dataclasses
import json
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import mien
from mien import audio, jobs
from mien.config import read_json
from mien.data import captures, mead_groups, tracks
from mien.data.clips import Clip, CorpusWriter, Record
from mien.data.mead import NEUTRAL, STATES, Recording
from mien.data.mead_faces import Way
from mien.data.mead_groups import Groups, Order
from mien.data.mead_notes import Notes, write_text
from mien.data.mead_seen import Failure, Seen, rest, see, without_rest
from mien.data.splits import chosen
from mien.data.steady import steady
from mien.errors import MienError
from mien.face import Face

SETTINGS, LOST = "mead.json", "lost.txt"
"""Beside the manifest: how the corpus was prepared, and what could not be."""

MEAD_ID = 3_000_000
"""sentence_id of the first sentence of MEAD; those of captures lie below."""

EDGE = 0.25
"""Seconds at either end in which the face may be unseen without costing the clip its sentence."""

TEST_SHARE = 0.15
"""Of the clips, as in the paper; or of the sentences, or actors."""

SPLITS = ("paper", "sentence", "actor")


@dataclass(frozen=True)
class Settings:
    """What holds for all clips of a corpus."""

    split: str = "paper"
    """paper: by clip; or by sentence or actor"""
    validation: float = 0.0
    """share of what is not for testing that is for validation; the paper has none"""
    seed: int = 0
    """of the splits"""
    sound: str = "auto"
    """video, audio (its folder), or auto: the video's own where it has one"""
    by_sound: bool = True
    """whether same sentences are found by the sound; else by the numbers alone"""


@dataclass(frozen=True)
class Prepared:
    """What `prepare` did."""

    clips: int = 0
    """written now"""
    there: int = 0
    """recordings that were done before"""
    seconds: float = 0.0
    """length of the clips written now"""
    unseen: float = 0.0
    """seconds left out because no face was seen"""
    lost: int = 0
    """recordings that could not be used; lost.txt tells why"""
    groups: tuple[tuple[str, Groups], ...] = ()
    """which recordings of each actor say the same"""

    def __add__(self, other: "Prepared") -> "Prepared":
        mine, others = vars(self), vars(other)
        return Prepared(**{name: mine[name] + others[name] for name in mine})


def prepare(
    folder: Path | str,
    found: Sequence[Recording],
    wanted: Sequence[Recording],
    way: Way,
    face: Face,
    *,
    settings: Settings | None = None,
    orders: Sequence[Order] | None = None,
    workers: int = 1,
    scheduler: str | None = None,
    progress: bool = False,
) -> Prepared:
    """Write the clips of the recordings that are wanted, and return what was done.

    Args:
        folder: the corpus; made where it is not there.
        found: all recordings, of which neutral ones and same sentences are taken.
        wanted: those of which clips are made.
        way: how faces are seen; face: whose weights it gives.
        orders: tables of sentences; default those that mien knows.
        workers, scheduler: see `mien.jobs.each`.

    MienError where the folder holds a corpus of other settings or of another face, and where it
    cannot be written any more; what was written stays.
    """
    settings, orders = settings or Settings(), orders or mead_groups.read_orders()
    spread = {"jobs": workers, "scheduler": scheduler, "progress": progress}
    writer = CorpusWriter(folder, face)
    _keep_settings(writer.folder, settings, way, orders)
    heard = {"sound": settings.sound, "by_sound": settings.by_sound}
    notes = {}
    for actor, own in _by_actor(found).items():
        if any(recording.actor == actor for recording in wanted):
            notes[actor] = Notes.of(
                writer.folder, actor, own, **heard, orders=orders, spread=spread
            )
    splits = _splits(writer.records, wanted, notes, settings)
    _forget(writer.folder / LOST, wanted)
    done = Prepared(groups=tuple((actor, known.groups) for actor, known in notes.items()))
    for actor, mine in _by_actor(wanted).items():
        todo = [recording for recording in mine if not _is_done(writer, recording)]
        done += Prepared(there=len(mine) - len(todo))
        neutral = [r for r in found if r.actor == actor and r.label == NEUTRAL]
        seeing = partial(see, way=way, sound=settings.sound)
        seen = partial(jobs.each, seeing, **spread)
        work = _Actor(writer, notes[actor], splits, way.about(), _texts(notes[actor], orders), seen)
        for view in sorted({recording.view for recording in todo}):
            done += work.add(
                [recording for recording in todo if recording.view == view],
                [recording for recording in neutral if recording.view == view],
            )
    return done


def _by_actor(found: Sequence[Recording]) -> dict[str, list[Recording]]:
    by_actor: dict[str, list[Recording]] = {}
    for recording in found:
        by_actor.setdefault(recording.actor, []).append(recording)
    return by_actor


def _texts(notes: Notes, orders: Sequence[Order]) -> dict[str, str]:
    """The words of the actor's sentences, where the tables have them."""
    fitting = [order for order in orders if order.name == notes.groups.order]
    return {name: text for order in fitting for name, text in order.texts.items()}


@dataclass(frozen=True)
class _Actor:
    """The work on one actor."""

    writer: CorpusWriter
    notes: Notes
    splits: Mapping[str, str]
    """of each recording, by its id"""
    about: dict[str, Any]
    """how faces are seen"""
    texts: Mapping[str, str]
    """words of sentences"""
    seen: Any
    """`jobs.each` of what is to be seen"""

    def add(self, todo: Sequence[Recording], neutral: Sequence[Recording]) -> Prepared:
        """Write the clips of recordings in one view, those of the neutral ones first."""
        resting, seen = self._rest(todo[0].view, neutral)
        first = [recording for recording in todo if recording in seen]
        others = [recording for recording in todo if recording not in seen]
        done = Prepared()
        for recording in first:
            done += self._write(recording, seen[recording], resting)
        coming = self.seen(others, title=f"{self.notes.path.stem} {todo[0].view}")
        for recording, one in zip(others, coming, strict=True):
            done += self._write(recording, one, resting)
        return done

    def _rest(
        self, view: str, neutral: Sequence[Recording]
    ) -> tuple[np.ndarray | None, dict[Recording, Seen | Failure]]:
        """Return the actor's rest (U,) in a view, and what was seen of it to find it.

        It is kept beside the notes, so that clips of a later run have the same. None: there is no
        neutral recording that could be used.
        """
        path = self.notes.path.with_name(f"{self.notes.path.stem}-{view}-rest.npy")
        if path.is_file():
            return np.load(path, allow_pickle=False), {}
        coming = self.seen(neutral, title=f"{self.notes.path.stem} {view}, neutral")
        seen = dict(zip(neutral, coming, strict=True))
        useful = [one for one in seen.values() if isinstance(one, Seen)]
        if not useful:
            return None, seen
        tracked, said = [one.track for one in useful], [one.speech for one in useful]
        resting = rest(tracked, said, self.writer.face)
        part = path.with_suffix(".part.npy")
        np.save(part, resting)
        os.replace(part, path)
        return resting, seen

    def _write(
        self, recording: Recording, seen: Seen | Failure, resting: np.ndarray | None
    ) -> Prepared:
        """Write the clips of a recording, or why there is none."""
        if isinstance(seen, Seen):
            clips = list(self._clips(recording, seen, resting))
            for clip in reversed(clips):  # the first is there when all are
                self._add(clip)
            if clips:
                seconds = sum(clip.seconds for clip in clips)
                unseen = len(seen.speech) / audio.SPEECH_RATE - seconds
                return Prepared(clips=len(clips), seconds=seconds, unseen=max(unseen, 0.0))
            seen = Failure(f"no face is seen for {captures.LEAST:g} s")
        with (self.writer.folder / LOST).open("a", encoding="utf-8") as file:
            file.write(f"{recording.id}\t{' '.join(seen.reason.split())}\n")
        return Prepared(lost=1)

    def _add(self, clip: Clip) -> None:
        if clip.id in self.writer.done:
            return  # a part that was written before the run ended
        number = _sentence_id(self.writer.records, clip.sentence)
        try:
            self.writer.add(dataclasses.replace(clip, sentence_id=number))
        except (MienError, OSError) as error:
            raise MienError(
                f"{clip.id} could not be written ({error}); the {len(self.writer.records)} clips "
                "before it stay: make room and run the same command again"
            ) from error

    def _clips(
        self, recording: Recording, seen: Seen, resting: np.ndarray | None
    ) -> Iterator[Clip]:
        """Make the clip of a recording, or one of each stretch in which the face is seen."""
        track = seen.track
        if resting is not None:
            track = without_rest(track, resting, self.writer.face)
        frames = tracks.matched_frames(seen.speech, track.end, audio.FPS, recording.id)
        weights, shown = tracks.track_to_frames(track, frames, audio.FPS)
        spans = _spans(shown)
        for part, (start, stop) in enumerate(spans):
            ends = max(start, frames - stop) / audio.FPS
            whole = len(spans) == 1 and ends <= EDGE
            clip_id = recording.id if whole else f"{recording.id}-p{part}"
            # A part says the same as no other clip: what it lacks would stretch the others.
            name = self.notes.name(recording) if whole else clip_id
            clip = self._clip(clip_id, name, recording, seen, weights[start:stop], start)
            if resting is None:
                clip.provenance["rest"] = "unknown: the actor has no neutral recording here"
            yield clip

    def _clip(
        self,
        clip_id: str,
        name: str,
        recording: Recording,
        seen: Seen,
        weights: np.ndarray,
        start: int,
    ) -> Clip:
        """Make a clip that begins with frame `start` of the recording."""
        face, frames, film = self.writer.face, len(weights), recording.video
        weights = face.limit(weights.astype(np.float32))
        return Clip(
            id=clip_id,
            sentence=self.texts.get(name, f"[{name}]"),
            sentence_id=MEAD_ID,  # told when it is added
            actor=recording.actor,
            voice=recording.actor,
            rate=1.0,
            emotion=STATES[recording.label],
            level=recording.amount,
            fps=audio.FPS,
            frames=frames,
            steady=steady(weights, audio.FPS, face),
            split=self.splits[recording.id],
            provenance={
                "dataset": "MEAD",
                "label": recording.label,
                "recording": str(recording.folder),
                "video": str(film.path.resolve()) if film and film.start is None else None,
                "captured_from": {
                    **self.about,
                    "source": seen.source,
                    "frames": [start, start + frames],
                },
                "numbering": self.notes.groups.order,
                "made_by": f"mien {mien.__version__}",
            },
            speech=_speech(seen.speech, start, frames),
            weights=weights,
            phones=[],
        )


def _speech(speech: np.ndarray, start: int, frames: int) -> np.ndarray:
    """Return the samples that fill `frames` frames from frame `start` on."""
    first = audio.seconds_to_samples(audio.frame_to_seconds(start, audio.FPS))
    samples = audio.sample_count(frames, audio.FPS)
    cut = speech[first : first + samples]
    return np.pad(cut, (0, samples - len(cut))).astype(np.float32)


def _spans(shown: np.ndarray) -> list[tuple[int, int]]:
    """Return (start, stop) of the stretches in which a face is seen for long enough."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], shown.astype(np.int8), [0]])))
    least = captures.LEAST * audio.FPS
    return [(int(a), int(b)) for a, b in edges.reshape(-1, 2) if b - a >= least]


def _sentence_id(records: Sequence[Record], sentence: str) -> int:
    """Return the id of a sentence of MEAD, or the next free one."""
    known = {r.sentence: r.sentence_id for r in records if r.sentence_id >= MEAD_ID}
    return known.get(sentence, max(known.values(), default=MEAD_ID - 1) + 1)


def _is_done(writer: CorpusWriter, recording: Recording) -> bool:
    return recording.id in writer.done or f"{recording.id}-p0" in writer.done


def _splits(
    records: Sequence[Record],
    wanted: Sequence[Recording],
    notes: Mapping[str, Notes],
    settings: Settings,
) -> dict[str, str]:
    """Return the split of each recording by its id; what has one already keeps it."""
    keys = {r.id: _split_key(r, notes[r.actor], settings.split) for r in wanted}
    if settings.split == "actor" and len(set(keys.values())) < 2:
        raise MienError("a split by actor needs two actors or more; choose --split sentence")
    before = {re.sub(r"-p\d+$", "", record.id): record.split for record in records}
    known = {keys[i]: split for i, split in before.items() if i in keys}
    tested = {key: split == "test" for key, split in known.items()}
    test = chosen(list(keys.values()), TEST_SHARE, seed=settings.seed, known=tested)
    held = {key: split == "validation" for key, split in known.items()}
    left = [key for key in keys.values() if key not in test]
    validation = chosen(left, settings.validation, seed=settings.seed + 1, known=held)
    return {
        i: "test" if key in test else "validation" if key in validation else "train"
        for i, key in keys.items()
    }


def _split_key(recording: Recording, notes: Notes, split: str) -> tuple:
    """Return what must not lie in two splits: views of one take, a sentence, an actor."""
    if split == "actor":
        return (recording.actor,)
    return (notes.name(recording),) if split == "sentence" else recording.take


def _keep_settings(folder: Path, settings: Settings, way: Way, orders: Sequence[Order]) -> None:
    """Write how the corpus is prepared; MienError where it is prepared otherwise."""
    told = {**dataclasses.asdict(settings), **way.about(), "orders": [o.name for o in orders]}
    path = folder / SETTINGS
    if not path.is_file():
        write_text(path, json.dumps(told, indent=1))
        return
    known = read_json(path)
    for name in {*told, *known}:
        if known.get(name) != told.get(name):
            raise MienError(
                f"{folder} was prepared with {name} {known.get(name)!r}, not "
                f"{told.get(name)!r}; give a new folder"
            )


def _forget(lost: Path, wanted: Sequence[Recording]) -> None:
    """Take the recordings that are tried again out of the list of lost ones."""
    if not lost.is_file():
        return
    again = {recording.id for recording in wanted}
    lines = lost.read_text(encoding="utf-8").splitlines(keepends=True)
    kept = [line for line in lines if line.split("\t")[0].strip() not in again]
    if kept != lines:
        write_text(lost, "".join(kept))
