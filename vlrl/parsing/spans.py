"""Spans of time in an answer's text (stdlib only). Patterns linear, digits ASCII: see `vlrl.parsing.boxes`."""

from __future__ import annotations

import re

from vlrl.parsing.boxes import MAX_COORDINATE

_TIME = r"(\d++:\d++(?::\d++)?+(?:\.\d++)?+|\d++(?:\.\d*+)?+)(?![eE:][-+]?+\d)"
_UNIT = r"""["']?+\s*+(?:seconds?+|secs?+|s)?+\s*+"""
_SPAN = re.compile(
    rf"(?<![\d.:]){_TIME}{_UNIT}(?:-->|-|\u2013|\u2014|to\b|and\b|until\b)\s*+{_TIME}"
    rf"""|[\[(]\s*+["']?+{_TIME}{_UNIT},\s*+["']?+{_TIME}{_UNIT}[\])]"""
    rf"|(?:start|begin)[^\d\n]{{0,30}}+{_TIME}\D{{0,30}}?(?:end|finish)[^\d\n]{{0,30}}+{_TIME}",
    re.ASCII | re.IGNORECASE,
)


def parse_span(text: str) -> tuple[float, float] | None:
    """The first span of a text as (start, end) in seconds, the earlier time first, or None.

    Read are `3.5 - 7`, "3.5s to 7s", "between 3 and 7", `[3.5, 7]`, "start: 3.5, end: 7" (also as JSON), with times in
    seconds, `mm:ss` or `hh:mm:ss`, and fractions of a second. Times have no sign.

    >>> parse_span("It happens in the 3.5 - 7 seconds."), parse_span("from 01:05 to 01:20.5")
    ((3.5, 7.0), (65.0, 80.5))
    >>> parse_span('{"start": 3.5, "end": 7}'), parse_span('{"time": [3.5, 7]}'), parse_span("at 3")
    ((3.5, 7.0), (3.5, 7.0), None)
    """
    for match in _SPAN.finditer(text):
        start, end = sorted(_seconds(time) for time in match.groups() if time is not None)
        if end <= MAX_COORDINATE:
            return start, end
    return None


def _seconds(time: str) -> float:
    """The seconds of `12.5`, `mm:ss` or `hh:mm:ss`."""
    total = 0.0
    for part in time.split(":"):
        total = total * 60 + float(part)
    return total
