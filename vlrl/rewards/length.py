"""Is the completion too long? Rewards of its length alone, to be mixed with the one that says whether it is right.

They never look at the text: its length is `answer["completion_tokens"]`, counted by whoever sampled it (`Task.grade`, and the
adapters of trainers that hand token ids or a length to a reward), and the limit of sampling is
`answer["max_completion_length"]`. Nothing estimates tokens from text. In a composite, `answer["correct"]` is what the main
reward says. Rewards that compare a completion with its group (GRPO-lambda, DAST's budget from the group's mean) need the whole
group and are no functions of a row.
"""

from __future__ import annotations

import math

from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score

OVERLONG_SHARE = 0.2
"""The part of the limit over which the overlong penalty grows: DAPO's buffer of 4096 of 20480 tokens."""

DAST_SATURATION = 3
"""Beyond this many budgets DAST's two lines have met their bounds."""


def overlong(text: str, answer: Answer) -> Score:
    """0 up to 80 % of `max_completion_length` tokens, then down in a straight line to -1 at the limit and beyond.

    Source: the soft overlong punishment of DAPO (arXiv 2503.14476, equation 13), with its buffer of a fifth of the limit.
    Range -1..0. Failures: `too_long` (at the limit or beyond). Raises ValueError for a missing or malformed
    `completion_tokens` or `max_completion_length`.

    >>> [overlong("", {"completion_tokens": n, "max_completion_length": 20}).value for n in (10, 16, 18, 20, 21)]
    [0.0, 0.0, -0.5, -1.0, -1.0]
    """
    tokens, limit = _tokens(answer), _limit(answer)
    if tokens >= limit:
        return Score(-1.0, failure="too_long")
    buffer = OVERLONG_SHARE * limit
    return Score(min(0.0, (limit - buffer - tokens) / buffer))


def cosine(text: str, answer: Answer) -> Score:
    """With c = (1 - cos(pi min(1, tokens / limit))) / 2: 1 - c / 2 when right, -c / 2 when wrong.

    A right answer falls from 1 to 0.5 with its length, a wrong one from 0 to -0.5.

    Source: the length reward of VLM-R1 (arXiv 2504.07615) as its formula reads; its code pays a wrong answer like a right one
    and pays more again beyond the limit. Range -0.5..1; None when `correct` is None. Failures: none, the length is no
    failure. Raises ValueError for a missing or malformed `correct`, `completion_tokens` or `max_completion_length`.

    >>> gold = {"max_completion_length": 1024, "completion_tokens": 512}
    >>> round(cosine("", {**gold, "correct": True}).value, 9), round(cosine("", {**gold, "correct": False}).value, 9)
    (0.75, -0.25)
    """
    return _interpolated(answer, right=(1.0, 0.5), wrong=(0.0, -0.5))


def cosine_explore(text: str, answer: Answer) -> Score:
    """Along half a cosine of tokens / limit, clamped: from 1 down to 0.5 when right, from -1 up to -0.5 when wrong.

    A wrong answer is worst when it is short, so that the model goes on exploring. Source: the cosine reward of Demystifying
    Long CoT (arXiv 2502.03373, appendix C.1), with the values of TRL's `get_cosine_scaled_reward`. Range -1..1; None when
    `correct` is None. Failures: none. Raises ValueError for a missing or malformed `correct`, `completion_tokens` or
    `max_completion_length`.

    >>> gold = {"max_completion_length": 100, "completion_tokens": 50}
    >>> cosine_explore("", {**gold, "correct": True}).value, cosine_explore("", {**gold, "correct": False}).value
    (0.75, -0.75)
    """
    return _interpolated(answer, right=(1.0, 0.5), wrong=(-1.0, -0.5))


def dast(text: str, answer: Answer) -> Score:
    """With d = tokens / `length_budget` - 1: max(0.5 - d / 2, 0.1) when right, min(0.9 d - 0.1, -0.1) when wrong.

    Right answers should stay below their budget, wrong ones may think longer. Source: DAST (arXiv 2503.04472), as in UI-R1-E
    (2503.21620). The budget belongs to the row: p * mean length of right samples + (1 - p) * limit, p their share, measured
    beforehand. Range -1..1; None when `correct` is None. Failures: none. Raises ValueError for a missing or malformed
    `correct`, `completion_tokens` or `length_budget`.

    >>> gold = {"length_budget": 100, "completion_tokens": 50}
    >>> dast("", {**gold, "correct": True}).value, dast("", {**gold, "correct": False}).value
    (0.75, -0.55)
    """
    correct, tokens, budget = _correct(answer), _tokens(answer), _positive(answer, "length_budget")
    if correct is None:
        return Score(None)
    excess = min(tokens, DAST_SATURATION * budget) / budget - 1
    return Score(max(0.5 - excess / 2, 0.1) if correct else min(0.9 * excess - 0.1, -0.1))


def _interpolated(answer: Answer, right: tuple[float, float], wrong: tuple[float, float]) -> Score:
    """From the first value at no tokens to the second at the limit and beyond, along half a cosine."""
    correct, tokens, limit = _correct(answer), _tokens(answer), _limit(answer)
    if correct is None:
        return Score(None)
    first, last = right if correct else wrong
    return Score(first + (last - first) * (1 - math.cos(math.pi * min(tokens, limit) / limit)) / 2)


def _correct(answer: Answer) -> bool | None:
    if "correct" not in answer:
        raise ValueError("answer has no 'correct'; a task's composite sets it from the main reward")
    if answer["correct"] not in (True, False, None):
        raise ValueError(f"answer 'correct' is true, false or null, not {answer['correct']!r}")
    return answer["correct"]


def _tokens(answer: Answer) -> int:
    if "completion_tokens" not in answer:
        raise ValueError("answer has no 'completion_tokens'; whoever samples the completion counts them")
    tokens = answer["completion_tokens"]
    if isinstance(tokens, bool) or not isinstance(tokens, int) or tokens < 0:
        raise ValueError(f"answer 'completion_tokens' is a whole number from 0 on, not {tokens!r}")
    return tokens


def _limit(answer: Answer) -> float:
    return _positive(answer, "max_completion_length")


def _positive(answer: Answer, key: str) -> float:
    if key not in answer:
        raise ValueError(f"answer has no {key!r}")
    value = answer[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise ValueError(f"answer {key!r} is a number of tokens above 0, not {value!r}")
    return value


SHORTEST = {"completion_tokens": 0, "max_completion_length": 1024}
RIGHT = Example("yes", {**SHORTEST, "correct": True})
COUNTS = ("completion_tokens", "max_completion_length")

REWARDS = {
    "overlong": Reward(overlong, low=-1.0, high=0.0, failures=("too_long",), needs=COUNTS, example=Example("yes", SHORTEST)),
    "cosine": Reward(cosine, low=-0.5, needs=("correct", *COUNTS), example=RIGHT),
    "cosine_explore": Reward(cosine_explore, low=-1.0, needs=("correct", *COUNTS), example=RIGHT),
    "dast": Reward(
        dast,
        low=-1.0,
        needs=("correct", "completion_tokens", "length_budget"),
        example=Example("yes", {"correct": True, "completion_tokens": 0, "length_budget": 512}),
    ),
}
