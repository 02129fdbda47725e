import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl import tasks
from vlrl.rewards import load
from vlrl.types import Answer, Score

ACTION, NEAR = load("gui.action"), load("gui.click_near")
BOX = [100, 100, 200, 200]
SCREEN = {"image_size": [1000, 1000]}


def call(action: str, **arguments: object) -> str:
    return json.dumps({"name": "mobile_use", "arguments": {"action": action, **arguments}})


@pytest.mark.parametrize(
    ("text", "answer", "value", "failure"),
    [
        (call("click", coordinate=[150, 150]), {"action": "click", "box": BOX}, 1.0, None),
        (call("left_click", coordinate=[200, 100]), {"action": "tap", "box": BOX}, 1.0, None),
        (call("click", coordinate=[201, 150]), {"action": "click", "box": BOX}, 0.0, None),
        (call("click", coordinate=[-150, 150]), {"action": "click", "box": BOX}, 0.0, None),
        (call("click"), {"action": "click", "box": BOX}, 0.0, "no_argument"),
        (call("double_click", coordinate=[150, 150]), {"action": "click", "box": BOX}, 0.0, "wrong_action"),
        (call("long_press", coordinate=[150, 150]), {"action": "long_press", "box": BOX}, 1.0, None),
        (call("long_press", coordinate=[300, 150]), {"action": "long_press", "box": BOX}, 0.0, None),
        (call("click", coordinate=[640, 500]), {"action": "click", "point": [500, 500], **SCREEN}, 1.0, None),
        (call("click", coordinate=[641, 500]), {"action": "click", "point": [500, 500], **SCREEN}, 0.0, None),
        (call("click", coordinate=[640, 500]), {"action": "click", "point": [500, 500], "box": BOX, **SCREEN}, 0.0, None),
        (call("type", text="weather in Oslo"), {"action": "type", "text": "Weather in oslo"}, 1.0, None),
        (call("type", text="weather"), {"action": "type", "text": "weather in oslo"}, 0.5, None),
        (call("type", text="oslo oslo oslo"), {"action": "type", "text": "oslo"}, 0.5, None),
        (call("type", text="o"), {"action": "type", "text": "oslo"}, 0.0, None),
        (call("type", text=""), {"action": "type", "text": "oslo"}, 0.0, "no_argument"),
        (call("type", text=5), {"action": "type", "text": "5"}, 0.0, "no_argument"),
        (call("answer", text="42"), {"action": "answer", "text": "42"}, 1.0, None),
        ("[{'action': 'select', 'input_text': 'red'}]", {"action": "select", "text": "red"}, 1.0, None),
        (call("open", text="clock"), {"action": "open_app", "text": "Clock"}, 1.0, None),
        (call("open", text="Google Photos"), {"action": "open_app", "text": "Google Maps"}, 0.0, None),
        (call("open"), {"action": "open_app", "text": "Clock"}, 0.0, "no_argument"),
        (call("scroll", direction="down"), {"action": "scroll", "direction": "down"}, 1.0, None),
        (call("scroll", direction="up"), {"action": "scroll", "direction": "down"}, 0.0, None),
        (call("scroll"), {"action": "scroll", "direction": "down"}, 0.0, "no_argument"),
        (call("swipe", direction="up"), {"action": "scroll", "direction": "down"}, 1.0, None),
        (call("swipe", direction="up"), {"action": "swipe", "direction": "up"}, 1.0, None),
        (call("swipe", coordinate=[5, 900], coordinate2=[9, 100]), {"action": "scroll", "direction": "down"}, 1.0, None),
        (call("swipe", coordinate=[5, 900], coordinate2=[5, 900]), {"action": "scroll", "direction": "down"}, 0.0, "no_argument"),
        (call("key", keys=["c", "CTRL"]), {"action": "hotkey", "text": "ctrl+c"}, 1.0, None),
        (call("key", keys=["ctrl", "v"]), {"action": "hotkey", "text": "ctrl+c"}, 0.0, None),
        (call("system_button", button="Enter"), {"action": "press_enter"}, 1.0, None),
        (call("system_button", button="Back"), {"action": "navigate_back"}, 1.0, None),
        (call("system_button", button="Home"), {"action": "back"}, 0.0, "wrong_action"),
        ("PRESS_HOME", {"action": "press_home"}, 1.0, None),
        (call("wait", time=2), {"action": "wait"}, 1.0, None),
        (call("terminate", status="success"), {"action": "terminate", "text": "success"}, 1.0, None),
        (call("terminate", status="failure"), {"action": "complete"}, 0.0, None),
        (call("terminate", status="failure"), {"action": "terminate"}, 1.0, None),
        (call("terminate"), {"action": "terminate", "text": "success"}, 0.0, "no_argument"),
        ("", {"action": "wait"}, 0.0, "no_answer"),
        ("<think>WAIT", {"action": "wait"}, 0.0, "no_answer"),
        ("I wait", {"action": "wait"}, 0.0, "no_action"),
        (call("fly"), {"action": "wait"}, 0.0, "no_action"),
    ],
)
def test_value_and_failure(text: str, answer: Answer, value: float, failure: str | None) -> None:
    score = ACTION(text, answer)
    assert (score.value, score.failure) == (value, failure)
    assert score.correct is (value >= 0.5)


def test_the_direction_of_a_swipe_is_that_of_the_pixels() -> None:
    """Of a screen twice as wide as high, 300 of a thousand to the side are more than 500 upwards."""
    swipe = call("swipe", coordinate=[100, 600], coordinate2=[400, 100])
    wide = {"image_size": [2000, 1000], "space": "thousandths"}
    assert ACTION(swipe, {"action": "scroll", "direction": "left", **wide}).value == 1
    assert ACTION(swipe, {"action": "scroll", "direction": "down", **wide, "image_size": [1000, 1000]}).value == 1


def test_points_are_in_the_declared_space_and_come_back_in_pixels() -> None:
    gold = {"action": "click", "box": [150, 230, 170, 250], "image_size": [640, 480], "space": "thousandths"}
    score = ACTION(call("click", coordinate=[250, 500]), gold)
    assert (score.value, score.extracted) == (1.0, {"type": "click", "point": [160.0, 240.0]})
    assert ACTION(call("click", coordinate=[250, 500]), {**gold, "space": "pixels"}).value == 0


def test_a_gold_box_without_area_cannot_be_scored() -> None:
    assert ACTION(call("wait"), {"action": "click", "box": [5, 5, 5, 9]}) == Score(None)


def test_listing_actions_earns_what_the_first_earns() -> None:
    listed = [{"action": "press_back"}, {"action": "wait"}]
    assert ACTION(json.dumps(listed), {"action": "back"}).value == 1
    assert ACTION(json.dumps(listed), {"action": "wait"}).value == 0


@pytest.mark.parametrize(
    ("answer", "key"),
    [
        ({}, "action"),
        ({"action": 5}, "action"),
        ({"action": "fly"}, "action"),
        ({"action": "drag", "box": BOX}, "action"),
        ({"action": "click"}, "box"),
        ({"action": "click", "box": [1, 2, 3]}, "box"),
        ({"action": "click", "point": [1, 2]}, "image_size"),
        ({"action": "click", "point": [1, 2000], **SCREEN}, "point"),
        ({"action": "click", "point": "1, 2", **SCREEN}, "point"),
        ({"action": "type"}, "text"),
        ({"action": "type", "text": " "}, "text"),
        ({"action": "open_app", "text": 5}, "text"),
        ({"action": "press"}, "text"),
        ({"action": "terminate", "text": "perhaps"}, "text"),
        ({"action": "scroll"}, "direction"),
        ({"action": "scroll", "direction": "north"}, "direction"),
    ],
)
def test_a_malformed_gold_raises_and_names_the_key(answer: Answer, key: str) -> None:
    with pytest.raises(ValueError, match=f"'{key}'"):
        ACTION("", answer)


@pytest.mark.parametrize(
    ("text", "value", "failure"),
    [
        ("[500, 500]", 1.0, None),
        ("[640, 500]", 1.0, None),
        ("[641, 500]", 0.0, None),
        ("[599, 599]", 0.0, None),
        ("[598, 598]", 1.0, None),
        ("", 0.0, "no_answer"),
        ("there", 0.0, "no_point"),
    ],
)
def test_click_near(text: str, value: float, failure: str | None) -> None:
    for target in ({"point": [500, 500]}, {"box": [400, 450, 600, 550]}):
        score = NEAR(text, {**target, **SCREEN})
        assert (score.value, score.failure) == (value, failure)


def test_the_distance_of_os_atlas_counts_each_side_of_the_screen_as_one() -> None:
    tall = {"point": [140, 280], "image_size": [280, 560]}
    assert [NEAR(text, tall).value for text in ("[179, 280]", "[180, 280]", "[140, 358]", "[140, 359]")] == [1, 0, 1, 0]


def test_exactly_14_percent_is_near_in_every_space_and_size() -> None:
    for side in (1080, 1344, 2992, 777):
        gold = {"point": [side / 2, side / 2], "image_size": [side, side], "space": "thousandths"}
        assert NEAR("[640, 500]", gold).value == 1
        assert NEAR("[641, 500]", gold).value == 0


def test_gui_r1_the_arguments_of_open_app_and_long_press_are_compared() -> None:
    assert ACTION(call("open_app", text="Maps"), {"action": "open_app", "text": "Clock"}).value == 0
    assert ACTION(call("long_press", coordinate=[900, 900]), {"action": "long_press", "box": BOX}).value == 0


def test_gui_r1_model_output_is_never_evaluated(tmp_path: Path) -> None:
    hostile = f"[{{'action': 'wait', 'input_text': open({str(tmp_path) + '/made'!r}, 'w').write('x')}}]"
    for name in ("action", "gui_r1", "ui_r1", "btl_ui"):
        load(f"gui.{name}")(f"<think>a</think><answer>{hostile}</answer>", {"action": "click", "box": BOX})
    assert ACTION(hostile, {"action": "wait"}).failure == "no_action"
    assert list(tmp_path.iterdir()) == []


def test_ui_r1_and_gui_r1_a_missing_or_empty_answer_is_no_click_at_the_origin() -> None:
    for text in ("", "<answer>[{'action': 'click'}]</answer>", "no idea"):
        assert ACTION(text, {"action": "click", "box": [0, 0, 50, 50]}).value == 0
        assert NEAR(text, {"point": [20, 20], "image_size": [280, 560]}).value == 0


GOLDS = st.one_of(
    st.fixed_dictionaries({"action": st.sampled_from(["click", "long_press", "right_click", "mouse_move"]), "box": st.just(BOX)}),
    st.fixed_dictionaries({"action": st.sampled_from(["click", "tap"]), "point": st.just([333.3, 12.7])}),
    st.fixed_dictionaries({"action": st.sampled_from(["type", "open_app", "answer"]), "text": st.text(min_size=1)}),
    st.fixed_dictionaries(
        {"action": st.sampled_from(["scroll", "swipe"]), "direction": st.sampled_from(["up", "down", "left", "right"])}
    ),
    st.fixed_dictionaries({"action": st.sampled_from(["wait", "back", "home", "terminate", "complete", "enter"])}),
    st.fixed_dictionaries({"action": st.just("press"), "text": st.sampled_from(["ctrl+c", "Enter"])}),
)


@settings(deadline=None, max_examples=200)
@given(GOLDS, st.sampled_from(["pixels", "thousandths", "unit"]), st.sampled_from(["think", "direct"]))
def test_the_gold_completion_of_every_action_earns_the_maximum(gold: Answer, space: str, mode: str) -> None:
    task = tasks.load("gui_action")
    answer = {**gold, **SCREEN, "space": space, "prompt_mode": mode}
    try:
        ACTION("", answer)
    except ValueError:
        return
    score = task.score(task.gold_completion(answer), answer)
    assert (score.value, score.correct, score.failure) == (pytest.approx(1.0), True, None)
