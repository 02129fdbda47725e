"""Say how many there are (CLEVR, CountBench-style)."""

from __future__ import annotations

from vlrl.rewards.counting import gold_count
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold count in digits.

    >>> gold_answer({"count": 3})
    '3'
    """
    return str(gold_count(answer))


TASK = Task(
    name="counting",
    description="Give a number of things.",
    instruction="Answer with one number.",
    rewards={"counting.exact": 0.9, "format.prompted": 0.1, "counting.relative": 0.0},
    metrics={"accuracy": "counting.exact", "relative": "counting.relative"},
    headline="accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "counting", "How many cups are there?", {"count": 3}),
)
