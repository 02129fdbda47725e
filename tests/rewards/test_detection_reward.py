import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Score

NAMES = ("iou_f1", "map", "ap50", "od_length", "weighted_sum", "visual_rft")
ALL = {name: load(f"detection.{name}") for name in NAMES}
LABELLED = [name for name in NAMES if name != "visual_rft"]
CAT, DOG = ([10, 10, 110, 110], "cat"), ([200, 200, 300, 300], "dog")
PAIR = {"boxes": [{"box": CAT[0], "label": "cat"}, {"box": DOG[0], "label": "dog"}]}
ONE = {"boxes": PAIR["boxes"][:1]}


def said(*objects, confidence=None) -> str:
    extra = {} if confidence is None else {"confidence": confidence}
    return json.dumps([{"bbox_2d": box, "label": label, **extra} for box, label in objects])


BARE = {"no answer tag: map reads it, odLength does not": 1.0}
"""A bare answer is an answer; its form is the format reward's matter."""


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("vlm-r1_map", "map"),
        ("vlm-r1_odLength", "od_length"),
        ("vlm-r1_od_ap50", "ap50"),
        ("vlm-r1_weighted_sum", "weighted_sum"),
    ],
)
def test_golden_vectors_of_vlm_r1(file: str, name: str) -> None:
    for row in rows(file):
        gold = {"boxes": [{"box": item["bbox_2d"], "label": item["label"]} for item in row["answer"]["boxes"]]}
        value = ALL[name](row["text"], gold).value
        assert value == pytest.approx(BARE.get(row["note"], expected(row)), abs=1e-9), row["note"]


OTHER_RULE = {
    "tags quoted in the thought: first pair is read": 1.0,  # the thought is no answer
    "a single object instead of a list": 1.0,  # one object is a list of one
}


@pytest.mark.parametrize("row", rows("visual-rft_detection"), ids=lambda row: row["note"][:40])
def test_golden_vectors_of_visual_rft(row: dict) -> None:
    boxes = re.findall(r"'Position': (\[.*?\])", row["answer"]["solution"])
    score = ALL["visual_rft"](row["text"], {"boxes": [{"box": json.loads(box)} for box in boxes]})
    theirs = expected(row)
    other = next((value for note, value in OTHER_RULE.items() if row["note"].startswith(note)), None)
    for part in ("iou", "confidence"):
        assert score.parts.get(part, 0.0) == pytest.approx(theirs[part] if other is None else other, abs=1e-9)
    assert score.value in (0.0, pytest.approx((score.parts.get("iou", 0) + score.parts.get("confidence", 0)) / 2))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("text", "failure"),
    [
        ("", "no_answer"),
        ("<think>" + said(CAT), "no_answer"),
        ("<answer>" + said(CAT), "no_answer"),
        ("I see a cat", "no_boxes"),
        ("<think>" + said(CAT) + "</think><answer>no idea</answer>", "no_boxes"),
        ('[{"bbox_2d": [1, 2, 3], "label": "cat"}]', "no_boxes"),
        ('[{"bbox_2d": [1, 2, 3, NaN], "label": "cat"}]', "no_boxes"),
        ('[{"bbox_2d": [1, 2, 3, 1e400], "label": "cat"}]', "no_boxes"),
        ('[{"bbox_2d": [\u0661, 2, 3, 4], "label": "cat"}]', "no_boxes"),
        (said(*[CAT] * 1001, confidence=1), "too_many_boxes"),
    ],
)
def test_failures_earn_nothing_even_when_there_is_nothing(name: str, text: str, failure: str) -> None:
    for gold in (ONE, {"boxes": []}):
        score = ALL[name](text, gold)
        assert (score.value, score.failure, score.correct) == (0.0, failure, False)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("text", ["[]", "None", "```json\n[]\n```", "<answer>No Objects</answer>", "null", '{"boxes": []}'])
def test_nothing_against_nothing_is_perfect(name: str, text: str) -> None:
    assert ALL[name](text, {"boxes": []}) == Score(1.0, correct=True, extracted=[])
    assert ALL[name](text, ONE) == Score(0.0, correct=False, extracted=[])


@pytest.mark.parametrize("name", NAMES)
def test_a_box_where_nothing_is_earns_nothing(name: str) -> None:
    score = ALL[name](said(CAT, confidence=1), {"boxes": []})
    assert (score.value, score.failure, score.correct) == (0.0, None, False)


@pytest.mark.parametrize("name", NAMES)
def test_right_boxes_in_any_order_earn_the_maximum(name: str) -> None:
    for objects in ((CAT, DOG), (DOG, CAT)):
        score = ALL[name](said(*objects, confidence=1), PAIR)
        assert score.value == pytest.approx(1.0)
        assert score.correct is True


@pytest.mark.parametrize("name", LABELLED)
def test_vlm_r1_bug_6_a_right_box_with_a_wrong_or_no_label_earns_nothing(name: str) -> None:
    assert ALL[name](said((CAT[0], "bird")), ONE).value == 0
    assert ALL[name](json.dumps([{"bbox_2d": CAT[0]}]), ONE).value == 0
    assert ALL[name](said((CAT[0], "dog"), (DOG[0], "cat")), PAIR).value == 0


def test_vlm_r1_bug_6_a_box_without_a_label_does_not_get_that_of_the_box_before() -> None:
    gold = {"boxes": [{"box": CAT[0], "label": "cat"}, {"box": DOG[0], "label": "cat"}]}
    text = json.dumps([{"bbox_2d": CAT[0], "label": "cat"}, {"bbox_2d": DOG[0]}])
    assert ALL["weighted_sum"](text, gold).value == pytest.approx(0.5)


@pytest.mark.parametrize("name", LABELLED)
def test_labels_are_compared_without_case_and_spaces(name: str) -> None:
    gold = {"boxes": [{"box": CAT[0], "label": "traffic light"}]}
    assert ALL[name](said((CAT[0], " Traffic  LIGHT ")), gold).value == pytest.approx(1)


@pytest.mark.parametrize("name", NAMES)
def test_labels_do_not_matter_where_the_gold_has_none(name: str) -> None:
    assert ALL[name](said(CAT, confidence=1), {"boxes": [{"box": CAT[0]}]}).value == pytest.approx(1)


@pytest.mark.parametrize(("name", "value"), [("iou_f1", 0.4), ("od_length", 0.25), ("weighted_sum", 0.8875)])
def test_copies_are_punished(name: str, value: float) -> None:
    assert ALL[name](said(*[CAT] * 4), ONE).value == pytest.approx(value)


@pytest.mark.parametrize("name", ["iou_f1", "od_length", "visual_rft"])
def test_a_flood_of_boxes_is_punished(name: str) -> None:
    grid = [([x, y, x + 50, y + 50], "cat") for x in range(0, 500, 25) for y in range(0, 500, 25)]
    right = ALL[name](said(CAT, confidence=1), ONE).value
    assert ALL[name](said(CAT, *grid, confidence=1), ONE).value < 0.05 * right


@pytest.mark.parametrize("name", LABELLED)
def test_reversed_corners_match_nothing(name: str) -> None:
    score = ALL[name](said(([110, 110, 10, 10], "cat")), ONE)
    assert (score.value, score.failure) == (0.0, None)


BOXES = st.builds(lambda x, y, w, h: [x, y, x + w, y + h], *[st.integers(0, 60)] * 2, *[st.integers(1, 60)] * 2)
OBJECTS = st.lists(st.tuples(BOXES, st.sampled_from(["cat", "dog"])), min_size=1, max_size=6)


@pytest.mark.parametrize("name", ["iou_f1", "map", "ap50", "od_length", "weighted_sum"])
@given(found=OBJECTS, gold=OBJECTS)
def test_a_wrong_box_at_the_end_never_raises_the_value(name: str, found: list, gold: list) -> None:
    answer = {"boxes": [{"box": box, "label": label} for box, label in gold]}
    before = ALL[name](said(*found), answer).value
    assert ALL[name](said(*found, ([500, 500, 510, 510], "cat")), answer).value <= before + 1e-9
    assert ALL[name](said(*found, (gold[0][0], "bird")), answer).value <= before + 1e-9


@given(found=OBJECTS, gold=OBJECTS)
def test_the_order_of_boxes_does_not_matter_to_the_f1(found: list, gold: list) -> None:
    answer = {"boxes": [{"box": box, "label": label} for box, label in gold]}
    assert ALL["iou_f1"](said(*found), answer).value == pytest.approx(ALL["iou_f1"](said(*found[::-1]), answer).value)


def test_confidences_order_the_boxes_of_the_average_precision() -> None:
    sure = {"bbox_2d": CAT[0], "label": "cat", "score": 0.9}
    unsure = {"bbox_2d": DOG[0], "label": "cat", "score": 0.3}
    assert ALL["map"](json.dumps([unsure, sure]), ONE).value == pytest.approx(1.0)
    assert ALL["map"](json.dumps([{**unsure, "score": 0.95}, sure]), ONE).value == pytest.approx(0.5)


def test_visual_rft_a_wrong_box_with_confidence_0_earns_nothing() -> None:
    score = ALL["visual_rft"](said(DOG, confidence=0), ONE)
    assert (score.value, score.parts["confidence"]) == (0.0, 1.0)


def test_visual_rft_needs_confidences() -> None:
    assert ALL["visual_rft"](said(CAT), ONE).failure == "no_confidence"


def test_visual_rft_an_equal_number_is_no_equal_answer() -> None:
    # their math-verify check pays 1.0 for "no overlap, same y1 as the gold"
    assert ALL["visual_rft"]("[{'Position': [300, 10, 340, 40], 'Confidence': 0.9}]", ONE).value == 0


def test_everything_is_in_original_pixels() -> None:
    answer = {"boxes": [{"box": [64, 48, 320, 240], "label": "cat"}], "image_size": [640, 480], "space": "thousandths"}
    score = ALL["iou_f1"](said(([100, 100, 500, 500], "cat")), answer)
    assert score.value == 1
    assert score.extracted == [{"box": [64.0, 48.0, 320.0, 240.0], "label": "cat"}]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({}, "boxes"),
        ({"boxes": None}, "boxes"),
        ({"boxes": [[1, 2, 3, 4]]}, "boxes"),
        ({"boxes": [{"label": "cat"}]}, "boxes"),
        ({"boxes": [{"box": [3, 4, 1, 2]}]}, "boxes"),
        ({"boxes": [{"box": [1, 2, 3, 4], "label": 7}]}, "boxes"),
        ({"boxes": [{"box": [1, 2, 3, 4], "label": "cat"}, {"box": [1, 2, 3, 4]}]}, "boxes"),
        ({"boxes": [{"box": [1, 2, 300, 4]}], "image_size": [100, 100]}, "boxes"),
        ({"boxes": [{"box": [1, 2, 3, 4]}], "space": "inches"}, "space"),
        ({"boxes": [{"box": [1, 2, 3, 4]}], "space": "unit"}, "image_size"),
    ],
)
def test_a_malformed_gold_raises(name: str, answer: dict, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        ALL[name]("", answer)


@pytest.mark.parametrize("name", NAMES)
def test_a_gold_box_without_area_cannot_be_scored(name: str) -> None:
    assert ALL[name](said(CAT), {"boxes": [{"box": [5, 5, 5, 9]}]}) == Score(None)
