"""A mixture of data sets: an infinite stream whose draw k depends on (seed, k) alone, so that one integer resumes it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

import numpy as np

from vlrl.types import Sample, UserError


class Draw(NamedTuple):
    """Where a draw comes from: row `row` of data set `dataset`, in that data set's pass number `epoch`."""

    dataset: int
    epoch: int
    row: int


class Mixture:
    """Draws from several data sets in proportion to their weights, each in its own order, reshuffled every epoch.

    - Which data set: deterministic interleaving. After any number k of draws, data set i has had `k * weight_i` of them, off by
      less than one (`_Interleaving`).
    - Which row: within a data set every row comes once per epoch, in a permutation drawn from (seed, data set, epoch).

    Memory besides the data sets: the current epoch's permutation of each.

    >>> one = Sample("a", "grounding", "the red ball", {}), Sample("b", "grounding", "the blue ball", {})
    >>> two = (Sample("c", "gui", "the button", {}),)
    >>> "".join(Mixture([one, two], [2, 1], seed=0).at(k).id for k in range(6))
    'acbbca'
    """

    def __init__(self, datasets: Sequence[Sequence[Sample]], weights: Sequence[float], seed: int) -> None:
        _check(datasets, weights)
        self._datasets = datasets
        self._seed = seed
        self._interleaving = _Interleaving(weights)
        self._orders: dict[int, tuple[int, np.ndarray]] = {}

    def at(self, k: int) -> Sample:
        """The k-th draw, k = 0, 1, 2, ..."""
        draw = self.locate(k)
        return self._datasets[draw.dataset][draw.row]

    def locate(self, k: int) -> Draw:
        """Where the k-th draw comes from."""
        dataset, nth = self._interleaving.draw(k)
        epoch, position = divmod(nth, len(self._datasets[dataset]))
        return Draw(dataset, epoch, int(self._order(dataset, epoch)[position]))

    def _order(self, dataset: int, epoch: int) -> np.ndarray:
        cached_epoch, order = self._orders.get(dataset, (-1, np.empty(0)))
        if cached_epoch != epoch:
            order = np.random.default_rng([self._seed, dataset, epoch]).permutation(len(self._datasets[dataset]))
            self._orders[dataset] = epoch, order
        return order


class _Interleaving:
    """The sequence of data sets: Tijdeman's solution of the chairman assignment problem (Discrete Mathematics 32, 1980).

    With D > 1 data sets none is ever further than 1 - 1/(2D - 2) from its exact share of the first k draws, which is the best
    possible. Any window of draws is thus off by less than two, and by one at most when D = 2.
    Draw k follows from the counts after draw k - 1. They are kept: going forward takes 2 us a draw, going back starts anew.
    Weights are integers here, so nothing is lost to rounding.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        fractions = [Fraction(str(weight)) for weight in weights]
        scale = math.lcm(*(fraction.denominator for fraction in fractions))
        self._weights = [int(fraction * scale) for fraction in fractions]
        self._total = sum(self._weights)
        self._rewind()

    def draw(self, k: int) -> tuple[int, int]:
        """The data set of the k-th draw, and how often that data set was drawn before."""
        if k < 0:
            raise ValueError(f"draws are numbered from 0, not {k}")
        if k < self._next - 1:
            self._rewind()
        while self._next <= k:
            self._advance()
        return self._latest, self._counts[self._latest] - 1

    def _rewind(self) -> None:
        self._next = 0
        self._latest = -1
        self._counts = [0] * len(self._weights)

    def _advance(self) -> None:
        """Of the data sets that have fallen behind their share, draw the one that can wait the fewest draws more."""
        self._next += 1
        slack = max(2 * len(self._weights) - 2, 1)
        behind = [weight * self._next - self._total * count for weight, count in zip(self._weights, self._counts, strict=True)]
        due = [i for i, lag in enumerate(behind) if slack * lag >= self._total]
        self._latest = min(due, key=lambda i: ((slack - 1) * self._total - slack * behind[i]) // (slack * self._weights[i]))
        self._counts[self._latest] += 1


def _check(datasets: Sequence[Sequence[Sample]], weights: Sequence[float]) -> None:
    if not datasets or len(datasets) != len(weights):
        raise UserError(f"a mixture of {len(datasets)} data sets has {len(weights)} weights; give each data set its weight")
    for index, (dataset, weight) in enumerate(zip(datasets, weights, strict=True)):
        if not (math.isfinite(weight) and weight > 0):
            raise UserError(f"data set {index} of the mixture has weight {weight}; give a number above 0, or leave the set out")
        if not len(dataset):
            raise UserError(f"data set {index} of the mixture has no rows; add some, or leave the set out")
