"""Checks of gold answers that hold more than one box: lists of boxes and points, spans of time, boxes by frame."""

from __future__ import annotations

from typing import Any, NamedTuple

from vlrl.geometry import Box, Point, Size, as_box
from vlrl.rewards.gold import EDGE_SLACK, checked_box, checked_space
from vlrl.types import Answer

Span = tuple[float, float]


class GoldBox(NamedTuple):
    """One box of `boxes`. `label` is lower case with single spaces, or None."""

    box: Box
    label: str | None


def plain_label(label: str | None) -> str | None:
    """A label as labels are compared: lower case, single spaces.

    >>> plain_label(" Traffic  Light")
    'traffic light'
    """
    return None if label is None else " ".join(label.lower().split())


def gold_boxes(answer: Answer) -> list[GoldBox]:
    """The answer's `boxes`, `[{"box": [x1, y1, x2, y2], "label": "cat"}, ...]`; [] says that nothing is there.

    Raises ValueError naming the key for a missing or malformed `boxes` (a box that `vlrl.rewards.gold.gold_box` would refuse,
    a label that is no text, labels on some boxes only), `image_size`, `processed_size` or `space`.

    >>> gold_boxes({"boxes": [{"box": [1, 2, 3, 4], "label": "Cat"}]})
    [GoldBox(box=(1.0, 2.0, 3.0, 4.0), label='cat')]
    """
    items, image_size = _items(answer, "boxes"), checked_space(answer)
    found = [_gold_box(item, image_size) for item in items]
    if len({item.label is None for item in found}) == 2:
        raise ValueError("answer 'boxes': either every box has a 'label' or none has")
    return found


def _gold_box(item: Any, image_size: Size | None) -> GoldBox:
    label = item.get("label") if isinstance(item, dict) else 0
    if not (label is None or isinstance(label, str)):
        raise ValueError("answer 'boxes' holds objects {'box': [x1, y1, x2, y2], 'label': text}")
    return GoldBox(checked_box(item.get("box"), "boxes", image_size), plain_label(label))


def gold_points(answer: Answer, key: str = "points") -> list[Point]:
    """The answer's list of points `[[x, y], ...]` under `key`; [] says that there are none.

    Raises ValueError naming the key for a missing or malformed list (not two finite numbers each, more than `EDGE_SLACK`
    outside the image), or a missing `image_size`.

    >>> gold_points({"points": [[1, 2]], "image_size": [640, 480]})
    [(1.0, 2.0)]
    """
    items, (width, height) = _items(answer, key), image_size_of(answer)
    return [_point(item, key, (width + EDGE_SLACK, height + EDGE_SLACK)) for item in items]


def image_size_of(answer: Answer) -> Size:
    """The answer's `image_size`, after the checks of its space; ValueError when it is missing.

    >>> image_size_of({"image_size": [640, 480]})
    (640.0, 480.0)
    """
    size = checked_space(answer)
    if size is None:
        raise ValueError("answer has no 'image_size'")
    return size


def _point(value: Any, key: str, limit: Size) -> Point:
    try:
        x, y, _, _ = as_box([*value, *limit])
    except (TypeError, ValueError) as error:
        raise ValueError(f"answer {key!r}: a point is two numbers [x, y] inside the image, not {value!r}") from error
    if min(x, y) < -EDGE_SLACK:
        raise ValueError(f"answer {key!r}: {value!r} lies outside the image")
    return x, y


def gold_span(answer: Answer) -> Span:
    """The answer's `span`, `[start, end]` in seconds.

    Raises ValueError naming `span` when it is missing or is not two finite numbers with 0 <= start <= end.

    >>> gold_span({"span": [1, 2.5]})
    (1.0, 2.5)
    """
    if "span" not in answer:
        raise ValueError("answer has no 'span'")
    try:
        _, _, start, end = as_box([0, 0, *answer["span"]])
        if start > end:
            raise ValueError
    except (TypeError, ValueError) as error:
        raise ValueError(f"answer 'span' is [start, end] in seconds, not {answer['span']!r}") from error
    return start, end


def gold_frames(answer: Answer) -> dict[str, Box]:
    """The answer's `frames`: a box for each frame's name (its number or second, as text), at least one.

    Raises ValueError naming the key for missing, empty or malformed `frames`, `image_size`, `processed_size` or `space`.

    >>> gold_frames({"frames": {"0": [1, 2, 3, 4]}})
    {'0': (1.0, 2.0, 3.0, 4.0)}
    """
    if "frames" not in answer:
        raise ValueError("answer has no 'frames'")
    frames, image_size = answer["frames"], checked_space(answer)
    if not isinstance(frames, dict) or not frames:
        raise ValueError(f"answer 'frames' is an object {{frame: [x1, y1, x2, y2]}}, not {frames!r}")
    return {str(name): checked_box(box, "frames", image_size) for name, box in frames.items()}


def _items(answer: Answer, key: str) -> list[Any]:
    if key not in answer:
        raise ValueError(f"answer has no {key!r}")
    if not isinstance(answer[key], list):
        raise ValueError(f"answer {key!r} is a list, not {answer[key]!r}")
    return answer[key]
