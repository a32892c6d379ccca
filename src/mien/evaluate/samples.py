"""What many cases say together: shares and averages with their intervals; ranks and correlation."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

WILSON = 1.96  # standard deviations of a 95 % interval
RESAMPLES = 1000
COVERAGE = (2.5, 97.5)  # per cent: the ends of a 95 % interval


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


@dataclass(frozen=True)
class Estimate:
    """A number made of `cases`, with the interval that other cases of this kind would give."""

    value: float
    low: float
    high: float
    cases: int


def estimate(cases: np.ndarray, statistic: Callable[[np.ndarray], float] | None = None) -> Estimate:
    """Return a statistic (default: the mean) of cases (n, ...) with a 95 % bootstrap interval.

    The interval holds the middle 95 % of the statistic on 1,000 resamples of the cases, drawn with
    replacement from a fixed seed; resamples on which it is undefined are left out. NaN of nothing.
    """
    cases = np.asarray(cases, float)
    statistic = statistic or _mean
    if not len(cases):
        return Estimate(math.nan, math.nan, math.nan, 0)
    draws = np.random.default_rng(0).integers(len(cases), size=(RESAMPLES, len(cases)))
    values = np.array([statistic(cases[draw]) for draw in draws])
    values = values[np.isfinite(values)]
    low, high = np.percentile(values, COVERAGE) if len(values) else (math.nan, math.nan)
    return Estimate(float(statistic(cases)), float(low), float(high), len(cases))


def ratio(cases: np.ndarray) -> float:
    """Return the mean of the first column of (n, 2) over that of the second; NaN over nothing."""
    below = float(cases[:, 1].mean())
    return float(cases[:, 0].mean()) / below if below else math.nan


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Return Pearson's r in [-1, 1] of two curves (n,); NaN where one does not vary."""
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale else math.nan


def ranks(values: np.ndarray) -> np.ndarray:
    """Return the ranks (n,) from 1 on; equal values share the mean of theirs."""
    _, kinds, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2)[kinds]


def spearman(a: np.ndarray, b: np.ndarray) -> float:
    """Return Spearman's rank correlation in [-1, 1]: Pearson's of the average ranks."""
    return correlation(ranks(a), ranks(b))


def precedence(low: np.ndarray, high: np.ndarray) -> float:
    """Return how often a value of `low` is below one of `high`, in [0, 1]; ties count half.

    That is the area under the ROC curve: 0.5 where both are drawn from the same.
    """
    if not len(low) or not len(high):
        return math.nan
    placed = ranks(np.concatenate([low, high]))[len(low) :].sum()
    return float(placed - len(high) * (len(high) + 1) / 2) / (len(low) * len(high))


def _mean(cases: np.ndarray) -> float:
    return float(cases.mean())
