"""A mean, a ratio or a mean of means over rows, with the rows kept by, so that it can tell its own interval."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from vlrl.metrics.bootstrap import ratio_interval

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Mean:
    """`scale` * the mean over strata of (sum of `sums` / sum of `counts`), one stratum unless made by `mean_of_means`.

    `clusters` and `strata` number the cluster and the stratum of each row. A plain mean has counts of 1.

    >>> half = Mean(np.array([1.0, 0.0]), np.ones(2), np.arange(2))
    >>> half.estimate, half.n
    (0.5, 2)
    """

    sums: Floats
    counts: Floats
    clusters: Codes
    strata: Codes | None = None
    scale: float = 1.0

    @property
    def n(self) -> int:
        """The number of rows."""
        return len(self.sums)

    @cached_property
    def estimate(self) -> float | None:
        """The value; None without rows, or where no row counts."""
        strata = np.zeros(self.n, dtype=np.int64) if self.strata is None else self.strata
        counts = np.bincount(strata, weights=self.counts)
        asked = counts > 0
        if not asked.any():
            return None
        return self.scale * float((np.bincount(strata, weights=self.sums)[asked] / counts[asked]).mean())

    def interval(self, resamples: int = 1000, seed: int = 0) -> list[float] | None:
        """The 95 % bootstrap interval `[low, high]`, whole clusters resampled; None where there is no value."""
        if self.estimate is None:
            return None
        low, high = ratio_interval(self.sums, self.counts, self.clusters, self.strata, seed, resamples)
        return [self.scale * low, self.scale * high]

    def percent(self) -> Mean:
        """The same in 0..100."""
        return replace(self, scale=100.0 * self.scale)


def mean_of_means(means: Iterable[Mean]) -> Mean:
    """The plain mean of several means, each with equal weight whatever its number of rows. Those without rows do not count.

    >>> one, two = (Mean(np.array(v), np.ones(len(v)), np.arange(len(v))) for v in ([1.0], [0.0, 0.0, 0.0]))
    >>> mean_of_means([one, two]).estimate
    0.5
    """
    kept = [mean for mean in means if mean.n]
    if not kept:
        return Mean(np.empty(0), np.empty(0), np.empty(0, dtype=np.int64))
    return Mean(
        np.concatenate([mean.sums for mean in kept]),
        np.concatenate([mean.counts for mean in kept]),
        np.concatenate([mean.clusters for mean in kept]),
        np.repeat(np.arange(len(kept)), [mean.n for mean in kept]),
        kept[0].scale,
    )
