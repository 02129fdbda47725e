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


def on_outline(point: Point, polygon: Sequence[Point]) -> bool:
    """True when the point lies on one of the polygon's edges, or at most a billionth of its length beside it.

    >>> on_outline((2, 0), [(0, 0), (4, 0), (0, 4)]), on_outline((1, 1), [(0, 0), (4, 0), (0, 4)])
    (True, False)
    """
    return any(_on_edge(point, a, b) for a, b in zip(polygon, [*polygon[1:], polygon[0]], strict=True))


def _on_edge(point: Point, a: Point, b: Point) -> bool:
    (x, y), (x1, y1), (x2, y2) = point, a, b
    within = min(x1, x2) <= x <= max(x1, x2) and min(y1, y2) <= y <= max(y1, y2)
    length_squared = (x2 - x1) ** 2 + (y2 - y1) ** 2
    return within and abs((x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)) <= 1e-9 * length_squared
