"""Gold GUI actions, and what the GUI rewards share. A malformed gold answer raises, it never scores."""

from __future__ import annotations

from vlrl.geometry import Point, Size, answer_pixels, center
from vlrl.parsing.actions import OPPOSITE, POINT_TYPES, TEXT_TYPES, Action, action_of, same_keys
from vlrl.parsing.words import squeeze
from vlrl.rewards.gold import checked_box, checked_space, gold_box
from vlrl.types import Answer

MAX_DISTANCE = 0.14 + 1e-9
"""Of the screen's width and height: 0.14, and what rounding adds to it."""


def gold_action(answer: Answer) -> Action:
    """The answer's `action` with its argument (`text`, `direction`), in the normal form of `vlrl.parsing.actions`.

    Raises ValueError naming the key for an unknown `action`, and for a missing or malformed `box`, `point`, `image_size`, `text`
    or `direction` that the action needs.

    >>> gold_action({"action": "swipe", "direction": "up"})
    Action(type='scroll', point=None, end=None, text=None, direction='down')
    """
    name = gold_name(answer)
    gold = action_of({"action": name} | {key: answer[key] for key in ("text", "direction") if key in answer})
    if gold is None or gold.type == "drag":
        raise ValueError(f"answer 'action': unknown action {name!r}")
    if gold.type in POINT_TYPES:
        check_target(answer)
    if gold.type == "scroll" and gold.direction is None:
        raise ValueError(f"answer 'direction' of a scroll is up, down, left or right, not {answer.get('direction')!r}")
    if gold.type in (*TEXT_TYPES, "open_app", "press") and not gold.text:
        raise ValueError(f"answer 'text' of {name!r} is what is written, opened or pressed, not {answer.get('text')!r}")
    if gold.type == "terminate" and gold.text is None and "text" in answer:
        raise ValueError(f"answer 'text' of {name!r} is 'success' or 'failure', not {answer['text']!r}")
    return gold


def gold_name(answer: Answer) -> str:
    """The answer's `action` as it is written. Raises ValueError when it is not there or no text."""
    if not isinstance(answer.get("action"), str):
        raise ValueError(f"answer 'action' is the name of an action, not {answer.get('action')!r}")
    return answer["action"]


def gold_point(answer: Answer) -> Point:
    """The answer's `point`, after the checks of `vlrl.rewards.gold.gold_box`.

    >>> gold_point({"point": [1, 2]})
    (1.0, 2.0)
    """
    point = answer.get("point")
    if not isinstance(point, (list, tuple)) or len(point) != 2:
        raise ValueError(f"answer 'point' is two numbers [x, y], not {point!r}")
    x, y, _, _ = checked_box([*point, *point], "point", checked_space(answer))
    return x, y


def check_target(answer: Answer) -> None:
    """Raises ValueError when a click cannot be judged: it needs a `box`, or a `point` and the `image_size`."""
    gold_target(answer)
    if "box" in answer:
        gold_box(answer)
    else:
        gold_screen(answer)


def gold_target(answer: Answer) -> Point:
    """The answer's `point`, or the centre of its `box`. Raises ValueError when neither is there, or malformed.

    >>> gold_target({"box": [0, 0, 2, 4]})
    (1.0, 2.0)
    """
    if "point" not in answer and "box" not in answer:
        raise ValueError("answer has neither 'box' nor 'point'")
    return gold_point(answer) if "point" in answer else center(gold_box(answer))


def gold_screen(answer: Answer) -> Size:
    """The answer's `image_size`, which a distance needs. Raises ValueError when it is not there."""
    screen = checked_space(answer)
    if screen is None:
        raise ValueError("answer has no 'image_size', which a distance needs")
    return screen


def moved(done: Action, answer: Answer) -> str | None:
    """Where a scroll moves the view: by its word, or by its swipe from point to point, against the finger. None without either.

    >>> moved(Action("scroll", point=(5, 90), end=(9, 10)), {})
    'down'
    """
    if done.direction or done.point is None or done.end is None:
        return done.direction
    x1, y1, x2, y2 = answer_pixels((*done.point, *done.end), answer)
    if (x1, y1) == (x2, y2):
        return None
    if abs(x2 - x1) > abs(y2 - y1):
        return OPPOSITE["right" if x2 > x1 else "left"]
    return OPPOSITE["down" if y2 > y1 else "up"]


def same_text(done: Action, gold: Action) -> bool:
    """True for the same keys (of a press), the same app or the same status, whatever their case."""
    if done.text is None or gold.text is None:
        return done.text == gold.text
    if gold.type == "press":
        return same_keys(done.text) == same_keys(gold.text)
    return squeeze(done.text) == squeeze(gold.text)
