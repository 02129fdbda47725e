import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl.parsing.actions import TYPES, Action, action_of, normal_type, parse_action, same_keys

QWEN = '<tool_call>\n{{"name": "{}", "arguments": {}}}\n</tool_call>'
AT = (10.0, 20.0)


@pytest.mark.parametrize(
    ("arguments", "action"),
    [
        ('{"action": "left_click", "coordinate": [10, 20]}', Action("click", AT)),
        ('{"action": "double_click", "coordinate": [10, 20]}', Action("double_click", AT)),
        ('{"action": "right_click", "coordinate": [10, 20]}', Action("right_click", AT)),
        ('{"action": "mouse_move", "coordinate": [10, 20]}', Action("move", AT)),
        ('{"action": "left_click_drag", "coordinate": [10, 20]}', Action("drag", AT)),
        ('{"action": "type", "text": "Oslo"}', Action("type", text="Oslo")),
        ('{"action": "key", "keys": ["ctrl", "c"]}', Action("press", text="ctrl+c")),
        ('{"action": "scroll", "pixels": -5}', Action("scroll", direction="down")),
        ('{"action": "scroll", "pixels": 5, "coordinate": [10, 20]}', Action("scroll", AT, direction="up")),
        ('{"action": "hscroll", "pixels": 5}', Action("scroll", direction="right")),
        ('{"action": "wait", "time": 2}', Action("wait")),
        ('{"action": "terminate", "status": "success"}', Action("terminate", text="success")),
        ('{"action": "answer", "text": "42"}', Action("answer", text="42")),
        ('{"action": "click", "coordinate": [10, 20]}', Action("click", AT)),
        ('{"action": "long_press", "coordinate": [10, 20], "time": 1}', Action("long_press", AT)),
        ('{"action": "swipe", "coordinate": [10, 20], "coordinate2": [10, 5]}', Action("scroll", AT, (10.0, 5.0))),
        ('{"action": "system_button", "button": "Back"}', Action("back")),
        ('{"action": "system_button", "button": "Home"}', Action("home")),
        ('{"action": "system_button", "button": "Enter"}', Action("press", text="Enter")),
        ('{"action": "open", "text": "Clock"}', Action("open_app", text="Clock")),
    ],
)
def test_tool_calls_of_qwen(arguments: str, action: Action) -> None:
    for name in ("computer_use", "mobile_use"):
        assert parse_action(QWEN.format(name, arguments)) == action
    assert parse_action(arguments) == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Thought: The [x] button.\nAction: click(start_box='(10,20)')", Action("click", AT)),
        ("Action: click(start_box='<|box_start|>(10,20)<|box_end|>')", Action("click", AT)),
        ("Action: click(point='<point>10 20</point>')", Action("click", AT)),
        ("Action: left_double(start_box='(10,20)')", Action("double_click", AT)),
        ("Action: right_single(start_box='(10,20)')", Action("right_click", AT)),
        ("Action: long_press(start_box='(10,20)')", Action("long_press", AT)),
        ("Action: drag(start_box='(10,20)', end_box='(1,2)')", Action("drag", AT, (1.0, 2.0))),
        ("Action: scroll(start_box='(10,20)', direction='down')", Action("scroll", AT, direction="down")),
        (r"Action: type(content='Kate\'s')", Action("type", text="Kate's")),
        ("Action: type(content='Kate's cake')", Action("type", text="Kate's cake")),
        ("Action: hotkey(key='ctrl c')", Action("press", text="ctrl c")),
        ("Action: open_app(app_name='Clock')", Action("open_app", text="Clock")),
        ("Action: press_back()", Action("back")),
        ("Action: press_home()", Action("home")),
        ("Action: wait()", Action("wait")),
        ("Action: finished(content='all done')", Action("terminate", text="success")),
        ("pyautogui.click(x=10, y=20)", Action("click", AT)),
        ("pyautogui.click(10, 20)", Action("click", AT)),
        ("pyautogui.click(10, 20, clicks=2)", Action("double_click", AT)),
        ("pyautogui.click(x=10, y=20, button='right')", Action("right_click", AT)),
        ("```python\nimport pyautogui\npyautogui.doubleClick(10, 20)\n```", Action("double_click", AT)),
        ("pyautogui.moveTo(10, 20)", Action("move", AT)),
        ("pyautogui.write('Oslo', interval=0.1)", Action("type", text="Oslo")),
        ("pyautogui.typewrite(message='Oslo')", Action("type", text="Oslo")),
        ("pyautogui.press('enter')", Action("press", text="enter")),
        ("pyautogui.hotkey('ctrl', 'c')", Action("press", text="ctrl+c")),
        ("pyautogui.scroll(-3)", Action("scroll", direction="down")),
        ("click([10, 20])", Action("click", AT)),
        ("swipe(10, 20, 1, 2)", Action("scroll", AT, (1.0, 2.0))),
        ("time.sleep(2)", Action("wait")),
    ],
)
def test_function_calls_of_ui_tars_and_pyautogui(text: str, action: Action) -> None:
    assert parse_action(text) == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("[{'action': 'click', 'point': [10, 20], 'input_text': 'no input text'}]", Action("click", AT)),
        ("[{'action': 'click', 'coordinate': [10, 20]}]", Action("click", AT)),
        ("[{'action': 'click', 'coordinate': (10, 20)}]", Action("click", AT)),
        ("[{'action': 'type', 'point': [-100, -100], 'input_text': 'kate's'}]", Action("type", text="kate's")),
        ("[{'action': 'type', 'input_text': 'no input text'}]", Action("type")),
        ("[{}, {'action': 'press_back'}]", Action("back")),
        ("[{'action': 'scroll', 'input_text': 'DOWN'}]", Action("scroll", direction="down")),
        ("[{'action': 'open_app', 'input_text': 'Clock'}]", Action("open_app", text="Clock")),
        ('{"action_type": "click", "x": 10, "y": 20}', Action("click", AT)),
        ('{"action_type": "input_text", "text": "Oslo"}', Action("type", text="Oslo")),
        ('{"action_type": "scroll", "direction": "left"}', Action("scroll", direction="left")),
        ('{"action_type": "open_app", "app_name": "Clock"}', Action("open_app", text="Clock")),
        ('{"action_type": "navigate_back"}', Action("back")),
        ('{"action_type": "status", "goal_status": "infeasible"}', Action("terminate", text="failure")),
        ('[{"Plan": "p", "Action": {"function": "Tap", "point_2d": [10, 20]}}]', Action("click", AT)),
        ('[{"Plan": "p", "Action": {"function": "Swipe", "direction": "up"}}]', Action("scroll", direction="down")),
        ('{"type": "function", "function": {"name": "click", "arguments": "{\\"x\\": 10, \\"y\\": 20}"}}', Action("click", AT)),
        ('{"action": "click", "bbox": [0, 0, 20, 40]}', Action("click", AT)),
        ('{"action": "click", "coordinate": [[10, 20]]}', Action("click", AT)),
        ('{"action": "click", "coordinate": "(10, 20)"}', Action("click", AT)),
        ('{"action": "click", "coordinate": [1e400, 20]}', Action("click")),
        ('{"action": "click", "coordinate": [true, 20]}', Action("click")),
        ('{"action": "click", "coordinate": [10, 20, 30]}', Action("click")),
        ('{"action": "terminate", "status": "maybe"}', Action("terminate")),
    ],
)
def test_lists_and_objects(text: str, action: Action) -> None:
    assert parse_action(text) == action


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("thoughts:\nclick [it]\nactions:\nCLICK <point>[[10, 20]]</point><|im_end|>", Action("click", AT)),
        ("CLICK [[10,20]]", Action("click", AT)),
        ("LONG_PRESS <point>[[10,20]]</point>", Action("long_press", AT)),
        ("TYPE [weather in Oslo]", Action("type", text="weather in Oslo")),
        ("TYPE Oslo", Action("type", text="Oslo")),
        ("SCROLL [DOWN]", Action("scroll", direction="down")),
        ("OPEN_APP [Google Maps]", Action("open_app", text="Google Maps")),
        ("PRESS_BACK", Action("back")),
        ("PRESS_HOME<|im_end|>", Action("home")),
        ("ENTER", Action("press", text="enter")),
        ("WAIT 5", Action("wait")),
        ("COMPLETE", Action("terminate", text="success")),
        ("CLICK here", Action("click")),
    ],
)
def test_commands_of_os_atlas(text: str, action: Action) -> None:
    assert parse_action(text) == action


NOTHING = [
    "", "click", "[10, 20]", "Click the [button]", "HOME is where it is", "{'action': 'fly'}", "print('click')", "wait for it",
    "{'action': __import__('os').getpid()}", "click(__import__('os'))", '{"action": "click"', "myclick(1, 2)", "{'a': 1}",
    "{'action': 'type', 'text': 'click(1, 2)", "[{'action': 'wait', 'text': open('x')}]",
    '{"action": "type", "text": "{\\"action\\": ',
]  # fmt: skip


@pytest.mark.parametrize("text", NOTHING)
def test_no_action(text: str) -> None:
    assert parse_action(text) is None


def test_the_first_action_counts() -> None:
    assert parse_action('{"action": "wait"} {"action": "click", "coordinate": [10, 20]}') == Action("wait")
    assert parse_action("click(1, 2)\npress_back()") == Action("click", (1.0, 2.0))
    assert parse_action("[{'action': 'wait'}, {'action': 'press_back'}]") == Action("wait")


def test_brackets_before_the_action_are_passed_over() -> None:
    assert parse_action("See [the button] (at {x}) and foo(1): {'action': 'wait'}") == Action("wait")


def test_every_type_is_its_own_name() -> None:
    assert [normal_type(name) for name in TYPES] == list(TYPES)
    assert {found.type for name in TYPES if (found := action_of({"action": name}))} == set(TYPES)


def test_keys() -> None:
    assert same_keys("Ctrl+Shift+T") == same_keys("shift control t")
    assert same_keys("Page_Down") == same_keys("pgdn")
    assert same_keys("a") != same_keys("b")


@settings(deadline=None, max_examples=200)
@given(st.recursive(st.none() | st.integers() | st.text(max_size=6), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["action", "arguments", "coordinate", "text", "name", "direction", "keys"]), x), max_leaves=10))  # fmt: skip
def test_any_value_is_read_without_an_error(value: object) -> None:
    found = action_of(value)
    assert found is None or found.type in TYPES
    parse_action(str(value))


UNITS = [
    "[", "{'", "{'action': '", "click(", "click('", "CLICK\n", "CLICK <point>", "actions:\n", '{"arguments": "', "\n", " ", "a",
    '{"action": {', "\\", "'", "press('", "[1,", "a.", "click(start_box='(1,2", "<point>1 ", "_", "9",
]  # fmt: skip


@pytest.mark.parametrize("unit", UNITS)
def test_a_hostile_megabyte_is_read_in_seconds(unit: str) -> None:
    start = time.process_time()
    parse_action(unit * (10**6 // len(unit)))
    parse_action("{'action': 'click', 'point': '" + unit * (10**6 // len(unit)))
    assert time.process_time() - start < 3
