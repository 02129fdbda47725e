"""Is the box right? One box per completion against one gold box."""

from __future__ import annotations

from vlrl.geometry import answer_pixels, area, as_box
from vlrl.metrics.box_iou import iou
from vlrl.parsing.boxes import parse_box
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import gold_box
from vlrl.types import Answer, Score

CORRECT_IOU = 0.5


def box_iou(text: str, answer: Answer) -> Score:
    """IoU of the answer's first box with `answer["box"]`: overlap area / union area, in original pixels. Correct from 0.5 on.

    Source: the accuracy reward of referring-expression comprehension in VLM-R1 (arXiv 2504.07615), with continuous areas
    and any way of writing numbers. Range 0..1; None when the gold box has no area. Failures: `no_answer` (no closed answer),
    `no_box` (nothing reads as a box), `bad_box` (corners reversed). Boxes are not clipped to
    the image. Raises ValueError for a malformed gold (`vlrl.rewards.gold.gold_box`).

    A gold 100 wide and 100 high and its upper half:

    >>> box_iou('{"bbox_2d": [100, 100, 200, 150]}', {"box": [100, 100, 200, 200]}).value
    0.5
    """
    gold = gold_box(answer)
    if area(gold) == 0:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return _failed("no_answer")
    written = parse_box(body)
    if written is None:
        return _failed("no_box")
    try:
        box = as_box(answer_pixels(written, answer))
    except ValueError:
        return _failed("bad_box")
    value = iou(box, gold)
    return Score(value, correct=value >= CORRECT_IOU, extracted=list(box))


def _failed(code: str) -> Score:
    return Score(0.0, correct=False, failure=code)


REWARDS = {
    "iou": Reward(
        box_iou,
        failures=("no_answer", "no_box", "bad_box"),
        needs=("box",),
        example=Example("[64, 48, 320, 240]", {"box": [64, 48, 320, 240], "image_size": [640, 480]}),
    )
}
