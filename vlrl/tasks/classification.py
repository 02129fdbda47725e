"""Name the class of an image, from the list that the question gives (CLS-RL-style)."""

from __future__ import annotations

from vlrl.rewards.classification import exact
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold class with blanks for underscores.

    >>> gold_answer({"answer": "bull_terrier"})
    'bull terrier'
    """
    exact("", answer)
    return str(answer["answer"]).replace("_", " ").strip()


TASK = Task(
    name="classification",
    description="Name the class of an image.",
    instruction="Answer with the name of one class.",
    rewards={"classification.exact": 0.9, "format.prompted": 0.1},
    metrics={"accuracy": "classification.exact"},
    headline="accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "classification", "Which breed is it: boxer, pug or bull terrier?", {"answer": "bull_terrier"}),
)
