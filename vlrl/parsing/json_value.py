"""Text that is JSON and nothing else (stdlib only); `vlrl.parsing.json_text` reads answers, this judges their form."""

from __future__ import annotations

import json
from typing import Any, NoReturn

FENCE = "```"


def parse_json(text: str) -> dict[str, Any] | list[Any] | None:
    """The object or list that the whole text is, inside one Markdown fence or bare; None when it is no such thing.

    Strict: no repair, no comments, no NaN or Infinity, no text around it.

    >>> parse_json('```json\\n{"a": [1]}\\n```'), parse_json('Here: {"a": 1}'), parse_json("[NaN]"), parse_json("5")
    ({'a': [1]}, None, None, None)
    """
    try:
        value = json.loads(_inside_fence(text.strip()), parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, (dict, list)) else None


def _inside_fence(text: str) -> str:
    if not (text.startswith(FENCE) and text.endswith(FENCE) and len(text) > 2 * len(FENCE)):
        return text
    return text[len(FENCE) : -len(FENCE)].removeprefix("json")


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)
