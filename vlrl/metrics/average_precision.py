"""COCO average precision of one image: the rules of pycocotools' COCOeval, without crowd regions, in numpy."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import Box
from vlrl.metrics.box_iou import areas, iou_matrix

Flags = NDArray[np.bool_]

COCO_THRESHOLDS = tuple(np.linspace(0.5, 0.95, 10).tolist())
RECALL_POINTS = np.linspace(0.0, 1.0, 101)
ANY_AREA = (0.0, math.inf)
ALMOST_ONE = 1 - 1e-10


def average_precision(
    boxes: Sequence[Box],
    labels: Sequence[Hashable],
    scores: Sequence[float],
    gold_boxes: Sequence[Box],
    gold_labels: Sequence[Hashable],
    thresholds: Sequence[float] = COCO_THRESHOLDS,
    max_detections: int = 100,
    area_range: tuple[float, float] = ANY_AREA,
) -> float | None:
    """The mean over gold labels and IoU thresholds of the 101-point interpolated average precision (arXiv 1405.0312).

    Boxes with a label that the gold lacks do not count. Of each label the `max_detections` best-scored boxes count; among
    equal scores the earlier box comes first. One after another takes the free gold box of its label with the highest IoU
    that reaches the threshold (of equal ones the last). Gold boxes whose area lies outside `area_range` are neither asked
    for nor held against a box that finds them, and unmatched boxes outside it are left out too. None when no gold box
    counts. Equal to `COCOeval` on one image, whose `areaRng` is `area_range`.

    A copy behind the right box costs nothing, a wrong box before it half of the precision:

    >>> average_precision([(0, 0, 2, 2), (0, 0, 2, 2)], "aa", [1, 1], [(0, 0, 2, 2)], "a")
    1.0
    >>> average_precision([(5, 5, 9, 9), (0, 0, 2, 2)], "aa", [1, 1], [(0, 0, 2, 2)], "a")
    0.5
    """
    boxes_N4, gold_M4 = np.asarray(boxes, dtype=float).reshape(-1, 4), np.asarray(gold_boxes, dtype=float).reshape(-1, 4)
    outside = _outside(boxes_N4, area_range), _outside(gold_M4, area_range)
    ious_NM = iou_matrix(boxes, gold_boxes)
    return average_precision_of(ious_NM, labels, scores, gold_labels, thresholds, max_detections, outside)


def average_precision_of(
    ious_NM: NDArray[np.float64],
    labels: Sequence[Hashable],
    scores: Sequence[float],
    gold_labels: Sequence[Hashable],
    thresholds: Sequence[float] = COCO_THRESHOLDS,
    max_detections: int = 100,
    outside: tuple[Flags, Flags] | None = None,
) -> float | None:
    """`average_precision` where the IoUs are known; `outside` flags the boxes and the gold boxes beyond an area range.

    >>> average_precision_of(np.array([[0.6]]), "a", [1.0], "a")
    0.3
    """
    code_of = {label: code for code, label in enumerate(dict.fromkeys(gold_labels))}
    codes_N = np.array([code_of.get(label, -1) for label in labels], dtype=int)
    codes_M = np.array([code_of[label] for label in gold_labels], dtype=int)
    outside_N, outside_M = outside or (np.zeros(len(codes_N), dtype=bool), np.zeros(len(codes_M), dtype=bool))
    asked_K = np.bincount(codes_M[~outside_M], minlength=len(code_of))
    if not asked_K.any():
        return None
    rows, starts_N = _best_rows(codes_N, np.asarray(scores, dtype=float), max_detections)
    same_label_NM = codes_N[rows, None] == codes_M
    thresholds_T = np.asarray(thresholds)
    matched_TN, spared_TN = _match(np.where(same_label_NM, ious_NM[rows], 0.0), outside_M, thresholds_T)
    left_out_TN = spared_TN | (~matched_TN & outside_N[rows])
    total = _precision_sum(matched_TN & ~spared_TN, left_out_TN, codes_N[rows], starts_N, asked_K)
    return total / (len(RECALL_POINTS) * len(thresholds_T) * int((asked_K > 0).sum()))


def _best_rows(codes_N: NDArray[np.int_], scores_N: NDArray[np.float64], most: int) -> tuple[NDArray[np.int_], NDArray[np.int_]]:
    """The `most` best-scored rows of each known label, label after label; and for each row, where its label starts."""
    rows = np.lexsort((-scores_N, codes_N))
    rows = rows[codes_N[rows] >= 0]
    rank_N = np.arange(len(rows)) - np.searchsorted(codes_N[rows], codes_N[rows])
    rows = rows[rank_N < most]
    return rows, np.searchsorted(codes_N[rows], codes_N[rows])


def _precision_sum(
    hits_TN: Flags, left_out_TN: Flags, codes_N: NDArray[np.int_], starts_N: NDArray[np.int_], asked_K: NDArray[np.int_]
) -> float:
    """The sum over thresholds, labels and recall points of the interpolated precision.

    All labels at once: counts start anew where a label starts, and the running maximum from the right must not run from one
    label into the one before, so each label is lifted by 2 over the next.
    """
    rank_TN = _count_from(hits_TN, starts_N)
    precision_TN = rank_TN / np.maximum(_count_from(~left_out_TN, starts_N), 1)
    lift_N = 2.0 * (len(asked_K) - codes_N)
    envelope_TN = np.maximum.accumulate((precision_TN + lift_N)[:, ::-1], axis=1)[:, ::-1] - lift_N
    weights_KM = np.zeros((len(asked_K), int(asked_K.max()) + 1))
    for code, asked in enumerate(asked_K.tolist()):
        weights_KM[code, : asked + 1] = _recall_weights(asked)
    return float((envelope_TN * weights_KM[codes_N, rank_TN])[hits_TN].sum())


def _count_from(flags_TN: Flags, starts_N: NDArray[np.int_]) -> NDArray[np.int_]:
    """How many flags are set from a row's start up to the row, itself included."""
    before_TN = np.zeros((flags_TN.shape[0], flags_TN.shape[1] + 1), dtype=int)
    flags_TN.cumsum(axis=1, out=before_TN[:, 1:])
    return before_TN[:, 1:] - before_TN[:, starts_N]


def _outside(boxes_N4: NDArray[np.float64], area_range: tuple[float, float]) -> Flags:
    size_N = areas(boxes_N4)
    return (size_N < area_range[0]) | (size_N > area_range[1])


@lru_cache(maxsize=4096)
def _recall_weights(golds: int) -> NDArray[np.float64]:
    """How many of the recall points are first reached by the k-th hit, k = 0..golds."""
    if golds == 0:
        return np.zeros(1)
    first_hit = np.searchsorted(np.arange(1, golds + 1) / golds, RECALL_POINTS, side="left")
    return np.concatenate([[0.0], np.bincount(first_hit, minlength=golds)])


def _match(ious_NM: NDArray[np.float64], outside_M: Flags, thresholds_T: NDArray[np.float64]) -> tuple[Flags, Flags]:
    """Which rows find a gold box at each threshold, and which of those find one outside the area range.

    Gold boxes inside the range go first: those outside are moved below all of them, by subtracting 2. Columns are reversed
    because `argmax` takes the first of equal values and COCO the last. Only rows that are near to several columns, or to one
    that other rows are near to, need to be gone through one by one.
    """
    reach_T1 = np.minimum(thresholds_T, ALMOST_ONE)[:, None]
    ious_NM, outside_M = ious_NM[:, ::-1], outside_M[::-1]
    preference_NM = np.where(outside_M, ious_NM - 2, ious_NM)
    near_NM = ious_NM >= reach_T1.min()
    matched_TN = ious_NM.max(axis=1) >= reach_T1
    spared_TN = matched_TN & (near_NM & outside_M).any(axis=1)
    free_TM = np.ones((len(thresholds_T), len(outside_M)), dtype=bool)
    every_T = np.arange(len(thresholds_T))
    for row in np.flatnonzero(near_NM[:, near_NM.sum(axis=0) > 1].any(axis=1) | (near_NM.sum(axis=1) > 1)):
        columns = np.flatnonzero(near_NM[row])
        open_TM = free_TM[:, columns] & (ious_NM[row, columns] >= reach_T1)
        best_T = np.where(open_TM, preference_NM[row, columns], -3).argmax(axis=1) if len(columns) > 1 else 0
        column_T, found_T = columns[best_T], open_TM[every_T, best_T]
        free_TM[every_T, column_T] &= ~found_T
        matched_TN[:, row] = found_T
        spared_TN[:, row] = found_T & outside_M[column_T]
    return matched_TN, spared_TN
