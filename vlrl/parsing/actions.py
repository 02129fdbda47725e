"""GUI actions in an answer's text, in one normal form (stdlib only). Nothing is ever evaluated: see `vlrl.parsing.literals`.

Read are the forms of the current models: tool calls and JSON (computer_use and mobile_use of Qwen2.5-VL and Qwen3-VL,
AndroidControl, BTL-UI), lists of Python dicts (UI-R1, GUI-R1), function calls (UI-TARS, pyautogui) and commands in capitals
(OS-Atlas).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from vlrl.geometry import Point
from vlrl.parsing.boxes import MAX_COORDINATE, NUMBER
from vlrl.parsing.literals import Arguments, arguments_at, literal_at
from vlrl.parsing.points import parse_point

POINT_TYPES = ("click", "double_click", "triple_click", "right_click", "middle_click", "long_press", "move")
TEXT_TYPES = ("type", "select", "answer")
BARE_TYPES = ("back", "home", "recent", "wait")
TYPES = (*POINT_TYPES, *TEXT_TYPES, *BARE_TYPES, "scroll", "drag", "open_app", "press", "terminate")

OTHER_NAMES = {
    "click": "leftclick tap touch singleclick",
    "double_click": "doubletap leftdouble",
    "right_click": "rightsingle",
    "long_press": "longclick longtap pressandhold",
    "move": "mousemove moveto hover",
    "type": "inputtext input write typewrite entertext typetext",
    "back": "pressback navigateback goback",
    "home": "presshome navigatehome gohome",
    "recent": "pressrecent",
    "wait": "sleep",
    "scroll": "hscroll swipe",
    "drag": "leftclickdrag dragto",
    "open_app": "open launch launchapp",
    "press": "key hotkey presskey keypress keyevent systembutton pressenter enter",
    "terminate": "complete finished finish done stop status taskcomplete taskimpossible impossible incomplete",
}
NORMAL_TYPE = {name.replace("_", ""): name for name in TYPES} | {
    other: name for name, others in OTHER_NAMES.items() for other in others.split()
}
SUCCESS, FAILURE = "success", "failure"
IMPLIED_TEXT = {
    **dict.fromkeys(("enter", "pressenter"), "enter"),
    **dict.fromkeys(("complete", "finished", "finish", "done", "stop", "taskcomplete"), SUCCESS),
    **dict.fromkeys(("taskimpossible", "impossible", "incomplete"), FAILURE),
}
STATUS = {
    **dict.fromkeys(("success", "successful", "complete", "completed", "done", "finished"), SUCCESS),
    **dict.fromkeys(("failure", "fail", "failed", "infeasible", "impossible", "incomplete"), FAILURE),
}
OPPOSITE = {"up": "down", "down": "up", "left": "right", "right": "left"}
KEYS = {"return": "enter", "control": "ctrl", "escape": "esc", "del": "delete", "command": "cmd", "pgdn": "pagedown"}
BUTTONS = {name: name for name in ("back", "home", "recent")} | {"appselect": "recent", "overview": "recent"}
"""Keys that are actions of their own."""

NO_TEXT = "no input text"
"""What GUI-R1 writes where there is no text."""

NAME_KEYS = ("action", "action_type", "function", "name", "type")
INNER_KEYS = ("arguments", "args", "parameters", "params")
POINT_KEYS = ("coordinate", "point", "point_2d", "coordinates", "position", "start_box", "start_point", "start_coordinate")
BOX_KEYS = ("bbox", "bbox_2d", "box")
END_KEYS = ("coordinate2", "end_box", "end_point", "end_coordinate", "point2")
TEXT_KEYS = (
    "text", "input_text", "content", "value", "app_name", "app", "keys", "key", "button", "status", "goal_status", "message",
    "answer", "option",
)  # fmt: skip
AMOUNT_KEYS = ("pixels", "amount", "clicks")

MAX_TRIES = 32
"""Brackets that turn out to hold no action before the search for one ends."""
MAX_LEVELS = 4

_CANDIDATE = re.compile(r"[\[{]|(?<![\w.])[A-Za-z_][\w.]*+(?=\()|^[ \t]*+[A-Z][A-Z_]++(?![\w(])", re.MULTILINE | re.ASCII)
_OBJECT = re.compile(r"\[?+\s*+\{\s*+[\"']")
_HEADING = re.compile(r"^[ \t]*+actions?[ \t]*+:", re.MULTILINE | re.IGNORECASE | re.ASCII)
_POINT_TAG = re.compile(rf"<point>\s*+({NUMBER})[\s,]++({NUMBER})\s*+</point>", re.ASCII)
_NOT_LETTER = re.compile(r"[^a-z]++")


@dataclass(frozen=True, slots=True)
class Action:
    """One action. Points are as written, in the space that the model answers in.

    | field | meaning |
    |---|---|
    | `type` | one of `TYPES` |
    | `point`, `end` | where; and where a swipe or a drag ends |
    | `text` | what is typed, selected or answered; the app; the keys (`ctrl+c`); `success` or `failure` of `terminate` |
    | `direction` | where a scroll moves the view: a swipe up scrolls down |
    """

    type: str
    point: Point | None = None
    end: Point | None = None
    text: str | None = None
    direction: str | None = None


def parse_action(text: str) -> Action | None:
    """The first action of a text, or None. Only the first counts: listing many earns nothing more.

    Where a line begins with `Action:` or `Actions:`, what stands before it is a thought and is passed over. An object that
    begins and cannot be read ends the search: what stands inside it is no action of its own.

    >>> parse_action('<tool_call>{"name": "mobile_use", "arguments": {"action": "type", "text": "Oslo"}}</tool_call>')
    Action(type='type', point=None, end=None, text='Oslo', direction=None)
    >>> parse_action("Thought: there.\\nAction: scroll(start_box='(5,6)', direction='down')").direction
    'down'
    >>> parse_action("pyautogui.click(x=1, y=2)").point, parse_action("CLICK <point>[[3,4]]</point>").point
    ((1.0, 2.0), (3.0, 4.0))
    """
    heading = _HEADING.search(text)
    tries = 0
    for match in _CANDIDATE.finditer(text, heading.end() if heading else 0):
        candidate = match[0].strip()
        bracket = candidate in "[{"
        if not bracket and normal_type(candidate) is None:
            continue
        value = literal_at(text, match.start()) if bracket else None
        found = action_of(value) if bracket else _called(candidate, text, match.end())
        tries += 1
        broken = bracket and value is None and _OBJECT.match(text, match.start())
        if found or broken or tries == MAX_TRIES:
            return found
    return None


def normal_type(name: str) -> str | None:
    """The type that a name of an action stands for, or None.

    >>> normal_type("left_click"), normal_type("pyautogui.doubleClick"), normal_type("fly")
    ('click', 'double_click', None)
    """
    return NORMAL_TYPE.get(_plain(name))


def action_of(value: Any, level: int = 0) -> Action | None:
    """The action that a JSON value describes, or None; of a list, the first one that is there.

    >>> action_of([{"action": "click", "coordinate": [1, 2]}]).point
    (1.0, 2.0)
    >>> action_of({"action_type": "open_app", "app_name": "Clock"}).text
    'Clock'
    """
    if level > MAX_LEVELS:
        return None
    if isinstance(value, list):
        return next((found for item in value if (found := action_of(item, level + 1))), None)
    if not isinstance(value, dict):
        return None
    fields = _lower_keys(value)
    name = _first(fields, NAME_KEYS)
    if isinstance(name, (dict, list)):
        return action_of(name, level + 1)
    inner = _first(fields, INNER_KEYS)
    if isinstance(inner, str):
        inner = literal_at(inner, 0)
    if isinstance(inner, dict):
        fields = _lower_keys(inner)
        name = _first(fields, NAME_KEYS[:2]) or name
    return _action(name, fields) if isinstance(name, str) else None


def same_keys(text: str) -> frozenset[str]:
    """The keys of a combination, under one name each, whatever their order.

    >>> same_keys("Ctrl+C") == same_keys("c control"), same_keys("Return")
    (True, frozenset({'enter'}))
    """
    names = text.lower().replace("+", " ").replace("_", "").split()
    return frozenset(KEYS.get(name, name) for name in names)


def _called(name: str, text: str, position: int) -> Action | None:
    """The action of a function call, `click(1, 2)`, or of a command in capitals, `CLICK [1, 2]`."""
    if text.startswith("(", position):
        arguments = arguments_at(text, position)
        return _action(name, _call_fields(name, arguments)) if arguments else None
    line = text[position:].partition("\n")[0].partition("<|im_end|>")[0].strip()
    if normal_type(name) in (*BARE_TYPES, "terminate"):
        return _action(name, {}) if not line or line.isdecimal() else None
    inside = line[1:-1] if line.startswith("[") and line.endswith("]") else line
    return _action(name, {"point": line, "text": inside.strip()})


def _call_fields(name: str, arguments: Arguments) -> dict[str, Any]:
    """The arguments of a call by name: numbers are a point (or a scroll's amount), words a text, several keys one combination."""
    numbers = [value for value in arguments.positional if _is_number(value)]
    words = [value for value in arguments.positional if isinstance(value, str)]
    lists = [value for value in arguments.positional if isinstance(value, list)]
    fields: dict[str, Any] = {}
    if normal_type(name) == "scroll" and 0 < len(numbers) < 4:
        fields["amount"] = numbers[0]
    else:
        fields["point"], fields["end_point"] = numbers[:2], numbers[2:4]
    if lists:
        fields["keys" if normal_type(name) == "press" else "point"] = lists[0]
    if words:
        fields["text"] = "+".join(words) if normal_type(name) == "press" else words[0]
    return fields | _lower_keys(arguments.named)


def _action(name: str, fields: dict[str, Any]) -> Action | None:
    kind = normal_type(name)
    text = _text(fields) or IMPLIED_TEXT.get(_plain(name))
    if kind is None:
        return None
    if kind == "press":
        button = BUTTONS.get(_plain(text or ""))
        return Action(button) if button else Action(kind, text=text)
    if kind == "terminate":
        return Action(kind, text=STATUS.get((text or "").strip().lower(), IMPLIED_TEXT.get(_plain(name))))
    if kind in (*TEXT_TYPES, *BARE_TYPES, "open_app"):
        return Action(kind, text=None if kind in BARE_TYPES else text)
    point = _point(fields, (*POINT_KEYS, *BOX_KEYS)) or _as_point([fields.get("x"), fields.get("y")])
    direction = _direction(name, fields) if kind == "scroll" else None
    return Action(_pressed(fields) if kind == "click" else kind, point, _point(fields, END_KEYS), direction=direction)


def _pressed(fields: dict[str, Any]) -> str:
    """The kind of click: pyautogui names the mouse button and the number of clicks as arguments."""
    other_button = {"right": "right_click", "middle": "middle_click"}.get(str(fields.get("button")).lower())
    return other_button or ("double_click" if fields.get("clicks") == 2 else "click")


def _direction(name: str, fields: dict[str, Any]) -> str | None:
    """Where a scroll moves the view. Without a word for it, a positive amount scrolls up, or to the right."""
    word = str(_first(fields, ("direction", "scroll_direction")) or _text(fields) or "").strip().lower()
    if word in OPPOSITE:
        return OPPOSITE[word] if _plain(name) == "swipe" else word
    amount = _first(fields, AMOUNT_KEYS)
    if not _is_number(amount) or amount == 0:
        return None
    positive, negative = ("right", "left") if _plain(name) == "hscroll" else ("up", "down")
    return positive if amount > 0 else negative


def _text(fields: dict[str, Any]) -> str | None:
    value = _first(fields, TEXT_KEYS)
    if isinstance(value, list):
        value = "+".join(item for item in value if isinstance(item, str))
    return value if isinstance(value, str) and value.strip() and value.strip().lower() != NO_TEXT else None


def _point(fields: dict[str, Any], keys: Iterable[str]) -> Point | None:
    return next((point for key in keys if (point := _as_point(fields.get(key)))), None)


def _as_point(value: Any) -> Point | None:
    """Two numbers, a box for its centre, or text that holds either."""
    if isinstance(value, str):
        tagged = _POINT_TAG.search(value)
        return _as_point([float(tagged[1]), float(tagged[2])]) if tagged else parse_point(value)
    if isinstance(value, list) and len(value) == 1 and isinstance(value[0], list):
        value = value[0]
    if not isinstance(value, list) or len(value) not in (2, 4):
        return None
    if not all(_is_number(number) and abs(number) <= MAX_COORDINATE for number in value):
        return None
    corners = len(value) // 2
    return sum(value[0::2]) / corners, sum(value[1::2]) / corners


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _first(fields: dict[str, Any], keys: Iterable[str]) -> Any:
    """The first value that is neither missing nor empty."""
    return next((fields[key] for key in keys if fields.get(key) not in (None, "", [])), None)


def _lower_keys(fields: dict[str, Any]) -> dict[str, Any]:
    return {key.strip().lower(): value for key, value in fields.items()}


def _plain(name: str) -> str:
    return _NOT_LETTER.sub("", name.rpartition(".")[2].lower())
