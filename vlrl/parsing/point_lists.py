"""Lists of points in an answer's text (stdlib only).

Numbers as written, patterns linear, digits ASCII: see `vlrl.parsing.boxes`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from vlrl.geometry import Box, Point
from vlrl.parsing.boxes import COMMA, NUMBER
from vlrl.parsing.detections import LABEL_KEYS, says_nothing
from vlrl.parsing.json_text import json_value, numbers

POINT_KEYS = ("point_2d", "point", "position", "coordinate")
MAX_DEPTH = 20

_PAIR = re.compile(rf"[\[(]\s*+({NUMBER}){COMMA}({NUMBER})\s*+[\])]", re.ASCII)
_TAG = re.compile(rf"""<point\s++x="({NUMBER})"\s++y="({NUMBER})"(?:\s++alt="([^"<]*+)")?+""", re.ASCII)


class NamedPoint(NamedTuple):
    """A point as it was written, and its label, if any."""

    point: Point
    label: str | None = None


class MaskPrompt(NamedTuple):
    """What a segmenter is prompted with: a box, points on the thing and points beside it."""

    box: Box | None
    positive: list[Point]
    negative: list[Point]


def parse_points(text: str) -> list[NamedPoint] | None:
    """All points of a text in order, with their labels; [] when it says that there are none; None when nothing reads as points.

    Read are JSON, an object or a list of objects with a key `point_2d`, `point`, `position` or `coordinate` and one of
    `label`, `category`, `class`, `name`, an object `{"nose": [1, 2], ...}`, or a list of pairs; else
    `<point x="1" y="2" alt="cat">`; else pairs in brackets.

    >>> parse_points('[{"point_2d": [1, 2], "label": "nose"}]')
    [NamedPoint(point=(1.0, 2.0), label='nose')]
    >>> [named.point for named in parse_points("(1, 2), (3, 4)")], parse_points("none"), parse_points("here")
    ([(1.0, 2.0), (3.0, 4.0)], [], None)
    """
    if says_nothing(text):
        return []
    is_json, value = json_value(text)
    if is_json:
        return list(_in_value(value, MAX_DEPTH)) or None
    tagged = [_named(match.groups()) for match in _TAG.finditer(text)]
    found = tagged or [_named((*match.groups(), None)) for match in _PAIR.finditer(text)]
    return [named for named in found if named] or None


def parse_mask_prompt(text: str) -> MaskPrompt | None:
    """The object `{"bbox_2d": [...], "positive_points": [[x, y], ...], "negative_points": [...]}` of a text, or None.

    The box may also stand under `boxes`, `bbox` or `box`. None when the text is no such object in JSON, or lacks positive points.

    >>> parse_mask_prompt('{"boxes": [1, 2, 3, 4], "positive_points": [[2, 3]], "negative_points": []}')
    MaskPrompt(box=(1.0, 2.0, 3.0, 4.0), positive=[(2.0, 3.0)], negative=[])
    """
    _, value = json_value(text)
    if not isinstance(value, dict):
        return None
    positive, negative = _pairs(value.get("positive_points")), _pairs(value.get("negative_points", []))
    if not positive or negative is None:
        return None
    box = next((numbers(value[key], 4) for key in ("bbox_2d", "boxes", "bbox", "box") if key in value), None)
    return MaskPrompt((box[0], box[1], box[2], box[3]) if box else None, positive, negative)


def _pairs(value: Any) -> list[Point] | None:
    """A list of pairs as points; None when it is anything else."""
    found = [numbers(item, 2) for item in value] if isinstance(value, list) else [None]
    return None if None in found else [(pair[0], pair[1]) for pair in found if pair]


def _in_value(value: Any, depth: int) -> Iterator[NamedPoint]:
    if isinstance(value, dict):
        pair = numbers(next((value[key] for key in POINT_KEYS if key in value), None), 2)
        label = next((value[key] for key in LABEL_KEYS if key in value), None)
        if pair:
            yield NamedPoint((pair[0], pair[1]), label if isinstance(label, str) else None)
            return
        pairs = {key: numbers(item, 2) for key, item in value.items()}
        yield from (NamedPoint((pair[0], pair[1]), key) for key, pair in pairs.items() if pair)
        value = [value[key] for key, pair in pairs.items() if not pair]
    if isinstance(value, list) and depth:
        pair = numbers(value, 2)
        if pair:
            yield NamedPoint((pair[0], pair[1]))
            return
        for item in value:
            if isinstance(item, (dict, list)):
                yield from _in_value(item, depth - 1)


def _named(groups: tuple[str | None, ...]) -> NamedPoint | None:
    x, y, label = groups
    pair = numbers([float(x or "nan"), float(y or "nan")], 2)
    return NamedPoint((pair[0], pair[1]), label) if pair else None
