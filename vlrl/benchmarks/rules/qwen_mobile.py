"""Qwen's rule for AndroidControl, as InfiGUI-R1 published it (eval/android_control)."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from vlrl.benchmarks import Metric, own_prompt
from vlrl.geometry import Box, Point, Size, center, space_extent
from vlrl.metrics.click import inside
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.actions import OPPOSITE, Action
from vlrl.parsing.json_text import numbers
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.gui_gold import gold_action
from vlrl.types import Answer, Sample, Score

ENLARGED = 1.2
NEAR = 0.04
SLACK = 1e-9
CALL, CALL_END = "<tool_call>", "</tool_call>"
BARE_CALL = '{"name": "mobile_use", "arguments":'
NAMES = {"click": "click", "long_press": "long_press", "type": "type", "open_app": "open", "scroll": "swipe", "wait": "wait",
         "back": "system_button", "home": "system_button", "recent": "system_button", "press": "system_button",
         "terminate": "terminate"}  # fmt: skip
BUTTONS = {"back": "back", "home": "home", "recent": "menu"}
TOOL = (
    'Call the tool mobile_use as <tool_call>\n{"name": "mobile_use", "arguments": {"action": ...}}\n</tool_call>. Actions: click '
    "and long_press with coordinate [x, y]; swipe with coordinate and coordinate2; type and open with text; system_button with "
    "button (Back, Home, Menu or Enter); wait with time; terminate with status."
)


def high_prompt(sample: Sample, mode: str, space: str) -> str:
    """The goal and what was done before, with the tool in short."""
    return _prompt(sample, mode, space, "")


def low_prompt(sample: Sample, mode: str, space: str) -> str:
    """The same with the step in words."""
    return _prompt(sample, mode, space, f"\nCurrent step query: {sample.answer.get('step_instruction', '')}")


def _prompt(sample: Sample, mode: str, space: str, step: str) -> str:
    done = sample.answer.get("history", "")
    told = f"{step}\nTask progress (You have done the following operation on the current device): {done}\n{TOOL}"
    return own_prompt("The user query:  {question}" + told)(sample, mode, space)


def step(text: str, answer: Answer) -> Score:
    """1 when the call's action and its argument are right (`exact_match`). Part: `type_match`; of gold clicks `click_match`.

    | gold | right |
    |---|---|
    | click, long_press | in a candidate box enlarged 1.2 times, or within .04 of the longer side from the gold point |
    | type, open | one text holds the other, whatever the case; an app may be opened by a click on its candidate box |
    | swipe | the finger's direction from coordinate to coordinate2 |
    | system_button | the same button |
    | wait, terminate | the same action |

    Failures: `no_action` (no call that is JSON), `no_argument`.

    >>> gold = {"action": "open", "text": "Clock", "image_size": [100, 100]}
    >>> step('<tool_call>{"name": "mobile_use", "arguments": {"action": "open", "text": "clock app"}}</tool_call>', gold).value
    1.0
    """
    gold = gold_action(answer)
    name = NAMES.get(gold.type, gold.type)
    done = _call(text)
    click_part = {"click_match": 0.0} if name == "click" else {}
    if done is None:
        return Score(0.0, {"type_match": 0.0, **click_part}, False, failure="no_action")
    typed = done["action"] == name or (name == "open" and done["action"] == "click" and bool(answer.get("candidate_boxes")))
    right = _argument(done, name, gold, answer) if typed else False
    if name == "click":
        click_part = {"click_match": float(bool(right))}
    failure = "no_argument" if right is None else None
    return Score(float(bool(right)), {"type_match": float(typed), **click_part}, bool(right), done, failure)


def _call(text: str) -> dict[str, Any] | None:
    """The arguments of the call that follows the thought, or None."""
    said = text.rpartition("</think>")[2]
    if CALL in said:
        body = said.split(CALL)[1]
    else:
        _, named, rest = said.partition(BARE_CALL)
        body = named + rest
    if CALL_END in body:
        body = body.partition(CALL_END)[0]
    else:
        body = body.partition("<conclusion>")[0].rpartition("}}")[0] + "}}"
    try:
        arguments = json.loads(body.strip())["arguments"]
        plain = json.loads(json.dumps(arguments, allow_nan=False))
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    return plain if isinstance(plain, dict) and isinstance(plain.get("action"), str) else None


def _argument(done: Mapping[str, Any], name: str, gold: Action, answer: Answer) -> bool | None:
    """Whether the argument is right; None when it is not there."""
    if name in ("wait", "terminate"):
        return True
    if name == "system_button":
        button = done.get("button")
        wanted = BUTTONS.get(gold.type) or str(gold.text)
        return button.lower().strip() == wanted.lower().strip() if isinstance(button, str) else None
    if name == "type" or done["action"] == "open":
        return _holds(done.get("text"), gold.text or "")
    point = _fraction(done.get("coordinate"), answer)
    if point is None:
        return None
    if name == "swipe":
        end = _fraction(done.get("coordinate2"), answer)
        return None if end is None else _direction(point, end) == OPPOSITE[gold.direction or "up"]
    return _hits(point, name, answer)


def _holds(said: Any, gold: str) -> bool | None:
    if not isinstance(said, str) or not said.strip():
        return None
    ours, theirs = said.lower().strip(), gold.lower().strip()
    return ours in theirs or theirs in ours


def _fraction(value: Any, answer: Answer) -> Point | None:
    """The first two numbers of a coordinate as fractions of the screen, or None."""
    found = numbers(value[:2], 2) if isinstance(value, list) else None
    if found is None:
        return None
    width, height = _shown(answer)
    return found[0] / width, found[1] / height


def _shown(answer: Answer) -> Size:
    return space_extent(answer.get("space", "pixels"), image_size_of(answer), answer.get("processed_size"))


def _direction(start: Point, end: Point) -> str:
    """Where the finger goes, in fractions of the screen; up for no way at all, as in the script."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    if abs(dx) > abs(dy):
        return "right" if dx > 0 else "left"
    return "down" if dy > 0 else "up"


def _hits(point: Point, name: str, answer: Answer) -> bool:
    boxes = [_as_fractions(box, answer) for box in answer.get("candidate_boxes", [answer["box"]] if "box" in answer else [])]
    if any(inside(point, _enlarged(box)) for box in boxes):
        return True
    if name == "open":
        target = center(boxes[0])
    elif "point" in answer:
        target = _as_fractions([*answer["point"], *answer["point"]], answer)[:2]
    else:
        return False
    width, height = answer.get("processed_size") or image_size_of(answer)
    distance = math.hypot((target[0] - point[0]) * width, (target[1] - point[1]) * height)
    return distance <= NEAR * max(width, height) + SLACK


def _as_fractions(box: Sequence[float], answer: Answer) -> Box:
    width, height = image_size_of(answer)
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def _enlarged(box: Box) -> Box:
    (x, y), half_width, half_height = center(box), (box[2] - box[0]) * ENLARGED / 2, (box[3] - box[1]) * ENLARGED / 2
    return x - half_width - SLACK, y - half_height - SLACK, x + half_width + SLACK, y + half_height + SLACK


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`extact_match_acc` (spelt as there), `type_match_acc` and `click_match_acc` in percent, and exact matches by action."""
    by_action = {f"extact_match_acc/{action}": rows.mean().percent() for action, rows in table.by("action").items()}
    return {
        "extact_match_acc": table.mean().percent(),
        "type_match_acc": table.mean("type_match").percent(),
        "click_match_acc": table.mean("click_match").percent(),
        **by_action,
    }


DIFFERENCES = (
    "An empty text is no text; there it is contained in every gold text.",
    "An argument that the action does not need cannot spoil it; there a malformed coordinate fails any action.",
    "A right type counts where the argument cannot be read; there such a row has no type.",
    "click_match_acc counts every gold click; there rows that cannot be read are left out, and opened apps are counted in.",
    "The edges of boxes and of the radius belong to them; there rounding decides.",
)
