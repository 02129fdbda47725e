"""Does a click hit an element?"""

from __future__ import annotations

import math

from vlrl.geometry import Box, Point, Size


def inside(point: Point, box: Box) -> bool:
    """True when the point lies in the box, its edges included (the rule of the ScreenSpot scorers).

    >>> inside((0, 5), (0, 0, 10, 10))
    True
    """
    return box[0] <= point[0] <= box[2] and box[1] <= point[1] <= box[3]


def strictly_inside(point: Point, box: Box) -> bool:
    """True when the point lies in the box and not on an edge (the rule of GUI-R1 and BTL-UI).

    >>> strictly_inside((0, 5), (0, 0, 10, 10))
    False
    """
    return box[0] < point[0] < box[2] and box[1] < point[1] < box[3]


def screen_distance(a: Point, b: Point, screen: Size) -> float:
    """The distance of two points, where the screen is 1 wide and 1 high: sqrt((dx / width)^2 + (dy / height)^2).

    >>> screen_distance((0, 0), (30, 80), (100, 200))
    0.5
    """
    return math.hypot((a[0] - b[0]) / screen[0], (a[1] - b[1]) / screen[1])
