"""Intersection over union: the one definition in the project, for a pair and for all pairs of two lists."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import Box, area


def iou(a: Box, b: Box) -> float:
    """Area of the overlap over area of the union, with continuous areas (no extra pixel at an edge), in 0..1.

    Boxes without area, and boxes whose area overflows, have an IoU of 0.

    >>> iou((0, 0, 2, 2), (1, 0, 3, 2))
    0.3333333333333333
    """
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    overlap = width * height
    union = area(a) + area(b) - overlap
    return overlap / union if union > 0 and math.isfinite(union) else 0.0


def iou_matrix(a: Sequence[Box], b: Sequence[Box]) -> NDArray[np.float64]:
    """`iou` of every box of `a` (rows) with every box of `b` (columns). Boxes with reversed corners overlap nothing.

    >>> iou_matrix([(0, 0, 2, 2), (5, 5, 6, 6)], [(1, 0, 3, 2)]).tolist()
    [[0.3333333333333333], [0.0]]
    """
    a_4N, b_4M = (np.asarray(boxes, dtype=float).reshape(-1, 4).T.copy() for boxes in (a, b))
    with np.errstate(over="ignore", invalid="ignore"):
        width_NM = np.minimum(a_4N[2, :, None], b_4M[2]) - np.maximum(a_4N[0, :, None], b_4M[0])
        height_NM = np.minimum(a_4N[3, :, None], b_4M[3]) - np.maximum(a_4N[1, :, None], b_4M[1])
        overlap_NM = width_NM.clip(0, out=width_NM) * height_NM.clip(0, out=height_NM)
        union_NM = areas(a_4N.T)[:, None] + areas(b_4M.T) - overlap_NM
        real_NM = (overlap_NM > 0) & (union_NM < math.inf)
    return np.divide(overlap_NM, union_NM, out=np.zeros_like(overlap_NM), where=real_NM)


def areas(boxes_N4: NDArray[np.float64]) -> NDArray[np.float64]:
    """The area of each row.

    >>> areas(np.array([[0.0, 0.0, 2.0, 3.0]])).tolist()
    [6.0]
    """
    return (boxes_N4[:, 2] - boxes_N4[:, 0]) * (boxes_N4[:, 3] - boxes_N4[:, 1])


def giou(a: Box, b: Box) -> float:
    """Generalised IoU (arXiv 1902.09630): IoU - (hull - union) / hull, the hull being the smallest box around both; -1..1.

    Two boxes without area have a GIoU of -1, and so have boxes whose hull overflows.

    >>> giou((0, 0, 1, 1), (2, 0, 3, 1))
    -0.3333333333333333
    """
    hull = area((min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])))
    if not 0 < hull < math.inf:
        return -1.0
    overlap = max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    union = area(a) + area(b) - overlap
    return iou(a, b) - (hull - union) / hull
