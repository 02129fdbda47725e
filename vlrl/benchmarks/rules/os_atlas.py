"""OS-Atlas's evaluation of AndroidControl (eval/eval_scripts/android_control/evaluation_unify.py)."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from vlrl.benchmarks import Metric, own_prompt
from vlrl.geometry import answer_pixels, center, from_pixels
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.text_match import token_scores
from vlrl.parsing.actions import Action
from vlrl.parsing.boxes import MAX_COORDINATE, NUMBER
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.gui_gold import gold_action
from vlrl.types import Answer, Score

HEADING = "actions:\n"
END = "<|im_end|>"
RADIUS = 140 + 1e-6
ENOUGH = 0.5
NAMES = {"click": "CLICK", "long_press": "LONG_PRESS", "scroll": "SCROLL", "type": "TYPE", "open_app": "OPEN_APP",
         "back": "PRESS_BACK", "home": "PRESS_HOME", "recent": "PRESS_RECENT", "press": "ENTER", "wait": "WAIT"}  # fmt: skip
_NUMBER = re.compile(NUMBER, re.ASCII)
PROMPT = own_prompt(
    "{question}\nAnswer in this form, with one action; points are in 0-1000:\nthoughts:\n...\nactions:\n"
    "CLICK <point>[[x, y]]</point> | LONG_PRESS <point>[[x, y]]</point> | TYPE [text] | SCROLL [UP|DOWN|LEFT|RIGHT] | "
    "OPEN_APP [name] | PRESS_BACK | PRESS_HOME | WAIT | COMPLETE"
)


def step(text: str, answer: Answer) -> Score:
    """1 when the step that follows `actions:` is right. Parts: `type_match`; of clicks of the right type `click_right`.

    CLICK and LONG_PRESS: at most 140 thousandths from the gold point. TYPE and OPEN_APP: the same first word, and a F1 of the
    sets of words above .5. Others: the same text. Names are in capitals. Failures: `no_action`, `no_point`.

    >>> gold = {"action": "CLICK", "point": [50, 50], "image_size": [100, 100], "space": "thousandths"}
    >>> step("actions:\\nCLICK <point>[[500,640]]</point>", gold).value, step("actions:\\nWAIT", gold).value
    (1.0, 0.0)
    """
    gold, said = gold_action(answer), _said(text)
    if not said:
        return Score(0.0, {"type_match": 0.0}, False, failure="no_action")
    name = _name(gold)
    typed = said.split()[0] == name
    if not typed:
        return Score(0.0, {"type_match": 0.0}, False, said)
    right, failure = _right(said, name, gold, answer)
    parts = {"type_match": 1.0, **({"click_right": float(right)} if name == "CLICK" else {})}
    return Score(float(right), parts, right, said, failure)


def _said(text: str) -> str:
    """What stands between the first two headings, without the end token."""
    parts = text.split(HEADING)
    return parts[1].strip().removesuffix(END).strip() if len(parts) > 1 else ""


def _name(gold: Action) -> str:
    if gold.type == "terminate":
        return "IMPOSSIBLE" if gold.text == "failure" else "COMPLETE"
    return NAMES.get(gold.type, gold.type.upper())


def _right(said: str, name: str, gold: Action, answer: Answer) -> tuple[bool, str | None]:
    if name in ("CLICK", "LONG_PRESS"):
        return _near(said, answer)
    if name in ("TYPE", "OPEN_APP"):
        return _same_words(said.removeprefix(name), gold.text or ""), None
    whole = f"{name} [{(gold.direction or '').upper()}]" if name == "SCROLL" else name
    return said == whole, None


def _near(said: str, answer: Answer) -> tuple[bool, str | None]:
    numbers = [float(number) for number in _NUMBER.findall(said)[:2]]
    if len(numbers) < 2 or not 0 <= min(numbers) <= max(numbers) <= MAX_COORDINATE:
        return False, "no_point"
    size = image_size_of(answer)
    target = answer["point"] if "point" in answer else center(answer["box"])
    x1, y1, x2, y2 = from_pixels([*answer_pixels(numbers, answer), *target], "thousandths", size)
    return math.hypot(x1 - x2, y1 - y2) <= RADIUS, None


def _same_words(said: str, gold: str) -> bool:
    line = said.strip().partition("\n")[0]
    ours, theirs = (text.strip().removeprefix("[").removesuffix("]").lower().split() for text in (line, gold))
    if ours[:1] != theirs[:1]:
        return False
    return token_scores(list(set(ours)), list(set(theirs))).f1 > ENOUGH


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Acc`, `type_match acc`, `grounding acc` (right CLICKs among those of the right type), and `Acc` of each split."""
    splits = {"iid" if label == "IDD" else label: rows.mean() for label, rows in table.by("sub_split").items()}
    return {
        "Acc": table.mean(),
        **splits,
        "type_match acc": table.mean("type_match"),
        "grounding acc": table.mean("click_right"),
    }


DIFFERENCES = (
    "Minus signs and decimal points are read, the script takes digits alone; a negative number is no point of the screen.",
    "TYPE and OPEN_APP compare the whole texts too; the script compares the first words alone.",
    "A text without its brackets is the same text.",
    "Blanks and line ends around the action do not count.",
)
