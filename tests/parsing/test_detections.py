import time

import pytest

from vlrl.parsing.counts import parse_counts
from vlrl.parsing.detections import Detection, parse_detections
from vlrl.parsing.frame_boxes import parse_frame_boxes
from vlrl.parsing.images import parse_image_number
from vlrl.parsing.json_text import fenced
from vlrl.parsing.point_lists import parse_mask_prompt, parse_points
from vlrl.parsing.spans import parse_span

BOX = (10.0, 20.0, 30.0, 40.0)
CAT = Detection(BOX, "cat")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]', [CAT]),
        ('{"bbox_2d": [10, 20, 30, 40], "label": "cat"}', [CAT]),
        ('```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]\n```', [CAT]),
        ('Here:\n```json\n[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}]\n``` Done.', [CAT]),
        ("[{'bbox_2d': [10, 20, 30, 40], 'label': 'cat'}]", [CAT]),
        ('{"objects": [{"bbox": [10, 20, 30, 40], "category": "cat"}]}', [CAT]),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "cat", "attributes": {"colour": "red"}}]', [CAT]),
        ('I see [{"bbox_2d": [10, 20, 30, 40], "label": "cat"}] here', [CAT]),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}, {"bbox_2d": [1, 2', [CAT]),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "cat"}, {"bbox_2d": [1, 2, 3], "label": "dog"}]', [CAT]),
        ("<ref>cat</ref><box>[[10, 20, 30, 40]]</box>", [CAT]),
        ("<|object_ref_start|>cat<|object_ref_end|><|box_start|>(10,20),(30,40)<|box_end|>", [CAT]),
        ("<ref>cat</ref><box>[[10, 20, 30, 40], [1, 2, 3, 4]]</box>", [CAT, Detection((1, 2, 3, 4), "cat")]),
        ("[{'Position': [10, 20, 30, 40], 'Confidence': 0.5}]", [Detection(BOX, None, 0.5)]),
        ('[{"box": [10, 20, 30, 40], "score": 1}]', [Detection(BOX, None, 1.0)]),
        ('[{"box": [10, 20, 30, 40], "score": "high"}]', [Detection(BOX)]),
        ('[{"box": [10, 20, 30, 40], "label": 7}]', [Detection(BOX)]),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "dog\'s"}]', [Detection(BOX, "dog's")]),
        ('[{"bbox_2d": [10, 20, 30, 40], "label": "a {b}"}]', [Detection(BOX, "a {b}")]),
        ("[[10, 20, 30, 40]]", [Detection(BOX)]),
        ("[10, 20, 30, 40]", [Detection(BOX)]),
        ("(10,20),(30,40)", [Detection(BOX)]),
        ("[30, 40, 10, 20]", [Detection((30.0, 40.0, 10.0, 20.0))]),
        ("[]", []),
        ("```json\n[]\n```", []),
        ("```\nnone\n```", []),
        ("None", []),
        ("none.", []),
        ("No Objects", []),
        ("null", []),
        ("{}", []),
        ('{"objects": []}', []),
    ],
)
def test_forms_of_current_models(text: str, found: list) -> None:
    assert parse_detections(text) == found


@pytest.mark.parametrize(
    "text",
    ["", "a cat", "10", '"cat"', "true", "[1, 2, 3]", "[1, 2, 3, 4, 5]", "[true, 2, 3, 4]", "[1, 2, 3, NaN]", "[1, 2, 3, 1e400]",
     "[1, 2, 3, -Infinity]", f"[1, 2, 3, {'9' * 400}]", f"[1, 2, 3, {'9' * 5000}]", "[\u0661, 2, 3, 4]", '[{"label": "cat"}]',
     '["1", "2", "3", "4"]', "I see none of them", "[[1, 2], [3, 4]]"],
)  # fmt: skip
def test_what_is_no_list_of_boxes(text: str) -> None:
    assert not parse_detections(text)
    assert parse_detections(text) is None or text == ""


def test_the_last_fence_counts() -> None:
    assert fenced("```json\n[1]\n``` then ```[2]```") == "[2]"
    assert fenced("```json\n[1]") == "[1]"


HOSTILE = [
    "[", "{", '{"a":', '{"', "{'", '{\\"', '{"bbox_2d":[1,', "{'box':[1,2,3,4],", '"label":"', "'label':\"", "<ref>", "<ref>a",
    "[1,1,1,1,", "(1,1),", "```", "image", "image ", "image1", "1 ", "1:", "1 - ", "start", "start 1", "start 1 e", "[1 ", "1,",
    "1,111", "twenty ", '<point x="1"', '"1":', '"1":[1,',
]  # fmt: skip


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_costs_linear_time(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    readers = (
        parse_detections, parse_points, parse_mask_prompt, parse_frame_boxes, parse_span, parse_counts, parse_image_number
    )  # fmt: skip
    start = time.process_time()
    for read in readers:
        read(text)
        read(text + "\u0661" + " " * 1000 + "}")
    assert time.process_time() - start < 20
