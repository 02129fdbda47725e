"""One-to-one matching of predictions (rows) with gold (columns) by a matrix of similarities."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

Pair = tuple[int, int]


def best_pairs(similarity_NM: NDArray[np.float64]) -> list[Pair]:
    """The pairs (row, column) of the assignment with the greatest sum (Hungarian method), without those of similarity 0.

    >>> best_pairs(np.array([[0.9, 0.8], [0.7, 0.0], [0.0, 0.0]]))
    [(0, 1), (1, 0)]
    """
    rows, columns = linear_sum_assignment(similarity_NM, maximize=True)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True) if similarity_NM[row, column] > 0]


def greedy_pairs(similarity_NM: NDArray[np.float64], minimum: float) -> list[Pair]:
    """The most similar pair first, then the most similar of the rows and columns that are left, while it reaches `minimum`.

    Of equal pairs the first row wins, then the first column.

    >>> greedy_pairs(np.array([[0.9, 0.8], [0.7, 0.0]]), 0.5)
    [(0, 0)]
    """
    rows, columns = np.nonzero(similarity_NM >= minimum)
    order = np.argsort(-similarity_NM[rows, columns], kind="stable")
    pairs: list[Pair] = []
    free_rows, free_columns = set(rows.tolist()), set(columns.tolist())
    for row, column in zip(rows[order].tolist(), columns[order].tolist(), strict=True):
        if row in free_rows and column in free_columns:
            pairs.append((row, column))
            free_rows.remove(row)
            free_columns.remove(column)
    return pairs


def ordered_pairs(similarity_NM: NDArray[np.float64], above: float) -> list[Pair]:
    """Row after row takes the most similar column that is still free, if the similarity is greater than `above`.

    >>> ordered_pairs(np.array([[0.9, 0.8], [0.7, 0.0]]), 0.5)
    [(0, 0)]
    """
    left_NM, pairs = similarity_NM.copy(), []
    for row in range(len(left_NM)):
        column = int(left_NM[row].argmax())
        if left_NM[row, column] > above:
            pairs.append((row, column))
            left_NM[:, column] = -np.inf
    return pairs
