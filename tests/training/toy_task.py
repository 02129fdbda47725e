"""A task whose reward is dense: a model of random weights earns many different values, so that its advantages are not 0."""

from __future__ import annotations

from vlrl.tasks import Task
from vlrl.types import Answer, Sample, Score


def digits(text: str, answer: Answer) -> Score:
    """The share of digits among the characters."""
    share = sum(c.isdigit() for c in text) / max(1, len(text))
    return Score(share, {"digits": share}, correct=share > 0.5)


TASK = Task(
    name="toy",
    description="Write digits.",
    instruction="Write digits.",
    rewards={"toy_task:digits": 1.0},
    metrics={"digits": "toy_task:digits", "accuracy": "correct"},
    headline="digits",
    gold_answer=lambda answer: "0",
    example=Sample("example", "toy_task:TASK", "now", {"box": [0, 0, 1, 1]}),
)
