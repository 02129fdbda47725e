"""The rewards in other trainers' calling conventions: one small file per trainer, none per reward.

`vlrl export reward` writes the file that such a trainer loads; it imports from here and holds no logic. Needs no torch and
nothing of the trainer's: `pip install --no-deps vlrl` beside numpy, scipy and pillow is enough there.

The answer travels as JSON text (or an object), because some trainers hand a reward nothing else and tables of objects fill
the keys that a row lacks. A malformed answer raises ValueError.

| trainer | the answer is | told the length | gold that cannot be scored |
|---|---|---|---|
| TRL | the column `answer` | yes | None: TRL leaves the row out of this reward |
| ms-swift | the column `answer` | yes | None: likewise |
| EasyR1 | `ground_truth` | yes | 0, and the metric `unscorable` is 1 |
| verl | `ground_truth` | no | 0, and the metric `unscorable` is 1 |
| OpenRLHF | the label | no | 0, and the log `unscorable` is 1 |
| HTTP | `answer` of the request | if the answer says so | null |
"""

from __future__ import annotations

import json
from collections.abc import Sized
from typing import Any

from vlrl import rewards, tasks
from vlrl.rewards import Reward
from vlrl.types import Answer, Score, UserError


def scorer(task: str | None = None, reward: str | None = None) -> Reward:
    """All rewards of a task as one, which heeds a row's own `reward`; or one reward alone.

    Raises UserError for an unknown name, or when not exactly one of the two is given.

    >>> scorer(task="gui")("[5, 5]", {"box": [0, 0, 10, 10]}).parts
    {'gui.click': 1.0, 'format.prompted': 1.0}
    """
    if (task is None) == (reward is None):
        raise UserError("give either a task or a reward")
    if task is None:
        return rewards.load(str(reward))
    found = tasks.load(task)
    whole = found.reward
    return Reward(found.score, whole.low, whole.high, whole.failures, whole.needs)


def read_answer(value: Any, completion_ids: Sized | None = None) -> Answer:
    """A gold answer out of a trainer's column, with the length of the completion when its token ids are given.

    Raises ValueError for what is neither an object nor the JSON text of one.

    >>> read_answer('{"box": [0, 0, 10, 10]}', [7, 8, 9])
    {'box': [0, 0, 10, 10], 'completion_tokens': 3}
    """
    answer = json.loads(value) if isinstance(value, str) else value
    if not isinstance(answer, dict):
        raise ValueError(f"the answer is a JSON object or its text, not {value!r}")
    return answer if completion_ids is None else {**answer, "completion_tokens": len(completion_ids)}


def metrics(score: Score) -> dict[str, float]:
    """What trainers that average numbers are told beside the value: the same keys for every score."""
    return {
        "correct": float(score.correct is True),
        "failed": float(score.failure is not None),
        "unscorable": float(score.value is None),
    }
