"""Where units clash: rules that lower one weight while others are high.

A rule reads: `weights[target] <= max(0, ceiling - sources . weights)`. Rules are applied once, in
order. Doing it again changes nothing, because lowering a weight later can only relax an earlier
rule: a factor may be negative (the weight raises the ceiling) only where no later rule lowers it.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Limits:
    """R rules over U weights, plain arrays that travel in the head file."""

    targets: np.ndarray
    """(R,) int32: the unit that each rule lowers."""
    sources: np.ndarray
    """(R, U) float32: how much each unit's weight takes off the ceiling."""
    ceilings: np.ndarray
    """(R,) float32: what the target may reach while all its sources are 0."""

    def __post_init__(self) -> None:
        """Check that the order makes one pass enough; see the module."""
        for rule, sources in enumerate(self.sources):
            raising = np.flatnonzero(sources < 0)
            assert not np.isin(raising, self.targets[rule:]).any(), f"rule {rule} comes too early"

    def apply(self, weights: np.ndarray) -> np.ndarray:
        """Weights (..., U) clipped to [0, 1] and held under every rule, in the same float type."""
        weights = np.asarray(weights)
        kind = weights.dtype if weights.dtype.kind == "f" else np.dtype(np.float32)
        limited = np.clip(weights.astype(kind), 0.0, 1.0)
        ceilings, factors = self.ceilings.astype(kind), self.sources.astype(kind)
        for target, sources, ceiling in zip(self.targets, factors, ceilings, strict=True):
            active = np.flatnonzero(sources)
            taken = limited[..., active] @ sources[active]
            cap = np.maximum(ceiling - taken, 0)
            limited[..., target] = np.minimum(limited[..., target], cap)
        return limited
