"""Is the GUI action right? The project's own rewards, and by name the published ones of `vlrl.rewards.published_gui`."""

from __future__ import annotations

from typing import Any

from vlrl.geometry import Point, answer_pixels, area
from vlrl.metrics.click import inside, screen_distance
from vlrl.metrics.text_match import token_scores
from vlrl.parsing.actions import BARE_TYPES, POINT_TYPES, TEXT_TYPES, Action, parse_action
from vlrl.parsing.points import parse_point
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import gold_box
from vlrl.rewards.gui_gold import MAX_DISTANCE, gold_action, gold_screen, gold_target, moved, same_text
from vlrl.rewards.published_gui import btl_ui, gui_r1, ui_r1
from vlrl.types import Answer, Score

CORRECT_F1 = 0.5


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
    point, failure = _clicked(text, answer)
    if point is None:
        return Score(0.0, correct=False, failure=failure)
    hit = inside(point, gold)
    return Score(float(hit), correct=hit, extracted=list(point))


def click_near(text: str, answer: Answer) -> Score:
    """1 when the answer's first point is within 14 % of the screen of the target: sqrt((dx/W)^2 + (dy/H)^2) <= 0.14; else 0.

    The target is `answer["point"]`, or the centre of `answer["box"]`. Source: the protocol of OS-Atlas (arXiv 2410.23218) for
    AndroidControl, after AITW; GUI-R1 and BTL-UI leave 0.14 itself out. Range 0..1. Failures: `no_answer` (no closed answer),
    `no_point`. Raises ValueError for a malformed gold: `point`, `box`, or no `image_size`.

    >>> gold = {"point": [500, 500], "image_size": [1000, 1000]}
    >>> click_near("[640, 500]", gold).value, click_near("[599, 599]", gold).value
    (1.0, 0.0)
    """
    target, screen = gold_target(answer), gold_screen(answer)
    point, failure = _clicked(text, answer)
    if point is None:
        return Score(0.0, correct=False, failure=failure)
    hit = screen_distance(point, target, screen) <= MAX_DISTANCE
    return Score(float(hit), correct=hit, extracted=list(point))


def action(text: str, answer: Answer) -> Score:
    """The first action's argument against the gold's, if the types of both are the same; else 0. Forms: `vlrl.parsing.actions`.

    | type of action | gold keys | value |
    |---|---|---|
    | any click, long_press, move | `box`, or `point` and `image_size` | 1 for a hit, else 0 |
    | type, select, answer | `text` | token F1 of the words, lower case; correct from 0.5 on |
    | scroll (a swipe up scrolls down) | `direction` | 1 for the same, else 0 |
    | open_app, press | `text` | 1 for the same app or keys, whatever their case and order, else 0 |
    | terminate | `text`: `success` or `failure`, or none | 1 for the same status, or any where the gold has none, else 0 |
    | wait, back, home, recent | - | 1 |

    A point hits inside the box, edges included; without a box, within 14 % of the screen (`gui.click_near`).
    Source: the unified action reward of GUI-R1 (arXiv 2504.10458), which never compares the argument of an action outside its
    list; here every argument counts. Range 0..1; None when a gold box has no area. Failures: `no_answer` (no closed answer),
    `no_action` (nothing reads as one), `wrong_action` (another type), `no_argument` (the type needs one and none is there); a
    wrong argument is no failure. Raises ValueError for an unknown `action` and for a missing or malformed gold key.

    Two of three words, of two that were asked for:

    >>> action('{"action": "type", "text": "weather in Oslo"}', {"action": "type", "text": "oslo weather"}).value
    0.8
    """
    gold = gold_action(answer)
    if gold.type in POINT_TYPES and "box" in answer and area(gold_box(answer)) == 0:
        return Score(None)
    body = answer_text(text)
    done = parse_action(body) if body else None
    if done is None:
        return Score(0.0, correct=False, failure="no_action" if body else "no_answer")
    extracted = _in_pixels(done, answer)
    if done.type != gold.type:
        return Score(0.0, correct=False, extracted=extracted, failure="wrong_action")
    value = _argument_value(done, gold, answer)
    if value is None:
        return Score(0.0, correct=False, extracted=extracted, failure="no_argument")
    return Score(value, correct=value >= CORRECT_F1, extracted=extracted)


def _clicked(text: str, answer: Answer) -> tuple[Point | None, str | None]:
    """The first point in original pixels, or None and why there is none."""
    body = answer_text(text)
    if body is None:
        return None, "no_answer"
    written = parse_point(body)
    return (None, "no_point") if written is None else (_pixels(written, answer), None)


def _pixels(point: Point, answer: Answer) -> Point:
    x, y = answer_pixels(point, answer)
    return x, y


def _in_pixels(done: Action, answer: Answer) -> dict[str, Any]:
    """What was read, with points in original pixels and without empty fields."""
    points = {"point": done.point, "end": done.end}
    shown: dict[str, Any] = {key: list(_pixels(point, answer)) for key, point in points.items() if point}
    words = {"text": done.text, "direction": done.direction}
    return {"type": done.type, **shown, **{key: word for key, word in words.items() if word}}


def _argument_value(done: Action, gold: Action, answer: Answer) -> float | None:
    """What the argument earns; None when it is not there."""
    if gold.type in POINT_TYPES:
        return None if done.point is None else float(_hits(_pixels(done.point, answer), answer))
    if gold.type == "scroll":
        direction = moved(done, answer)
        return None if direction is None else float(direction == gold.direction)
    if gold.type in BARE_TYPES or gold.text is None:
        return 1.0
    if done.text is None:
        return None
    if gold.type in TEXT_TYPES:
        return token_scores(done.text.lower().split(), gold.text.lower().split()).f1
    return float(same_text(done, gold))


def _hits(point: Point, answer: Answer) -> bool:
    if "box" in answer:
        return inside(point, gold_box(answer))
    return screen_distance(point, gold_target(answer), gold_screen(answer)) <= MAX_DISTANCE


CLICK = {"action": "click", "box": [8, 40, 60, 56], "image_size": [128, 128]}
TOOL_CALL = '<tool_call>{"name": "computer_use", "arguments": {"action": "left_click", "coordinate": [34, 48]}}</tool_call>'
THOUGHT = "<think>It is there.</think>"
BLINK = '<blink>```json\n[{"bbox_2d": [8, 40, 60, 56]}]\n```</blink>\n'
LINK = '\n<link>```json\n[{"Plan": "tap it", "Action": {"function": "Tap", "point_2d": [34, 48]}}]\n```</link>'

REWARDS = {
    "click": Reward(
        click,
        failures=("no_answer", "no_point"),
        needs=("box",),
        example=Example("[34, 48]", {"box": [8, 40, 60, 56], "image_size": [128, 128]}),
    ),
    "click_near": Reward(
        click_near,
        failures=("no_answer", "no_point"),
        needs=("point", "image_size"),
        example=Example("[34, 48]", {"point": [30, 40], "image_size": [128, 128]}),
    ),
    "action": Reward(
        action,
        failures=("no_answer", "no_action", "wrong_action", "no_argument"),
        needs=("action", "box"),
        example=Example(TOOL_CALL, CLICK),
    ),
    "ui_r1": Reward(
        ui_r1,
        high=3.0,
        failures=("no_action", "wrong_action"),
        needs=("action", "box"),
        example=Example(THOUGHT + "<answer>[{'action': 'click', 'coordinate': [34, 48]}]</answer>", CLICK),
    ),
    "gui_r1": Reward(
        gui_r1,
        failures=("no_action", "wrong_action"),
        needs=("action", "box"),
        example=Example(
            THOUGHT + "<answer>[{'action': 'click', 'point': [34, 48], 'input_text': 'no input text'}]</answer>", CLICK
        ),
    ),
    "btl_ui": Reward(
        btl_ui,
        failures=("no_action", "wrong_action"),
        needs=("action", "box"),
        example=Example(BLINK + THOUGHT + LINK, CLICK),
    ),
}
