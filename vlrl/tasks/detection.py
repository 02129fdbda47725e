"""Find everything of some kinds and give boxes with labels (COCO-style)."""

from __future__ import annotations

import json

from vlrl.geometry import as_box
from vlrl.metrics.box_iou import iou
from vlrl.rewards.gold_geometry import gold_boxes
from vlrl.tasks import Task, gold_box_in_space, shortest_list
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold boxes in the answer's space, as a JSON list; `[]` when there are none.

    >>> gold_answer({"boxes": [{"box": [64, 48, 320, 240], "label": "cup"}], "image_size": [640, 480], "space": "thousandths"})
    '[{"bbox_2d": [100, 100, 500, 500], "label": "cup"}]'
    """
    gold_boxes(answer)
    return "[" + ", ".join(_object({**answer, **item}) for item in answer["boxes"]) + "]"


def _object(answer: Answer) -> str:
    """One gold box, under `box`, and its label, with the fewest decimals at which rounding keeps the IoU above 0.99."""
    box = gold_box_in_space(answer)
    written = shortest_list(box, lambda rounded: iou(as_box(rounded), box) > 0.99)
    label = "" if answer.get("label") is None else f', "label": {json.dumps(answer["label"], ensure_ascii=False)}'
    return f'{{"bbox_2d": {written}{label}}}'


TASK = Task(
    name="detection",
    description="Give the bounding boxes and labels of everything of some kinds.",
    instruction='Give all as JSON [{"bbox_2d": [x1, y1, x2, y2], "label": "..."}] {space}, or [] for none. Find:',
    rewards={"detection.iou_f1": 0.9, "format.prompted": 0.1, "detection.map": 0.0},
    metrics={"iou_f1": "detection.iou_f1", "map": "detection.map", "all_right": "correct"},
    headline="iou_f1",
    gold_answer=gold_answer,
    example=Sample(
        "example",
        "detection",
        "cat, dog",
        {
            "boxes": [{"box": [64, 48, 320, 240], "label": "cat"}, {"box": [400, 96, 480, 240], "label": "dog"}],
            "image_size": [640, 480],
        },
    ),
)
