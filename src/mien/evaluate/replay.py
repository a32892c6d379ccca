"""A corpus's clips once more: the paper's errors of a pack on performances whose truth is known.

As in the paper, the description is the name of the emotion that was performed, at the clip's own
level. Clips come from one split, by default the test split, whose sentences were not trained on.
Whole clips are compared, from the first frame on and running free.
"""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mien.animation import Animation
from mien.animator import load
from mien.data.clips import Clip, Corpus
from mien.data.simulate.plan import COMPOSED
from mien.errors import MienError
from mien.evaluate.errors import VertexErrors, dynamics_deviation, vertex_errors, vertex_sets
from mien.evaluate.samples import Estimate, estimate
from mien.face import Face
from mien.jobs import each

CLIPS = 48
"""Clips that are compared, evenly taken from the split."""


class Animates(Protocol):
    """What a replay needs of an animator."""

    face: Face

    def animate(
        self,
        speech: np.ndarray,
        description: str,
        *,
        strength: float,
        fps: float,
        actor: str | None = None,
    ) -> Animation: ...


@dataclass(frozen=True)
class SetErrors:
    """The mean over clips of each of `VertexErrors`, on one vertex set; metres, square metres."""

    vertices: int
    largest: Estimate
    largest_squared: Estimate
    mean: Estimate
    mean_squared: Estimate
    velocity: Estimate


@dataclass(frozen=True)
class Replay:
    """Errors by vertex set, and FDD on the upper face, signed and absolute: metres, of squared
    lengths square metres."""

    by_set: dict[str, SetErrors]
    dynamics: Estimate
    dynamics_absolute: Estimate
    dynamics_squared: Estimate
    dynamics_squared_absolute: Estimate

    def rows(self) -> dict[str, Any]:
        """Return the numbers as plain data, ready for JSON."""
        return asdict(self)

    def markdown(self) -> str:
        """Return a Markdown table in mm and mm², with 95 % intervals over clips."""
        heads = ["vertex set", "MAX rooted, mm", "MAX squared, mm²", "MSE rooted, mm",
                 "MSE squared, mm²", "velocity, mm/s"]  # fmt: skip
        lines = [heads, ["---"] * len(heads)]
        for name, errors in self.by_set.items():
            cells = [
                _cell(getattr(errors, field.name), 1e6 if "squared" in field.name else 1e3)
                for field in fields(VertexErrors)
            ]
            lines.append([f"{name} ({errors.vertices} vertices)", *cells])
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        signed, absolute = (_cell(one, 1e3) for one in (self.dynamics, self.dynamics_absolute))
        squared = (self.dynamics_squared, self.dynamics_squared_absolute)
        signed_squared, absolute_squared = (_cell(one, 1e6) for one in squared)
        return (
            f"{table}\n\nFDD, mm: {signed}; absolute {absolute}. FDD squared, mm²: "
            f"{signed_squared}; absolute {absolute_squared}. {self.dynamics.cases} clips, in "
            "brackets the 95 % bootstrap interval over them."
        )


def replay(
    animator: Animates,
    corpus: Path | str,
    *,
    split: str = "test",
    actors: Collection[str] = (),
    jobs: int = 1,
    scheduler: str | None = None,
    pack: Path | str | None = None,
    progress: bool = False,
) -> Replay:
    """Animate clips of a corpus's split anew and compare them with what was performed.

    `actors` are those that the pack tells apart: they are animated as themselves. `jobs` and
    `scheduler` say how many animate at once (`mien.jobs.each`); more than this process load the
    animator from `pack`. MienError where the pack and the corpus are of different faces, and for
    a split without clips.
    """
    reader = Corpus(corpus)
    if reader.face.fingerprint != animator.face.fingerprint:
        raise MienError(
            f"the clips in {corpus} are of the face {reader.face.name!r}, and the pack is of "
            f"{animator.face.name!r}; choose a pack that was trained on such a corpus"
        )
    records = [one for one in reader.records if one.split == split]
    if not records:
        raise MienError(f"{corpus} has no clip in its split {split!r}; choose another split")
    chosen = np.unique(np.linspace(0, len(records) - 1, CLIPS).round().astype(int))
    clips = (reader.clip(records[k].id) for k in chosen)
    here = animator if jobs == 1 and scheduler is None else None
    written = Path(pack).stat().st_mtime if pack else 0.0
    work = _Replaying(Path(corpus), tuple(actors), here, pack, written)
    spread = {"jobs": jobs, "scheduler": scheduler, "progress": progress}
    return compared(list(each(work, clips, title="replay clips", **spread)), animator.face)


@dataclass(frozen=True)
class _Replaying:
    """Animates clips in whatever process; another than that of `animator` loads the pack once."""

    corpus: Path
    actors: tuple[str, ...]
    animator: Animates | None
    pack: Path | str | None
    written: float
    """when the pack was written: processes outlive a job, and another pack may take its place"""

    def __call__(self, clip: Clip) -> tuple[np.ndarray, np.ndarray, float]:
        animator = self.animator or _animator(self.pack, self.written, self.corpus)
        return _performances(animator, clip, self.actors)


@lru_cache(maxsize=1)
def _animator(pack: Path | str | None, written: float, corpus: Path) -> Animates:
    return load(pack, face=Corpus(corpus).face)


def compared(pairs: Sequence[tuple[np.ndarray, np.ndarray, float]], face: Face) -> Replay:
    """Return the errors over clips of (weights found, the truth's, fps); weights are (T, U)."""
    sets = vertex_sets(face)
    errors: dict[str, list[VertexErrors]] = {name: [] for name in sets}
    deviations, squared = [], []
    for found, truth, fps in pairs:
        made, true = (face.weights_to_vertices(weights) for weights in (found, truth))
        for name, places in sets.items():
            errors[name].append(vertex_errors(made[:, places], true[:, places], fps=fps))
        upper = sets["upper_face"]
        pair = made[:, upper], true[:, upper], face.template[upper]
        deviations.append(dynamics_deviation(*pair))
        squared.append(dynamics_deviation(*pair, squared=True))
    return Replay(
        by_set={name: _over_clips(errors[name], len(sets[name])) for name in sets},
        dynamics=estimate(np.array(deviations)),
        dynamics_absolute=estimate(np.abs(deviations)),
        dynamics_squared=estimate(np.array(squared)),
        dynamics_squared_absolute=estimate(np.abs(squared)),
    )


def _performances(
    animator: Animates, clip: Clip, actors: Collection[str] = ()
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return the weights that the animator finds for a clip, the clip's own, and its fps.

    Both end where the clip's expression begins to decay, which nobody asks of the animator.
    """
    composed = clip.emotion == COMPOSED and clip.descriptions
    words = clip.descriptions[0] if composed else clip.emotion.replace("_", " ")
    actor = clip.actor if clip.actor in actors else None
    found = animator.animate(clip.speech, words, strength=clip.level, fps=clip.fps, actor=actor)
    stop = _undecayed(clip)
    return found.weights[:stop], clip.weights[:stop], clip.fps


def _undecayed(clip: Clip) -> int:
    """Return how many frames there are before the clip's expression begins to decay."""
    if clip.envelope is None:
        return clip.frames
    falls = np.flatnonzero(clip.envelope < min(1.0, clip.envelope.max()) - 1e-3)
    falls = falls[falls > clip.envelope.argmax()]
    return int(falls[0]) if len(falls) else clip.frames


def _over_clips(errors: Sequence[VertexErrors], vertices: int) -> SetErrors:
    means = {
        field.name: estimate(np.array([getattr(one, field.name) for one in errors]))
        for field in fields(VertexErrors)
    }
    return SetErrors(vertices=vertices, **means)


def _cell(one: Estimate, scale: float) -> str:
    return f"{scale * one.value:.3f} ({scale * one.low:.3f} to {scale * one.high:.3f})"
