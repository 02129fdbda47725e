"""Boxes in an answer's text (stdlib only).

The numbers come back as they were written, in the space that the model answers in. The patterns are anchored at a bracket and
possessive, so hostile text costs linear time. Digits are ASCII digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from vlrl.geometry import Box

MAX_COORDINATE = 1e9
"""No image is that large: a number beyond it is no coordinate."""

NUMBER = r"[-+]?+(?:\d++(?:\.\d*+)?+|\.\d++)(?:[eE][-+]?+\d++)?+"
COMMA = r"\s*+,\s*+"
PAIR = rf"\(\s*+({NUMBER}){COMMA}({NUMBER})\s*+\)"
FOUR = rf"[\[(]\s*+({NUMBER}){COMMA}({NUMBER}){COMMA}({NUMBER}){COMMA}({NUMBER})\s*+[\])]"
TWO_CORNERS = rf"{PAIR}\s*+,?+\s*+{PAIR}"

_KEYED = re.compile(rf"""["'](?:bbox_2d|bbox|box)["']\s*+:\s*+{FOUR}""", re.ASCII)
_ANY = re.compile(rf"{FOUR}|{TWO_CORNERS}", re.ASCII)


def parse_boxes(text: str) -> list[Box]:
    """All boxes of a text, in order: four numbers each, not checked for reversed corners.

    If a key `bbox_2d`, `bbox` or `box` names a box, only keyed boxes count (a size or a label may hold brackets too). Else it
    is four numbers in one bracket, as in `[1, 2, 3, 4]` or `<box>[[1, 2, 3, 4]]</box>`, or two corners, `(1,2),(3,4)`.
    Five numbers are no box, nor are four of which one is NaN, infinite or beyond `MAX_COORDINATE`.

    >>> parse_boxes('[{"bbox_2d": [1, 2, 3, 4], "label": "cat"}, {"bbox_2d": [5, 6, 7.5, 8]}]')
    [(1.0, 2.0, 3.0, 4.0), (5.0, 6.0, 7.5, 8.0)]
    >>> parse_boxes("<|box_start|>(1,2),(3,4)<|box_end|>")
    [(1.0, 2.0, 3.0, 4.0)]
    """
    return list(_boxes(_KEYED, text)) or list(_boxes(_ANY, text))


def parse_box(text: str) -> Box | None:
    """The first of `parse_boxes`, or None. Where one box is asked for, only the first counts: listing many earns nothing more.

    >>> parse_box("[1, 2, 3, 4] or [5, 6, 7, 8]")
    (1.0, 2.0, 3.0, 4.0)
    """
    return next(_boxes(_KEYED, text), None) or next(_boxes(_ANY, text), None)


def _boxes(pattern: re.Pattern[str], text: str) -> Iterator[Box]:
    for match in pattern.finditer(text):
        x1, y1, x2, y2 = (float(number) for number in match.groups() if number is not None)
        if max(abs(x1), abs(y1), abs(x2), abs(y2)) <= MAX_COORDINATE:
            yield x1, y1, x2, y2
