import pytest

from vlrl.parsing.boxes import parse_box, parse_boxes

BOX = (10.0, 20.0, 30.0, 40.0)


@pytest.mark.parametrize(
    "text",
    [
        "[10, 20, 30, 40]",
        "[10,20,30,40]",
        "[ 10 , 20 ,30, 40 ]",
        "[10.0, 20., 30.00, 4e1]",
        "(10, 20, 30, 40)",
        "The box is [10, 20, 30, 40].",
        '{"bbox_2d": [10, 20, 30, 40], "label": "cat"}',
        '{"bbox": [10, 20, 30, 40]}',
        '{"box": [10, 20, 30, 40]}',
        "{'bbox_2d': [10, 20, 30, 40]}",
        '```json\n[\n\t{"bbox_2d": [10, 20, 30, 40], "label": "cat"}\n]\n```',
        '[{"bbox_2d": [10, 20, 30, 40], "lab',
        "(10,20),(30,40)",
        "(10, 20) (30, 40)",
        "<|box_start|>(10,20),(30,40)<|box_end|>",
        "<ref>cat</ref><box>[[10, 20, 30, 40]]</box>",
        '{"size": [0, 0, 640, 480], "bbox_2d": [10, 20, 30, 40]}',
        '{"label": "not [1, 2, 3, 4]", "bbox_2d": [10, 20, 30, 40]}',
        "[10, 20, 30, 40] [1, 2, 3, 4]",
        "[10, 20] then [10, 20, 30] then [10, 20, 30, 40]",
        "[1e400, 20, 30, 40] [10, 20, 30, 40]",
    ],
)
def test_every_way_of_writing_a_box(text: str) -> None:
    assert parse_box(text) == BOX
    assert parse_boxes(text)[0] == BOX


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        "[]",
        "[10, 20, 30]",
        "[10, 20, 30, 40, 50]",
        "[10 20 30 40]",
        "[10, 20, 30, 40",
        "10, 20, 30, 40",
        "[[10, 20], [30, 40]]",
        '["10", "20", "30", "40"]',
        "[true, true, true, true]",
        "[NaN, 20, 30, 40]",
        "[10, 20, inf, 40]",
        "[10, 20, Infinity, 40]",
        "[10, 20, 1e400, 40]",
        "[10, 20, -1e400, 40]",
        "[10, 20, 1e10, 40]",
        f"[10, 20, {'9' * 5000}, 40]",
        "[\uff11\uff10, \uff12\uff10, \uff13\uff10, \uff14\uff10]",
        "[\u0661, \u0662, \u0663, \u0664]",
        "[\u00b2, 20, 30, 40]",
        "(10,20),(30,40,50)",
        "[1 0, 20, 30, 40]",
        "[0x10, 20, 30, 40]",
        "[1_0, 20, 30, 40]",
        "[__import__('os'), 20, 30, 40]",
    ],
)
def test_what_is_no_box(text: str) -> None:
    assert parse_box(text) is None
    assert parse_boxes(text) == []


def test_signs_and_fractions() -> None:
    assert parse_box("[-1, +.5, -2.25, 1E-3]") == (-1.0, 0.5, -2.25, 0.001)


def test_numbers_are_returned_as_written_reversed_or_empty() -> None:
    assert parse_box("[30, 40, 10, 20]") == (30.0, 40.0, 10.0, 20.0)
    assert parse_box("[5, 5, 5, 5]") == (5.0, 5.0, 5.0, 5.0)


def test_boxes_keep_their_order() -> None:
    assert parse_boxes("[1,2,3,4] (5,6),(7,8) [9,9,9,9]") == [(1, 2, 3, 4), (5, 6, 7, 8), (9, 9, 9, 9)]
