"""Say when something happens in a video (Charades-STA-style)."""

from __future__ import annotations

from vlrl.rewards.gold_geometry import gold_span
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold span in seconds.

    >>> gold_answer({"span": [3.5, 7]})
    '3.500000 - 7.000000'
    """
    start, end = gold_span(answer)
    return f"{start:.6f} - {end:.6f}"


TASK = Task(
    name="temporal",
    description="Give the start and the end of an event in a video.",
    instruction="Answer with the start and the end in seconds, as start - end. When does this happen:",
    rewards={"temporal.iou": 0.9, "format.prompted": 0.1, "temporal.r30": 0.0, "temporal.r50": 0.0, "temporal.r70": 0.0},
    metrics={"iou": "temporal.iou", "r30": "temporal.r30", "r50": "temporal.r50", "r70": "temporal.r70"},
    headline="iou",
    gold_answer=gold_answer,
    example=Sample("example", "temporal", "A person opens the door.", {"span": [3.5, 7.0]}),
)
