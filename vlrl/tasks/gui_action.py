"""Take the next step of a task on a screen: a click, typed words, a scroll, an app, the end (AndroidControl-style)."""

from __future__ import annotations

import json
from typing import Any

from vlrl.geometry import from_pixels
from vlrl.parsing.actions import POINT_TYPES
from vlrl.rewards.gui_gold import gold_action, gold_target
from vlrl.tasks import Task, gui
from vlrl.types import Answer, Sample


def gold_answer(answer: Answer) -> str:
    """The gold action as JSON, a click at the centre of its box, in the answer's space.

    >>> gold_answer({"action": "click", "box": [64, 48, 320, 240], "image_size": [640, 480], "space": "thousandths"})
    '{"action": "click", "coordinate": [300, 300]}'
    >>> gold_answer({"action": "swipe", "direction": "up"})
    '{"action": "scroll", "direction": "down"}'
    """
    gold = gold_action(answer)
    fields: dict[str, Any] = {"action": gold.type, "text": gold.text, "direction": gold.direction}
    if gold.type in POINT_TYPES:
        fields["coordinate"] = json.loads(_gold_point(answer))
    return json.dumps({key: value for key, value in fields.items() if value is not None}, ensure_ascii=False)


def _gold_point(answer: Answer) -> str:
    if "box" in answer:
        return gui.gold_answer(answer)
    space, image_size, processed_size = answer.get("space", "pixels"), answer["image_size"], answer.get("processed_size")
    point = from_pixels(gold_target(answer), space, image_size, processed_size)
    return "[" + ", ".join(f"{value:g}" for value in point) + "]"


TASK = Task(
    name="gui_action",
    description="Give the next action for an instruction on a screenshot.",
    instruction='Give the next action as {"action": name, "coordinate": [x, y], "text": argument} {space}. Do:',
    rewards={"gui.action": 0.9, "format.prompted": 0.1},
    metrics={"step_success": "correct", "action_score": "gui.action"},
    headline="step_success",
    gold_answer=gold_answer,
    example=Sample(
        "example", "gui_action", "press the red button", {"action": "click", "box": [8, 40, 60, 56], "image_size": [128, 128]}
    ),
)
