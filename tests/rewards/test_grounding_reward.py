import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Score

GOLD = {"box": [100, 100, 200, 200], "image_size": [640, 480]}
IOU = load("grounding.iou")

OTHER_RULE = {
    "negative does not match": 0.7961864257892566,  # [-1, 48, 322, 238]: numbers have signs
    "no answer tag": 0.99635527442927,  # a bare answer is an answer; its form is the format reward's matter
}
"""Rows of VLM-R1 where our rule is another one on purpose."""


@pytest.mark.parametrize("row", rows("vlm-r1_iou"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1(row: dict) -> None:
    theirs = row["answer"]
    ours = {
        "box": theirs["box"],
        "image_size": theirs["image_size"],
        "processed_size": theirs["input_size"],
        "space": "processed",
    }
    assert IOU(row["text"], ours).value == pytest.approx(OTHER_RULE.get(row["note"], expected(row)), abs=1e-9)


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("[100, 100, 200, 200]", 1.0, None),
        ("<answer>[100, 100, 200, 200]</answer>", 1.0, None),
        ("[100, 100, 200, 150]", 0.5, None),
        ("[0, 0, 50, 50]", 0.0, None),
        ("[150, 150, 150, 150]", 0.0, None),
        ("", 0.0, "no_answer"),
        ("<think>[100, 100, 200, 200]", 0.0, "no_answer"),
        ("<answer>[100, 100, 200, 200]", 0.0, "no_answer"),
        ("<think>[100, 100, 200, 200]</think>none", 0.0, "no_box"),
        ("[100, 100, 200]", 0.0, "no_box"),
        ("[100, 100, 200, 200, 1]", 0.0, "no_box"),
        ("[NaN, 100, 200, 200]", 0.0, "no_box"),
        ("[100, 100, 1e400, 200]", 0.0, "no_box"),
        ("[\u0661\u0660\u0660, 100, 200, 200]", 0.0, "no_box"),
        ("[200, 200, 100, 100]", 0.0, "bad_box"),
        ("[200, 100, 100, 200]", 0.0, "bad_box"),
    ],
)
def test_value_and_failure(text: str, value: float, failure: str | None) -> None:
    score = IOU(text, GOLD)
    assert (score.value, score.failure) == (value, failure)
    assert score.correct is (value >= 0.5)


def test_an_iou_of_exactly_one_half_is_correct() -> None:
    assert IOU("[100, 100, 200, 150]", GOLD).correct is True
    assert IOU("[100, 100, 200, 149]", GOLD).correct is False


def test_listing_many_boxes_earns_what_the_first_earns() -> None:
    assert IOU("[0, 0, 50, 50], [100, 100, 200, 200]", GOLD).value == 0
    assert IOU("[100, 100, 200, 200], [0, 0, 50, 50]", GOLD).value == 1


def test_the_extracted_box_is_in_original_pixels() -> None:
    answer = {**GOLD, "space": "thousandths"}
    assert IOU("[250, 250, 500, 500]", answer).extracted == [160.0, 120.0, 320.0, 240.0]


@pytest.mark.parametrize(
    ("space", "text"),
    [
        ("pixels", "[64, 48, 320, 240]"),
        ("processed", "[128, 24, 640, 120]"),
        ("thousandths", "[100, 100, 500, 500]"),
        ("unit", "[0.1, 0.1, 0.5, 0.5]"),
    ],
)
def test_the_declared_space_decides_what_numbers_mean(space: str, text: str) -> None:
    answer = {"box": [64, 48, 320, 240], "image_size": [640, 480], "processed_size": [1280, 240]}
    assert IOU(text, {**answer, "space": space}).value == pytest.approx(1.0)
    others = {"pixels", "processed", "thousandths", "unit"} - {space}
    assert all(IOU(text, {**answer, "space": other}).value < 0.9 for other in others)


def test_a_gold_box_without_area_cannot_be_scored() -> None:
    assert IOU("[5, 5, 5, 5]", {"box": [5, 5, 5, 9]}) == Score(None)


def test_a_malformed_gold_raises_even_when_there_is_no_answer() -> None:
    with pytest.raises(ValueError, match="'box'"):
        IOU("", {"box": [1, 2, 3]})


def test_vlm_r1_bug_8_fractions_signs_and_spaces_are_read() -> None:
    gold = {"box": [0, 100, 200, 200]}
    assert IOU("[ -0.0 , 100.0,200.0 ,200.0 ]", gold).value == 1.0


def test_vlm_r1_bug_8_a_box_without_area_is_wrong_and_no_error() -> None:
    assert IOU("[150, 150, 150, 150]", GOLD) == Score(0.0, correct=False, extracted=[150.0] * 4)
