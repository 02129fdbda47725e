import pytest

from vlrl.parsing.points import parse_point


@pytest.mark.parametrize(
    "text",
    [
        "[10, 20]",
        "(10, 20)",
        "( 10.0 ,2e1 )",
        "Click on [10, 20] please",
        '{"point_2d": [10, 20], "label": "ok"}',
        '{"point": [10, 20]}',
        "x=10, y=20",
        "x = 10 y = 20",
        "x: 10, y: 20",
        '{"x": 10, "y": 20}',
        "click(10, 20)",
        "pyautogui.click(x=10, y=20)",
        "click(start_box='<|box_start|>(10,20)<|box_end|>')",
        "<|box_start|>(10,20)<|box_end|>",
        '{"action": "click", "coordinate": [10, 20]}',
        "[{'action': 'click', 'coordinate': [10, 20]}]",
        '<tool_call>\n{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [10, 20]}}\n</tool_call>',
        '{"thought": "the screen is (640, 480)", "coordinate": [10, 20]}',
        '{"bbox_2d": [0, 0, 2, 2], "point_2d": [10, 20]}',
        "[10, 20] or [30, 40]",
        "[1, 2, 3] [10, 20]",
        "[1e400, 1] [10, 20]",
        "[0, 0, 20, 40]",
        "[20, 40, 0, 0]",
        "(0,0),(20,40)",
        "<|box_start|>(0,0),(20,40)<|box_end|>",
        '{"bbox_2d": [0, 0, 20, 40]}',
        '{"coordinate": [0, 0, 20, 40]}',
    ],
)
def test_every_way_of_writing_a_point(text: str) -> None:
    assert parse_point(text) == (10.0, 20.0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "the red button",
        "[10]",
        "[10, 20, 30]",
        "[10, 20, 30, 40, 50]",
        "10, 20",
        "[10 20]",
        "[10, 20",
        "max=10, y=20",
        "x1=10, y1=20",
        '["10", "20"]',
        "[NaN, 20]",
        "[1e400, 20]",
        "[10, -1e10]",
        "[\uff11\uff10, \uff12\uff10]",
        '{"action": "scroll"}',
    ],
)
def test_what_is_no_point(text: str) -> None:
    assert parse_point(text) is None


def test_negative_and_fractional_numbers() -> None:
    assert parse_point("(-1.5, +.25)") == (-1.5, 0.25)
