"""Class names in an answer's text (stdlib only)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from vlrl.parsing.bare import bare_answer

MAX_LENGTH = 2_000
"""Longer text names no class."""

NEGATIONS = frozenset({"not", "no", "never", "neither", "nor", "isn't", "cannot", "can't"})

_GAP = re.compile(r"[\s_-]++")


def class_name(text: str) -> str:
    """A class name in the form in which names are compared: bare (`vlrl.parsing.bare`), lower case, `_` and `-` as blanks.

    Text that is too long for a name is the empty name.

    >>> class_name("**Staffordshire_Bull-Terrier**.")
    'staffordshire bull terrier'
    """
    return _GAP.sub(" ", bare_answer(text).lower()).strip() if len(text) <= MAX_LENGTH else ""


def mentioned_classes(text: str, names: Sequence[str]) -> set[str]:
    """Which of the names, given as `class_name` gives them, a text mentions: whole words, and the longest name at each place.

    >>> sorted(mentioned_classes("A caterpillar, a bull terrier.", ["cat", "terrier", "bull terrier"]))
    ['bull terrier']
    """
    return set(_any_of(tuple(names)).findall(class_name(text)))


def is_negated(text: str) -> bool:
    """True when a text holds a word such as "not".

    >>> is_negated("It is not a boxer."), is_negated("a notable boxer")
    (True, False)
    """
    return not NEGATIONS.isdisjoint(class_name(text.replace("\u2019", "'")).split())


@lru_cache(maxsize=64)
def _any_of(names: tuple[str, ...]) -> re.Pattern[str]:
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(r"(?<!\w)(?:" + "|".join(map(re.escape, longest_first)) + r")(?!\w)")
