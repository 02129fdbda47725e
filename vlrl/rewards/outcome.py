"""The two scores that most rewards give."""

from __future__ import annotations

from vlrl.types import Score


def right_or_wrong(right: bool, extracted: object) -> Score:
    """1 for a right answer, 0 for a wrong one that could be read.

    >>> right_or_wrong(True, "B")
    Score(value=1.0, parts={}, correct=True, extracted='B', failure=None)
    """
    return Score(float(right), correct=right, extracted=extracted)


def failed(code: str, low: float = 0.0) -> Score:
    """The range's minimum, with its reason.

    >>> failed("no_answer").value
    0.0
    """
    return Score(low, correct=False, failure=code)
