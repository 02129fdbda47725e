"""Several samples of each row: pass@k, mean@k, maj@k."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from math import comb
from typing import Any


def pass_at_k(samples: int, right: int, k: int) -> float:
    """Unbiased probability that one of `k` samples is right, when `right` of `samples` were.

    1 - C(samples - right, k) / C(samples, k), in [0, 1] (HumanEval, arXiv 2107.03374). Raises ValueError unless
    1 <= k <= samples.

    >>> pass_at_k(4, 1, 1), pass_at_k(4, 1, 2), pass_at_k(4, 4, 2)
    (0.25, 0.5, 1.0)
    """
    if not 1 <= k <= samples or not 0 <= right <= samples:
        raise ValueError(f"pass@{k} of {samples} samples, {right} right, has no meaning")
    return 1.0 - comb(samples - right, k) / comb(samples, k)


def majority(extracted: Sequence[Any], values: Sequence[float]) -> float:
    """The value of the answer that most samples gave; samples from which nothing was read (None) have no vote, all none: 0.

    Of answers with equally many votes the one given first counts.

    >>> majority(["B", "A", "B", None], [1.0, 0.0, 1.0, 0.0])
    1.0
    """
    votes = [json.dumps(answer, sort_keys=True) if answer is not None else None for answer in extracted]
    counts = Counter(vote for vote in votes if vote is not None)
    if not counts:
        return 0.0
    return values[votes.index(counts.most_common(1)[0][0])]
