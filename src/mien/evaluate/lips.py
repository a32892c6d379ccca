"""The study of the lips: recordings under many descriptions, measured and put in a table.

Speech is aligned and encoded once, and animated under every description. The reference for opening
and lag is the simulated actor, who performs the same phones in the state that a description means.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from tqdm import tqdm

from mien import audio
from mien.animation import Animation
from mien.data.clips import Phone
from mien.data.phones import align_phones
from mien.data.simulate.actor import perform
from mien.data.simulate.articulation import Style
from mien.data.simulate.expressions import STATES
from mien.data.simulate.prominence import prominence
from mien.evaluate import metrics
from mien.evaluate.recordings import Recording, quietened, read_folders
from mien.evaluate.samples import Estimate, Share, estimate, ratio
from mien.evaluate.scenes import LEFT_OUT, NEUTRAL, Scene, scenes_of
from mien.evaluate.tables import COSTS, FURTHER, TARGETED, table
from mien.evaluate.watch import Watched, own_f, watch
from mien.face import Face

FPS = audio.FPS


@dataclass(frozen=True, eq=False)
class Spoken:
    """A recording with what is needed to animate and to judge it."""

    recording: Recording
    phones: list[Phone]
    frames: int


@dataclass(frozen=True)
class Row:
    """What the lips did under one description, over all recordings; see `metrics`."""

    description: str
    state: str | None
    """which the truth is performed in; None where it is not known, then it is neutral's"""
    contact: Share
    penetration: Share
    false_contacts: Share
    labiodentals: Share
    order: Estimate
    """Spearman's rho of openness"""
    opening: Estimate
    """vowels' gap over the truth's"""
    lag: Estimate
    """frames after the truth; a case is a recording"""
    speed: Estimate
    """root mean square speed of the lips in long silences, mm/s; a case is a recording"""
    closure_ratio: Estimate
    """median length of a closure over its phone's"""
    closure_seconds: Estimate
    """median length of a closure"""
    vowel_gap: Estimate
    """mean gap of the vowels, mm"""
    narrowing: Estimate
    """how much narrower the mouth is in rounded sounds, mm"""
    told_apart: Estimate
    """how often a rounded sound is narrower than a spread one"""
    voice_lag: Estimate
    """frames after the voice's loudness, median; a case is a recording"""
    jitter: Estimate
    """movement above 10 Hz, mm; a case is a recording"""
    resting: Share
    """frames of long silences with a shut mouth"""


@dataclass(frozen=True)
class Report:
    """A `Row` for each description, and where asked for one of the truth itself."""

    measured: tuple[Row, ...]
    truth: tuple[Row, ...] = ()

    def rows(self) -> dict[str, list[dict[str, Any]]]:
        """Return all rows as plain data, ready for JSON."""
        groups = {"measured": self.measured, "truth": self.truth}
        return {name: [asdict(row) for row in rows] for name, rows in groups.items() if rows}

    def markdown(self) -> str:
        """Return Markdown tables: a target stands in its column's head, and a miss in bold."""
        parts = [table(self.measured, TARGETED), self._cost(), table(self.measured, FURTHER)]
        if self.truth:
            truth = table(self.truth, TARGETED), table(self.truth, FURTHER)
            parts += ["The simulated truth itself, on the same phones:", *truth]
        if unknown := [row.description for row in self.measured if row.state is None]:
            names = "; ".join(unknown)
            parts.append(
                f"Opening and lag against neutral's truth, the state is not known: {names}."
            )
        parts.append(f"Not asked, because they shut or open the mouth: {'; '.join(LEFT_OUT)}.")
        return "\n\n".join(part for part in parts if part)

    def _cost(self) -> str:
        """Say what the costliest description costs in contact against neutral; "" without neutral,
        without another, or where no p, b or m is said."""
        neutral = [row for row in self.measured if row.description == NEUTRAL.description]
        others = [row for row in self.measured if row not in neutral]
        if not neutral or not others or not neutral[0].contact.total:
            return ""
        worst = min(others, key=lambda row: row.contact.value)
        points = 100 * (neutral[0].contact.value - worst.contact.value)
        said = f"Costliest for contact: {worst.description}, {points:.1f} points below neutral"
        return f"{said} (at most {COSTS:g} wanted: {'met' if points <= COSTS else '**missed**'})."


class Animates(Protocol):
    """What a study needs of an animator."""

    face: Face

    def encode_speech(self, speech: np.ndarray) -> np.ndarray: ...

    def animate(
        self, speech: np.ndarray, description: str, *, features: np.ndarray
    ) -> Animation: ...


def study(
    animator: Animates,
    folders: Sequence[Path | str],
    descriptions: list[str] | None = None,
    *,
    truth: bool = False,
    progress: bool = False,
) -> Report:
    """Animate the recordings of folders under every description, and report.

    Every recording gets two seconds of quiet at its end, so that the mouth at rest is seen too.
    `truth` measures the simulated actor in the same way.
    """
    scenes = scenes_of(descriptions)
    recordings = [quietened(recording) for recording in read_folders(folders)]
    spoken = [spell(one) for one in tqdm(recordings, "find phones", disable=not progress)]
    heard = [animator.encode_speech(one.speech) for one in recordings]
    actor = simulated(spoken, animator.face)
    measured, truths = [], []
    for scene in tqdm(scenes, "watch lips", disable=not progress):
        animations = [
            animator.animate(one.speech, scene.description, features=features)
            for one, features in zip(recordings, heard, strict=True)
        ]
        watched = [watch(animation.weights, animator.face) for animation in animations]
        reference = actor(scene.state or "neutral", scene.level)
        measured.append(measure(scene, watched, reference, spoken, animator.face))
        if truth and scene.state:
            truths.append(measure(scene, reference, reference, spoken, animator.face))
    return Report(tuple(measured), tuple(truths))


def spell(recording: Recording) -> Spoken:
    """Find the recording's phones and count its frames."""
    phones = align_phones(recording.speech, recording.transcript)
    return Spoken(recording, phones, audio.frame_count(len(recording.speech), FPS))


def simulated(spoken: Sequence[Spoken], face: Face) -> Callable[[str, float], tuple[Watched, ...]]:
    """Return a function of state and level: what is watched of the actor who says it all.

    The actor has the style of none in particular, and performs nothing twice.
    """
    stressed = [prominence(one.recording.speech, one.phones) for one in spoken]

    @cache
    def performed(state: str, level: float) -> tuple[Watched, ...]:
        return tuple(
            watch(
                perform(
                    one.phones, one.frames, fps=FPS, state=STATES[state], level=level,
                    style=Style(), seed=0, face=face, prominence=stress,
                ).weights,
                face,
            )
            for one, stress in zip(spoken, stressed, strict=True)
        )  # fmt: skip

    return performed


def measure(
    scene: Scene,
    watched: Sequence[Watched],
    truth: Sequence[Watched],
    spoken: Sequence[Spoken],
    face: Face,
) -> Row:
    """Return the row of a scene from what was watched, and the truth, of each recording."""
    phones = [one.phones for one in spoken]
    every = range(len(watched))

    def share(count: Callable[[int], Share]) -> Share:
        return sum((count(k) for k in every), Share(0, 0))

    def pool(cases: Callable[[int], np.ndarray]) -> np.ndarray:
        return np.concatenate([cases(k) for k in every])

    def gaps(seen: Sequence[Watched]) -> np.ndarray:
        return pool(lambda k: metrics.vowel_gaps(seen[k].gap, phones[k], fps=FPS))

    vowels = gaps(watched)
    closed = pool(lambda k: metrics.closures(watched[k].gap, phones[k], fps=FPS))
    widths = pool(lambda k: metrics.rounding_widths(watched[k].width, phones[k], fps=FPS))
    bitten = own_f(face)
    return Row(
        description=scene.description,
        state=scene.state,
        contact=share(lambda k: metrics.contact_recall(watched[k].gap, phones[k], fps=FPS)),
        penetration=share(lambda k: metrics.penetration(watched[k].gap)),
        false_contacts=share(lambda k: metrics.false_contacts(watched[k].gap, phones[k], fps=FPS)),
        labiodentals=share(
            lambda k: metrics.labiodentals(watched[k].bite, phones[k], own_f=bitten, fps=FPS)
        ),
        order=estimate(vowels, metrics.openness_order),
        opening=estimate(np.stack([vowels[:, 1], gaps(truth)[:, 1]], axis=1), ratio),
        lag=_defined(metrics.lag(watched[k].gap, truth[k].gap) for k in every),
        speed=_speed([metrics.silent_speeds(watched[k].lips, phones[k], fps=FPS) for k in every]),
        closure_ratio=estimate(closed[:, 0] / closed[:, 1], np.median),
        closure_seconds=estimate(closed[:, 0], np.median),
        vowel_gap=estimate(vowels[:, 1]),
        narrowing=estimate(widths, metrics.narrowing),
        told_apart=estimate(widths, metrics.told_apart),
        voice_lag=_defined((_voice_lag(watched[k].gap, spoken[k]) for k in every), np.median),
        jitter=_defined(metrics.jitter(watched[k].lips, fps=FPS) for k in every),
        resting=share(lambda k: metrics.rest_contacts(watched[k].gap, phones[k], fps=FPS)),
    )


def _voice_lag(gap: np.ndarray, one: Spoken) -> float:
    return metrics.lag(gap, metrics.voicing(one.recording.speech, one.frames, fps=FPS))


def _speed(speeds: Sequence[np.ndarray]) -> Estimate:
    """Return the root mean square speed of all steps, resampled by recording."""
    sums = np.array([(float((one**2).sum()), len(one)) for one in speeds if len(one)])
    return estimate(sums.reshape(-1, 2), lambda cases: math.sqrt(ratio(cases)))


def _defined(
    values: Iterable[float], statistic: Callable[[np.ndarray], float] | None = None
) -> Estimate:
    """Return a statistic (default: the mean) of the values that are numbers."""
    found = np.array(list(values))
    return estimate(found[np.isfinite(found)], statistic)
