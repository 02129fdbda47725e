"""95 % percentile bootstrap intervals (Efron 1979), of a mean and of a paired difference. Deterministic in the seed."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

Interval = tuple[float, float, float]
"""(estimate, lower end, upper end)"""

CHUNK = 1 << 20
"""Draws held in memory at once."""


def mean_interval(
    values: Sequence[float], clusters: Sequence[Hashable] | None = None, seed: int = 0, resamples: int = 1000
) -> Interval:
    """The mean, and the 2.5 % and 97.5 % quantiles of the means of `resamples` draws with replacement.

    Rows of one cluster (questions about one image) are not independent: with `clusters`, one label per row, whole clusters
    are drawn, and a draw's mean is the sum of its rows over their number. One row, or one cluster, has no spread: the
    interval is then the mean itself.
    Raises ValueError for no values, a value that is not finite, or a wrong number of labels.

    >>> mean_interval([1.0, 1.0, 1.0])
    (1.0, 1.0, 1.0)
    >>> mean_interval([0, 1, 0, 1, 1, 1, 0, 1, 1, 0])
    (0.6, 0.3, 0.9)
    """
    row_values = np.asarray(values, dtype=float)
    if row_values.size == 0 or not np.isfinite(row_values).all():
        raise ValueError("an interval needs at least one value, and finite values only")
    sums, counts = _cluster_sums(row_values, clusters)
    low, high = np.quantile(_resampled_means(sums, counts, seed, resamples), [0.025, 0.975])
    return float(row_values.mean()), float(low), float(high)


def paired_difference_interval(
    before: Sequence[float],
    after: Sequence[float],
    clusters: Sequence[Hashable] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> Interval:
    """The mean of `after - before` over the same rows, with its interval (`mean_interval` of the differences).

    Raises ValueError when the two differ in length, and where `mean_interval` does.

    >>> paired_difference_interval([0, 0, 1], [0.5, 0.5, 1.5])
    (0.5, 0.5, 0.5)
    """
    if len(before) != len(after):
        raise ValueError(f"a paired difference needs the same rows, not {len(before)} before and {len(after)} after")
    return mean_interval(np.subtract(after, before, dtype=float).tolist(), clusters, seed, resamples)


def ratio_interval(
    sums: NDArray[np.float64],
    counts: NDArray[np.float64],
    clusters: NDArray[np.int64],
    strata: NDArray[np.int64] | None = None,
    seed: int = 0,
    resamples: int = 1000,
) -> tuple[float, float]:
    """The 95 % interval of the mean over strata of (sum of `sums` / sum of `counts`), whole clusters drawn.

    `clusters` and `strata` number each row's cluster and stratum from 0 on. A draw's stratum without a count is left out of
    that draw's mean.

    >>> one = np.ones(4)
    >>> ratio_interval(np.array([0.0, 0.0, 1.0, 1.0]), one, np.array([0, 0, 1, 1]))
    (0.0, 1.0)
    """
    columns = 1 if strata is None else int(strata.max()) + 1
    drawn_from, rows = np.unique(clusters, return_inverse=True)
    cells = rows * columns + (0 if strata is None else strata)
    shape = (len(drawn_from), columns)
    sums_CK, counts_CK = (np.bincount(cells, weights, shape[0] * columns).reshape(shape) for weights in (sums, counts))
    means_RK = _resampled_means(sums_CK.astype(np.float64), counts_CK.astype(np.float64), seed, resamples)
    with np.errstate(invalid="ignore"):
        means_R = np.nansum(means_RK, axis=1) / (~np.isnan(means_RK)).sum(axis=1)
    low, high = np.nanquantile(means_R, [0.025, 0.975])
    return float(low), float(high)


def _cluster_sums(
    values: NDArray[np.float64], clusters: Sequence[Hashable] | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sum and number of the rows of each cluster; without clusters every row is its own."""
    if clusters is None:
        return values, np.ones_like(values)
    if len(clusters) != len(values):
        raise ValueError(f"{len(values)} values, but {len(clusters)} cluster labels")
    index_of = {label: index for index, label in enumerate(dict.fromkeys(clusters))}
    indices = np.array([index_of[label] for label in clusters])
    return np.bincount(indices, weights=values).astype(np.float64), np.bincount(indices).astype(np.float64)


def _resampled_means(sums: NDArray[np.float64], counts: NDArray[np.float64], seed: int, resamples: int) -> NDArray[np.float64]:
    """For each draw of rows with replacement, the sum of `sums` over that of `counts`; a column each where there are columns."""
    rng = np.random.default_rng(seed)
    means = np.empty((resamples, *sums.shape[1:]))
    step = max(1, CHUNK // sums.size)
    for start in range(0, resamples, step):
        drawn = rng.integers(len(sums), size=(min(step, resamples - start), len(sums)))
        with np.errstate(invalid="ignore"):
            means[start : start + len(drawn)] = sums[drawn].sum(axis=1) / counts[drawn].sum(axis=1)
    return means
