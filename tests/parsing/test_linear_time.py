"""Hostile text of a megabyte: a quadratic pattern would take hours, not seconds."""

import time
from collections.abc import Callable

import pytest

from vlrl.parsing.boxes import parse_box, parse_boxes
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text, is_answer_only, is_think_answer

LENGTH = 1_000_000
REPEATED = [
    "[[[[",
    "[1,1,1,1,",
    "1,1,1,1,",
    "(1,1),",
    "(1,1) ",
    "(1,1",
    "[1. ",
    "1e",
    "x=",
    "x=1,",
    '"bbox": [1,',
    "'point': (1,",
    '{"a":',
    "<think>",
    "</think>",
    "<think></think>",
    "<answer>",
    "<answer></answer>",
]
HOSTILE = {unit: unit * (LENGTH // len(unit)) for unit in REPEATED} | {
    "one long number": "[" + "1" * LENGTH,
    "four numbers, the last long": "[1,1,1," + "9" * LENGTH + "]",
    "spaces after a number": "[1" + " " * LENGTH,
    "spaces after a point": "(1,2)" + " " * LENGTH,
    "spaces after an x": "x" + " " * LENGTH,
}


@pytest.mark.parametrize("parse", [answer_text, is_think_answer, is_answer_only, parse_box, parse_boxes, parse_point])
@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_megabyte_is_read_in_seconds(parse: Callable[[str], object], text: str) -> None:
    start = time.process_time()
    parse(text)
    assert time.process_time() - start < 3
