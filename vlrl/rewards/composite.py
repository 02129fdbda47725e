"""Several rewards as one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from vlrl.rewards import Reward, load
from vlrl.types import Answer, Score, UserError


def combine(weights: Mapping[str, float]) -> Reward:
    """The weighted mean of named rewards, sum(w * value) / sum(w); each one's value is in `parts`, keyed by its name.

    The first reward is the main one: `correct` and `extracted` are its own, and so is `failure`, or else the failure of the
    next one that has any. A reward that cannot score the gold (value None) drops out with its weight; when all do, the value
    is None. Range: the weighted mean of the ranges.
    Raises UserError for an unknown name, a negative weight, or weights that sum to 0.

    >>> both = combine({"gui.click": 0.9, "format.answer_only": 0.1})
    >>> both("click here: <answer>[5, 5]</answer>", {"box": [0, 0, 10, 10]}).value
    0.9
    """
    if not weights or min(weights.values()) < 0 or sum(weights.values()) == 0:
        raise UserError(f"reward weights are at least 0 and not all 0, not {dict(weights)}")
    rewards = {name: load(name) for name in weights}
    return Reward(
        fn=partial(_weighted_mean, rewards, dict(weights)),
        low=_mean({name: reward.low for name, reward in rewards.items()}, weights),
        high=_mean({name: reward.high for name, reward in rewards.items()}, weights),
        failures=_union([reward.failures for reward in rewards.values()]),
        needs=_union([reward.needs for reward in rewards.values()]),
    )


def _weighted_mean(rewards: Mapping[str, Reward], weights: Mapping[str, float], text: str, answer: Answer) -> Score:
    scores = {name: reward(text, answer) for name, reward in rewards.items()}
    parts = {name: score.value for name, score in scores.items() if score.value is not None}
    main = next(iter(scores.values()))
    return Score(
        value=_mean(parts, weights) if any(weights[name] for name in parts) else None,
        parts=parts,
        correct=main.correct,
        extracted=main.extracted,
        failure=next((score.failure for score in scores.values() if score.failure), None),
    )


def _mean(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(weights[name] * value for name, value in values.items()) / sum(weights[name] for name in values)


def _union(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))
