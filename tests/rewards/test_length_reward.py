"""Golden vectors of VLM-R1's cosine, TRL's own overlong penalty, and numbers computed by hand."""

from typing import Any

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Score

RIGHT = {"max_completion_length": 100, "correct": True}
WRONG = {**RIGHT, "correct": False}


def value(name: str, tokens: int, **answer: Any) -> float | None:
    return load(f"length.{name}")("any text", {**answer, "completion_tokens": tokens}).value


@pytest.mark.parametrize("row", rows("vlm-r1_cosine"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1(row: dict) -> None:
    """Where the oracle pays a wrong answer, or pays more beyond the limit, the corrected value is ours."""
    given = row["answer"]
    limit = {"max_completion_length": 1024, "correct": given["acc_reward"] >= 0.7}
    assert value("cosine", given["n_tokens"], **limit) == pytest.approx(expected(row), abs=1e-12)


def test_vlm_r1_bug_1_a_wrong_answer_is_not_paid_like_a_right_one() -> None:
    for tokens in (0, 200, 1024, 5000):
        assert (value("cosine", tokens, **RIGHT) or 0) > 0 >= (value("cosine", tokens, **WRONG) or 0)


def test_vlm_r1_bug_1_twice_the_limit_is_not_paid_like_nothing() -> None:
    assert value("cosine", 200, **RIGHT) == value("cosine", 100, **RIGHT) == 0.5


@pytest.mark.parametrize("name", ["cosine", "cosine_explore", "overlong"])
def test_longer_is_never_better_when_right(name: str) -> None:
    values = [value(name, tokens, **RIGHT) or 0 for tokens in range(0, 300, 7)]
    assert values == sorted(values, reverse=True)


@pytest.mark.parametrize(("tokens", "right", "wrong"), [(0, 1.0, -1.0), (50, 0.75, -0.75), (100, 0.5, -0.5), (10**30, 0.5, -0.5)])
def test_cosine_explore_by_hand(tokens: int, right: float, wrong: float) -> None:
    assert value("cosine_explore", tokens, **RIGHT) == pytest.approx(right)
    assert value("cosine_explore", tokens, **WRONG) == pytest.approx(wrong)


@pytest.mark.parametrize(
    ("tokens", "right", "wrong"),
    [(0, 1.0, -1.0), (100, 0.5, -0.1), (140, 0.3, -0.1), (180, 0.1, -0.1), (50, 0.75, -0.55), (10**400, 0.1, -0.1)],
)
def test_dast_by_hand(tokens: int, right: float, wrong: float) -> None:
    assert value("dast", tokens, correct=True, length_budget=100) == pytest.approx(right)
    assert value("dast", tokens, correct=False, length_budget=100) == pytest.approx(wrong)


@pytest.mark.parametrize("limit", [20, 100, 2050, 20480])
def test_overlong_is_trls(limit: int) -> None:
    theirs = pytest.importorskip("trl.rewards").get_soft_overlong_punishment(limit, limit // 5)
    lengths = [0, limit // 2, limit * 4 // 5, limit * 9 // 10, limit - 1, limit, limit + 1, 9 * limit]
    ours = [value("overlong", tokens, max_completion_length=limit) for tokens in lengths]
    assert ours == pytest.approx(theirs([[0] * tokens for tokens in lengths]), abs=1e-12)


def test_overlong_says_too_long_at_the_limit() -> None:
    reward = load("length.overlong")
    assert reward("", {"completion_tokens": 99, "max_completion_length": 100}).failure is None
    assert reward("", {"completion_tokens": 100, "max_completion_length": 100}) == Score(-1.0, failure="too_long")


@pytest.mark.parametrize("name", ["cosine", "cosine_explore", "dast"])
def test_nothing_is_said_where_nobody_knows_what_is_correct(name: str) -> None:
    assert value(name, 5, max_completion_length=100, length_budget=50, correct=None) is None


@pytest.mark.parametrize(
    ("key", "bad"),
    [
        ("completion_tokens", -1),
        ("completion_tokens", 1.5),
        ("completion_tokens", True),
        ("max_completion_length", 0),
        ("max_completion_length", float("inf")),
        ("max_completion_length", "512"),
        ("correct", 0.3),
        ("correct", "yes"),
    ],
)
def test_malformed_golds_name_the_key(key: str, bad: Any) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load("length.cosine")("", {**RIGHT, "completion_tokens": 5, key: bad})
