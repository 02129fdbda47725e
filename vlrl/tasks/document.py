"""Answer a question about a document from its text (DocVQA, InfographicVQA)."""

from __future__ import annotations

from vlrl.rewards.text_gold import gold_texts
from vlrl.tasks import Task
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The first gold text.

    >>> gold_answer({"answer": ["INV-2041", "2041"]})
    'INV-2041'
    """
    return gold_texts(answer)[0]


TASK = Task(
    name="document",
    description="Answer a question about a document with words of the document.",
    instruction="Answer with words from the document alone.",
    rewards={"document.anls": 0.9, "format.prompted": 0.1},
    metrics={"anls": "document.anls", "accuracy": "correct"},
    headline="anls",
    gold_answer=gold_answer,
    example=Sample("example", "document", "What is the invoice number?", {"answer": ["INV-2041"]}),
)
