"""How far is a jigsaw solved? Orders list the patch that lies at each place, row by row, from 1 on."""

from __future__ import annotations

from collections.abc import Sequence


def share_in_place(order: Sequence[int], gold: Sequence[int]) -> float:
    """The share of places that hold the right patch; 0 for another number of places.

    >>> share_in_place([3, 1, 4, 2], [3, 1, 2, 4])
    0.5
    """
    if len(order) != len(gold):
        return 0.0
    return sum(ours == theirs for ours, theirs in zip(order, gold, strict=True)) / len(gold)


def share_adjacent(order: Sequence[int], gold: Sequence[int], rows: int, columns: int) -> float:
    """The share of the 2 * rows * columns - rows - columns inner edges whose two patches meet at the same edge in `gold`.

    A picture that is right but for a shift keeps most of it. 0 for another number of places, or patches that `gold` lacks.

    >>> share_adjacent([2, 1, 4, 3], [1, 2, 3, 4], 2, 2)
    0.5
    """
    place = {patch: divmod(index, columns) for index, patch in enumerate(gold)}
    if len(order) != len(gold) or not place.keys() >= set(order):
        return 0.0
    right = 0
    for index, patch in enumerate(order):
        row, column = place[patch]
        if (index + 1) % columns:
            right += place[order[index + 1]] == (row, column + 1)
        if index + columns < len(order):
            right += place[order[index + columns]] == (row + 1, column)
    return right / (2 * rows * columns - rows - columns)
