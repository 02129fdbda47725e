"""A count in an answer's text (stdlib only). Digits are ASCII digits."""

from __future__ import annotations

import re

ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"),
    *("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
MAX_DIGITS = 9
"""Of a count; a longer run of digits is no count."""

_WORDS = {word: value for value, word in enumerate(ONES)} | {word: 10 * value for value, word in enumerate(TENS, start=2)}
_TOKEN = re.compile(
    rf"(?P<digits>[-+]?+(?:\d{{1,3}}(?:,\d{{3}})++(?!\d)|\d++)(?:\.\d++)?+)"
    rf"|\b(?P<tens>{'|'.join(TENS)})[- ](?P<ones>{'|'.join(ONES[1:10])})\b|\b(?P<word>{'|'.join(_WORDS)})\b",
    re.ASCII | re.IGNORECASE,
)


def parse_counts(text: str) -> list[float]:
    """All numbers of a text in order, written in digits or as English words up to ninety-nine.

    >>> parse_counts("There are 1,204 sheep."), parse_counts("Twenty-one."), parse_counts("3 cats and two dogs")
    ([1204.0], [21.0], [3.0, 2.0])
    """
    return [_value(match) for match in _TOKEN.finditer(text)]


def _value(match: re.Match[str]) -> float:
    if match["digits"]:
        digits = match["digits"].replace(",", "")
        return float(digits) if len(digits) <= MAX_DIGITS else float("nan")
    if match["word"]:
        return float(_WORDS[match["word"].lower()])
    return float(_WORDS[match["tens"].lower()] + _WORDS[match["ones"].lower()])
