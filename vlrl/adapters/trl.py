"""TRL: a function of a batch, by keywords; `GRPOTrainer(reward_funcs=[...])`. Its name is the metric's name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vlrl.adapters import read_answer
from vlrl.rewards import Reward

FILE = '''"""{title}, for TRL.

    from {module} import {name}
    GRPOTrainer(..., reward_funcs=[{name}])

The data set's column `answer` holds each row's gold answer as JSON text.
"""

from vlrl.adapters import scorer, trl

SCORE = scorer({source})


def {name}(completions, answer, completion_ids=None, **columns):
    return trl.values(SCORE, completions, answer, completion_ids)
'''


def values(
    score: Reward, completions: Sequence[Any], answers: Sequence[Any], completion_ids: Sequence[Sequence[int]] | None = None
) -> list[float | None]:
    """One value per completion; None, which TRL leaves out of its means, where the gold cannot be scored.

    >>> from vlrl.adapters import scorer
    >>> values(scorer(reward="gui.click"), [[{"role": "assistant", "content": "[5, 5]"}]], ['{"box": [0, 0, 10, 10]}'])
    [1.0]
    """
    ids: Sequence[Sequence[int] | None] = completion_ids or [None] * len(completions)
    rows = zip(completions, answers, ids, strict=True)
    return [score(_text(completion), read_answer(answer, tokens)).value for completion, answer, tokens in rows]


def _text(completion: Any) -> str:
    """A completion is text, or, in a conversation, messages: the last one's text."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content or [])
