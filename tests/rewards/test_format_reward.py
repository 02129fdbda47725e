import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load

FORM = "<think>I look.</think><answer>[1, 2, 3, 4]</answer>"

OTHER_RULE = {
    "negative does not match": 1.0,  # the number rule is the box reward's matter, not the form's
    "full-width digits": 1.0,
    "decimals do not match": 1.0,
    "two answers: first is used here": 0.0,  # exactly one block of each
    "empty thought and junk inside the answer pass": 0.0,
}
"""Rows of VLM-R1's box form where our rule is another one on purpose: its pattern is searched for and wants a box of integers."""


@pytest.mark.parametrize("row", rows("vlm-r1_format_rec"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1(row: dict) -> None:
    assert load("format.think_answer")(row["text"], {}).value == OTHER_RULE.get(row["note"], expected(row))


@pytest.mark.parametrize("row", rows("ui-r1_action"), ids=lambda row: row["note"])
def test_golden_vectors_of_ui_r1(row: dict) -> None:
    assert load("format.think_answer")(row["text"], {}).value == expected(row)["format"]


@pytest.mark.parametrize(
    ("text", "failure"),
    [
        (FORM, None),
        ("", "no_think_tag"),
        ("<answer>A</answer>", "no_think_tag"),
        ("<think>x", "no_think_tag"),
        ("</think>x<think>", "no_think_tag"),
        ("<think>x</think>A", "no_answer_tag"),
        ("<think>x</think><answer>A", "no_answer_tag"),
        ("<answer>A</answer><think>x</think>", "bad_format"),
        (FORM + " Done.", "bad_format"),
    ],
)
def test_think_answer_says_why(text: str, failure: str | None) -> None:
    score = load("format.think_answer")(text, {})
    assert (score.value, score.failure) == (float(failure is None), failure)


@pytest.mark.parametrize(
    ("text", "failure"),
    [("[1, 2]", None), ("<answer>A</answer>", None), (" ", "no_answer"), (FORM, "bad_format"), ("<answer>A", "bad_format")],
)
def test_answer_only_says_why(text: str, failure: str | None) -> None:
    score = load("format.answer_only")(text, {})
    assert (score.value, score.failure) == (float(failure is None), failure)


@pytest.mark.parametrize(
    ("text", "mode", "failure"),
    [
        (FORM, "think", None),
        (FORM, "direct", "bad_format"),
        (FORM, None, None),
        ("[1, 2]", "think", "no_think_tag"),
        ("[1, 2]", "direct", None),
        ("[1, 2]", None, None),
        ("<think>x", None, "bad_format"),
        ("", None, "no_answer"),
    ],
)
def test_prompted_follows_the_prompt_mode(text: str, mode: str | None, failure: str | None) -> None:
    score = load("format.prompted")(text, {"prompt_mode": mode} if mode else {})
    assert (score.value, score.failure) == (float(failure is None), failure)


def test_another_prompt_mode_is_a_malformed_gold() -> None:
    with pytest.raises(ValueError, match="'prompt_mode' is 'think' or 'direct', not 'cot'"):
        load("format.prompted")("A", {"prompt_mode": "cot"})


def test_vlm_r1_bug_9_empty_thoughts_and_text_around_the_tags_earn_nothing() -> None:
    reward = load("format.think_answer")
    assert reward("<think></think><answer>[1, 2, 3, 4]</answer>", {}).value == 0
    assert reward("junk " + FORM + " junk", {}).value == 0
