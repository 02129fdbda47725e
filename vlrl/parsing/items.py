"""The objects that an answer lists, for telling which of them are the same (stdlib only)."""

from __future__ import annotations

import json
import re
from typing import Any

_FLAT_OBJECT = re.compile(r"\{[^{}]*+\}")
_PLACE_KEYS = ("bbox_2d", "bbox", "box", "point_2d", "point")


def listed_items(text: str) -> list[str]:
    """Every flat JSON object of a text as a string that is equal for equal objects; complete ones of a broken list too.

    An object with a box or a point is that and its label, whatever other keys it has: a running number does not make it new.

    >>> listed_items('[{"label": "cup", "bbox_2d": [1, 2.0], "id": 1}, {"id": 2, "bbox_2d": [1.0, 2], "label": "cup"}, {"b')
    ['[[1.0, 2.0], "cup"]', '[[1.0, 2.0], "cup"]']
    """
    objects = (_object(match.group()) for match in _FLAT_OBJECT.finditer(text))
    return [json.dumps(_identity(found), sort_keys=True) for found in objects if found]


def _object(text: str) -> dict[str, Any]:
    try:
        return json.loads(text, parse_int=_number)
    except (ValueError, RecursionError):
        return {}


def _number(digits: str) -> float | str:
    """Whole numbers as floats, so that 1 and 1.0 are the same; huge ones as they are written."""
    return float(digits) if len(digits) < 300 else digits


def _identity(found: dict[str, Any]) -> Any:
    place = next((found[key] for key in _PLACE_KEYS if key in found), None)
    return found if place is None else [place, found.get("label")]
