"""Read the text of an image."""

from __future__ import annotations

from vlrl.rewards.text_gold import gold_texts
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The first gold text.

    >>> gold_answer({"answer": "NO PARKING"})
    'NO PARKING'
    """
    return gold_texts(answer)[0]


TASK = Task(
    name="ocr",
    description="Read the text of an image.",
    instruction="Answer with the text alone, as it is written.",
    rewards={"ocr.wer": 0.9, "format.prompted": 0.1},
    metrics={"word_accuracy": "ocr.wer", "exact": "correct"},
    headline="word_accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "ocr", "What does the sign say?", {"answer": "NO PARKING"}),
)
