"""Numbers and lists as Python reads them: most published scorers and data sets write and read them so."""

from __future__ import annotations

import ast
import math

MAX_NUMBER = 200
"""Longer text is no number."""


def python_float(text: str) -> float | None:
    """The text as a finite number, None when it is none: blanks around, underscores and any script's digits are allowed.

    >>> python_float(" 1_000.5 "), python_float("1,000"), python_float("nan"), python_float("1e999")
    (1000.5, None, None, None)
    """
    if len(text) > MAX_NUMBER:
        return None
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def python_list(text: str) -> list[str] | None:
    """The elements, as texts, of a list that a data set's cell holds in Python's notation; None for anything else.

    For gold only: what a model says is read by `vlrl.parsing.literals`.

    >>> python_list("['iron', 2]"), python_list("iron")
    (['iron', '2'], None)
    """
    try:
        found = ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None
    return [str(item) for item in found] if isinstance(found, list) else None
