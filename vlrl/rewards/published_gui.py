"""The GUI rewards of UI-R1, GUI-R1 and BTL-UI, as their own code computes them, without its mistakes."""

from __future__ import annotations

import re
from typing import Any

from vlrl.geometry import Box, Point, answer_pixels, as_box
from vlrl.metrics.box_iou import iou
from vlrl.metrics.click import inside, screen_distance, strictly_inside
from vlrl.metrics.text_match import token_scores
from vlrl.parsing.action_lists import action_name, first_block, input_text, whole_points
from vlrl.parsing.actions import NO_TEXT, POINT_TYPES, Action, action_of
from vlrl.parsing.json_value import parse_json
from vlrl.parsing.literals import MAX_LENGTH, parse_literal
from vlrl.parsing.tags import is_think_answer
from vlrl.rewards.gold import gold_box
from vlrl.rewards.gui_gold import gold_action, gold_name, gold_point, gold_screen, gold_target, moved, same_text
from vlrl.types import Answer, Score

ENOUGH = 0.5
RADIUS = 140
DISTANCE = 0.14
MAX_REGIONS = 200
DIRECTIONS = ("left", "right", "up", "down")

_BLINK_THINK = re.compile(r"</blink>\s*+<think>")
_THINK_LINK = re.compile(r"</think>\s*+<link>")


def ui_r1(text: str, answer: Answer) -> Score:
    """The sum of action, coord and format, each 0 or 1.

    Action wants the gold's type; coord wants it too, and of a click a point in the box; format wants think and answer tags.

    The first `<answer>` block is read as `[{'action': 'click', 'coordinate': [x, y]}]`: single quotes, the first pair of whole
    numbers, cut to whole pixels of the original. The box is `answer["box"]`, edges included; for another `answer["action"]`
    than `click`, coord is action. Source: UI-R1 (arXiv 2503.21620), `grpo_json_action_coord.py` at 2fe9bf0; there a click
    without a coordinate is a click at (0, 0), here it is none. Range 0..3. Failures, where nothing is earned: `no_action`,
    `wrong_action`. Raises ValueError for a malformed gold: `action`, and `box` of a click.

    >>> gold = {"action": "click", "box": [100, 100, 200, 200]}
    >>> ui_r1("<think>top</think><answer>[{'action': 'click', 'coordinate': [150, 90]}]</answer>", gold).parts
    {'action': 1.0, 'coord': 0.0, 'format': 1.0}
    """
    gold = gold_name(answer)
    box = gold_box(answer) if gold == "click" else None
    block = first_block(text) or ""
    name = action_name(block)
    right = name == gold
    points = [_in_pixels(point, answer) for point in whole_points(block)[:1]]
    hit = right and (box is None or any(inside(_cut(point), box) for point in points))
    parts = {"action": float(right), "coord": float(hit), "format": float(is_think_answer(text))}
    return _total(sum(parts.values()), parts, hit, name)


def gui_r1(text: str, answer: Answer) -> Score:
    """0.8 * accuracy + 0.2 * format, each 0 or 1.

    The first `<answer>` block is read as `[{'action': ..., 'point': [x, y], 'input_text': ...}]`: single quotes, whole numbers.
    Accuracy wants the gold's type, and of click and long_press a point inside `answer["box"]`, edges left out, or without a box
    less than 140 pixels of the original from `answer["point"]`; of type, select, scroll and open_app an F1 of the sets of words
    of at least 0.5 with `answer["text"]` (of a scroll: `direction`), where of two single words of which one holds the other the
    F1 of their letters counts. Format wants think and answer tags, a list of dicts that hold all three keys, whole points, a
    direction of a scroll and a text where one is needed. Source: GUI-R1 (arXiv 2504.10458), `r1gui.py` at d43eea2; there
    the answer is evaluated as Python, the arguments of long_press and open_app are never compared, and one letter of a
    single word is enough. Range 0..1. Failures, where nothing is earned: `no_action`, `wrong_action`. Raises ValueError for a
    malformed gold: `action`, `box` or `point`, `text`.

    >>> gold = {"action": "click", "box": [100, 100, 200, 200]}
    >>> gui_r1("<answer>[{'action': 'click', 'point': [150, 150], 'input_text': 'no input text'}]</answer>", gold).value
    0.8
    """
    gold = gold_name(answer).lower()
    words = _gold_words(gold, answer)
    block = first_block(text) or ""
    name = action_name(block)
    right = name is not None and name.lower() == gold
    if right and gold in ("click", "long_press"):
        right = any(_near(_in_pixels(point, answer), answer) for point in whole_points(block)[-1:])
    elif right and words is not None:
        right = same_words(input_text(block) or NO_TEXT, words)
    parts = {"accuracy": float(right), "format": float(is_think_answer(text) and _is_action_list(parse_literal(block)))}
    return _total(0.8 * parts["accuracy"] + 0.2 * parts["format"], parts, right, name)


def btl_ui(text: str, answer: Answer) -> Score:
    """0.1 * format + 0.3 * blink + 0.6 * accuracy, each 0 or 1.

    Asked for are `<blink>` with regions, `<think>`, and `<link>` with one action, blink and link as fenced JSON. Format wants
    the three in this order and readable. Blink wants a region of an IoU above 0.5 with `answer["box"]`, and no two regions of
    0.5 or more with each other; without a gold box it is 1. Accuracy wants the gold's type; of a tap a point inside the box,
    edges left out, and less than 0.14 of the screen from `answer["point"]` where that is given; the direction of a
    swipe; a F1 of the sets of typed words of at least 0.5; the same text elsewhere. A bare `point_2d` is a click. Source:
    BTL-UI (arXiv 2509.15566), `reward_fn.py` at 3ad21ff; there a stray character in a pattern makes format 0 for every
    text, and an action outside its list is never right. Range 0..1. Failures, where nothing is earned: `no_action`,
    `wrong_action`. Raises ValueError for a malformed gold: `action` and what it needs (`gui.action`).

    >>> gold = {"action": "Tap", "box": [100, 100, 200, 200]}
    >>> link = '<link>```json\\n[{"Plan": "p", "Action": {"function": "Tap", "point_2d": [150, 150]}}]\\n```</link>'
    >>> btl_ui('<blink>```json\\n[{"bbox_2d": [0, 0, 9, 9]}]\\n```</blink><think>t</think>' + link, gold).parts
    {'format': 1.0, 'blink': 0.0, 'accuracy': 1.0}
    """
    gold = gold_action(answer)
    if "point" in answer:
        gold_screen(answer)
    regions, link = _fenced(text, "blink"), _fenced(text, "link")
    done = _linked(link)
    right = done is not None and done.type == gold.type and _btl_argument(done, gold, answer)
    blinked = _blinked(regions, answer)
    parts = {"format": float(_is_btl_form(text, regions, link)), "blink": float(blinked), "accuracy": float(right)}
    value = 0.1 * parts["format"] + 0.3 * parts["blink"] + 0.6 * parts["accuracy"]
    return _total(value, parts, right, done.type if done else None)


def _total(value: float, parts: dict[str, float], right: bool, name: str | None) -> Score:
    failure = None if value else "wrong_action" if name else "no_action"
    return Score(value, parts=parts, correct=right, extracted=name, failure=failure)


def _in_pixels(point: Point, answer: Answer) -> Point:
    x, y = answer_pixels(point, answer)
    return x, y


def _cut(point: Point) -> Point:
    """Whole pixels, as `int` cuts them; a rounding error below a whole number is not cut."""
    return float(int(round(point[0], 6))), float(int(round(point[1], 6)))


def _gold_words(gold: str, answer: Answer) -> str | None:
    """What GUI-R1 compares by words; None for an action that has none."""
    if gold in ("click", "long_press"):
        (gold_point if "point" in answer and "box" not in answer else gold_box)(answer)
    if gold not in ("type", "select", "scroll", "open_app"):
        return None
    words = answer.get("direction", answer.get("text")) if gold == "scroll" else answer.get("text")
    if not isinstance(words, str) or not words.strip():
        raise ValueError(f"answer 'text' of {gold!r} is what is written, opened or scrolled to, not {words!r}")
    return words


def _near(point: Point, answer: Answer) -> bool:
    if "box" in answer:
        return strictly_inside(point, gold_box(answer))
    x, y = gold_point(answer)
    return (point[0] - x) ** 2 + (point[1] - y) ** 2 < RADIUS**2


def same_words(words: str, gold: str) -> bool:
    """GUI-R1's comparison of texts: an F1 of the sets of words of at least 0.5; of two single words, see `gui_r1`.

    >>> same_words("Oslo weather today now", "weather in oslo"), same_words("o", "oslo")
    (True, False)
    """
    ours, theirs = ({*text.replace("[", "").replace("]", "").lower().split()} for text in (words, gold))
    if len(ours) == len(theirs) == 1:
        shorter, longer = sorted((*ours, *theirs), key=len)
        return shorter in longer and 2 * len(shorter) / (len(shorter) + len(longer)) >= ENOUGH
    return _set_f1(ours, theirs) >= ENOUGH


def _set_f1(ours: set[str], theirs: set[str]) -> float:
    return token_scores(list(ours), list(theirs)).f1


def _is_action_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, dict) and _is_whole_action(item) for item in value)


def _is_whole_action(item: dict[str, Any]) -> bool:
    name, point, words = item.get("action"), item.get("point"), item.get("input_text")
    if not isinstance(name, str) or not isinstance(words, str) or not isinstance(point, list) or len(point) < 2:
        return False
    if not all(type(number) is int for number in point[:2]):
        return False
    needs_words = name in ("type", "select", "open_app") and words == NO_TEXT
    return not needs_words and (name != "scroll" or words in DIRECTIONS)


def _fenced(text: str, tag: str) -> Any:
    """The JSON of the first `<tag>` block that is one fence, or None."""
    opening, closing = f"<{tag}>```json\n", f"\n```</{tag}>"
    start = text.find(opening)
    end = text.find(closing, start)
    inside_fence = text[start + len(opening) : end]
    return parse_json(inside_fence) if start >= 0 and end >= 0 and len(inside_fence) <= MAX_LENGTH else None


def _linked(link: Any) -> Action | None:
    """The action of a link: `{"Action": {"function": ...}}`, or a bare `point_2d`, which is a click."""
    first = link[0] if isinstance(link, list) and link and isinstance(link[0], dict) else {}
    if "point_2d" in first:
        return action_of({"action": "click", "point_2d": first["point_2d"]})
    return action_of(first.get("Action"))


def _is_btl_form(text: str, regions: Any, link: Any) -> bool:
    blink_end = _BLINK_THINK.search(text) if text.startswith("<blink>") else None
    think_end = _THINK_LINK.search(text, blink_end.end()) if blink_end else None
    if not think_end or text.find("</link>", think_end.end()) < 0 or regions is None:
        return False
    first = link[0] if isinstance(link, list) and len(link) == 1 and isinstance(link[0], dict) else {}
    return "point_2d" in first or {"Plan", "Action"} <= first.keys()


def _blinked(regions: Any, answer: Answer) -> bool:
    if "box" not in answer:
        return True
    boxes = _regions(regions, answer)
    apart = all(iou(a, b) < ENOUGH for index, a in enumerate(boxes) for b in boxes[:index])
    return apart and any(iou(box, gold_box(answer)) > ENOUGH for box in boxes)


def _regions(regions: Any, answer: Answer) -> list[Box]:
    """The regions in original pixels; none when one of them is no box, or when they are too many to be looked at."""
    if not isinstance(regions, list) or len(regions) > MAX_REGIONS:
        return []
    try:
        written = [as_box(item["bbox_2d"]) for item in regions]
        return [as_box(answer_pixels(box, answer)) for box in written]
    except (ValueError, TypeError, KeyError):
        return []


def _btl_argument(done: Action, gold: Action, answer: Answer) -> bool:
    if gold.type in POINT_TYPES:
        return done.point is not None and _btl_hit(_in_pixels(done.point, answer), answer)
    if gold.type == "scroll":
        return moved(done, answer) == gold.direction
    if gold.type == "type":
        return _set_f1({*(done.text or "").lower().split()}, {*(gold.text or "").lower().split()}) >= ENOUGH
    return gold.text is None or same_text(done, gold)


def _btl_hit(point: Point, answer: Answer) -> bool:
    if "box" in answer and not strictly_inside(point, gold_box(answer)):
        return False
    return "point" not in answer or screen_distance(point, gold_target(answer), gold_screen(answer)) < DISTANCE
