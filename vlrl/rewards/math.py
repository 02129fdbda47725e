"""Numbers and expressions: exact, within a tolerance, with units, by their distance."""

from __future__ import annotations

from vlrl.metrics.math_equal import math_equal, parse_expression
from vlrl.metrics.units import close, in_unit
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.number import Quantity, parse_quantity
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import squeeze
from vlrl.rewards import Example, Reward
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_number, gold_text
from vlrl.types import Answer, Score

ROUNDING = 1e-6
"""Relative difference that two numbers may have and be equal: math-verify's six digits."""

MRA_STEPS = tuple(percent / 100 for percent in range(50, 100, 5))


def verify(text: str, answer: Answer) -> Score:
    r"""1 when the answer as a whole is a number or an expression equal to `answer["answer"]`, else 0.

    Numbers, with or without units, are compared as in `math.numeric`; expressions (LaTeX or plain) by math-verify's parser and
    their values (`vlrl.metrics.math_equal`), without signals, so that it works in threads. Source: the accuracy reward of
    open-r1-multimodal and VLM-R1 (arXiv 2504.07615), which searches the whole completion for any number. Text longer than 200
    characters, towers of powers, factorials, sums and integrals are not evaluated: they are right when they equal the gold's
    text. Range 0..1. Failures: `no_answer`, `not_math`. Raises ValueError when 'answer' is no expression.

    >>> gold = {"answer": r"$\frac{1}{2}$"}
    >>> verify("0.5", gold).value, verify(r"\boxed{\frac{2}{4}}", gold).value, verify("9**9**9", gold).failure
    (1.0, 1.0, 'not_math')
    """
    gold = bare_answer(gold_text(answer))
    quantity = parse_quantity(gold)
    if quantity is None and not parse_expression(gold):
        raise ValueError(f"answer 'answer' is no number or expression that can be compared: {gold!r}")
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = bare_answer(body)
    if squeeze(said) == squeeze(gold):
        return right_or_wrong(True, said)
    number = parse_quantity(said)
    if number and quantity:
        return right_or_wrong(_equal(number, quantity, ROUNDING), said)
    equal = math_equal(said, gold) if parse_expression(gold) else None
    return failed("not_math") if equal is None and number is None else right_or_wrong(bool(equal), said)


def numeric(text: str, answer: Answer) -> Score:
    """1 when the answer is a number with |p - g| <= tolerance * |g|, after conversion to the gold's unit; else 0.

    `answer` is a number, or text such as `7 cm`; `unit` (optional) its unit, `tolerance` (optional) the relative tolerance, by
    default six digits. 5 mm is 0.5 cm and 50 % is 0.5; a unit that one side leaves out is taken for granted. Two numbers are no
    answer. Source: the numeric reward of VLM-R1 (arXiv 2504.07615), which pays edit similarity for a wrong number with a unit;
    units are this project's addition. Range 0..1. Failures: `no_answer`, `no_number`, `wrong_unit` (it measures something
    else). Raises ValueError for a malformed 'answer', 'unit' or 'tolerance'.

    >>> gold = {"answer": "7 cm", "tolerance": 0.01}
    >>> [numeric(said, gold).value for said in ("70 mm", "7", "7.05 cm", "7.1 cm", "7 kg")]
    [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    gold, tolerance = _gold_quantity(answer), gold_number(answer, "tolerance", ROUNDING)
    values, failure = _values(text, gold)
    if failure:
        return failed(failure)
    return right_or_wrong(any(close(value, gold.value, tolerance) for value in values), values[0])


def two_decimals(text: str, answer: Answer) -> Score:
    """1 when the answer's number, rounded to two decimals, equals the gold's, else 0.

    Source: the numerical reward of Video-R1 (arXiv 2503.21776), which also wants the same decimal style, so that `7.0` is not 7,
    and takes the comma of `1,000` for a decimal mark. Range 0..1. Failures: `no_answer`, `no_number`, `wrong_unit`. Raises
    ValueError when 'answer' is no number.

    >>> two_decimals("3.146", {"answer": "3.15"}).value, two_decimals("3.146", {"answer": "3.14"}).value
    (1.0, 0.0)
    """
    gold = _gold_quantity(answer)
    values, failure = _values(text, gold)
    if failure:
        return failed(failure)
    return right_or_wrong(any(round(value, 2) == round(gold.value, 2) for value in values), values[0])


def regression(text: str, answer: Answer) -> Score:
    """1 - min(1, |p - g| / |g|), p the answer's number and g the gold's; for a gold of 0, 1 when p is 0.

    Source: the regression reward of Video-R1 (arXiv 2503.21776). Correct when equal to six digits. Range 0..1. Failures:
    `no_answer`, `no_number`, `wrong_unit`. Raises ValueError when 'answer' is no number.

    >>> regression("12", {"answer": "10"}).value, regression("25", {"answer": 10}).value
    (0.8, 0.0)
    """
    gold = _gold_quantity(answer)
    values, failure = _values(text, gold)
    if failure:
        return failed(failure)
    error = min(_relative_error(value, gold.value) for value in values)
    return Score(1 - min(1.0, error), correct=error <= ROUNDING, extracted=values[0])


def mra(text: str, answer: Answer) -> Score:
    """Mean relative accuracy: the share of the thresholds t = 0.50, 0.55, ..., 0.95 with |p - g| / |g| < 1 - t.

    Source: VSI-Bench (arXiv 2412.14171), the evaluation of Video-R1's regression questions and a reward of OneThinker. Correct
    when equal to six digits. Range 0..1. Failures: `no_answer`, `no_number`, `wrong_unit`. Raises ValueError when 'answer'
    is no number.

    >>> mra("11.2", {"answer": "10"}).value, mra("10", {"answer": "10"}).value
    (0.8, 1.0)
    """
    gold = _gold_quantity(answer)
    values, failure = _values(text, gold)
    if failure:
        return failed(failure)
    error = min(_relative_error(value, gold.value) for value in values)
    passed = sum(error < 1 - step for step in MRA_STEPS)
    return Score(passed / len(MRA_STEPS), correct=error <= ROUNDING, extracted=values[0])


def _gold_quantity(answer: Answer) -> Quantity:
    text = gold_text(answer)
    quantity = parse_quantity(text)
    if quantity is None:
        raise ValueError(f"answer 'answer' is no number: {text!r}")
    unit = answer.get("unit") or quantity.unit
    if not isinstance(unit, str):
        raise ValueError(f"answer 'unit' is a text, not {unit!r}")
    return Quantity(quantity.value, unit)


def _values(text: str, gold: Quantity) -> tuple[tuple[float, ...], str]:
    """What the answer's number can mean in the gold's unit, or a failure code."""
    body = answer_text(text)
    if body is None:
        return (), "no_answer"
    number = parse_quantity(body)
    if number is None:
        return (), "no_number"
    values = in_unit(*number, gold.unit)
    return values, "" if values else "wrong_unit"


def _equal(number: Quantity, gold: Quantity, tolerance: float) -> bool:
    return any(close(value, gold.value, tolerance) for value in in_unit(*number, gold.unit))


def _relative_error(value: float, gold: float) -> float:
    if gold == 0:
        return 0.0 if value == 0 else 1.0
    return abs(value - gold) / abs(gold)


NUMBER_FAILURES = ("no_answer", "no_number", "wrong_unit")
_LENGTH = Example("70 mm", {"answer": "7 cm"})

REWARDS = {
    "verify": Reward(
        verify,
        failures=("no_answer", "not_math"),
        needs=("answer",),
        example=Example(r"\boxed{\frac{2}{4}x}", {"answer": r"$\frac{x}{2}$"}),
    ),
    "numeric": Reward(numeric, failures=NUMBER_FAILURES, needs=("answer",), example=_LENGTH),
    "two_decimals": Reward(
        two_decimals, failures=NUMBER_FAILURES, needs=("answer",), example=Example("3.146", {"answer": "3.15"})
    ),
    "regression": Reward(regression, failures=NUMBER_FAILURES, needs=("answer",), example=_LENGTH),
    "mra": Reward(mra, failures=NUMBER_FAILURES, needs=("answer",), example=_LENGTH),
}
