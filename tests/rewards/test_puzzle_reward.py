import time

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Answer

PATCHES, ORDER, ADJACENCY = load("puzzle.patches"), load("puzzle.order"), load("puzzle.adjacency")
RELATION, SPATIAL, FORM = load("puzzle.relation"), load("puzzle.spatial"), load("puzzle.form")
GOLD = {"order": [3, 1, 2, 4], "grid": [2, 2]}

OTHER_RULE = {
    "decimal: the digits behind the point are read": 0.99,  # [10.5, 20, 60, 80]: numbers have decimals
    "no answer tag": 1.0,  # a bare answer is an answer; its form is the format reward's matter
}
"""Rows of Jigsaw-R1 where our rule is another one on purpose."""


def ours(row: dict) -> Answer:
    theirs = row["answer"]
    mode = {"prompt_mode": "think" if theirs.get("think", True) else "direct"}
    if theirs["answer_type"] == "grid":
        return {"order": theirs["solution"], "grid": [theirs["m"], theirs["n"]], **mode}
    return {"answer": theirs["solution"], **mode}


def vectors(*kinds: str) -> list[dict]:
    return [row for row in rows("jigsaw-r1") if row["answer"]["answer_type"] in kinds]


def test_every_kind_of_vector_is_used() -> None:
    """`math` rows are the mathematics family's matter."""
    assert {row["answer"]["answer_type"] for row in rows("jigsaw-r1")} <= {"grid", "letter", "digit", "box", "point", "math"}


@pytest.mark.parametrize("row", vectors("grid", "letter", "digit"), ids=lambda row: row["note"])
def test_golden_vectors_of_jigsaw_r1(row: dict) -> None:
    if row["answer"]["answer_type"] == "grid":
        reward = ADJACENCY if row["answer"].get("score_jigsaw_connections") else PATCHES
    else:
        reward = RELATION
    assert reward(row["text"], ours(row)).value == pytest.approx(OTHER_RULE.get(row["note"], expected(row)["accuracy"]))
    assert FORM(row["text"], ours(row)).value == expected(row)["format"]


@pytest.mark.parametrize("row", vectors("box", "point"), ids=lambda row: row["note"])
def test_golden_vectors_of_jigsaw_r1_boxes(row: dict) -> None:
    width, height = row["answer"]["width"], row["answer"]["height"]
    box = [share * side for share, side in zip(row["answer"]["solution"], [width, height] * 2, strict=True)]
    score = load("grounding.iou")(row["text"], {"box": box, "image_size": [width, height]})
    assert score.value == pytest.approx(OTHER_RULE.get(row["note"], expected(row)["accuracy"]))


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("3 1\n2 4", 1.0, None),
        ("3, 1; 2, 4", 1.0, None),
        ("```3 1 2 4```", 1.0, None),
        ("<think>4 3 2 1</think><answer>3 1 4 2</answer>", 0.5, None),
        ("1 2 3 4", 0.25, None),
        ("4 3 1 2", 0.0, None),
        ("", 0.0, "no_answer"),
        ("<think>3 1 2 4", 0.0, "no_answer"),
        ("3 1 2", 0.0, "no_order"),
        ("3 1 2 4 4", 0.0, "no_order"),
        ("3 1 2 5", 0.0, "no_order"),
        ("3 1 2 0", 0.0, "no_order"),
        ("[3 1 2 4]", 0.0, "no_order"),
        ("3 1 2 4.", 0.0, "no_order"),
        ("-3 1 2 4", 0.0, "no_order"),
        ("\uff13 1 2 4", 0.0, "no_order"),
        ("3 1 2 " + "4" * 5000, 0.0, "no_order"),
    ],
)
def test_patches(text: str, value: float, failure: str | None) -> None:
    for reward in (PATCHES, ORDER):
        score = reward(text, GOLD)
        assert (score.value, score.failure, score.correct) == (value, failure, value == 1)


def test_jigsaw_r1_hedging_with_repeated_patches_earns_nothing_as_an_order() -> None:
    assert PATCHES("3 1 3 4", GOLD).value == 0.75
    assert (ORDER("3 1 3 4", GOLD).value, ORDER("3 1 3 4", GOLD).failure) == (0.0, "repeated_patch")
    assert ORDER("1 1 1 1", GOLD).value == 0


@pytest.mark.parametrize(
    ("text", "order", "grid", "value"),
    [
        ("1 2 3 4", [1, 2, 3, 4], [2, 2], 1.0),
        ("2 1 4 3", [1, 2, 3, 4], [2, 2], 0.5),
        ("3 4 1 2", [1, 2, 3, 4], [2, 2], 0.5),
        ("2 3 1", [1, 2, 3], [1, 3], 0.5),
        ("2 3 1", [1, 2, 3], [3, 1], 0.5),
        ("2 3 1 5 6 4", [1, 2, 3, 4, 5, 6], [2, 3], 5 / 7),
        ("1 1 1 1", [1, 2, 3, 4], [2, 2], 0.0),
    ],
)
def test_adjacency(text: str, order: list[int], grid: list[int], value: float) -> None:
    score = ADJACENCY(text, {"order": order, "grid": grid})
    assert score.value == pytest.approx(value)
    assert score.correct is (value == 1)


@pytest.mark.parametrize(
    ("text", "gold", "value", "failure"),
    [
        ("B", "B", 1.0, None),
        ("b", "B", 1.0, None),
        ("(B)", "b", 1.0, None),
        ("A or B", "A", 0.0, None),
        ("Option B, I think", "B", 1.0, None),
        ("Anna", "A", 0.0, "no_letter"),
        ("", "B", 0.0, "no_answer"),
        ("7", 7, 1.0, None),
        ("7", "7", 1.0, None),
        ("places 7 and 3", 7, 0.0, None),
        ("7.5", 7, 0.0, "no_number"),
        ("9" * 5000, 7, 0.0, "no_number"),
        ("\u0667", 7, 0.0, "no_number"),
        ("seven", 7, 0.0, "no_number"),
    ],
)
def test_relation(text: str, gold: str | int, value: float, failure: str | None) -> None:
    score = RELATION(text, {"answer": gold})
    assert (score.value, score.failure) == (value, failure)


@pytest.mark.parametrize(
    ("text", "gold", "value"),
    [
        ("left", "left", 1.0),
        ("On the left side of the cup.", "left", 1.0),
        ("To the upper left", "above left", 1.0),
        ("top-left", "above left", 1.0),
        ("underneath", "below", 1.0),
        ("It lies on top of the box", "above", 1.0),
        ("on the table", "above", 1.0),
        ("in front of it", "front", 1.0),
        ("in the picture it is behind it", "behind", 1.0),
        ("not on the left, on the right", "right", 1.0),
        ("right", "left", 0.0),
        ("left or right", "left", 0.0),
        ("left, right, above, below", "above", 0.0),
        ("left", "above left", 0.0),
        ("it is not to the left", "left", 0.0),
        ("bright", "right", 0.0),
    ],
)
def test_spatial(text: str, gold: str, value: float) -> None:
    assert SPATIAL(text, {"answer": gold}).value == value


@pytest.mark.parametrize(
    ("text", "answer", "failure"),
    [
        ("3 1 2 4", {**GOLD, "prompt_mode": "direct"}, None),
        ("<answer>3 1 2 4</answer>", GOLD, "bad_format"),
        ("<think>a</think><answer>3 1 2</answer>", GOLD, "no_order"),
        ("<think>a</think><answer>none</answer>", {"answer": "B"}, "no_letter"),
        ("<think>a</think><answer>none</answer>", {"answer": 3}, "no_number"),
        ("B", {"answer": "B", "prompt_mode": "direct"}, None),
        ("7", {"answer": 7, "prompt_mode": "direct"}, None),
        ("It is 7", {"answer": 7, "prompt_mode": "direct"}, "bad_format"),
        ("B", {"answer": "B"}, "bad_format"),
    ],
)
def test_form(text: str, answer: Answer, failure: str | None) -> None:
    assert FORM(text, answer).failure == failure


@pytest.mark.parametrize(
    ("name", "answer", "key"),
    [
        ("patches", {}, "order"),
        ("patches", {"order": [1, 1]}, "order"),
        ("patches", {"order": [0, 1]}, "order"),
        ("patches", {"order": "1 2"}, "order"),
        ("patches", {"order": [True, 2]}, "order"),
        ("adjacency", {"order": [1, 2]}, "grid"),
        ("adjacency", {"order": [1, 2], "grid": [2, 2]}, "grid"),
        ("adjacency", {"order": [1], "grid": [1, 1]}, "grid"),
        ("adjacency", {"order": [1, 2], "grid": [-1, -2]}, "grid"),
        ("relation", {"answer": "north"}, "answer"),
        ("relation", {"answer": 1.5}, "answer"),
        ("relation", {}, "answer"),
        ("spatial", {"answer": "near"}, "answer"),
        ("spatial", {}, "answer"),
        ("form", {}, "answer"),
    ],
)
def test_a_malformed_gold_raises_and_names_the_key(name: str, answer: Answer, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load(f"puzzle.{name}")("", answer)


@pytest.mark.parametrize("unit", ["3 ", "I a", "A ", "not left ", "1,", "-", "B'"])
def test_hostile_text_is_read_in_seconds(unit: str) -> None:
    start = time.process_time()
    for reward, answer in ((PATCHES, GOLD), (ADJACENCY, GOLD), (RELATION, {"answer": "B"}), (RELATION, {"answer": 7})):
        reward(unit * (10**6 // len(unit)), answer)
    SPATIAL(unit * (10**6 // len(unit)), {"answer": "left"})
    assert time.process_time() - start < 5
