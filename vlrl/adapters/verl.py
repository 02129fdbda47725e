"""verl: a function of one completion, from a file: `reward.custom_reward_function.path=FILE`, called `compute_score`.

verl knows no "not applicable", and its metrics want the same keys from every row: gold that cannot be scored gets 0 and is
counted in `unscorable`.
"""

from __future__ import annotations

from typing import Any

from vlrl.adapters import metrics, read_answer
from vlrl.rewards import Reward

FILE = '''"""{title}, for verl.

    reward.custom_reward_function.path={module}.py

Each row's `reward_model.ground_truth` holds its gold answer as JSON text.
"""

from vlrl.adapters import scorer, verl

SCORE = scorer({source})


def compute_score(data_source, solution_str, ground_truth, extra_info=None, **kwargs):
    return verl.result(SCORE, solution_str, ground_truth)
'''


def result(score: Reward, solution: str, ground_truth: Any) -> dict[str, float]:
    """`score`, and the metrics `correct`, `failed` and `unscorable`.

    >>> from vlrl.adapters import scorer
    >>> result(scorer(reward="gui.click"), "[5, 5]", '{"box": [0, 0, 10, 10]}')
    {'score': 1.0, 'correct': 1.0, 'failed': 0.0, 'unscorable': 0.0}
    """
    scored = score(solution, read_answer(ground_truth))
    return {"score": scored.value or 0.0, **metrics(scored)}
