"""Does a click hit an element?"""

from __future__ import annotations

from vlrl.geometry import Box, Point


def inside(point: Point, box: Box) -> bool:
    """True when the point lies in the box, its edges included (the rule of the ScreenSpot scorers).

    >>> inside((0, 5), (0, 0, 10, 10))
    True
    """
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]
