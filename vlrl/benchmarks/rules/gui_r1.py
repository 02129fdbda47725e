"""How GUI-R1's inference scripts read an answer (ritzz-ai/GUI-R1, guir1/inference): the first answer block, single quotes.

Shared by the benchmarks that GUI-R1 prepared as parquet files. The scripts write [0, 0] where there is no point; here it is None.
"""

from __future__ import annotations

import re

from vlrl.benchmarks import Prompt, own_prompt
from vlrl.geometry import Point, answer_pixels
from vlrl.parsing.action_lists import first_block, whole_points
from vlrl.types import Answer, Sample

_ACTION = re.compile(r"'action':\s*+'(\w++)'")
_PAIR = re.compile(r"\[(\d++),\s*+(\d++)\]\s*+")

PROMPT = (
    "You are GUI-R1, a reasoning GUI Agent Assistant. In this UI screenshot, I want you to continue executing the command "
    "'{question}', with the action history being '{history}'.\n"
    "Please provide the action to perform (enumerate from [{actions}]), the point where the cursor is moved to (integer) if a "
    "click is performed, and any input text required to complete the action.\n"
    "Output the thinking process in <think> </think> tags, and the final answer in <answer> </answer> tags as follows:\n"
    "<think> ... </think> <answer>[{'action': enum[{actions}], 'point': [x, y], "
    "'input_text': 'no input text [default]'}]</answer>"
)


def prompt(*actions: str) -> Prompt:
    """The scripts' prompt for a choice of actions, without examples; it tells a row's `history` and always asks for a thought.

    >>> row = Sample("0", "screenspot", "go home", {})
    >>> "(enumerate from ['click'])" in prompt("click")(row, "direct", "pixels")
    True
    """
    names = ", ".join(f"'{action}'" for action in actions)

    def ask(sample: Sample, mode: str, space: str) -> str:
        history = str(sample.answer.get("history", "None"))
        return own_prompt(PROMPT.replace("{actions}", names).replace("{history}", history))(sample, mode, space)

    return ask


def read_action(text: str) -> str | None:
    """The name behind the first `'action':`, or None.

    >>> read_action("<answer>[{'action': 'click'}]</answer>"), read_action('<answer>[{"action": "click"}]</answer>')
    ('click', None)
    """
    match = _ACTION.search(first_block(text) or "")
    return match[1] if match else None


def read_point(text: str, answer: Answer) -> Point | None:
    """The last pair of whole numbers in square brackets that stands in braces on one line, in original pixels, or None.

    >>> read_point("<answer>[{'action': 'click', 'point': [12, 30]}]</answer>", {}), read_point("{'point': [12, 30]}", {})
    ((12.0, 30.0), None)
    """
    block = _PAIR.sub(r"[\1, \2] ", first_block(text) or "")
    for line in block.split("\n"):
        opened, closed = line.find("{"), line.rfind("}")
        points = whole_points(line[opened:closed]) if 0 <= opened < closed else []
        if points:
            x, y = answer_pixels(points[-1], answer)
            return x, y
    return None
