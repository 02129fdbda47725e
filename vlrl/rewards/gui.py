"""Does the click hit the element?"""

from __future__ import annotations

from vlrl.geometry import answer_pixels, area
from vlrl.metrics.click import inside
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import gold_box
from vlrl.types import Answer, Score


def click(text: str, answer: Answer) -> Score:
    """1 when the answer's first point lies in `answer["box"]`, edges included, in original pixels; else 0.

    Source: the coordinate reward of UI-R1 (arXiv 2503.21620); GUI-R1 (2504.10458) leaves the edges out, the ScreenSpot
    scorers take them in, and take a box for its centre. Only the point is judged, not the kind of action. Range 0..1; None
    when the gold box has no area. Failures: `no_answer` (no closed answer), `no_point` (nothing reads as a point); a click
    beside the element is wrong, but no failure. Raises ValueError for a malformed gold (`vlrl.rewards.gold.gold_box`).

    The point (250, 500) of a thousand is the pixel (160, 240) of 640 x 480:

    >>> gold = {"box": [150, 230, 160, 250], "image_size": [640, 480], "space": "thousandths"}
    >>> click("[250, 500]", gold).value, click("[251, 500]", gold).value
    (1.0, 0.0)
    """
    gold = gold_box(answer)
    if area(gold) == 0:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return Score(0.0, correct=False, failure="no_answer")
    written = parse_point(body)
    if written is None:
        return Score(0.0, correct=False, failure="no_point")
    x, y = answer_pixels(written, answer)
    hit = inside((x, y), gold)
    return Score(float(hit), correct=hit, extracted=[x, y])


REWARDS = {
    "click": Reward(
        click,
        failures=("no_answer", "no_point"),
        needs=("box",),
        example=Example("[34, 48]", {"box": [8, 40, 60, 56], "image_size": [128, 128]}),
    )
}
