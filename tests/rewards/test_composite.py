import pickle

import pytest

from vlrl.rewards import Reward
from vlrl.rewards.composite import Gate, combine, row_reward, row_weights
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


CLICK_AND_FORM = {"gui.click": 0.9, "format.prompted": 0.1}
HIT, MISS = "[5, 5]", "[50, 50]"


def test_a_gated_part_counts_only_where_its_gate_is_open() -> None:
    gated = combine(CLICK_AND_FORM, {"format.prompted": Gate("gui.click", 1.0)})
    assert [gated(text, GOLD).value for text in (HIT, MISS)] == [1.0, 0.0]
    assert gated(MISS, GOLD).parts == {"gui.click": 0.0, "format.prompted": 1.0}
    assert combine(CLICK_AND_FORM)(MISS, GOLD).value == pytest.approx(0.1)


def test_g_ra_a_gated_penalty_neither_counts_nor_pays_below_the_gate() -> None:
    gated = combine({"gui.click": 0.5, own("PENALTY"): 0.5}, {own("PENALTY"): Gate("gui.click", 0.5)})
    assert gated(HIT, GOLD).value == 0.5 - 0.125
    assert gated(MISS, GOLD).value == 0
    assert (gated.low, gated.high) == (-0.5, 0.5)


def test_a_part_whose_gate_cannot_be_scored_drops_out() -> None:
    gated = combine({own("unscorable"): 0.5, own("half"): 0.25, "gui.click": 0.25}, {own("half"): Gate(own("unscorable"), 0.5)})
    assert gated(HIT, GOLD).value == 1.0
    assert combine({own("unscorable"): 1, own("half"): 1}, {own("half"): Gate(own("unscorable"), 0)})("", GOLD).value is None


@pytest.mark.parametrize("gates", [{"gui.click": Gate("grounding.iou", 1)}, {"grounding.iou": Gate("gui.click", 1)}])
def test_gates_are_between_parts(gates: dict[str, Gate]) -> None:
    with pytest.raises(UserError, match="wants both to be among the rewards"):
        combine(CLICK_AND_FORM, gates)


def test_the_other_parts_are_told_what_the_main_one_says() -> None:
    both = combine({"gui.click": 0.5, "length.cosine": 0.5})
    length = {"completion_tokens": 0, "max_completion_length": 10}
    assert both(HIT, {**GOLD, **length}).parts == {"gui.click": 1.0, "length.cosine": 1.0}
    assert both(MISS, {**GOLD, **length, "correct": True}).parts == {"gui.click": 0.0, "length.cosine": 0.0}
    assert both.needs == ("box", "completion_tokens", "max_completion_length")
    assert combine({"length.cosine": 1}).needs[0] == "correct"


def test_a_length_reward_drops_out_where_the_main_reward_knows_no_right_and_wrong() -> None:
    score = combine({own("half"): 1, "length.cosine": 1})("", {"completion_tokens": 0, "max_completion_length": 10})
    assert (score.value, score.parts) == (0.5, {own("half"): 0.5})


def test_a_row_names_its_rewards() -> None:
    assert row_weights("gui.click") == {"gui.click": 1.0}
    assert row_reward({"gui.click": 3, "format.prompted": 1})(MISS, GOLD).value == 0.25
    assert row_reward("gui.click")(HIT, GOLD).value == 1.0


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("gui.clik", "unknown reward 'gui.clik'; did you mean 'gui.click'"),
        ({"gui.clik": 1}, "did you mean 'gui.click'"),
        ("os:system", "names built-in rewards, and 'os:system' is none"),
        ({"os:system": 1}, "names built-in rewards"),
        ({"gui.click": "1"}, "gives 'gui.click' the weight '1'"),
        ({"gui.click": True}, "the weight True"),
        ({"gui.click": -1}, "the weight -1"),
        ({"gui.click": float("nan")}, "the weight nan"),
        ({"gui.click": 0}, "not all 0"),
        ({}, "is the name of a reward or an object"),
        (["gui.click"], "is the name of a reward or an object"),
        (5, "is the name of a reward or an object"),
    ],
)
def test_a_row_that_names_none_is_refused(spec: object, message: str) -> None:
    with pytest.raises(UserError, match=message):
        row_reward(spec)
