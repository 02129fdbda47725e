import ast

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Score

GOLD = {"box": [100, 100, 200, 200], "image_size": [640, 480]}
CLICK = load("gui.click")

OTHER_RULE = {
    "decimals do not match: [0,0]": 1.0,
    "a box instead of a point: not read": 1.0,  # its centre is the click, as in the ScreenSpot scorers
    "no tags": 1.0,  # a bare answer is an answer; its form is the format reward's matter
}
"""Rows of UI-R1 where our rule is another one on purpose."""


@pytest.mark.parametrize("row", rows("ui-r1_action"), ids=lambda row: row["note"])
def test_golden_vectors_of_ui_r1(row: dict) -> None:
    """UI-R1 multiplies the click by `scale`: the same as a model that saw the image smaller by it."""
    gold = ast.literal_eval(row["answer"]["solution"].removeprefix("<answer>").removesuffix("</answer>"))[0]["bbox"]
    processed = [1000 / factor for factor in row["answer"]["scale"]]
    answer = {"box": gold, "image_size": [1000, 1000], "processed_size": processed, "space": "processed"}
    assert CLICK(row["text"], answer).value == OTHER_RULE.get(row["note"], expected(row)["coord"])


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("[150, 150]", 1.0, None),
        ("(150, 150)", 1.0, None),
        ("click(x=150, y=150)", 1.0, None),
        ("<think>[1, 1]</think><answer>[150, 150]</answer>", 1.0, None),
        ("[100, 100]", 1.0, None),
        ("[200, 200]", 1.0, None),
        ("[200.1, 200]", 0.0, None),
        ("[99, 150]", 0.0, None),
        ("[-150, 150]", 0.0, None),
        ("[100, 100, 200, 200]", 1.0, None),
        ("[0, 0, 640, 480]", 0.0, None),
        ("", 0.0, "no_answer"),
        ("<think>[150, 150]", 0.0, "no_answer"),
        ("<answer>[150, 150]", 0.0, "no_answer"),
        ("the button", 0.0, "no_point"),
        ("[150, 150, 150]", 0.0, "no_point"),
        ("[1e400, 150]", 0.0, "no_point"),
        ("[\uff11\uff15\uff10, 150]", 0.0, "no_point"),
    ],
)
def test_value_and_failure(text: str, value: float, failure: str | None) -> None:
    score = CLICK(text, GOLD)
    assert (score.value, score.failure) == (value, failure)
    assert score.correct is bool(value)


def test_listing_many_points_earns_what_the_first_earns() -> None:
    assert CLICK("[1, 1] [150, 150]", GOLD).value == 0
    assert CLICK("[150, 150] [1, 1]", GOLD).value == 1


def test_the_extracted_point_is_in_original_pixels() -> None:
    assert CLICK("[250, 500]", {**GOLD, "space": "thousandths"}).extracted == [160.0, 240.0]


def test_ui_r1_without_a_point_the_origin_is_not_clicked() -> None:
    score = CLICK("<answer>[{'action': 'click'}]</answer>", {"box": [0, 0, 50, 50]})
    assert (score.value, score.failure) == (0.0, "no_point")


def test_gui_r1_model_output_is_never_evaluated() -> None:
    assert CLICK("[__import__('os').getpid() * 0 + 150, 150]", GOLD).failure == "no_point"


def test_a_gold_box_without_area_cannot_be_scored() -> None:
    assert CLICK("[5, 5]", {"box": [5, 5, 5, 9]}) == Score(None)


def test_a_malformed_gold_raises_even_when_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="'box'"):
        CLICK("", {})
