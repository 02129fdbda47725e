import pickle

import pytest

from vlrl.rewards import Reward
from vlrl.rewards.composite import combine
from vlrl.types import Answer, Score, UserError

GOLD = {"box": [0, 0, 10, 10], "prompt_mode": "direct"}


def half(text: str, answer: Answer) -> Score:
    return Score(0.5)


def unscorable(text: str, answer: Answer) -> Score:
    return Score(None)


PENALTY = Reward(
    lambda text, answer: Score(-0.25, failure="penalty"), low=-1.0, high=0.0, failures=("penalty",), needs=("limit",)
)


def own(name: str) -> str:
    return f"{__name__}:{name}"


def test_the_value_is_the_weighted_mean_and_the_parts_have_the_rewards_names() -> None:
    score = combine({"gui.click": 3, "format.prompted": 1})("so <answer>[5, 5]</answer>", GOLD)
    assert score == Score(0.75, {"gui.click": 1.0, "format.prompted": 0.0}, True, [5.0, 5.0], "bad_format")


def test_the_first_reward_says_what_is_correct_and_why_not() -> None:
    score = combine({"gui.click": 0.9, "format.prompted": 0.1})("", GOLD)
    assert score == Score(0.0, {"gui.click": 0.0, "format.prompted": 0.0}, False, None, "no_answer")


def test_weights_need_not_sum_to_one() -> None:
    small, large = combine({"gui.click": 0.9, own("half"): 0.1}), combine({"gui.click": 9, own("half"): 1})
    assert small("[5, 5]", GOLD).value == pytest.approx(0.95)
    assert large("[5, 5]", GOLD).value == pytest.approx(0.95)


def test_a_part_that_cannot_be_scored_drops_out_with_its_weight() -> None:
    score = combine({own("unscorable"): 0.9, own("half"): 0.1})("", GOLD)
    assert (score.value, score.parts) == (0.5, {own("half"): 0.5})


def test_without_any_part_there_is_no_value() -> None:
    assert combine({own("unscorable"): 1})("", GOLD) == Score(None)


def test_a_weight_of_zero_only_reports() -> None:
    score = combine({"gui.click": 1, own("half"): 0})("[5, 5]", GOLD)
    assert (score.value, score.parts[own("half")]) == (1.0, 0.5)
    assert combine({own("unscorable"): 1, own("half"): 0})("", GOLD).value is None


def test_it_declares_what_its_parts_declare() -> None:
    reward = combine({"gui.click": 3, own("PENALTY"): 1})
    assert (reward.low, reward.high) == (-0.25, 0.75)
    assert reward.failures == ("no_answer", "no_point", "penalty")
    assert reward.needs == ("box", "limit")
    assert reward("[5, 5]", GOLD).failure == "penalty"


@pytest.mark.parametrize("weights", [{}, {"gui.click": 0}, {"gui.click": 1, "format.prompted": -1}])
def test_impossible_weights_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(UserError, match="at least 0 and not all 0"):
        combine(weights)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(UserError, match=r"did you mean 'gui\.click'"):
        combine({"gui.clik": 1})


def test_it_travels_to_other_processes() -> None:
    reward = pickle.loads(pickle.dumps(combine({"gui.click": 1})))
    assert reward("[5, 5]", GOLD).value == 1.0
