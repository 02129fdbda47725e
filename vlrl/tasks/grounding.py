"""Find the one thing that a phrase describes and give its box (RefCOCO-style)."""

from __future__ import annotations

from vlrl.geometry import as_box
from vlrl.metrics.box_iou import iou
from vlrl.tasks import Task, gold_box_in_space, shortest_list
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold box in the answer's space, with the fewest decimals at which rounding keeps the IoU above 0.99.

    >>> gold_answer({"box": [64, 48, 320, 240], "image_size": [640, 480], "space": "thousandths"})
    '[100, 100, 500, 500]'
    >>> gold_answer({"box": [1, 1, 4, 4], "image_size": [640, 480], "space": "thousandths"})
    '[1.56, 2.08, 6.25, 8.33]'
    """
    box = gold_box_in_space(answer)
    return shortest_list(box, lambda rounded: iou(as_box(rounded), box) > 0.99)


TASK = Task(
    name="grounding",
    description="Give the bounding box of the one thing that a phrase describes.",
    instruction="Give the bounding box as [x1, y1, x2, y2] {space}. Find:",
    rewards={"grounding.iou": 0.9, "format.prompted": 0.1},
    metrics={"iou": "grounding.iou", "acc50": "correct"},
    headline="iou",
    gold_answer=gold_answer,
    example=Sample("example", "grounding", "the red cup", {"box": [64, 48, 320, 240], "image_size": [640, 480]}),
)
