"""Boxes with labels and confidences in an answer's text (stdlib only).

Numbers as written, patterns linear, digits ASCII: see `vlrl.parsing.boxes`. JSON is read as JSON; what is no valid JSON (cut
off, Python quotes, words around it) is read object by object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from vlrl.geometry import Box
from vlrl.parsing.boxes import FOUR, NUMBER, TWO_CORNERS
from vlrl.parsing.json_text import fenced, is_coordinate, json_value, numbers

BOX_KEYS = ("bbox_2d", "bbox", "box", "position")
LABEL_KEYS = ("label", "category", "class", "name")
CONFIDENCE_KEYS = ("confidence", "score")
NOTHING = ("", "[]", "{}", "none", "null", "no object", "no objects")

_ROLES = {key: role for role, keys in (("box", BOX_KEYS), ("label", LABEL_KEYS), ("confidence", CONFIDENCE_KEYS)) for key in keys}

MAX_NOTHING = 20
MAX_DEPTH = 20


class Detection(NamedTuple):
    """One box as it was written, perhaps with reversed corners; its label and its confidence, if any."""

    box: Box
    label: str | None = None
    confidence: float | None = None


def parse_detections(text: str) -> list[Detection] | None:
    """All boxes of a text in order, with their labels and confidences; [] when it says that there are none; else None.

    Read are, in this order: JSON, an object or a list of objects with a key `bbox_2d`, `bbox`, `box` or `Position`, one of
    `label`, `category`, `class`, `name`, and one of `Confidence`, `score` (case does not matter), or a list of boxes; the
    same objects where the JSON is broken, if they are closed; `<ref>cat</ref><box>[[1, 2, 3, 4]]</box>` and
    `<|object_ref_start|>cat<|object_ref_end|><|box_start|>(1,2),(3,4)<|box_end|>`; bare boxes. An object whose box is not
    four numbers is left out. "None", "No Objects", `null` and `[]`, fenced or not, say that there are none.

    >>> parse_detections('```json\\n[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}]\\n```')
    [Detection(box=(1.0, 2.0, 3.0, 4.0), label='cat', confidence=None)]
    >>> parse_detections("[{'Position': [1, 2, 3, 4], 'Confidence': 0.8}, {'Position': [5, 6")
    [Detection(box=(1.0, 2.0, 3.0, 4.0), label=None, confidence=0.8)]
    >>> parse_detections("None"), parse_detections("I see a cat")
    ([], None)
    """
    if says_nothing(text):
        return []
    is_json, value = json_value(text)
    if is_json:
        return _in_value(value, MAX_DEPTH) or ([] if _is_empty(value) else None)
    return list(_in_objects(text)) or list(_in_tags(text)) or None


def says_nothing(text: str) -> bool:
    """True for "None", "no objects", `[]` and the like, perhaps in a code fence, as the whole text.

    >>> says_nothing("None."), says_nothing("I see none of them")
    (True, False)
    """
    inside = fenced(text)
    return len(inside) < MAX_NOTHING and inside.strip(" .\n").lower() in NOTHING


def _is_empty(value: Any) -> bool:
    """True for an empty list or object, or an object of such."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else [value]
    return all(item in (None, [], {}) for item in inner)


def _in_value(value: Any, depth: int) -> list[Detection]:
    if isinstance(value, dict):
        found = _from_object(value)
        if found:
            return [found]
        value = list(value.values())
    box = _box(value)
    if box:
        return [Detection(box)]
    if not isinstance(value, list) or not depth:
        return []
    return [found for item in value if isinstance(item, (dict, list)) for found in _in_value(item, depth - 1)]


def _from_object(value: dict[str, Any]) -> Detection | None:
    fields: dict[str, Any] = {}
    for key, item in value.items():
        role = _ROLES.get(key) or _ROLES.get(key.lower())
        if role and role not in fields:
            fields[role] = item
    box = _box(fields.get("box"))
    if box is None:
        return None
    label, confidence = fields.get("label"), fields.get("confidence")
    sure = float(confidence) if confidence is not None and is_coordinate(confidence) else None
    return Detection(box, label if isinstance(label, str) else None, sure)


_OBJECT = re.compile(r"\{[^{}]*+\}")
_KEY = r"""["'](?:{keys})["']\s*+:\s*+"""
_BOX = re.compile(_KEY.format(keys="|".join(BOX_KEYS)) + FOUR, re.ASCII | re.IGNORECASE)
_LABEL = re.compile(_KEY.format(keys="|".join(LABEL_KEYS)) + r"""(?:"([^"]*+)"|'([^']*+)')""", re.ASCII | re.IGNORECASE)
_CONFIDENCE = re.compile(_KEY.format(keys="|".join(CONFIDENCE_KEYS)) + f"({NUMBER})", re.ASCII | re.IGNORECASE)


def _in_objects(text: str) -> Iterator[Detection]:
    for match in _OBJECT.finditer(text):
        inside = match.group()
        boxes, label, confidence = _BOX.search(inside), _LABEL.search(inside), _CONFIDENCE.search(inside)
        box = _box([float(number) for number in boxes.groups()]) if boxes else None
        if box:
            sure = float(confidence.group(1)) if confidence else None
            named = next((name for name in label.groups() if name is not None), None) if label else None
            yield Detection(box, named, sure if is_coordinate(sure) else None)


_TAGGED = re.compile(rf"(?:<ref>|<\|object_ref_start\|>)([^<]*+)(?:</ref>|<\|object_ref_end\|>)|{FOUR}|{TWO_CORNERS}", re.ASCII)


def _in_tags(text: str) -> Iterator[Detection]:
    """Boxes behind names; each takes the last name before it."""
    label = None
    for match in _TAGGED.finditer(text):
        name, *found = match.groups()
        if name is not None:
            label = name
            continue
        box = _box([float(number) for number in found if number is not None])
        if box:
            yield Detection(box, label)


def _box(value: Any) -> Box | None:
    found = numbers(value, 4)
    return (found[0], found[1], found[2], found[3]) if found else None
