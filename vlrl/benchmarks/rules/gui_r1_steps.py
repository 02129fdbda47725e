"""GUI-R1's evaluation of steps (guir1/eval/eval_omni.py): type, point and text, each for itself."""

from __future__ import annotations

from collections.abc import Mapping

from vlrl.benchmarks import Metric
from vlrl.benchmarks.rules.gui_r1 import read_action, read_point
from vlrl.metrics.click import screen_distance
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.action_lists import first_block, input_text
from vlrl.parsing.actions import normal_type
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.gui_gold import gold_name
from vlrl.rewards.published_gui import same_words
from vlrl.types import Answer, Score

DISTANCE = 0.14
POINT_NAMES = ("click", "long_press", "moveto", "doubleclick", "rightclick")
TEXT_NAMES = ("open_app", "type", "scroll", "select")
BARE_NAMES = ("hotkey", "wait", "complete", "impossible")
NAMES = {"click": "click", "long_press": "long_press", "move": "moveto", "double_click": "doubleclick",
         "right_click": "rightclick", "type": "type", "select": "select", "answer": "answer", "scroll": "scroll",
         "open_app": "open_app", "back": "press_back", "home": "press_home", "recent": "press_recent", "press": "press_enter",
         "wait": "wait", "terminate": "complete"}  # fmt: skip
"""Actions of `vlrl.parsing.actions` by the names that GUI-R1's files give them."""


def step(text: str, answer: Answer) -> Score:
    """1 for the gold's type of action. Parts: `type`; `grounding` of an action with a point: less than .14 of the screen from the
    gold point, or from the upper left corner of a gold box; `text` of one with a text (`same_words`); `step`, either of both.

    Type and argument do not look at each other. Failure: `no_action`.

    >>> gold = {"action": "click", "point": [140, 280], "image_size": [280, 560]}
    >>> step("<answer>[{'action': 'type', 'point': [150, 290], 'input_text': 'no input text'}]</answer>", gold).parts
    {'type': 0.0, 'grounding': 1.0, 'step': 1.0}
    """
    gold = _gold(answer)
    done = read_action(text)
    parts = {"type": float(done == gold)}
    if gold in POINT_NAMES:
        parts["grounding"] = parts["step"] = float(_near(text, answer))
    elif gold in TEXT_NAMES:
        said, words = input_text(first_block(text) or ""), answer.get("direction", answer.get("text"))
        parts["text"] = parts["step"] = float(said is not None and same_words(said, str(words)))
    return Score(parts["type"], parts, done == gold, done, "no_action" if done is None else None)


def _gold(answer: Answer) -> str:
    """The gold action by GUI-R1's name."""
    name = gold_name(answer)
    if name == "press" and answer.get("text"):
        return f"press_{answer['text']}"
    if name in (*POINT_NAMES, *TEXT_NAMES, *BARE_NAMES) or name.startswith("press_"):
        return name
    return NAMES.get(normal_type(name) or "", name)


def _near(text: str, answer: Answer) -> bool:
    target = answer.get("point", answer.get("box"))
    if target is None:
        raise ValueError("answer has neither 'point' nor 'box'")
    point = read_point(text, answer)
    return point is not None and screen_distance(point, (target[0], target[1]), image_size_of(answer)) < DISTANCE


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`ALL Type`, `ALL Step`, `ALL GR`, and `Type <platform>-<action>` with `-grounding` or `-text`."""
    found: dict[str, Metric] = {"ALL Type": table.mean(), "ALL Step": table.mean("step"), "ALL GR": table.mean("grounding")}
    for platform, on_platform in table.by("platform").items():
        for action, rows in on_platform.by("action").items():
            name = f"Type {platform}-{action}"
            found[name] = rows.mean()
            arguments = {f"{name}-{part}": rows.mean(part) for part in ("grounding", "text")}
            found |= {name: mean for name, mean in arguments.items() if mean.n}
    return found


DIFFERENCES = (
    "A class of actions without a single hit stays in the averages; the script leaves it out.",
    "An answer without a point has none; there it is [0, 0], which can be near the target.",
    "Of two single words of which one holds the other, the shorter must make up a third of the longer: one letter is not enough.",
    "An answer without a text has none; there it is `no input text`, which shares words with some gold texts.",
)
