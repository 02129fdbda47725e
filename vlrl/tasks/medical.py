"""Answer a question about a medical image: closed, multiple choice or open (VQA-RAD, SLAKE, PMC-VQA)."""

from __future__ import annotations

from vlrl.rewards.medical import by_kind
from vlrl.rewards.text_gold import gold_texts
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold answer's text, the first where there are several.

    >>> gold_answer({"answer": ["cardiomegaly", "enlarged heart"], "kind": "open"})
    'cardiomegaly'
    """
    by_kind("", answer)
    return gold_texts(answer)[0]


TASK = Task(
    name="medical",
    description="Answer a question about a medical image: yes or no, one of several options, or a few words.",
    instruction="Answer the question in as few words as possible.",
    rewards={"medical.answer": 0.9, "format.prompted": 0.1},
    metrics={"accuracy": "correct", "score": "medical.answer"},
    headline="accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "medical", "Which side is affected?", {"answer": "left lung", "kind": "open"}),
)
