"""The JSON value of an answer's text (stdlib only)."""

from __future__ import annotations

import json
from typing import Any

from vlrl.parsing.boxes import MAX_COORDINATE

FENCE = "```"


def fenced(text: str) -> str:
    """The inside of the text's last closed code fence, without its language, or of an unclosed one; else the text.

    >>> fenced('Here: ```json [1] ``` done')
    '[1]'
    """
    parts = text.split(FENCE)
    if len(parts) < 2:
        return text.strip()
    inside = parts[-2] if len(parts) % 2 else parts[-1]
    return inside.strip().removeprefix("json").strip()


def json_value(text: str) -> tuple[bool, Any]:
    """(True, value) when the text, or the inside of its code fence, is one JSON value; else (False, None).

    >>> json_value('```json\\n[1, 2]\\n```'), json_value("[1, 2")
    ((True, [1, 2]), (False, None))
    """
    try:
        return True, json.loads(fenced(text))
    except (ValueError, RecursionError):
        return False, None


def numbers(value: Any, length: int) -> tuple[float, ...] | None:
    """A list of that many coordinates as floats, or None: no booleans, nothing beyond `MAX_COORDINATE`.

    >>> numbers([1, 2.5], 2), numbers([1, True], 2), numbers([1, 2, 3], 2)
    ((1.0, 2.5), None, None)
    """
    if type(value) is not list or len(value) != length:
        return None
    for item in value:
        if (type(item) is not float and type(item) is not int) or not -MAX_COORDINATE <= item <= MAX_COORDINATE:
            return None
    return tuple(map(float, value))


def is_coordinate(value: Any) -> bool:
    """True for a finite number of at most `MAX_COORDINATE` in size.

    >>> is_coordinate(3), is_coordinate(float("nan")), is_coordinate("3")
    (True, False, False)
    """
    return type(value) in (int, float) and -MAX_COORDINATE <= value <= MAX_COORDINATE
