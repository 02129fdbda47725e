"""EasyR1: a function of a batch, from a file: `worker.reward.reward_function=FILE:compute_score`.

EasyR1 hands over the text, its length and `ground_truth`, and knows no "not applicable": gold that cannot be scored gets 0 and
is counted in `unscorable`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vlrl.adapters import metrics, read_answer
from vlrl.rewards import Reward

FILE = '''"""{title}, for EasyR1.

    worker.reward.reward_function={module}.py:compute_score

The data set's answer column (`data.answer_key`) holds each row's gold answer as JSON text.
"""

from vlrl.adapters import easyr1, scorer

REWARD_NAME = "{name}"
REWARD_TYPE = "batch"
SCORE = scorer({source})


def compute_score(reward_inputs, **kwargs):
    return easyr1.results(SCORE, reward_inputs)
'''


def results(score: Reward, reward_inputs: Sequence[dict[str, Any]]) -> list[dict[str, float]]:
    """For every input `overall`, and the metrics `correct`, `failed` and `unscorable`.

    >>> from vlrl.adapters import scorer
    >>> gold = '{"box": [0, 0, 10, 10]}'
    >>> results(scorer(reward="gui.click"), [{"response": "[5, 5]", "response_length": 6, "ground_truth": gold}])
    [{'overall': 1.0, 'correct': 1.0, 'failed': 0.0, 'unscorable': 0.0}]
    """
    return [_result(score, row["response"], row["ground_truth"], row["response_length"]) for row in reward_inputs]


def _result(score: Reward, response: str, ground_truth: Any, length: int) -> dict[str, float]:
    scored = score(response, read_answer(ground_truth, range(length)))
    return {"overall": scored.value or 0.0, **metrics(scored)}
