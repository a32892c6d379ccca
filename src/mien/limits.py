"""Where units clash: rules that lower one weight while others are high.

A rule reads: `weights[target] <= max(floor, ceiling - sources . weights)`. The sources' factors
are never negative, so lowering a weight can only relax the other rules: one pass in order is
enough, and a second pass changes nothing.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Limits:
    """R rules over U weights, plain arrays that travel in the head file."""

    targets: np.ndarray
    """(R,) int32: the unit that each rule lowers."""
    sources: np.ndarray
    """(R, U) float32, never negative: how much each unit's weight takes off the ceiling."""
    ceilings: np.ndarray
    """(R,) float32: what the target may reach while all its sources are 0."""
    floors: np.ndarray
    """(R,) float32: what the target may always reach."""

    def apply(self, weights: np.ndarray) -> np.ndarray:
        """Weights (..., U) clipped to [0, 1] and held under every rule, in the same float type."""
        weights = np.asarray(weights)
        kind = weights.dtype if weights.dtype.kind == "f" else np.dtype(np.float32)
        limited = np.clip(weights.astype(kind), 0.0, 1.0)
        for target, sources, ceiling, floor in zip(
            self.targets, self.sources.astype(kind), self.ceilings, self.floors, strict=True
        ):
            active = np.flatnonzero(sources)
            taken = limited[..., active] @ sources[active]
            cap = np.maximum(kind.type(ceiling) - taken, kind.type(floor))
            limited[..., target] = np.minimum(limited[..., target], cap)
        return limited
