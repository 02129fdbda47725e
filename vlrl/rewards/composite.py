"""Several rewards as one."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cache, partial
from typing import NamedTuple

from vlrl.rewards import Reward, load
from vlrl.types import Answer, Score, UserError

CORRECT = "correct"
"""The answer's key in which the other parts find what the main reward says of the completion."""


class Gate(NamedTuple):
    """A part counts only where the reward `on`, another part, has a value of `least` or more."""

    on: str
    least: float


def combine(weights: Mapping[str, float], gates: Mapping[str, Gate] | None = None) -> Reward:
    """The weighted mean of named rewards, sum(w * value) / sum(w); each one's value is in `parts`, keyed by its name.

    The first reward is the main one: `correct` and `extracted` are its own, and so is `failure`, or else the failure of the
    next one that has any; parts that need `correct` (`vlrl.rewards.length`) are told its own. A reward that cannot score the
    gold (value None) drops out with its weight; when all do, the value is None.

    `gates` (G-RA, arXiv 2508.10548): a part whose gate stays below its threshold counts as 0 and keeps its weight, so that a
    wrong answer earns nothing by its form; `parts` still holds its own value. Where the gate has no value, the part drops out.
    Range: the weighted mean of the ranges, that of a gated part widened to hold 0.
    Raises UserError for an unknown name, a negative weight, weights that sum to 0, or a gate between rewards that are no parts.

    >>> both = combine({"gui.click": 0.9, "format.answer_only": 0.1})
    >>> both("click here: <answer>[5, 5]</answer>", {"box": [0, 0, 10, 10]}).value
    0.9
    >>> gated = combine({"gui.click": 0.9, "format.answer_only": 0.1}, {"format.answer_only": Gate("gui.click", 1.0)})
    >>> both("[50, 50]", {"box": [0, 0, 10, 10]}).value, gated("[50, 50]", {"box": [0, 0, 10, 10]}).value
    (0.1, 0.0)
    """
    gates = gates or {}
    if not weights or min(weights.values()) < 0 or sum(weights.values()) == 0:
        raise UserError(f"reward weights are at least 0 and not all 0, not {dict(weights)}")
    for part, gate in gates.items():
        if part not in weights or gate.on not in weights:
            raise UserError(f"the gate of {part!r} on {gate.on!r} wants both to be among the rewards {', '.join(weights)}")
    rewards = {name: load(name) for name in weights}
    main, *others = rewards.values()
    return Reward(
        fn=partial(_weighted_mean, rewards, dict(weights), dict(gates)),
        low=_mean({name: min(reward.low, 0) if name in gates else reward.low for name, reward in rewards.items()}, weights),
        high=_mean({name: max(reward.high, 0) if name in gates else reward.high for name, reward in rewards.items()}, weights),
        failures=_union([reward.failures for reward in rewards.values()]),
        needs=_union([main.needs, *(tuple(key for key in other.needs if key != CORRECT) for other in others)]),
    )


def row_weights(spec: object) -> dict[str, float]:
    """What a row of data says under `reward`: the name of a built-in reward, or an object of names and weights.

    Raises UserError for anything else. Data cannot name a dotted path: reading it must not run code.

    >>> row_weights("gui.click")
    {'gui.click': 1.0}
    """
    weights = {spec: 1.0} if isinstance(spec, str) else spec
    if not isinstance(weights, dict) or not weights:
        raise UserError(f"'reward' is the name of a reward or an object of names and weights, not {spec!r}")
    for name, weight in weights.items():
        if not isinstance(name, str) or ":" in name:
            raise UserError(f"'reward' names built-in rewards, and {name!r} is none")
        if isinstance(weight, bool) or not isinstance(weight, (int, float)) or not 0 <= weight < math.inf:
            raise UserError(f"'reward' gives {name!r} the weight {weight!r}, which is no number from 0 on")
    return weights


def row_reward(spec: object) -> Reward:
    """The composite that a row of data asks for under `reward`. Raises UserError as `row_weights` and `combine` do.

    >>> row_reward({"gui.click": 3, "format.prompted": 1}).failures[:2]
    ('no_answer', 'no_point')
    """
    return _combined(tuple(row_weights(spec).items()))


@cache
def _combined(weights: tuple[tuple[str, float], ...]) -> Reward:
    return combine(dict(weights))


def _weighted_mean(
    rewards: Mapping[str, Reward], weights: Mapping[str, float], gates: Mapping[str, Gate], text: str, answer: Answer
) -> Score:
    scores = _score_parts(rewards, text, answer)
    main = next(iter(scores.values()))
    values = {name: score.value for name, score in scores.items() if score.value is not None}
    counted = _gated(values, gates)
    return Score(
        value=_mean(counted, weights) if any(weights[name] for name in counted) else None,
        parts=values,
        correct=main.correct,
        extracted=main.extracted,
        failure=next((score.failure for score in scores.values() if score.failure), None),
    )


def _score_parts(rewards: Mapping[str, Reward], text: str, answer: Answer) -> dict[str, Score]:
    (name, main), *others = rewards.items()
    scores = {name: main(text, answer)}
    told = {**answer, CORRECT: scores[name].correct}
    return scores | {name: reward(text, told if CORRECT in reward.needs else answer) for name, reward in others}


def _gated(values: Mapping[str, float], gates: Mapping[str, Gate]) -> dict[str, float]:
    """What each part counts as."""
    counted = {}
    for name, value in values.items():
        gate = gates.get(name)
        if gate is None:
            counted[name] = value
        elif gate.on in values:
            counted[name] = value if values[gate.on] >= gate.least else 0.0
    return counted


def _mean(values: Mapping[str, float], weights: Mapping[str, float]) -> float:
    return sum(weights[name] * value for name, value in values.items()) / sum(weights[name] for name in values)


def _union(groups: list[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item for group in groups for item in group))
