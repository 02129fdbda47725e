"""How many are there? One number against the gold number."""

from __future__ import annotations

from collections.abc import Callable

from vlrl.parsing.counts import parse_counts
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score


def exact(text: str, answer: Answer) -> Score:
    """1 when the answer's only number is `answer["count"]`, else 0. The number is in digits or an English word up to 99.

    An answer that holds several numbers says none: neither the first digit of a reasoning nor a list of guesses pays.
    Source: exact count accuracy of R1-V's CLEVR and SuperCLEVR reward, and of CountBenchQA. Range 0..1. Failures:
    `no_answer` (no closed answer), `no_count` (no number), `many_counts` (several). Raises ValueError when `count` is missing
    or is no whole number from 0 on.

    >>> exact("There are three cups.", {"count": 3}).value, exact("3, 4 or 5", {"count": 3}).failure
    (1.0, 'many_counts')
    """
    return _judge(text, answer, lambda found, gold: float(found == gold))


def relative(text: str, answer: Answer) -> Score:
    """max(0, 1 - |n - gold| / max(1, gold)), n the answer's only number: near misses earn something. Correct when equal.

    Source: the regression reward of Video-R1 (arXiv 2503.21776), 1 - min(1, |error| / |gold|), with gold 0 defined. Range
    0..1. Failures: `no_answer`, `no_count`, `many_counts`, as in `counting.exact`. Raises ValueError when `count` is missing
    or is no whole number from 0 on.

    >>> relative("8", {"count": 10}).value, relative("1", {"count": 0}).value
    (0.8, 0.0)
    """
    return _judge(text, answer, lambda found, gold: max(0.0, 1 - abs(found - gold) / max(1, gold)))


def gold_count(answer: Answer) -> int:
    """The answer's `count`.

    Raises ValueError naming it when it is missing or is no whole number from 0 on.

    >>> gold_count({"count": 3})
    3
    """
    if "count" not in answer:
        raise ValueError("answer has no 'count'")
    count = answer["count"]
    if not isinstance(count, int) or isinstance(count, bool) or not 0 <= count < 10**9:
        raise ValueError(f"answer 'count' is a whole number from 0 on, not {count!r}")
    return count


def _judge(text: str, answer: Answer, measure: Callable[[float, int], float]) -> Score:
    gold, body = gold_count(answer), answer_text(text)
    found = [] if body is None else parse_counts(body)
    if len(found) != 1 or found[0] != found[0]:
        code = "no_answer" if body is None else "many_counts" if len(found) > 1 else "no_count"
        return Score(0.0, correct=False, failure=code)
    return Score(measure(found[0], gold), correct=found[0] == gold, extracted=found[0])


FAILURES = ("no_answer", "no_count", "many_counts")
THREE = Example("3", {"count": 3})

REWARDS = {
    "exact": Reward(exact, failures=FAILURES, needs=("count",), example=THREE),
    "relative": Reward(relative, failures=FAILURES, needs=("count",), example=THREE),
}
