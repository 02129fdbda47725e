"""Answers to puzzles: an order of patches, a letter, a number, a spatial relation (stdlib only). Digits are ASCII digits."""

from __future__ import annotations

import re

MAX_PATCHES = 10_000
RELATION_WORDS = {
    **dict.fromkeys(("left", "leftmost"), "left"),
    **dict.fromkeys(("right", "rightmost"), "right"),
    **dict.fromkeys(("above", "over", "top", "upper", "atop"), "above"),
    **dict.fromkeys(("below", "under", "beneath", "underneath", "bottom", "lower"), "below"),
    **dict.fromkeys(("front",), "front"),
    **dict.fromkeys(("behind", "back"), "behind"),
    **dict.fromkeys(("inside", "within", "into"), "inside"),
    **dict.fromkeys(("outside",), "outside"),
}
WEAK_WORDS = {"on": "above", "in": "inside"}
"""These name a relation only where nothing else does: "on the left" is no relation of height."""

NEGATIONS = ("not", "isn't", "never", "neither", "nor", "no")
NEGATED_WORDS = 4
"""How many words a "not" reaches."""

_SEPARATOR = re.compile(r"[\s`,;]++")
_WHOLE = re.compile(r"[0-9]{1,9}+(?![0-9])")
_LETTER = re.compile(r"(?<![\w'])[A-Z](?![\w'])")
_PRONOUN = re.compile(r"\bI(?=[ \t]++[a-z])")
_NUMBER = re.compile(r"(?<![\w.,])-?[0-9]{1,9}+(?![0-9])(?!\.[0-9])")
_WORD = re.compile(r"[a-z']++")
_CLAUSE = re.compile(r"[.,;:!?]")


def parse_order(text: str) -> list[int] | None:
    """Whole numbers that blanks, line ends, commas, semicolons or backticks part, or None where anything else stands.

    >>> parse_order("3 1\\n2, 4"), parse_order("[3 1 2 4]"), parse_order("first 3")
    ([3, 1, 2, 4], None, None)
    """
    parts = [part for part in _SEPARATOR.split(text) if part]
    if not parts or len(parts) > MAX_PATCHES or not all(_WHOLE.fullmatch(part) for part in parts):
        return None
    return [int(part) for part in parts]


def last_letter(text: str) -> str | None:
    """The last capital that stands alone, the pronoun "I" left out; a lone small letter is one too. None without one.

    >>> last_letter("A cat, so B"), last_letter("(B) because Anna said so"), last_letter("b"), last_letter("Anna")
    ('B', 'B', 'B', None)
    """
    if len(text.strip()) == 1 and text.strip().isascii() and text.strip().isalpha():
        return text.strip().upper()
    found = _LETTER.findall(_PRONOUN.sub("", text))
    return found[-1] if found else None


def last_whole_number(text: str) -> int | None:
    """The last whole number that stands alone, or None.

    >>> last_whole_number("I count 2 and 5, so 7."), last_whole_number("2.5"), last_whole_number("x2")
    (7, None, None)
    """
    found = _NUMBER.findall(text)
    return int(found[-1]) if found else None


def relations(text: str) -> frozenset[str]:
    """The spatial relations that a text names, one word for each; what "not" stands before is left out.

    >>> sorted(relations("To the upper left")), sorted(relations("Not left, but on the right"))
    (['above', 'left'], ['right'])
    """
    found = {word for part in _CLAUSE.split(text.lower()) for word in _asserted(_WORD.findall(part))}
    strong = frozenset(RELATION_WORDS[word] for word in found if word in RELATION_WORDS)
    return strong or frozenset(WEAK_WORDS[word] for word in found if word in WEAK_WORDS)


def _asserted(clause: list[str]) -> list[str]:
    """The words of a clause that no "not" reaches."""
    kept, reach = [], 0
    for word in clause:
        reach = NEGATED_WORDS if word in NEGATIONS else max(0, reach - 1)
        if not reach:
            kept.append(word)
    return kept
