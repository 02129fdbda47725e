import pytest

from vlrl.rewards.gold import gold_box
from vlrl.types import Answer

BOX = [10, 20, 30, 40]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({}, "no 'box'"),
        ({"box": None}, "'box': a box is four numbers"),
        ({"box": [1, 2, 3]}, "'box': a box is four numbers"),
        ({"box": [1, 2, 3, 4, 5]}, "'box': a box is four numbers"),
        ({"box": ["1", 2, 3, 4]}, "'box': a box is four numbers"),
        ({"box": [True, 2, 3, 4]}, "'box': a box is four numbers"),
        ({"box": {"x1": 1}}, "'box': a box is four numbers"),
        ({"box": [1, 2, float("nan"), 4]}, "'box': a box has finite numbers"),
        ({"box": [1, 2, float("inf"), 4]}, "'box': a box has finite numbers"),
        ({"box": [30, 20, 10, 40]}, "'box': a box has x1 <= x2"),
        ({"box": BOX, "image_size": [20, 100]}, "'box': .* lies outside the image, whose 'image_size'"),
        ({"box": [-2, 0, 3, 4], "image_size": [20, 100]}, "'box': .* lies outside the image"),
        ({"box": BOX, "image_size": [100]}, "'image_size' is two numbers"),
        ({"box": BOX, "image_size": [100, -1]}, "'image_size' is two numbers"),
        ({"box": BOX, "image_size": "big"}, "'image_size' is two numbers"),
        ({"box": BOX, "image_size": 100}, "'image_size' is two numbers"),
        ({"box": BOX, "image_size": [0, 0]}, "'image_size' has no area"),
        ({"box": BOX, "space": "thousandths"}, "no 'image_size', which space 'thousandths' needs"),
        ({"box": BOX, "space": "processed", "image_size": [100, 100]}, "needs processed_size"),
        ({"box": BOX, "space": "processed", "image_size": [100, 100], "processed_size": []}, "'processed_size' is two numbers"),
        ({"box": BOX, "space": "percent", "image_size": [100, 100]}, "'space': unknown coordinate space 'percent'"),
    ],
)
def test_a_malformed_gold_raises_and_names_the_key(answer: Answer, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        gold_box(answer)


@pytest.mark.parametrize(
    "answer",
    [
        {"box": BOX},
        {"box": BOX, "image_size": None},
        {"box": BOX, "image_size": [30, 40]},
        {"box": [-0.4, 20, 30.6, 40], "image_size": [30, 40]},
        {"box": BOX, "image_size": [30, 40], "processed_size": [56, 84], "space": "processed"},
    ],
)
def test_a_good_gold(answer: Answer) -> None:
    assert list(gold_box(answer)) == answer["box"]
