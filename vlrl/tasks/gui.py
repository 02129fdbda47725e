"""Find the element of a screenshot that an instruction names and give a point to click (ScreenSpot-style)."""

from __future__ import annotations

from vlrl.geometry import center
from vlrl.metrics.click import strictly_inside
from vlrl.tasks import Task, gold_box_in_space, shortest_list
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The centre of the gold box in the answer's space, with the fewest decimals that leave it inside the box and off its edges.

    >>> gold_answer({"box": [64, 48, 320, 240], "image_size": [640, 480], "space": "thousandths"})
    '[300, 300]'
    >>> gold_answer({"box": [1, 1, 1.5, 1.5], "image_size": [640, 480], "space": "unit"})
    '[0.002, 0.003]'
    """
    box = gold_box_in_space(answer)
    return shortest_list(center(box), lambda point: strictly_inside((point[0], point[1]), box))


TASK = Task(
    name="gui",
    description="Give the point to click for an instruction on a screenshot.",
    instruction="Give the click point as [x, y] {space}. Do:",
    rewards={"gui.click": 0.9, "format.prompted": 0.1},
    metrics={"click_accuracy": "gui.click"},
    headline="click_accuracy",
    gold_answer=gold_answer,
    example=Sample("example", "gui", "the red button", {"box": [8, 40, 60, 56], "image_size": [128, 128]}),
)
