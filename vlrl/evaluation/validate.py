"""Does every row of a data set train as it should? Media exist and decode, the gold answer is sound and earns the maximum.

Torch-free: `vlrl validate` starts in a moment.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vlrl import tasks
from vlrl.data.errors import RowError
from vlrl.data.jsonl import scan_rows
from vlrl.data.row_media import load_media
from vlrl.rewards.composite import row_reward
from vlrl.types import Answer, Sample
from vlrl.video import VideoLimits

TOKEN_SIDE = 28
"""Videos are read as for Qwen2.5-VL: any model will do to find out whether they can be."""
TOLERANCE = 0.01
"""The share of the reward's range by which a gold answer may miss the maximum: its coordinates are written rounded."""


def check_rows(path: str | Path, task: str | None = None) -> Iterator[RowError | None]:
    """For every row of a JSONL file, in order, what is wrong with it; None for a good row.

    `task` is the task of rows that name none. Raises `UserError` when the file cannot be read or holds no rows.
    """
    load = cache(tasks.load)
    for row in scan_rows(path, task, load, row_reward):
        yield row if isinstance(row, RowError) else check_sample(row, load(row.task))


def check_sample(sample: Sample, task: tasks.Task) -> RowError | None:
    """What is wrong with a row, media first; None for a good one."""
    try:
        sample, _ = load_media(sample, VideoLimits(), TOKEN_SIDE)
    except RowError as error:
        return error
    fault = _gold_fault(sample.answer, task)
    return RowError(sample.source, "answer", fault, "mend the gold answer or drop the row") if fault else None


def _gold_fault(answer: Answer, task: tasks.Task) -> str | None:
    try:
        task.check_gold(answer)  # before a completion is written from it
        text = task.gold_completion(answer)
        score = task.score(text, {**tasks.UNSAMPLED, **answer})
    except ValueError as error:
        return str(error).removeprefix("answer ")
    unscored = [name for name in task.weights_of(answer) if name not in score.parts]
    if score.value is None or unscored:
        return f"{' and '.join(unscored)} cannot score the gold, as with a box that has no area"
    reward = task.reward_of(answer)
    low, high = reward.low, reward.high
    if score.value >= high - TOLERANCE * (high - low):
        return None
    reason = f" ({score.failure})" if score.failure else ""
    return f"the gold completion {text!r} earns {score.value:.3g} of {high:.3g}{reason}"
