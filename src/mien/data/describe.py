"""Descriptions of a corpus by a language model: what it sees in pieces of clips, and of labels.

As the paper has it: for each clip five random continuous pieces of 15 frames, and of each two
questions, what the facial expression is and what the emotion is; for each label sentences that
describe it, and words like it. Each answer is saved as it comes, and is not asked for again.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from mien import jobs
from mien.data import described, pictures
from mien.data.asked import Asked, LabelWork, Plan, Work, shown_frames
from mien.data.clips import Corpus, Record, clip_path, face_of, read_clip
from mien.data.described import Label, Lost, Notes, Said
from mien.data.line import Line, Manners, StoppedError
from mien.data.questions import label_text, piece_text, read_list, read_sentence
from mien.data.vision import LASTING, Question, Service, UnansweredError
from mien.errors import MienError
from mien.face import Face
from mien.render import Renderer


@dataclass
class Report:
    """What came of it, counted as it comes."""

    answers: int = 0
    lost: dict[str, int] = field(default_factory=dict)
    """reason -> questions without an answer"""
    details: dict[str, str] = field(default_factory=dict)
    """reason -> what the service said the first time"""
    tokens: tuple[int, int] = (0, 0)
    """read and written by the model"""

    def count(self, lost: Lost | None, tokens: tuple[int, int]) -> None:
        """Count an answer, or a loss, and the tokens that it took."""
        if lost is None:
            self.answers += 1
        else:
            self.lost[lost.reason] = self.lost.get(lost.reason, 0) + 1
            self.details.setdefault(lost.reason, lost.detail)
        self.tokens = self.tokens[0] + tokens[0], self.tokens[1] + tokens[1]


def describe(
    corpus: Corpus,
    service: Service,
    asked: Asked,
    work: Plan,
    *,
    manners: Manners,
    at_once: int = 4,
    scheduler: str | None = None,
    heard: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Ask all that is left, save each answer, and return what came of it.

    `at_once`: clips that are asked about at the same time; with a Dask `scheduler` its workers ask,
    and answers are saved clip by clip. `heard` is called after each answer. MienError where going
    on is of no use; what was answered is kept.
    """
    notes, report, labels = Notes(corpus.folder), Report(), described.read_labels(corpus.folder)
    lock = threading.Lock()

    def save(note: Said | Lost) -> None:
        lost = note if isinstance(note, Lost) else None
        if lost is None or lost.reason in LASTING:
            notes.add(note)
        with lock:
            report.count(lost, note.tokens)
            heard(report)

    def label(one: LabelWork, line: Line) -> None:
        found = _ask_label(one, line, service)
        if isinstance(found, Lost):
            save(found)
            return
        texts, tokens = found
        with lock:
            changed = {**vars(labels.get(one.label, Label())), one.question: texts}
            labels[one.label] = Label(**changed)
            described.write_labels(corpus.folder, labels)
            report.count(None, tokens)
            heard(report)

    line = Line(service.connect(), manners)
    _in_threads([lambda line, one=one: label(one, line) for one in work.labels], line, at_once)
    asks = _AskClip(corpus.folder, service, asked, manners)
    if scheduler is not None:
        for found in jobs.each(asks, work.clips, jobs=at_once, scheduler=scheduler):
            for note in found:
                save(note)
        return report

    def clip(one: Work, line: Line) -> None:
        for note in asks.notes(one, line):
            save(note)

    _in_threads([lambda line, one=one: clip(one, line) for one in work.clips], line, at_once)
    return report


def clip_pictures(
    folder: Path, record: Record, frames: Iterable[int], *, drawn: bool
) -> dict[int, bytes]:
    """Return JPEGs of frames of a corpus's clip, from its video, or drawn where it has none.

    MienError where the video or the clip cannot be read.
    """
    wanted = sorted(set(frames))
    video = None if drawn else pictures.video_of(record, folder)
    if video is not None:
        found = pictures.from_video(video, pictures.frame_moments(record, wanted))
    else:
        face, renderer = _drawing(folder)
        clip = read_clip(clip_path(folder, record.id), record, len(face.unit_names))
        found = pictures.of_face(clip, face, renderer, wanted)
    return dict(zip(wanted, found, strict=True))


@dataclass(frozen=True)
class _AskClip:
    """Asks all that is left about a clip; may travel to another machine, which has the key."""

    folder: Path
    service: Service
    asked: Asked
    manners: Manners

    def __call__(self, work: Work) -> list[Said | Lost]:
        return list(self.notes(work, _line(self.service, self.manners)))

    def notes(self, work: Work, line: Line) -> Iterator[Said | Lost]:
        """Yield each answer or loss as it comes."""
        record, model = work.record, self.service.model
        shown = {piece: shown_frames(piece, self.asked) for _, piece in work.questions}
        try:
            frames = (frame for listed in shown.values() for frame in listed)
            found = clip_pictures(self.folder, record, frames, drawn=self.asked.drawn)
        except MienError as error:  # one damaged video must not end a night's work
            for question, piece in work.questions:
                yield Lost(question, "unseen", str(error), model, record.id, piece)
            return
        for question, piece in work.questions:
            seconds = (piece[1] - piece[0]) / record.fps
            text = piece_text(question, len(shown[piece]), seconds)
            put = Question(text, tuple(found[frame] for frame in shown[piece]))
            try:
                said, tokens = line.ask(put, read_sentence)
            except UnansweredError as error:
                about = (question, error.reason, error.detail, model, record.id, piece)
                yield Lost(*about, tokens=error.tokens)
            else:
                yield Said(record.id, question, piece, said, model, tokens)


def _ask_label(
    work: LabelWork, line: Line, service: Service
) -> tuple[tuple[str, ...], tuple[int, int]] | Lost:
    """Return the texts about a label and the tokens that they took, or how they were lost."""
    put = Question(label_text(work.question, work.label))
    try:
        texts, tokens = line.ask(put, lambda text: read_list(text, work.question))
    except UnansweredError as error:
        about = (work.question, error.reason, error.detail, service.model)
        return Lost(*about, label=work.label, tokens=error.tokens)
    own = work.names if work.question == "words" else ()
    return tuple(dict.fromkeys([*own, *texts])), tokens


def _in_threads(work: list[Callable[[Line], None]], line: Line, at_once: int) -> None:
    """Do the pieces of work; the first error, or Ctrl-C, lets no further question out."""
    if not work:
        return
    with ThreadPoolExecutor(at_once) as pool:
        waiting: list[Future] = [pool.submit(one, line) for one in work]
        try:
            for done in as_completed(waiting):
                with suppress(StoppedError):  # the one that stopped the others says why
                    done.result()
        except BaseException:
            line.close()  # what is under way may come back, and is saved
            pool.shutdown(wait=False, cancel_futures=True)
            raise


@lru_cache(maxsize=4)
def _line(service: Service, manners: Manners) -> Line:
    """The line of this process, where a cluster's worker asks."""
    return Line(service.connect(), manners)


@lru_cache(maxsize=4)
def _drawing(folder: Path) -> tuple[Face, Renderer]:
    face = face_of(folder)
    return face, Renderer(face, width=pictures.SIZE, height=pictures.SIZE)
