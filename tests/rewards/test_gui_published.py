"""UI-R1, GUI-R1 and BTL-UI: our named rewards give the values that their own code gave, mistakes mended."""

import ast
import json
from typing import Any

import pytest
from reward_vectors import expected, rows

from vlrl.rewards import load
from vlrl.types import Answer

UI_R1, GUI_R1, BTL_UI = load("gui.ui_r1"), load("gui.gui_r1"), load("gui.btl_ui")
THOUGHT = "<think>I look.</think>"
BOX = [100, 100, 200, 200]
GOLD = {"action": "click", "box": BOX, "image_size": [560, 560]}


@pytest.mark.parametrize("row", rows("ui-r1_action"), ids=lambda row: row["note"])
def test_golden_vectors_of_ui_r1(row: dict) -> None:
    """UI-R1 multiplies the click by `scale`: the same as a model that saw the image smaller by it."""
    theirs = ast.literal_eval(row["answer"]["solution"].removeprefix("<answer>").removesuffix("</answer>"))[0]
    processed = [1000 / factor for factor in row["answer"]["scale"]]
    answer = {"action": theirs["action"], "image_size": [1000, 1000], "processed_size": processed, "space": "processed"}
    score = UI_R1(row["text"], answer | ({"box": theirs["bbox"]} if "bbox" in theirs else {}))
    assert score.parts == expected(row)
    assert score.value == sum(expected(row).values())


@pytest.mark.parametrize("row", rows("gui-r1_overall"), ids=lambda row: row["note"])
def test_golden_vectors_of_gui_r1(row: dict) -> None:
    theirs = row["answer"]
    target = {"box": theirs["gt_bbox"]} if len(theirs["gt_bbox"]) == 4 else {"point": theirs["gt_bbox"]}
    score = GUI_R1(row["text"], {"action": theirs["action"], "text": theirs["input_text"], **target})
    assert {"overall": pytest.approx(score.value), **score.parts} == expected(row)


@pytest.mark.parametrize("row", rows("btl-ui"), ids=lambda row: row["note"])
def test_golden_vectors_of_btl_ui(row: dict) -> None:
    theirs = row["answer"]
    solution = json.loads(theirs["solution"])[0]
    done = solution.get("Action", {"function": "Tap", **solution})
    answer: Answer = {"action": done["function"], "image_size": theirs["image_size"]}
    answer |= {key: done[key] for key in ("text", "direction") if key in done}
    answer |= {"point": done["point_2d"]} if "point_2d" in done else {}
    answer |= {"box": theirs["bbox"]} if theirs["bbox"] else {}
    score = BTL_UI(row["text"], answer)
    parts = expected(row)
    assert score.parts == parts
    assert score.value == pytest.approx(0.1 * parts["format"] + 0.3 * parts["blink"] + 0.6 * parts["accuracy"])


def listed(**fields: object) -> str:
    return f"{THOUGHT}<answer>[{fields!r}]</answer>"


@pytest.mark.parametrize(
    ("text", "gold", "parts"),
    [
        (listed(action="click", coordinate=[150, 150]), GOLD, (1, 1, 1)),
        (listed(action="click", coordinate=[150, 250]), GOLD, (1, 0, 1)),
        (listed(action="scroll"), {"action": "scroll"}, (1, 1, 1)),
        (listed(action="scroll", coordinate=[150, 150]), GOLD, (0, 0, 1)),
        (listed(action="Click", coordinate=[150, 150]), GOLD, (0, 0, 1)),
        ("<answer>[{'action': click, 'coordinate': [150, 150]}]</answer>", GOLD, (1, 1, 0)),
        ('<answer>[{"action": "click", "coordinate": [150, 150]}]</answer>', GOLD, (0, 0, 0)),
        ("<answer>[{'action': 'click', 'coordinate': [\u0661\u0665\u0660, 150]}]</answer>", GOLD, (1, 1, 0)),
    ],
)
def test_ui_r1(text: str, gold: Answer, parts: tuple[int, int, int]) -> None:
    score = UI_R1(text, gold)
    assert tuple(score.parts.values()) == parts
    assert score.value == sum(parts)
    assert score.correct is bool(parts[1])


def test_ui_r1_fractions_of_a_pixel_are_cut_but_not_rounding_errors() -> None:
    gold = {**GOLD, "space": "processed", "image_size": [1000, 1000], "processed_size": [1000 / 3, 1000 / 3]}
    assert UI_R1(listed(action="click", coordinate=[50, 50]), {**gold, "box": [150, 150, 150.5, 150.5]}).parts["coord"] == 1


@pytest.mark.parametrize(
    ("text", "gold", "accuracy", "form"),
    [
        (listed(action="click", point=[150, 150], input_text="no input text"), GOLD, 1, 1),
        (listed(action="click", point=[200, 150], input_text="no input text"), GOLD, 0, 1),
        (listed(action="click", input_text="no input text"), {"action": "click", "box": [-1, -1, 9, 9]}, 0, 0),
        (listed(action="long_press", point=[300, 150], input_text="no input text"), {**GOLD, "action": "long_press"}, 0, 1),
        (listed(action="long_press", point=[150, 150], input_text="no input text"), {**GOLD, "action": "long_press"}, 1, 1),
        (listed(action="type", point=[1, 1], input_text="o"), {"action": "type", "text": "oslo"}, 0, 1),
        (listed(action="type", point=[1, 1], input_text="weather oslo"), {"action": "type", "text": "weather in oslo"}, 1, 1),
        (listed(action="scroll", point=[1, 1], input_text="down"), {"action": "scroll", "direction": "down"}, 1, 1),
        (listed(action="scroll", point=[1, 1], input_text="downwards"), {"action": "scroll", "direction": "down"}, 1, 0),
        (listed(action="open_app", point=[1, 1], input_text="clock"), {"action": "open_app", "text": "Clock"}, 1, 1),
        (listed(action="wait", point=[1, 1], input_text="no input text"), {"action": "wait"}, 1, 1),
        (listed(action="click", point=[True, 150], input_text="no input text"), GOLD, 0, 0),
    ],
)
def test_gui_r1(text: str, gold: Answer, accuracy: int, form: int) -> None:
    score = GUI_R1(text, gold)
    assert score.parts == {"accuracy": accuracy, "format": form}
    assert score.value == pytest.approx(0.8 * accuracy + 0.2 * form)


def blinked(regions: Any, link: Any, between: str = "\n<think>t</think>\n") -> str:
    seen, done = (f"```json\n{value if isinstance(value, str) else json.dumps(value)}\n```" for value in (regions, link))
    return f"<blink>{seen}</blink>{between}<link>{done}</link>"


REGIONS = [{"bbox_2d": BOX}]
TAP = [{"Plan": "p", "Action": {"function": "Tap", "point_2d": [150, 150]}}]


def tapped(**action: object) -> list[dict]:
    return [{"Plan": "p", "Action": action}]


@pytest.mark.parametrize(
    ("text", "gold", "parts"),
    [
        (blinked(REGIONS, TAP), GOLD, (1, 1, 1)),
        (blinked(REGIONS, [{"point_2d": [150, 150]}]), GOLD, (1, 1, 1)),
        (blinked(REGIONS, [{"point_2d": [100, 150]}]), GOLD, (1, 1, 0)),
        (blinked([{"bbox_2d": BOX}] * 2, TAP), GOLD, (1, 0, 1)),
        (blinked([{"bbox_2d": [200, 200, 100, 100]}], TAP), GOLD, (1, 0, 1)),
        (blinked([{"box": BOX}], TAP), GOLD, (1, 0, 1)),
        (blinked([{"bbox_2d": [0, 0, 1, 1]}] * 201, TAP), GOLD, (1, 0, 1)),
        (blinked("[{'bbox_2d': [100, 100, 200, 200]}]", TAP), GOLD, (0, 0, 1)),
        (blinked(REGIONS, TAP * 2), GOLD, (0, 1, 1)),
        (blinked(REGIONS, TAP, between="\n"), GOLD, (0, 1, 1)),
        ("junk" + blinked(REGIONS, TAP), GOLD, (0, 1, 1)),
        (blinked(REGIONS, "[" * 5000), GOLD, (0, 1, 0)),
        (blinked(REGIONS, TAP), {**GOLD, "point": [150, 150]}, (1, 1, 1)),
        (blinked(REGIONS, TAP), {**GOLD, "box": [0, 0, 560, 560], "point": [10, 10]}, (1, 0, 0)),
        (blinked(REGIONS, tapped(function="Tap")), GOLD, (1, 1, 0)),
        (blinked(REGIONS, tapped(function="Type", text="a b")), {"action": "Type", "text": "b a c"}, (1, 1, 1)),
        (blinked(REGIONS, tapped(function="Type", text="a")), {"action": "Type", "text": "b a c d"}, (1, 1, 0)),
        (blinked(REGIONS, tapped(function="Home")), {"action": "Back"}, (1, 1, 0)),
        (blinked(REGIONS, tapped(function="Open", text="clock")), {"action": "open_app", "text": "Clock"}, (1, 1, 1)),
    ],
)
def test_btl_ui(text: str, gold: Answer, parts: tuple[int, int, int]) -> None:
    score = BTL_UI(text, gold)
    assert tuple(score.parts.values()) == parts
    assert score.value == pytest.approx(0.1 * parts[0] + 0.3 * parts[1] + 0.6 * parts[2])


def test_btl_ui_bug_a_right_text_earns_its_format() -> None:
    assert BTL_UI(blinked(REGIONS, TAP), GOLD).value == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "answer", "key"),
    [
        ("ui_r1", {}, "action"),
        ("ui_r1", {"action": "click"}, "box"),
        ("gui_r1", {"action": "click"}, "box"),
        ("gui_r1", {"action": "click", "point": [1]}, "point"),
        ("gui_r1", {"action": "type"}, "text"),
        ("gui_r1", {"action": "scroll"}, "text"),
        ("btl_ui", {"action": "Tap"}, "box"),
        ("btl_ui", {"action": "Fly"}, "action"),
        ("btl_ui", {"action": "Tap", "box": BOX, "point": [1, 2]}, "image_size"),
    ],
)
def test_a_malformed_gold_raises_and_names_the_key(name: str, answer: Answer, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        load(f"gui.{name}")("", answer)
