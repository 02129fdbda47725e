"""Our own rule for sets that mix multiple choice with values and expressions."""

from __future__ import annotations

from vlrl.metrics.math_equal import parse_expression
from vlrl.parsing.bare import bare_answer
from vlrl.rewards.math import verify
from vlrl.rewards.text_gold import gold_kind, gold_text
from vlrl.rewards.vqa import choice, exact
from vlrl.types import Answer, Score


def choice_or_value(text: str, answer: Answer) -> Score:
    r"""For `kind` choice the one option that is picked; for `free` an expression equal to the gold, or the gold's words.

    >>> choice_or_value("(B)", {"kind": "choice", "answer": "B"}).value
    1.0
    >>> choice_or_value(r"\boxed{\frac{2}{4}}", {"kind": "free", "answer": "0.5"}).value
    1.0
    """
    if gold_kind(answer, ("choice", "free")) == "choice":
        return choice(text, answer)
    comparable = parse_expression(bare_answer(gold_text(answer)))
    return verify(text, answer) if comparable else exact(text, answer)
