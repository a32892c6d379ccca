"""Do the lips do what is heard? Contact in p, b, m; openness in vowels; stillness in silence.

`gap (T,)` is `Face.gap`, in metres: how far the lips stand apart near the midline, less what they
do at rest. Frame t shows the moment t / fps, phones are in seconds. The measures are pure functions
of arrays; `study` runs an animator over a folder of recordings and reports a row for each
description.
"""

import csv
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.animation import Animation
from mien.data.clips import Phone
from mien.data.phones import SILENCE, align_phones
from mien.errors import MienError

CONTACT = (-1.5e-3, 1.0e-3)  # metres; below the first the lips are in each other
BILABIALS = frozenset(["p", "b", "m"])
VOWELS = frozenset(
    ["aa", "ae", "ah", "ao", "aw", "ax", "ay", "eh", "er", "ey", "ih", "iy", "ow", "oy", "uh", "uw"]
)
NEAR = 0.040  # seconds around a phone in which its contact counts: the aligner errs by as much
LONG_SILENCE = 0.3  # seconds; in shorter ones the mouth is on its way
SILENCE_MARGIN = 0.15  # seconds at each end of a silence in which the mouth may still move
QUIET = 3e-4  # of full scale: the noise of a quiet room
QUIET_SECONDS = 2.0
DESCRIPTIONS = ("neutral", "happy", "angry", "sad")  # where none are given
WILSON = 1.96  # standard deviations of a 95 % interval


@dataclass(frozen=True)
class Share:
    """`hits` of `total`."""

    hits: int
    total: int

    def __add__(self, other: "Share") -> "Share":
        return Share(self.hits + other.hits, self.total + other.total)

    @property
    def value(self) -> float:
        """The share in [0, 1]; NaN of nothing."""
        return self.hits / self.total if self.total else math.nan

    @property
    def interval(self) -> tuple[float, float]:
        """The 95 % Wilson interval of the share; (0, 1) of nothing."""
        if not self.total:
            return 0.0, 1.0
        n, share, z = self.total, self.value, WILSON
        middle = (share + z * z / (2 * n)) / (1 + z * z / n)
        reach = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
        return max(0.0, middle - reach), min(1.0, middle + reach)


def contact_recall(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many p, b, m have a frame in contact (-1.5 to 1 mm) within the phone ± 40 ms.

    Phones that begin after the last frame are not counted.
    """
    gap = _gap(gap)
    touching = (gap >= CONTACT[0]) & (gap <= CONTACT[1])
    spans = [_span(phone.start - NEAR, phone.end + NEAR, len(gap), fps)
             for phone in phones if phone.name in BILABIALS]  # fmt: skip
    spans = [(first, stop) for first, stop in spans if first < stop]
    return Share(sum(bool(touching[first:stop].any()) for first, stop in spans), len(spans))


def penetration(gap: np.ndarray) -> Share:
    """Return how many frames have the lips in each other: a gap under -1.5 mm."""
    gap = _gap(gap)
    return Share(int((gap < CONTACT[0]).sum()), len(gap))


def false_contacts(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many vowels have a shut mouth (a gap of 1 mm or less) at their centre."""
    centres = _gap(gap)[_vowel_centres(phones, len(gap), fps)]
    return Share(int((centres <= CONTACT[1]).sum()), len(centres))


def vowel_gaps(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return the gap at the centre of each vowel, (vowels,), in millimetres."""
    return _gap(gap)[_vowel_centres(phones, len(gap), fps)] * 1e3


def silent_speeds(lips: np.ndarray, phones: Sequence[Phone], *, fps: float) -> np.ndarray:
    """Return the lips' speed at each step between frames inside long silences, (steps,), mm/s.

    lips (T, L, 3), metres. A step's speed is the root mean square over the vertices. Silences of
    more than 0.3 s count, less 0.15 s at each end. Empty where there is no such silence.
    """
    if lips.ndim != 3 or lips.shape[2] != 3:
        raise MienError(f"lips are {lips.shape}; (frames, vertices, 3) is wanted")
    speeds = np.sqrt((np.diff(lips, axis=0) ** 2).sum(2).mean(1)) * fps * 1e3
    spans = _silences(phones, len(lips), fps)
    inside = [speeds[first : stop - 1] for first, stop in spans]
    return np.concatenate([np.zeros(0), *inside])


def rest_contacts(gap: np.ndarray, phones: Sequence[Phone], *, fps: float) -> Share:
    """Return how many frames inside long silences (as in `silent_speeds`) have a shut mouth."""
    gap = _gap(gap)
    spans = _silences(phones, len(gap), fps)
    shut = sum(int((gap[first:stop] <= CONTACT[1]).sum()) for first, stop in spans)
    return Share(shut, sum(stop - first for first, stop in spans))


def _gap(gap: np.ndarray) -> np.ndarray:
    if gap.ndim != 1:
        raise MienError(f"the gap is {gap.shape}; one number for each frame, in metres, is wanted")
    return gap


def _span(start: float, end: float, frames: int, fps: float) -> tuple[int, int]:
    """Return (first, stop): the frames whose moments lie in [start, end] seconds, and exist."""
    first = max(0, math.ceil(start * fps - 1e-9))
    return first, min(frames, math.floor(end * fps + 1e-9) + 1)


def _silences(phones: Sequence[Phone], frames: int, fps: float) -> list[tuple[int, int]]:
    """Return (first, stop) frames of the silences that are long, without their margins."""
    spans = [
        _span(phone.start + SILENCE_MARGIN, phone.end - SILENCE_MARGIN, frames, fps)
        for phone in phones
        if phone.name == SILENCE and phone.end - phone.start > LONG_SILENCE
    ]
    return [(first, stop) for first, stop in spans if first < stop]


def _vowel_centres(phones: Sequence[Phone], frames: int, fps: float) -> np.ndarray:
    centres = [(p.start + p.end) / 2 for p in phones if p.name in VOWELS]
    places = np.array([audio.seconds_to_frame(centre, fps) for centre in centres], int)
    return places[places < frames]


@dataclass(frozen=True, eq=False)
class Recording:
    """Speech (S,) 16 kHz with the words that are said in it."""

    name: str
    speech: np.ndarray
    transcript: str


@dataclass(frozen=True)
class Row:
    """What the lips did under one description, over all recordings."""

    description: str
    closed: Share
    """p, b, m in contact."""
    penetrating: Share
    """Frames with the lips in each other."""
    shut: Share
    """Vowels with a shut mouth at their centre."""
    resting: Share
    """Frames of long silences with a shut mouth; some expressions part the lips at rest."""
    opening: float
    """Mean gap at the vowels' centres, mm."""
    silent_speed: float
    """Root mean square speed of the lips in long silences, mm/s."""


@dataclass(frozen=True)
class Report:
    """One `Row` for each description."""

    measured: tuple[Row, ...]

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows as plain dictionaries, ready for JSON."""
        return [asdict(row) for row in self.measured]

    def markdown(self) -> str:
        """Return the rows as a Markdown table, with counts."""
        lines = [
            "| description | p, b, m in contact | 95 % | lips in each other | vowels shut "
            "| vowel opening, mm | shut in silence | speed in silence, mm/s |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for row in self.measured:
            low, high = row.closed.interval
            lines.append(
                f"| {row.description.replace('|', ' ')} | {_percent(row.closed)} "
                f"| {100 * low:.0f}-{100 * high:.0f} % | {_percent(row.penetrating)} "
                f"| {_percent(row.shut)} | {row.opening:.1f} "
                f"| {_percent(row.resting)} | {row.silent_speed:.1f} |"
            )
        return "\n".join(lines)


def _percent(share: Share) -> str:
    return f"{100 * share.value:.1f} % ({share.hits}/{share.total})"


class Animates(Protocol):
    """What a study needs of an animator."""

    def animate(self, speech: np.ndarray, description: str) -> Animation: ...


def study(
    animator: Animates,
    folder: Path | str,
    descriptions: Sequence[str] | None = None,
    *,
    progress: bool = False,
) -> Report:
    """Animate the recordings of an LJSpeech-like folder under every description, and report.

    Every recording gets two seconds of quiet at its end, so that the mouth at rest is seen too (not
    at its beginning, where the expression is still arriving).
    """
    recordings = [quietened(recording) for recording in read_ljspeech(folder)]
    phones = [
        align_phones(recording.speech, recording.transcript)
        for recording in tqdm(recordings, "find phones", disable=not progress)
    ]
    rows = []
    for description in tqdm(descriptions or DESCRIPTIONS, "watch lips", disable=not progress):
        animations = [animator.animate(one.speech, description) for one in recordings]
        rows.append(measure(description, animations, phones))
    return Report(tuple(rows))


def read_ljspeech(folder: Path | str) -> list[Recording]:
    """Read a folder in LJSpeech's layout: metadata.csv (id|text|normalised text) and id.wav."""
    folder = Path(folder)
    try:
        lines = (folder / "metadata.csv").read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise MienError(f"{folder} has no metadata.csv; give a folder like LJSpeech's") from error
    rows = [row for row in csv.reader(lines, delimiter="|", quoting=csv.QUOTE_NONE) if row]
    if not rows or min(len(row) for row in rows) < 2:
        raise MienError(f"{folder / 'metadata.csv'} has a line without a transcript; write id|text")
    wavs = folder / "wavs" if (folder / "wavs").is_dir() else folder
    return [Recording(row[0], audio.decode(wavs / f"{row[0]}.wav"), row[-1]) for row in rows]


def quietened(recording: Recording) -> Recording:
    """Return the recording with two seconds of quiet room noise after it."""
    noise = np.random.default_rng(0).normal(0.0, QUIET, audio.seconds_to_samples(QUIET_SECONDS))
    speech = np.concatenate([recording.speech, noise]).astype(np.float32)
    return Recording(recording.name, speech, recording.transcript)


def measure(
    description: str, animations: Sequence[Animation], phones: Sequence[Sequence[Phone]]
) -> Row:
    """Return the row of animations that share a description; `phones` of each animation."""
    closed = penetrating = shut = resting = Share(0, 0)
    openings, speeds = [], []
    for animation, spoken in zip(animations, phones, strict=True):
        vertices, fps = animation.vertices(), animation.fps
        gap = animation.face.gap(vertices)
        closed += contact_recall(gap, spoken, fps=fps)
        penetrating += penetration(gap)
        shut += false_contacts(gap, spoken, fps=fps)
        resting += rest_contacts(gap, spoken, fps=fps)
        openings.append(vowel_gaps(gap, spoken, fps=fps))
        lips = vertices[:, animation.face.regions["lips"]]
        speeds.append(silent_speeds(lips, spoken, fps=fps))
    return Row(
        description=description,
        closed=closed,
        penetrating=penetrating,
        shut=shut,
        resting=resting,
        opening=_mean(np.concatenate(openings)),
        silent_speed=math.sqrt(_mean(np.concatenate(speeds) ** 2)),
    )


def _mean(values: np.ndarray) -> float:
    return float(values.mean()) if len(values) else math.nan
