"""What is asked of a language model about a corpus, and what of it has no answer yet."""

import random
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mien.data import described, pictures
from mien.data.clips import Corpus, Record
from mien.data.described import Label
from mien.data.questions import LABEL_QUESTIONS, PIECE_QUESTIONS, label_text, piece_text
from mien.data.simulate.plan import COMPOSED
from mien.data.vision import Service
from mien.errors import MienError

PIECE = 15
"""Frames of a piece; half a second at 30 frames a second."""

ANSWER_TOKENS = {"expression": 50, "emotion": 35, "sentences": 900, "words": 150}
"""Expected tokens of an answer, for the estimate; a model that thinks writes far more."""

CHARACTERS_PER_TOKEN = 4.0
"""Of English, as providers say."""


@dataclass(frozen=True)
class Asked:
    """What is asked of a corpus."""

    pieces: int = 5
    """of each clip; fewer where it is too short for so many different ones"""
    pictures: int = PIECE
    """of each piece, evenly chosen; fewer cost less"""
    seed: int = 0
    """of the choice of pieces"""
    drawn: bool = False
    """draw every clip's face, also where its video could be shown"""
    clips: int | None = None
    """only so many clips, the first; None: all"""


@dataclass(frozen=True)
class Work:
    """The questions about one clip that have no answer yet: (question, piece)."""

    record: Record
    questions: tuple[tuple[str, tuple[int, int]], ...]


@dataclass(frozen=True)
class LabelWork:
    """One question about a label."""

    label: str
    names: tuple[str, ...]
    """the label's own, and what its clips were called where they come from: afraid, fear"""
    question: str


@dataclass(frozen=True)
class Plan:
    """What is left to do for a corpus."""

    clips: tuple[Work, ...]
    labels: tuple[LabelWork, ...]
    answered: int
    """questions that have an answer"""
    given_up: int
    """questions that were refused, or answered with nothing, by this model"""

    @property
    def questions(self) -> int:
        """How many will be asked."""
        return len(self.labels) + sum(len(work.questions) for work in self.clips)

    def tokens(self, asked: Asked, picture_tokens: float) -> tuple[float, float]:
        """Estimate the tokens read and written, a picture counting so many."""
        read = written = 0.0
        for work in self.clips:
            for question, (start, stop) in work.questions:
                text = piece_text(question, 1, 1.0)
                shown = min(asked.pictures, stop - start)
                read += shown * picture_tokens + len(text) / CHARACTERS_PER_TOKEN
                written += ANSWER_TOKENS[question]
        for work in self.labels:
            read += len(label_text(work.question, work.label)) / CHARACTERS_PER_TOKEN
            written += ANSWER_TOKENS[work.question]
        return read, written


def plan(corpus: Corpus, service: Service, asked: Asked) -> Plan:
    """Return what is left to ask; MienError where a clip's video is not where it was."""
    folder = corpus.folder
    records = corpus.records[: asked.clips]
    if not asked.drawn:
        _check_videos(records, folder)
    done = {(one.clip, one.question, one.segment) for one in described.read_said(folder)}
    lost = {
        (one.clip or one.label, one.question, one.segment)
        for one in described.read_lost(folder)
        if one.model == service.model
    } - done
    works, answered, given_up = [], 0, 0
    for record in records:
        left = []
        for piece in pieces(record, asked):
            for question in PIECE_QUESTIONS:
                key = (record.id, question, piece)
                answered, given_up = answered + (key in done), given_up + (key in lost)
                if key not in done and key not in lost:
                    left.append((question, piece))
        if left:
            works.append(Work(record, tuple(left)))
    known, labels = described.read_labels(folder), []
    for label, names in _labels(records).items():
        for question in LABEL_QUESTIONS:
            there = bool(getattr(known.get(label, Label()), question))
            gone = (label, question, (0, 0)) in lost and not there
            answered, given_up = answered + there, given_up + gone
            if not there and not gone:
                labels.append(LabelWork(label, names, question))
    return Plan(tuple(works), tuple(labels), answered, given_up)


def pieces(record: Record, asked: Asked) -> list[tuple[int, int]]:
    """Return random continuous pieces (start, stop) of a clip, always the same ones.

    They lie in what is steady, if that is long enough: elsewhere the face is on its way to what
    the clip is called.
    """
    start, stop = record.steady
    if stop - start < PIECE:
        start, stop = 0, record.frames
    last = max(stop - PIECE, start)
    drawn = random.Random(f"{asked.seed} {zlib.crc32(record.id.encode())}")
    starts = drawn.sample(range(start, last + 1), min(asked.pieces, last + 1 - start))
    return [(first, min(first + PIECE, stop)) for first in sorted(starts)]


def prompts(asked: Asked, work: Plan) -> Iterator[dict]:
    """Yield what would be asked, as lines of JSON; pictures as the frames that are shown."""
    for one in work.labels:
        text = label_text(one.question, one.label)
        yield {"label": one.label, "question": one.question, "prompt": text}
    for one in work.clips:
        for question, piece in one.questions:
            shown = shown_frames(piece, asked)
            text = piece_text(question, len(shown), (piece[1] - piece[0]) / one.record.fps)
            about = {"clip": one.record.id, "question": question, "segment": list(piece)}
            yield {**about, "frames": shown, "prompt": text}


def shown_frames(piece: tuple[int, int], asked: Asked) -> list[int]:
    """Return the frames of a piece whose pictures are sent."""
    start, stop = piece
    count = min(asked.pictures, stop - start)
    step = (stop - start) / count
    return [start + int((k + 0.5) * step) for k in range(count)]


def _labels(records: Iterable[Record]) -> dict[str, tuple[str, ...]]:
    """Label -> its names in words, in order of the label."""
    names: dict[str, dict[str, None]] = {}
    for record in records:
        if record.emotion != COMPOSED:
            known = names.setdefault(record.emotion, {})
            for name in (record.emotion, record.provenance.get("label") or record.emotion):
                known[str(name).replace("_", " ")] = None
    return {label: tuple(names[label]) for label in sorted(names)}


def _check_videos(records: Iterable[Record], folder: Path) -> None:
    gone = []
    for record in records:
        video = pictures.video_of(record, folder)
        if video is not None and not video.is_file():
            gone.append(video)
    if gone:
        raise MienError(
            f"the videos of {len(gone)} clips are not where they were, {gone[0]} for one; put them "
            "back, or let the faces be drawn with --drawn"
        )
