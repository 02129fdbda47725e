"""Click points in an answer's text (stdlib only). Numbers as written, patterns linear, digits ASCII: see `vlrl.parsing.boxes`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlrl.geometry import Point
from vlrl.parsing.boxes import COMMA, FOUR, MAX_COORDINATE, NUMBER, TWO_CORNERS

_TWO = rf"[\[(]\s*+({NUMBER}){COMMA}({NUMBER})\s*+[\])]"
_NAMED = rf"""\bx["']?+\s*+[=:]\s*+({NUMBER})\s*+,?+\s*+["']?+y["']?+\s*+[=:]\s*+({NUMBER})"""

_KEYED = re.compile(rf"""["'](?:point_2d|point|coordinate|coordinates)["']\s*+:\s*+(?:{FOUR}|{_TWO})""", re.ASCII)
_ANY = re.compile(rf"{FOUR}|{TWO_CORNERS}|{_TWO}|{_NAMED}", re.ASCII)


def parse_point(text: str) -> Point | None:
    """The first point of a text, or None. Only the first counts: listing many earns nothing more.

    If a key `point_2d`, `point`, `coordinate` or `coordinates` names a point (as in a tool call), the first keyed one counts.
    Else it is two numbers in one bracket, as in `[1, 2]`, `click(1, 2)` or `<|box_start|>(1,2)<|box_end|>`, or `x=1, y=2`.
    A box, in any form of `parse_boxes` and with its corners in any order, stands for its centre, as in the ScreenSpot scorers.
    Three numbers are no point.

    >>> parse_point('{"name": "computer", "arguments": {"action": "left_click", "coordinate": [10, 20]}}')
    (10.0, 20.0)
    >>> parse_point("[0, 0, 10, 20]")
    (5.0, 10.0)
    """
    return next(_points(_KEYED, text), None) or next(_points(_ANY, text), None)


def _points(pattern: re.Pattern[str], text: str) -> Iterator[Point]:
    for match in pattern.finditer(text):
        numbers = [float(number) for number in match.groups() if number is not None]
        if max(map(abs, numbers)) <= MAX_COORDINATE:
            corners = len(numbers) // 2
            yield sum(numbers[0::2]) / corners, sum(numbers[1::2]) / corners
