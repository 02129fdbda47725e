"""Answer a question about an image or a video in a few words; every row says of which kind its answer is (Video-R1-style)."""

from __future__ import annotations

from vlrl.rewards.text_gold import gold_texts
from vlrl.rewards.vqa import by_kind
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold answer's text, the first where there are several.

    >>> gold_answer({"answer": "B", "kind": "choice"})
    'B'
    """
    by_kind("", answer)
    return gold_texts(answer)[0]


TASK = Task(
    name="vqa",
    description="Answer a question in a few words: an option, yes or no, a number, a text that is read, or free words.",
    instruction="Answer the question in as few words as possible.",
    rewards={"vqa.by_kind": 0.9, "format.prompted": 0.1},
    metrics={"accuracy": "correct", "score": "vqa.by_kind"},
    headline="accuracy",
    gold_answer=gold_answer,
    example=Sample(
        "example", "vqa", "Which animal is it? A. cat B. dog", {"answer": "B", "kind": "choice", "choices": ["cat", "dog"]}
    ),
)
