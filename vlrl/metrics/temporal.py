"""Spans of time and boxes that move."""

from __future__ import annotations

from collections.abc import Mapping

from vlrl.geometry import Box
from vlrl.metrics.box_iou import iou

Span = tuple[float, float]


def span_iou(a: Span, b: Span) -> float:
    """Length of the overlap over length of the union; 0 for spans that do not overlap or have no length.

    >>> span_iou((0, 10), (5, 20))
    0.25
    """
    overlap = min(a[1], b[1]) - max(a[0], b[0])
    return overlap / (max(a[1], b[1]) - min(a[0], b[0])) if overlap > 0 else 0.0


def mean_frame_iou(boxes: Mapping[str, Box], gold: Mapping[str, Box]) -> float:
    """The mean IoU over the frames of the gold; a frame without a box counts 0, and so does one with reversed corners.

    >>> mean_frame_iou({"0": (0, 0, 2, 2)}, {"0": (0, 0, 2, 2), "1": (0, 0, 2, 2)})
    0.5
    """
    return sum(iou(boxes[name], box) for name, box in gold.items() if name in boxes) / len(gold)
