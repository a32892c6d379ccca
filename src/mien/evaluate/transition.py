"""Does a change of the description arrive in time, and without a jerk?

A sentence is animated under one description, under another, and under a timeline that goes from the
one to the other in the middle of the sentence. Every frame of the third lies somewhere between the
same frames of the first two, which say the same: its progress is the share of the way from the one
to the other, along their mean difference. The change has arrived with the frame from which the
progress is at least 0.9 for a fifth of a second, since a passing overshoot is no arrival.

The jump of a frame is the root mean square distance that the face's vertices move in it. Whether
the change jerks is told by the largest jump in the second after the asked moment, over the largest
of the two unchanged animations, where speech alone moves the face; their first second, in which the
expression comes from rest, is left out.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.animation import Animation
from mien.errors import MienError
from mien.evaluate.samples import Estimate, Share, estimate, ratio
from mien.evaluate.scenes import NEUTRAL, TWELVE
from mien.evaluate.shown import average, marked, percent, table
from mien.face import Face
from mien.timeline import Cue, Timeline

ARRIVED = 0.9  # progress
HELD = 6  # frames that it must stay there
SOON = audio.seconds_to_frame(0.4)  # frames from the asked moment within which it should arrive
WINDOW = audio.seconds_to_frame(1.0)  # frames of a beginning, and of a change
LEAST = 4.0  # seconds of speech: one to begin and one to change, with as much after each
FAINT = 0.1  # of the mean way: with less between the two, a frame tells no progress

PAIRS = tuple(
    (first.description, second.description)
    for first, second in zip((NEUTRAL, *TWELVE), (*TWELVE, NEUTRAL), strict=True)
)
"""From each description under which the lips are measured to the next, and back to neutral."""


class Animates(Protocol):
    """What a transition needs of an animator."""

    face: Face

    def encode_speech(self, speech: np.ndarray) -> np.ndarray: ...

    def animate(
        self, speech: np.ndarray, description: str | Timeline, *, features: np.ndarray
    ) -> Animation: ...


@dataclass(frozen=True)
class Change:
    """One switch of the description."""

    first: str
    second: str
    frames: float
    """from the asked moment until 90 % have arrived, at 30 a second; infinite where they never
    do"""
    jump: float
    """the largest jump in the second after the asked moment, metres"""
    unchanged: float
    """the largest of the two animations without a change, metres"""

    @property
    def in_time(self) -> bool:
        """Whether it arrives within 0.4 s."""
        return self.frames <= SOON

    @property
    def smooth(self) -> bool:
        """Whether its largest jump is no larger than those without a change."""
        return self.jump <= self.unchanged


@dataclass(frozen=True)
class Transition:
    """All switches."""

    changes: tuple[Change, ...]

    @property
    def in_time(self) -> Share:
        """Changes that arrive within 0.4 s."""
        return Share(sum(one.in_time for one in self.changes), len(self.changes))

    @property
    def frames(self) -> Estimate:
        """The mean number of frames until 90 %, of the changes that arrive."""
        found = np.array([one.frames for one in self.changes])
        return estimate(found[np.isfinite(found)])

    @property
    def smooth(self) -> Share:
        """Changes whose largest jump is no larger than without a change."""
        return Share(sum(one.smooth for one in self.changes), len(self.changes))

    @property
    def jump_ratio(self) -> Estimate:
        """The mean of the largest jumps over the mean of those without a change."""
        return estimate(np.array([(one.jump, one.unchanged) for one in self.changes]), ratio)

    def rows(self) -> dict[str, Any]:
        """Return every change as plain data, ready for JSON."""
        return {
            "in_time": self.in_time.value,
            "frames": asdict(self.frames),
            "smooth": self.smooth.value,
            "jump_ratio": asdict(self.jump_ratio),
            "changes": [asdict(one) for one in self.changes],
        }

    def markdown(self) -> str:
        """Return a table of the measures and one of the changes; misses are bold."""
        soon = f"90 % of the change within {audio.frame_to_seconds(SOON):g} s"
        summary = [
            [soon, "all", percent(self.in_time, least=1.0)],
            ["frames until 90 %, mean", "", average(self.frames, digits=1)],
            ["largest jump no larger than unchanged", "all", percent(self.smooth, least=1.0)],
            ["largest jump ÷ unchanged, means", "", average(self.jump_ratio)],
        ]
        lines = [
            [
                f"{one.first} → {one.second}",
                marked(_frames(one.frames), one.in_time),
                marked(f"{1e3 * one.jump:.2f}", one.smooth),
                f"{1e3 * one.unchanged:.2f}",
            ]
            for one in self.changes
        ]
        heads = ["change", "frames until 90 %", "largest jump, mm a frame", "unchanged"]
        return "\n\n".join([table(["measure", "target", "found"], summary), table(heads, lines)])


def transition(
    animator: Animates,
    speeches: Sequence[np.ndarray],
    pairs: Sequence[tuple[str, str]] = PAIRS,
    *,
    progress: bool = False,
) -> Transition:
    """Switch every pair of descriptions in the middle of every speech (S,), 16 kHz.

    Raises MienError as `check_length` does.
    """
    for speech in speeches:
        check_length(speech)
    total = len(speeches) * len(pairs)
    changes = []
    with tqdm(total=total, desc="change descriptions", disable=not progress) as bar:
        for speech in speeches:
            for change in _changes(animator, speech, pairs):
                changes.append(change)
                bar.update()
    return Transition(tuple(changes))


def check_length(speech: np.ndarray) -> None:
    """Raise MienError for speech (S,) of less than 4 s."""
    if len(speech) < LEAST * audio.SPEECH_RATE:
        seconds = audio.samples_to_seconds(len(speech))
        raise MienError(
            f"speech is {seconds:.1f} s long; at least {LEAST:g} s are needed to change the "
            "description in its middle"
        )


def _changes(
    animator: Animates, speech: np.ndarray, pairs: Sequence[tuple[str, str]]
) -> Iterator[Change]:
    """Yield the change of each pair in one speech, which is heard once."""
    features, face = animator.encode_speech(speech), animator.face
    unchanged: dict[str, np.ndarray] = {}

    def made(description: str | Timeline) -> np.ndarray:
        animation = animator.animate(speech, description, features=features)
        return face.weights_to_coefficients(animation.weights)

    middle = len(features) // 2
    moment = audio.frame_to_seconds(middle)
    for first, second in pairs:
        for description in {first, second} - unchanged.keys():
            unchanged[description] = made(description)
        switched = made(Timeline((Cue(0.0, first), Cue(moment, second))))
        yield measure(first, second, unchanged[first], unchanged[second], switched, middle, face)


def measure(
    first: str, second: str, before: np.ndarray, after: np.ndarray, switched: np.ndarray,
    moment: int, face: Face,
) -> Change:  # fmt: skip
    """Return the change from coefficients (T, K), metres, under the first and the second
    description and under the timeline that switches at frame `moment`."""
    scale = 1 / math.sqrt(len(face.basis_vertices))
    unchanged = max(_jumps(one)[WINDOW:].max() for one in (before, after))
    return Change(
        first=first,
        second=second,
        frames=arrival(progress_of(switched, before, after)[moment:]),
        jump=float(scale * _jumps(switched)[moment - 1 : moment - 1 + WINDOW].max()),
        unchanged=float(scale * unchanged),
    )


def progress_of(switched: np.ndarray, before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return the share of the way (T,) from one animation to the other, all (T, K): 0 where it is
    like the first, 1 where it is like the second, along their mean difference. NaN in frames with
    less than a tenth of the mean way between the two."""
    way = (after - before).mean(axis=0)
    whole = (after - before) @ way
    return (switched - before) @ way / np.where(whole > FAINT * whole.mean(), whole, np.nan)


def arrival(progress: np.ndarray) -> float:
    """Return the frame from which progress (T,) is at least 0.9 for 6 frames, or to its end;
    infinite where it never is. NaN does not count against it."""
    there = ~(progress < ARRIVED)
    starts = (t for t in range(len(there)) if there[t : t + HELD].all())
    return float(next(starts, math.inf))


def _jumps(coefficients: np.ndarray) -> np.ndarray:
    """Return how far the face moves (T - 1,) from each frame to the next, over all vertices."""
    return np.linalg.norm(np.diff(coefficients, axis=0), axis=1)


def _frames(frames: float) -> str:
    return f"{frames:.0f}" if math.isfinite(frames) else "never"
