"""Boxes by frame in an answer's text (stdlib only).

Numbers as written, patterns linear, digits ASCII: see `vlrl.parsing.boxes`.
"""

from __future__ import annotations

import re
from typing import Any

from vlrl.geometry import Box
from vlrl.parsing.boxes import FOUR
from vlrl.parsing.json_text import is_coordinate, json_value, numbers

BOX_KEYS = ("bbox_2d", "bbox", "box")
FRAME_KEYS = ("frame", "time", "timestamp", "second")

_KEYED = re.compile(rf"""["'](\d{{1,9}}+(?:\.\d{{0,9}}+)?+)["']\s*+:\s*+{FOUR}""", re.ASCII)


def frame_name(name: str) -> str:
    """A frame's name as names are compared: numbers by their value.

    >>> frame_name("01"), frame_name("1.0"), frame_name("1.50"), frame_name("a")
    ('1', '1', '1.5', 'a')
    """
    try:
        return f"{float(name):.9g}" if name.isascii() else name
    except ValueError:
        return name


def parse_frame_boxes(text: str) -> dict[str, Box]:
    """The box of each frame, by `frame_name`; of two for one frame the last. Empty when nothing reads as such.

    Read are the JSON objects `{"boxes": {"1": [x1, y1, x2, y2], ...}}` and `{"1": [...], ...}`, a JSON list of
    `{"frame": 1, "bbox_2d": [...]}` (or `time`, `timestamp`, `second`), and pairs `"1": [...]` where the JSON is broken.

    >>> parse_frame_boxes('{"time": [0, 2], "boxes": {"1": [1, 2, 3, 4]}}')
    {'1': (1.0, 2.0, 3.0, 4.0)}
    >>> parse_frame_boxes('[{"frame": 1, "bbox_2d": [1, 2, 3, 4]}]'), parse_frame_boxes('{"1": [1, 2, 3, 4], "2": [1, 2')
    ({'1': (1.0, 2.0, 3.0, 4.0)}, {'1': (1.0, 2.0, 3.0, 4.0)})
    """
    is_json, value = json_value(text)
    if not is_json:
        pairs = [(name, [float(side) for side in sides]) for name, *sides in _KEYED.findall(text)]
    else:
        pairs = _pairs(value)
    found = {frame_name(name): numbers(box, 4) for name, box in pairs}
    return {name: (box[0], box[1], box[2], box[3]) for name, box in found.items() if box}


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, dict):
        boxes = value.get("boxes", value)
        return list(boxes.items()) if isinstance(boxes, dict) else _pairs(boxes)
    return [pair for item in value if isinstance(item, dict) for pair in _frame_of(item)] if isinstance(value, list) else []


def _frame_of(item: dict[str, Any]) -> list[tuple[str, Any]]:
    frame = next((item[key] for key in FRAME_KEYS if key in item), None)
    box = next((item[key] for key in BOX_KEYS if key in item), None)
    return [(str(frame), box)] if isinstance(frame, str) or is_coordinate(frame) else []
