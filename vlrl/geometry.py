"""Boxes, points and the coordinate spaces models answer in. Every conversion in the project happens here (stdlib only).

A model family declares its space; nothing ever guesses from a number's magnitude. Gold geometry stays in original pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, get_args

Point = tuple[float, float]
Box = tuple[float, float, float, float]
Size = tuple[float, float]
CoordSpace = Literal["pixels", "processed", "thousandths", "unit"]
"""pixels: of the original image; processed: of the image as the model saw it; thousandths: 0-1000 of each side; unit: 0-1."""

SPACES: tuple[str, ...] = get_args(CoordSpace)


def space_extent(space: str, image_size: Size | None, processed_size: Size | None) -> Size:
    """The (width, height) that the whole image has in `space`.

    Raises ValueError when the size which the space needs is not known.

    >>> space_extent("thousandths", (640, 480), None)
    (1000.0, 1000.0)
    """
    fixed = {"thousandths": (1000.0, 1000.0), "unit": (1.0, 1.0)}
    if space in fixed:
        return fixed[space]
    if space not in SPACES:
        raise ValueError(f"unknown coordinate space {space!r}; choose one of {', '.join(SPACES)}")
    size = image_size if space == "pixels" else processed_size
    if size is None:
        raise ValueError(f"space {space!r} needs {'image_size' if space == 'pixels' else 'processed_size'} as [width, height]")
    return float(size[0]), float(size[1])


def to_pixels(
    values: Sequence[float], space: str, image_size: Size | None, processed_size: Size | None = None
) -> tuple[float, ...]:
    """Alternating x, y values in `space` as original pixels. `pixels` needs no size: it is the identity.

    >>> to_pixels((250, 500), "thousandths", (640, 480))
    (160.0, 240.0)
    >>> to_pixels((14, 14), "processed", (640, 480), (1280, 960))
    (7.0, 7.0)
    """
    if space == "pixels":
        return tuple(map(float, values))
    if image_size is None:
        raise ValueError(f"space {space!r} needs image_size as [width, height]")
    width, height = space_extent(space, image_size, processed_size)
    return tuple(v * image_size[i % 2] / (width, height)[i % 2] for i, v in enumerate(values))


def from_pixels(
    values: Sequence[float], space: str, image_size: Size | None, processed_size: Size | None = None
) -> tuple[float, ...]:
    """The inverse of `to_pixels`.

    >>> from_pixels((160, 240), "thousandths", (640, 480))
    (250.0, 500.0)
    """
    if space == "pixels":
        return tuple(float(v) for v in values)
    if image_size is None:
        raise ValueError(f"space {space!r} needs image_size as [width, height]")
    width, height = space_extent(space, image_size, processed_size)
    return tuple(v * (width, height)[i % 2] / image_size[i % 2] for i, v in enumerate(values))


def answer_pixels(values: Sequence[float], answer: dict[str, Any]) -> tuple[float, ...]:
    """A completion's values as original pixels, by the `space`, `image_size` and `processed_size` that its answer declares."""
    return to_pixels(values, answer.get("space", "pixels"), answer.get("image_size"), answer.get("processed_size"))


def as_box(values: Any) -> Box:
    """Four finite numbers with x1 <= x2 and y1 <= y2, else ValueError.

    >>> as_box([1, 2, 3, 4])
    (1.0, 2.0, 3.0, 4.0)
    """
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        raise ValueError(f"a box is four numbers [x1, y1, x2, y2], not {values!r}")
    for value in values:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ValueError(f"a box is four numbers [x1, y1, x2, y2], not {values!r}")
        if not -math.inf < value < math.inf:
            raise ValueError(f"a box has finite numbers, not {values!r}")
    try:
        x1, y1, x2, y2 = map(float, values)
    except OverflowError as error:
        raise ValueError("a box has numbers below 1e308") from error
    if x1 > x2 or y1 > y2:
        raise ValueError(f"a box has x1 <= x2 and y1 <= y2, not {values!r}")
    return x1, y1, x2, y2


def from_xywh(values: Any) -> Box:
    """A box given as `[x, y, width, height]`; ValueError where `as_box` would raise it.

    >>> from_xywh([1, 2, 3, 4])
    (1.0, 2.0, 4.0, 6.0)
    """
    if not isinstance(values, (list, tuple)) or len(values) != 4:
        raise ValueError(f"a box is four numbers [x, y, width, height], not {values!r}")
    x, y, width, height = values
    try:
        return as_box([x, y, x + width, y + height])
    except TypeError as error:
        raise ValueError(f"a box is four numbers [x, y, width, height], not {values!r}") from error


def area(box: Box) -> float:
    """Area in squared units of the box's space.

    >>> area((0, 0, 2, 3))
    6
    """
    return (box[2] - box[0]) * (box[3] - box[1])


def center(box: Box) -> Point:
    """The middle of a box.

    >>> center((0, 0, 2, 3))
    (1.0, 1.5)
    """
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
