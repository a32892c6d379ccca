"""Sentences of the simulated actor, performed again under expressions that are drawn anew.

Speaking costs time, a face costs milliseconds. A corpus has a few hundred expressions of parts;
performed again while training, its sentences have as many as the networks look at. Only where the
voice does not follow the acted expression is what was heard still true.
"""

import functools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from mien.data.clips import Clip
from mien.data.simulate.actor import LATEST_START, act, breathing
from mien.data.simulate.articulation import Content
from mien.data.simulate.compositions import compositions
from mien.data.simulate.expressions import STATES, State, composed, mixture
from mien.data.simulate.recall import recall
from mien.face import Face
from mien.timeline import MAX_LEVEL

COMPOSED_SHARE, MIXED_SHARE = 0.5, 0.25
"""Shares of the expressions of quads: parts by the grammar, two states at once; the rest: one."""
LEAST_LEVEL = 0.25
ONSET = 0.1
"""Seconds in which the expression of a quad arrives: all of its frames are to be steady."""
LATEST_ARRIVAL = LATEST_START + ONSET
SEEDS = 2**31


@dataclass(frozen=True, eq=False)
class Said:
    """What a clip says, and how fast its frames go."""

    content: Content
    fps: float


class Again:
    """The clips of one split that can be performed again, by id."""

    def __init__(self, said: Mapping[str, Said], face: Face):
        self.said, self.face = said, face
        self.usable = functools.cache(self._usable)
        """Halves of so many frames -> the sentences that have two of them, steady throughout."""

    @classmethod
    def of(cls, clips: Iterable[Clip], face: Face) -> "Again":
        """Keep what the simulated clips say whose voices do not follow the expression."""
        free = (clip for clip in clips if clip.provenance.get("prosody") == "independent")
        recalled = ((clip, recall(clip, face)) for clip in free)
        said = {clip.id: Said(content, clip.fps) for clip, content in recalled if content}
        return cls(said, face)

    def perform(
        self, rng: np.random.Generator, clip_id: str, state: State, level: float
    ) -> np.ndarray:
        """Return coefficients (T, K) float32, metres, of a clip under a state at a level."""
        said, seed = self.said[clip_id], int(rng.integers(SEEDS))
        shown = act(
            breathing(said.content, said.fps, seed),
            fps=said.fps,
            state=state,
            level=level,
            seed=seed,
            face=self.face,
        )
        return self.face.weights_to_coefficients(shown.weights)

    def _usable(self, frames: int) -> list[str]:
        return [
            clip_id
            for clip_id, one in self.said.items()
            if len(one.content.weights) >= 2 * frames + math.ceil(LATEST_ARRIVAL * one.fps)
        ]

    def quads(self, rng: np.random.Generator, size: int, frames: int) -> np.ndarray:
        """Draw (size, 4, frames, K) float32 metres: a_n, b_n, a_m, b_m of `size` sentences.

        As `Quads.batch`, but both performances have one timing by construction. There must be
        `usable` sentences.
        """
        usable = self.usable(frames)
        chosen = (usable[rng.integers(len(usable))] for _ in range(size))
        return np.stack([self._quad(rng, clip_id, frames) for clip_id in chosen])

    def _quad(self, rng: np.random.Generator, clip_id: str, frames: int) -> np.ndarray:
        """Return (4, frames, K): crops of both halves of a sentence under two expressions."""
        n, m = (self._held(rng, clip_id) for _ in range(2))
        first = math.ceil(LATEST_ARRIVAL * self.said[clip_id].fps)
        half = (len(n) - first) // 2
        a, b = first + rng.integers(half - frames + 1, size=2) + (0, half)
        return np.stack([shown[s : s + frames] for shown in (n, m) for s in (a, b)])

    def _held(self, rng: np.random.Generator, clip_id: str) -> np.ndarray:
        """Perform a sentence under an expression that is there from the beginning, or nearly."""
        state = replace(_expression(rng), onset=ONSET, apex=0.0)
        return self.perform(rng, clip_id, state, rng.uniform(LEAST_LEVEL, MAX_LEVEL))


def _expression(rng: np.random.Generator) -> State:
    """Draw an expression: parts of the face, two states at once, or one."""
    chance = rng.random()
    if chance < COMPOSED_SHARE:
        drawn = next(compositions(rng, "train"))
        return composed(drawn.weights, name=drawn.kind)
    first, second = (STATES[str(name)] for name in rng.choice(list(STATES), 2, replace=False))
    if chance < COMPOSED_SHARE + MIXED_SHARE:
        return mixture(first, second, float(rng.uniform(0.2, 0.8)))
    return first
