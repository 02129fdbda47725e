import pytest

from vlrl.rewards import load
from vlrl.types import Score

GOLD = {"box": [100, 100, 200, 200], "image_size": [640, 480]}
TWO = {"boxes": [{"box": [0, 0, 10, 10]}, {"box": [20, 0, 30, 10]}]}


@pytest.mark.parametrize(
    ("text", "value"), [("[100, 100, 200, 200]", 1.0), ("[100, 100, 200, 150]", 0.5), ("[300, 100, 400, 200]", -1 / 3)]
)
def test_giou(text: str, value: float) -> None:
    score = load("grounding.giou")(text, GOLD)
    assert score.value == pytest.approx(value)
    assert score.correct is (value >= 0.5)


@pytest.mark.parametrize(("text", "failure"), [("", "no_answer"), ("none", "no_box"), ("[200, 200, 100, 100]", "bad_box")])
def test_an_unreadable_box_has_the_least_giou(text: str, failure: str) -> None:
    assert load("grounding.giou")(text, GOLD) == Score(-1.0, correct=False, failure=failure)


@pytest.mark.parametrize("percent", [30, 50, 70, 75, 90])
def test_accuracy_at_a_threshold_takes_the_threshold_in(percent: int) -> None:
    reward = load(f"grounding.acc{percent}")
    at, below = reward(f"[100, 100, 200, {100 + percent}]", GOLD), reward(f"[100, 100, 200, {100 + percent - 1}]", GOLD)
    assert (at.value, at.correct, at.parts) == (1.0, True, {"iou": percent / 100})
    assert (below.value, below.correct) == (0.0, False)


@pytest.mark.parametrize(
    ("text", "value", "correct"),
    [
        ("[[0, 0, 10, 10], [20, 0, 30, 10]]", 1.0, True),
        ("[[20, 0, 30, 10], [0, 0, 10, 10]]", 1.0, True),
        ("[[0, 0, 10, 10]]", 0.5, False),
        ("[[0, 0, 10, 10], [0, 0, 10, 10]]", 0.5, False),
        ("[[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]]", 2 / 3, False),
        ("[[0, 0, 10, 10], [20, 0, 30, 10], [0, 0, 10, 10], [20, 0, 30, 10]]", 0.5, False),
        ('[{"bbox_2d": [0, 0, 10, 10], "label": "x"}, {"bbox_2d": [20, 0, 30, 10], "label": "y"}]', 1.0, True),
        ("[]", 0.0, False),
    ],
)
def test_a_set_of_boxes(text: str, value: float, correct: bool) -> None:
    score = load("grounding.set_iou")(text, TWO)
    assert (score.value, score.correct) == (pytest.approx(value), correct)


def test_an_empty_set() -> None:
    reward = load("grounding.set_iou")
    assert reward("none", {"boxes": []}) == Score(1.0, correct=True, extracted=[])
    assert reward("[[0, 0, 10, 10]]", {"boxes": []}).value == 0
    assert reward("I think so", {"boxes": []}).failure == "no_boxes"
    assert reward(str([[0, 0, 1, 1]] * 1001), TWO).failure == "too_many_boxes"


@pytest.mark.parametrize(
    ("text", "value"), [("[100, 150]", 1.0), ("[99.9, 150]", 0.0), ("[100, 100, 200, 200]", 1.0), ("[5, 5], [150, 150]", 0.0)]
)
def test_a_point_in_the_box(text: str, value: float) -> None:
    score = load("grounding.point_in_box")(text, GOLD)
    assert (score.value, score.correct) == (value, bool(value))


def test_a_point_where_an_unreadable_answer_stands_for_none() -> None:
    # lmms-eval takes the origin for an unreadable answer, which can win its centre accuracy
    gold = {"box": [0, 0, 50, 50]}
    assert load("grounding.point_in_box")("I cannot say", gold) == Score(0.0, correct=False, failure="no_point")


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ('{"image": 2, "bbox_2d": [100, 100, 200, 200]}', 1.0, None),
        ("Image-2: (100,100),(200,200)", 1.0, None),
        ("In image 2 it is at [100, 100, 200, 150].", 0.5, None),
        ("image 1: [100, 100, 200, 200]", 0.0, "wrong_image"),
        ("image 1, image 2, image 3: [100, 100, 200, 200]", 0.0, "wrong_image"),
        ("image 22: [100, 100, 200, 200]", 0.0, "wrong_image"),
        ("[100, 100, 200, 200]", 0.0, "no_image"),
        ("image 2", 0.0, "no_box"),
        ("", 0.0, "no_answer"),
    ],
)
def test_a_box_in_one_of_several_images(text: str, value: float, failure: str | None) -> None:
    score = load("grounding.image_box")(text, {**GOLD, "image_index": 2})
    assert (score.value, score.failure) == (value, failure)


@pytest.mark.parametrize("index", [None, 0, "2", True, 1.5])
def test_a_malformed_image_number(index: object) -> None:
    with pytest.raises(ValueError, match="'image_index'"):
        load("grounding.image_box")("", {**GOLD, "image_index": index})
