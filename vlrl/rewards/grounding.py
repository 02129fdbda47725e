"""Is the thing found? One box per completion against one gold box, a set of boxes, a point, a box in one of several images."""

from __future__ import annotations

from collections.abc import Callable

from vlrl.geometry import Box, answer_pixels, area, as_box
from vlrl.metrics.box_iou import giou, iou, iou_matrix
from vlrl.metrics.click import inside
from vlrl.metrics.matching import best_pairs
from vlrl.parsing.boxes import parse_box
from vlrl.parsing.detections import parse_detections
from vlrl.parsing.images import parse_image_number
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import gold_box
from vlrl.rewards.gold_geometry import gold_boxes
from vlrl.types import Answer, Score

CORRECT_IOU = 0.5
MAX_BOXES = 1000
"""More boxes than this are a flood and no answer."""


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
    return _judge_box(text, answer, iou, low=0.0)


def box_giou(text: str, answer: Answer) -> Score:
    """GIoU of the answer's first box with `answer["box"]`: IoU - (hull - union) / hull. Correct from an IoU of 0.5 on.

    The hull is the smallest box around both, so that of two boxes beside the thing the nearer one earns more. Parts: `iou`.
    Source: Rezatofighi et al. (arXiv 1902.09630); as a reward, plus 1, in Visual-RFT's reasoning grounding (2503.01785).
    Range -1..1; None when the gold box has no area. Failures: `no_answer`, `no_box`, `bad_box`, as in `box_iou`. Raises
    ValueError for a malformed gold.

    The gold box, moved to the right by two of its widths:

    >>> box_giou("[2, 0, 3, 1]", {"box": [0, 0, 1, 1]}).value
    -0.3333333333333333
    """
    return _judge_box(text, answer, giou, low=-1.0)


ACCURACY = """1 when the IoU of the answer's first box with `answer["box"]` is at least {share}, else 0. Parts: `iou`.

    Source: Acc@{share} of RefCOCO and its kin; an IoU of exactly {share} is right, as in lmms-eval and VLMEvalKit; VLM-R1 asks
    for more than that. Range 0..1; None when the gold box has no area. Failures: `no_answer`, `no_box`, `bad_box`, as in
    `box_iou`. Raises ValueError for a malformed gold.

    >>> gold = {{"box": [0, 0, 100, 100]}}
    >>> acc{percent}("[0, 0, 100, {percent}]", gold).value, acc{percent}("[0, 0, 100, {less}]", gold).value
    (1.0, 0.0)
    """


def _accuracy(percent: int) -> Callable[[str, Answer], Score]:
    def accuracy(text: str, answer: Answer) -> Score:
        return _judge_box(text, answer, lambda box, gold: float(iou(box, gold) >= percent / 100), low=0.0, correct=percent / 100)

    accuracy.__name__ = accuracy.__qualname__ = f"acc{percent}"
    accuracy.__doc__ = ACCURACY.format(share=percent / 100, percent=percent, less=percent - 1)
    return accuracy


acc30, acc50, acc70, acc75, acc90 = (_accuracy(percent) for percent in (30, 50, 70, 75, 90))


def set_iou(text: str, answer: Answer) -> Score:
    """S / max(n_pred, n_gold), S the greatest sum of IoUs of a one-to-one matching with `answer["boxes"]`; labels do not matter.

    For phrases that mean several things, or none: an empty answer earns 1 when `boxes` is empty, else 0. Extra boxes and
    copies lower the value. Parts: `found`, the share of gold boxes matched with an IoU of at least 0.5. Source: the
    normaliser is that of Visual-RFT's IoU reward (arXiv 2503.01785), the matching is Hungarian. Range 0..1; None when a gold
    box has no area. Failures: `no_answer` (no closed answer), `no_boxes` (nothing reads as boxes or as "none"),
    `too_many_boxes` (more than 1000). Raises ValueError for a malformed gold (`vlrl.rewards.gold_geometry.gold_boxes`).

    One of two:

    >>> set_iou("[[0, 0, 10, 10]]", {"boxes": [{"box": [0, 0, 10, 10]}, {"box": [20, 0, 30, 10]}]}).value
    0.5
    """
    gold = [one.box for one in gold_boxes(answer)]
    if any(area(box) == 0 for box in gold):
        return Score(None)
    body = answer_text(text)
    found = None if body is None else parse_detections(body)
    if found is None or len(found) > MAX_BOXES:
        return _failed("no_answer" if body is None else "no_boxes" if found is None else "too_many_boxes")
    values = answer_pixels([value for one in found for value in one.box], answer)
    boxes = list(zip(values[0::4], values[1::4], values[2::4], values[3::4], strict=True))
    extracted = [list(box) for box in boxes]
    if not boxes or not gold:
        return Score(float(len(boxes) == len(gold)), correct=len(boxes) == len(gold), extracted=extracted)
    ious_NM = iou_matrix(boxes, gold)
    matched = [float(ious_NM[pair]) for pair in best_pairs(ious_NM)]
    hits = sum(value >= CORRECT_IOU for value in matched)
    correct = hits == len(gold) == len(boxes)
    return Score(sum(matched) / max(len(boxes), len(gold)), {"found": hits / len(gold)}, correct, extracted)


def point_in_box(text: str, answer: Answer) -> Score:
    """1 when the answer's first point lies in `answer["box"]`, edges included, else 0; a box stands for its centre.

    Source: the centre-in-box reward of Jigsaw-R1 (arXiv 2505.23590) and the pointing game (1608.00507). Range 0..1; None when
    the gold box has no area. Failures: `no_answer` (no closed answer), `no_point` (nothing reads as a point). Raises
    ValueError for a malformed gold (`vlrl.rewards.gold.gold_box`).

    >>> point_in_box("[5, 5]", {"box": [0, 0, 10, 10]}).value, point_in_box("[0, 0, 30, 10]", {"box": [0, 0, 10, 10]}).value
    (1.0, 0.0)
    """
    gold = gold_box(answer)
    if area(gold) == 0:
        return Score(None)
    body = answer_text(text)
    written = None if body is None else parse_point(body)
    if written is None:
        return _failed("no_answer" if body is None else "no_point")
    x, y = answer_pixels(written, answer)
    hit = inside((x, y), gold)
    return Score(float(hit), correct=hit, extracted=[x, y])


def image_box(text: str, answer: Answer) -> Score:
    """IoU of the answer's first box with `answer["box"]`, if the first image it names is number `answer["image_index"]`, else 0.

    Images count from 1, as in "image 1"; `image_size` and `processed_size` are those of that image. Correct from 0.5 on.
    Source: multi-image grounding as in UniVG-R1 (arXiv 2505.14231) and MIG-Bench (2501.05767), where the image is given; that
    the answer names it is this project's addition. Range 0..1; None when the gold box has no area. Failures: `no_answer`,
    `no_image` (no image is named), `wrong_image`, `no_box`, `bad_box`. Raises ValueError for a malformed gold
    (`vlrl.rewards.gold.gold_box`) or an `image_index` that is no whole number from 1 on.

    >>> gold = {"box": [0, 0, 10, 10], "image_index": 2}
    >>> image_box('{"image": 2, "bbox_2d": [0, 0, 10, 5]}', gold).value, image_box("Image 1: [0, 0, 10, 5]", gold).failure
    (0.5, 'wrong_image')
    """
    index = answer.get("image_index")
    if not isinstance(index, int) or isinstance(index, bool) or index < 1:
        raise ValueError(f"answer 'image_index' is the number of an image, from 1 on, not {index!r}")
    score = _judge_box(text, answer, iou, low=0.0)
    if score.value is None or score.failure == "no_answer":
        return score
    named = parse_image_number(answer_text(text) or "")
    if named != index:
        return _failed("no_image" if named is None else "wrong_image")
    return score


def _judge_box(
    text: str, answer: Answer, measure: Callable[[Box, Box], float], low: float, correct: float = CORRECT_IOU
) -> Score:
    """The measure of the answer's first box and the gold box; `correct` is the IoU from which on it is right."""
    gold = gold_box(answer)
    if area(gold) == 0:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return _failed("no_answer", low)
    written = parse_box(body)
    if written is None:
        return _failed("no_box", low)
    try:
        box = as_box(answer_pixels(written, answer))
    except ValueError:
        return _failed("bad_box", low)
    overlap = iou(box, gold)
    parts = {} if measure is iou else {"iou": overlap}
    return Score(measure(box, gold), parts, correct=overlap >= correct, extracted=list(box))


def _failed(code: str, low: float = 0.0) -> Score:
    return Score(low, correct=False, failure=code)


BOX_FAILURES = ("no_answer", "no_box", "bad_box")
SET_FAILURES = ("no_answer", "no_boxes", "too_many_boxes")

ONE = Example("[64, 48, 320, 240]", {"box": [64, 48, 320, 240], "image_size": [640, 480]})
TWO = Example(
    "[[64, 48, 320, 240], [400, 96, 480, 240]]",
    {"boxes": [{"box": [64, 48, 320, 240]}, {"box": [400, 96, 480, 240]}], "image_size": [640, 480]},
)
POINT = Example("[192, 144]", ONE.answer)
SECOND = Example('{"image": 2, "bbox_2d": [64, 48, 320, 240]}', {**ONE.answer, "image_index": 2})

REWARDS = {
    "iou": Reward(box_iou, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "giou": Reward(box_giou, low=-1.0, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "acc30": Reward(acc30, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "acc50": Reward(acc50, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "acc70": Reward(acc70, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "acc75": Reward(acc75, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "acc90": Reward(acc90, failures=BOX_FAILURES, needs=("box",), example=ONE),
    "set_iou": Reward(set_iou, failures=SET_FAILURES, needs=("boxes",), example=TWO),
    "point_in_box": Reward(point_in_box, failures=("no_answer", "no_point"), needs=("box",), example=POINT),
    "image_box": Reward(
        image_box, failures=(*BOX_FAILURES, "no_image", "wrong_image"), needs=("box", "image_index"), example=SECOND
    ),
}
