"""The answer form of UI-R1 and GUI-R1, `[{'action': 'click', 'point': [1, 2]}]`, as their scorers read it (stdlib only).

For the published rules alone: single quotes and whole numbers only. `vlrl.parsing.actions` reads this form as well, and better.
"""

from __future__ import annotations

import re

from vlrl.geometry import Point
from vlrl.parsing.boxes import MAX_COORDINATE
from vlrl.parsing.tags import ANSWER, ANSWER_END

_NAME = re.compile(r"'action':\s*+'(\w++)'")
_BARE_NAME = re.compile(r"'action':\s*+(\w++)")
_TEXT = re.compile(r"'input_text':\s*+'([^'\n]*+)'")
_WHOLE_POINT = re.compile(r"\[(\d++),\s*+(\d++)\]")


def first_block(text: str) -> str | None:
    """The inside of the first closed answer block, stripped; None without one.

    >>> first_block("<answer> a </answer><answer>b</answer>")
    'a'
    """
    _, opened, rest = text.partition(ANSWER)
    inside, closed, _ = rest.partition(ANSWER_END)
    return inside.strip() if opened and closed else None


def action_name(block: str) -> str | None:
    """The first `'action': 'name'`; where no name stands in quotes, the first without.

    >>> action_name("[{'action': 'click'}]"), action_name("[{'action': click}]"), action_name('[{"action": "click"}]')
    ('click', 'click', None)
    """
    match = _NAME.search(block) or _BARE_NAME.search(block)
    return match[1] if match else None


def input_text(block: str) -> str | None:
    """The first `'input_text': 'words'`, up to the next quote.

    >>> input_text("[{'input_text': 'kate's'}]")
    'kate'
    """
    match = _TEXT.search(block)
    return match[1] if match else None


def whole_points(block: str) -> list[Point]:
    """Every pair of whole numbers in square brackets, in order: no signs, no decimals, no boxes.

    >>> whole_points("[1, 2] [1.5, 2] [-1, 2] [1, 2, 3, 4] [3,4]")
    [(1.0, 2.0), (3.0, 4.0)]
    """
    pairs = [(float(x), float(y)) for x, y in _WHOLE_POINT.findall(block)]
    return [pair for pair in pairs if max(pair) <= MAX_COORDINATE]
