"""Points and polygons."""

from __future__ import annotations

from collections.abc import Sequence

from vlrl.geometry import Point


def inside_polygon(point: Point, polygon: Sequence[Point]) -> bool:
    """True when a ray from the point to the right crosses the polygon's outline an odd number of times (the even-odd rule).

    >>> inside_polygon((1, 1), [(0, 0), (4, 0), (0, 4)]), inside_polygon((3, 3), [(0, 0), (4, 0), (0, 4)])
    (True, False)
    """
    (x, y), inside = point, False
    for (x1, y1), (x2, y2) in zip(polygon, [*polygon[1:], polygon[0]], strict=True):
        if (y1 > y) != (y2 > y) and x < x1 + (y - y1) * (x2 - x1) / (y2 - y1):
            inside = not inside
    return inside
