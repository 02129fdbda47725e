"""Checks of gold answers, shared by the rewards. A malformed gold answer is a bug in the data: it raises, it never scores."""

from __future__ import annotations

from vlrl.geometry import SPACES, Box, Size, as_box, space_extent
from vlrl.types import Answer

EDGE_SLACK = 1.0
"""Pixels by which a gold box may cross the image's edge: published boxes are rounded."""


def gold_box(answer: Answer) -> Box:
    """The answer's `box`, after a check of everything that scoring a box or a point needs.

    Raises ValueError naming the key for a missing or malformed `box` (not four finite numbers, reversed corners, more than
    `EDGE_SLACK` outside the image), `image_size`, `processed_size` or `space`.

    >>> gold_box({"box": [1, 2, 3, 4]})
    (1.0, 2.0, 3.0, 4.0)
    """
    if "box" not in answer:
        raise ValueError("answer has no 'box'")
    return checked_box(answer["box"], "box", checked_space(answer))


def checked_box(value: object, key: str, image_size: Size | None) -> Box:
    """A gold box that stands under `key`, after the checks of `gold_box`.

    >>> checked_box([1, 2, 3, 4], "box", (640, 480))
    (1.0, 2.0, 3.0, 4.0)
    """
    try:
        box = as_box(value)
    except ValueError as error:
        raise ValueError(f"answer {key!r}: {error}") from error
    if image_size and not _fits(box, image_size):
        raise ValueError(f"answer {key!r}: {list(box)} lies outside the image, whose 'image_size' is {list(image_size)}")
    return box


def checked_space(answer: Answer) -> Size | None:
    """The image's size, if the answer has it, after a check that the answer's space can be converted to pixels.

    >>> checked_space({"image_size": [640, 480], "space": "thousandths"})
    (640.0, 480.0)
    """
    space = answer.get("space", "pixels")
    if space not in SPACES:
        raise ValueError(f"answer 'space': unknown coordinate space {space!r}; choose one of {', '.join(SPACES)}")
    image_size, processed_size = _size(answer, "image_size"), _size(answer, "processed_size")
    if space != "pixels":
        if image_size is None:
            raise ValueError(f"answer has no 'image_size', which space {space!r} needs")
        space_extent(space, image_size, processed_size)
    return image_size


def _size(answer: Answer, key: str) -> Size | None:
    value = answer.get(key)
    if value is None:
        return None
    try:
        _, _, width, height = as_box([0, 0, *value])
    except (TypeError, ValueError) as error:
        raise ValueError(f"answer {key!r} is two numbers [width, height], not {value!r}") from error
    if width == 0 or height == 0:
        raise ValueError(f"answer {key!r} has no area: {value!r}")
    return width, height


def _fits(box: Box, image_size: Size) -> bool:
    x1, y1, x2, y2 = box
    return min(x1, y1) >= -EDGE_SLACK and x2 <= image_size[0] + EDGE_SLACK and y2 <= image_size[1] + EDGE_SLACK
