"""Intersection over union: the one definition in the project."""

from __future__ import annotations

import math

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
