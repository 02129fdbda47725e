"""Solve a mathematical problem about an image (MathVista, GeoQA)."""

from __future__ import annotations

from vlrl.rewards.math import verify
from vlrl.rewards.text_gold import gold_text
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold number or expression.

    >>> gold_answer({"answer": 7})
    '7'
    """
    verify("", answer)
    return gold_text(answer)


TASK = Task(
    name="math",
    description="Solve a mathematical problem about an image; the answer is a number or an expression.",
    instruction="Answer with the number or expression alone.",
    rewards={"math.verify": 0.9, "format.prompted": 0.1},
    metrics={"accuracy": "math.verify"},
    headline="accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "math", "What is the area of the triangle?", {"answer": r"\frac{3}{2}"}),
)
