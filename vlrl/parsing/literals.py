"""JSON and Python literals inside a text (stdlib only): read by an own small reader, never by `eval` or `ast`.

Size and depth are bounded, so deep nesting and huge numbers cost nothing. Tuples come back as lists.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from vlrl.parsing.boxes import NUMBER

MAX_LENGTH = 20_000
"""Characters of one literal; a longer one is unreadable."""

MAX_DEPTH = 12
"""Brackets within brackets; deeper nesting is unreadable."""

MAX_DIGITS = 15
"""Whole numbers with more characters are read as floats."""

WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}
CLOSING = {"[": "]", "(": ")", "{": "}"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "\n": ""}

_BLANK = re.compile(r"\s*+")
_NUMBER = re.compile(rf"{NUMBER}(?![\w.])", re.ASCII)
_WORD = re.compile(r"[A-Za-z_]\w*+", re.ASCII)
_KEYWORD = re.compile(r"([A-Za-z_]\w*+)\s*+=(?!=)", re.ASCII)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_STRICT = {mark: re.compile(rf"{mark}((?:[^{mark}\\]|\\.)*+){mark}", re.DOTALL) for mark in "\"'"}
_LOOSE = {mark: re.compile(rf"{mark}((?:[^{mark}\\]|\\.|{mark}(?!\s*+(?:[,:}}\])]|\Z)))*+){mark}", re.DOTALL) for mark in "\"'"}


@dataclass(frozen=True, slots=True)
class Arguments:
    """What stands in the brackets of a call: `click(1, 2, button='left')`."""

    positional: list[Any] = field(default_factory=list)
    named: dict[str, Any] = field(default_factory=dict)


def parse_literal(text: str) -> Any:
    """The value of a text that is one JSON or Python literal and nothing else, or None.

    >>> parse_literal("[{'action': 'click', 'point': (1, 2)}]")
    [{'action': 'click', 'point': [1, 2]}]
    >>> parse_literal("[__import__('os')]") is None
    True
    """
    if len(text) > MAX_LENGTH:
        return None
    reader = _Reader(text, 0, _STRICT)
    try:
        value = reader.value(0)
        reader.skip_blank()
    except _UnreadableError:
        return None
    return value if reader.position == len(text) else None


def literal_at(text: str, position: int) -> Any:
    """The literal that begins at a position of a text, whatever follows it, or None.

    A quote inside a string needs no escape unless a comma, a colon or a closing bracket follows it.

    >>> literal_at("I type {'text': 'kate's cake'} now", 7)
    {'text': "kate's cake"}
    """
    try:
        return _Reader(text, position, _LOOSE).value(0)
    except _UnreadableError:
        return None


def arguments_at(text: str, position: int) -> Arguments | None:
    """The arguments of a call whose bracket opens at a position of a text, or None. Literals only.

    >>> arguments_at("click(1, y=2)", 5)
    Arguments(positional=[1], named={'y': 2})
    """
    try:
        return _Reader(text, position, _LOOSE).arguments()
    except _UnreadableError:
        return None


class _UnreadableError(Exception):
    """The text is no literal. It never leaves this file."""


class _Reader:
    """Reads values from a position on; `position` moves behind what was read."""

    def __init__(self, text: str, position: int, strings: dict[str, re.Pattern[str]]) -> None:
        self.text = text[position : position + MAX_LENGTH]
        self.position = 0
        self.strings = strings

    def value(self, depth: int) -> Any:
        self.skip_blank()
        mark = self.text[self.position : self.position + 1]
        if mark in self.strings:
            return _unescaped(self._match(self.strings[mark])[1])
        if not mark or mark not in CLOSING:
            return self._scalar()
        if depth == MAX_DEPTH:
            raise _UnreadableError
        return self._mapping(depth + 1) if mark == "{" else self._sequence(mark, depth + 1)

    def arguments(self) -> Arguments:
        found = Arguments()
        self._take("(")
        while not self._closes(")"):
            if keyword := _KEYWORD.match(self.text, self.position):
                self.position = keyword.end()
                found.named[keyword[1]] = self.value(1)
            else:
                found.positional.append(self.value(1))
            self._comma_unless(")")
        return found

    def skip_blank(self) -> None:
        self._match(_BLANK)

    def _sequence(self, mark: str, depth: int) -> list[Any]:
        found = []
        self._take(mark)
        while not self._closes(CLOSING[mark]):
            found.append(self.value(depth))
            self._comma_unless(CLOSING[mark])
        return found

    def _mapping(self, depth: int) -> dict[str, Any]:
        found = {}
        self._take("{")
        while not self._closes("}"):
            key = self.value(depth)
            if not isinstance(key, str):
                raise _UnreadableError
            self._take(":")
            found[key] = self.value(depth)
            self._comma_unless("}")
        return found

    def _scalar(self) -> Any:
        if number := _NUMBER.match(self.text, self.position):
            self.position = number.end()
            whole = number[0].lstrip("+-").isdigit() and len(number[0]) <= MAX_DIGITS
            return int(number[0]) if whole else float(number[0])
        word = self._match(_WORD)[0]
        if word not in WORDS:
            raise _UnreadableError
        return WORDS[word]

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str]:
        match = pattern.match(self.text, self.position)
        if match is None:
            raise _UnreadableError
        self.position = match.end()
        return match

    def _closes(self, mark: str) -> bool:
        """True, and moved behind it, when the closing bracket comes next."""
        self.skip_blank()
        if not self.text.startswith(mark, self.position):
            return False
        self.position += 1
        return True

    def _take(self, mark: str) -> None:
        if not self._closes(mark):
            raise _UnreadableError

    def _comma_unless(self, closing: str) -> None:
        self.skip_blank()
        if not self.text.startswith(closing, self.position):
            self._take(",")


def _unescaped(body: str) -> str:
    if "\\" not in body:
        return body
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else ESCAPES.get(match[2], match[2]), body)
    return plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
