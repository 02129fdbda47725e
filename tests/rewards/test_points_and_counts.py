import pytest

from vlrl.rewards import load
from vlrl.types import Score

SIZE = {"image_size": [1000, 1000]}
TWO = {"points": [[100, 100], [500, 500]], **SIZE}
FACE = {"keypoints": {"nose": [100, 100], "left ear": [500, 100]}, **SIZE}
AT_SIGMA = 0.6065306597126334


@pytest.mark.parametrize(
    ("text", "close", "f1"),
    [
        ("[[100, 100], [500, 500]]", 1.0, 1.0),
        ("[[500, 500], [100, 100]]", 1.0, 1.0),
        ("(100, 100), (500, 500)", 1.0, 1.0),
        ('[{"point_2d": [100, 100], "label": "a"}, {"point_2d": [500, 500]}]', 1.0, 1.0),
        ('<point x="100" y="100" alt="cup">cup</point> <point x="500" y="500">cup</point>', 1.0, 1.0),
        ("[[100, 100]]", 0.5, 2 / 3),
        ("[[100, 100], [100, 100]]", 0.5, 0.5),
        ("[[150, 100], [500, 500]]", (1 + AT_SIGMA) / 2, 1.0),
        ("[[151, 100], [500, 500]]", 0.8, 0.5),
        ("[[100, 100], [500, 500], [900, 900], [900, 100]]", 0.5, 2 / 3),
        ("[]", 0.0, 0.0),
    ],
)
def test_points(text: str, close: float, f1: float) -> None:
    assert load("points.distance")(text, TWO).value == pytest.approx(close, abs=0.01)
    score = load("points.hit")(text, TWO)
    assert (score.value, score.correct) == (pytest.approx(f1), f1 == 1.0)


@pytest.mark.parametrize("name", ["distance", "hit"])
def test_points_where_nothing_is(name: str) -> None:
    nothing, reward = {"points": [], **SIZE}, load(f"points.{name}")
    assert reward("none", nothing) == Score(1.0, correct=True, extracted=[])
    assert reward("[[1, 1]]", nothing).value == 0
    assert reward("there", nothing) == Score(0.0, correct=False, failure="no_points")
    assert reward("<think>none", nothing).failure == "no_answer"
    assert reward(str([[1, 1]] * 1001), TWO).failure == "too_many_points"


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({"points": [[1, 2]]}, "image_size"),
        ({"points": [[1, 2, 3]], **SIZE}, "points"),
        ({"points": [[-9, 2]], **SIZE}, "points"),
        ({"points": [[2000, 2]], **SIZE}, "points"),
        ({"points": 5, **SIZE}, "points"),
        ({"points": [5], **SIZE}, "points"),
    ],
)
def test_malformed_points(answer: dict, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load("points.distance")("", answer)


def test_points_in_thousandths_of_a_small_image() -> None:
    gold = {"points": [[10, 20]], "image_size": [100, 40], "space": "thousandths"}
    assert load("points.distance")("[[100, 500]]", gold) == Score(1.0, correct=True, extracted=[[10.0, 20.0]])


@pytest.mark.parametrize(
    ("text", "value", "correct"),
    [
        ('{"nose": [100, 100], "left ear": [500, 100]}', 1.0, True),
        ('[{"point_2d": [500, 100], "label": "Left  Ear"}, {"point_2d": [100, 100], "label": "nose"}]', 1.0, True),
        ('{"nose": [500, 100], "left ear": [100, 100]}', 0.0, False),
        ('{"nose": [100, 100]}', 0.5, False),
        ('{"nose": [100, 150], "left ear": [500, 100]}', (1 + AT_SIGMA) / 2, True),
        ("[[100, 100], [500, 100]]", 0.0, False),
        ('[{"point": [100, 100], "label": "nose"}, {"point": [9, 9], "label": "nose"}]', 0.5, False),
    ],
)
def test_keypoints(text: str, value: float, correct: bool) -> None:
    score = load("points.keypoints")(text, FACE)
    assert (score.value, score.correct) == (pytest.approx(value, abs=1e-6), correct)


def test_malformed_keypoints() -> None:
    for named in (None, {}, [[1, 2]], {"nose": [1]}):
        with pytest.raises(ValueError, match="'keypoints'"):
            load("points.keypoints")("", {**FACE, "keypoints": named})


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("3", 1.0, None),
        ("<think>1, 2, 3, 4</think><answer>3</answer>", 1.0, None),
        ("three", 1.0, None),
        ("There are Three cups.", 1.0, None),
        ("3.0", 1.0, None),
        ("4", 0.0, None),
        ("-3", 0.0, None),
        ("thirteen", 0.0, None),
        ("30", 0.0, None),
        ("3, 4 or 5", 0.0, "many_counts"),
        ("1 2 3 4 5", 0.0, "many_counts"),
        ("several", 0.0, "no_count"),
        ("\u0663", 0.0, "no_count"),
        ("9" * 400, 0.0, "no_count"),
        ("<think>3", 0.0, "no_answer"),
        ("", 0.0, "no_answer"),
    ],
)
def test_exact_count(text: str, value: float, failure: str | None) -> None:
    score = load("counting.exact")(text, {"count": 3})
    assert (score.value, score.failure, score.correct) == (value, failure, bool(value))


@pytest.mark.parametrize(
    ("text", "count", "value"),
    [
        ("10", 10, 1.0),
        ("9", 10, 0.9),
        ("11", 10, 0.9),
        ("25", 10, 0.0),
        ("0", 0, 1.0),
        ("1", 0, 0.0),
        ("1,204", 1204, 1.0),
        ("twenty-one", 21, 1.0),
    ],
)
def test_relative_count(text: str, count: int, value: float) -> None:
    score = load("counting.relative")(text, {"count": count})
    assert (score.value, score.correct) == (pytest.approx(value), value == 1.0)


@pytest.mark.parametrize("count", [None, -1, 2.5, "3", True, 10**9])
def test_malformed_count(count: object) -> None:
    with pytest.raises(ValueError, match="'count'"):
        load("counting.exact")("", {"count": count})


MASK = {"polygons": [[0, 0, 400, 0, 0, 400]], **SIZE}
PROMPT = {"box": [0, 0, 500, 500], "positive_points": [[100, 100], [200, 200]], "negative_points": [[800, 800]], **SIZE}


def prompt(box: str, positive: str, negative: str = "[[800, 800]]") -> str:
    return f'{{"boxes": {box}, "positive_points": {positive}, "negative_points": {negative}}}'


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        (prompt("[0, 0, 500, 500]", "[[200, 200], [100, 100]]"), 1.0, None),
        (prompt("[0, 0, 500, 250]", "[[200, 200], [100, 100]]"), 0.75, None),
        (prompt("[0, 0, 500, 500]", "[[150, 100], [250, 200]]"), 0.75 + 0.25 * AT_SIGMA, None),
        (prompt("[0, 0, 500, 500]", "[[100, 100]]"), 0.0, "wrong_count"),
        (prompt("[500, 500, 0, 0]", "[[100, 100], [200, 200]]"), 0.0, "no_box"),
        (prompt("null", "[[100, 100], [200, 200]]"), 0.0, "no_box"),
        (prompt("[0, 0, 500, 500]", "[]"), 0.0, "no_prompt"),
        ("[0, 0, 500, 500]", 0.0, "no_prompt"),
        ("", 0.0, "no_answer"),
    ],
)
def test_segmentation_points(text: str, value: float, failure: str | None) -> None:
    score = load("segmentation.points")(text, PROMPT)
    assert (score.value, score.failure) == (pytest.approx(value), failure)


def test_segmentation_mask() -> None:
    reward = load("segmentation.mask")
    assert reward(prompt("[0, 0, 400, 400]", "[[100, 100]]"), MASK).correct is True
    half = reward(prompt("[0, 0, 400, 400]", "[[100, 100], [300, 300]]"), MASK)
    assert (half.value, half.parts, half.correct) == (0.75, {"iou": 1.0, "positive": 0.5}, False)
    assert reward(prompt("[0, 0, 400, 400]", str([[100, 100]] * 101)), MASK).failure == "wrong_count"
    assert reward("", {"polygons": [[0, 0, 4, 0, 8, 0]]}) == Score(None)


@pytest.mark.parametrize("polygons", [None, [], [[0, 0, 1, 1]], [[0, 0, 1, 1, 2]], ["abc"], [5]])
def test_malformed_polygons(polygons: object) -> None:
    with pytest.raises(ValueError, match="'polygons'"):
        load("segmentation.mask")("", {"polygons": polygons})


def test_a_prompt_without_points_is_a_malformed_gold() -> None:
    with pytest.raises(ValueError, match="'positive_points'"):
        load("segmentation.points")("", {**PROMPT, "positive_points": []})
