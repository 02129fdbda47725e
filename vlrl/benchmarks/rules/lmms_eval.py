"""How lmms-eval 0.7.3 reads points and boxes in its grounding and GUI tasks, and the metrics of its "rec" tasks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from vlrl.benchmarks import Metric
from vlrl.geometry import Box, Point, center, space_extent
from vlrl.metrics.box_iou import iou
from vlrl.metrics.click import inside
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Score

CLICK_DIFFERENCES = (
    "A thought is no answer: points inside it do not count.",
    "A number may lack its leading zero: `.5` is not 5.",
)
NO_CENTRE = "An unreadable answer has no centre; there it is a box at the origin, which lies in a gold box that begins there."
THRESHOLDS = (0.1, 0.3, 0.5, 0.7, 0.9)

MAX_DIGITS = 300
_TOKEN = r"-?+(?:\d++(?:\.\d++)?+|\.\d++)%?+"
_NUMBER = re.compile(_TOKEN)
_BOX_TAG = re.compile(r"<\s*+bbox[^>]*+>", re.IGNORECASE)
_BOX_END = re.compile(r"<\s*+/\s*+bbox\s*+>", re.IGNORECASE)
_PAIR = re.compile(rf"[\[(]\s*+({_TOKEN})(?:\s*+,\s*+|\s++)({_TOKEN})\s*+[\])]")
_X = re.compile(rf"['\"]?x['\"]?\s*+[:=]\s*+({_TOKEN})", re.IGNORECASE)
_Y = re.compile(rf"['\"]?y['\"]?\s*+[:=]\s*+({_TOKEN})", re.IGNORECASE)
_BOX_WORDS = ("box", "rect")


def read_point(text: str) -> tuple[str, str] | Box | None:
    """The first point of a text as two written numbers, or a box of four values, or None (`_parse_point` of its GUI tasks).

    In this order: four numbers in a `<bbox>` tag; two numbers in brackets; `x=1 ... y=2`; the first four numbers of a text
    that speaks of a box; the first two numbers.

    >>> read_point("[0.5, 10]"), read_point("click at 3 and 4"), read_point("<bbox>1 2 3 4</bbox>"), read_point("there")
    (('0.5', '10'), ('3', '4'), (1.0, 2.0, 3.0, 4.0), None)
    """
    tag = _BOX_TAG.search(text)
    end = _BOX_END.search(text, tag.end()) if tag else None
    tagged = _NUMBER.findall(text, tag.end(), end.start()) if tag and end else []
    if len(tagged) >= 4:
        return _box(tagged)
    if pair := _PAIR.search(text):
        return pair[1], pair[2]
    x = _X.search(text)
    if x and (y := _Y.search(text, x.end())):
        return x[1], y[1]
    numbers = _NUMBER.findall(text)
    if len(numbers) >= 4 and any(word in text.lower() for word in _BOX_WORDS):
        return _box(numbers)
    return (numbers[0], numbers[1]) if len(numbers) >= 2 else None


def _box(written: list[str]) -> Box:
    x1, y1, x2, y2 = map(value_of, written[:4])
    return x1, y1, x2, y2


def value_of(written: str) -> float:
    """A written number; a percent sign divides by 100.

    >>> value_of("50%")
    0.5
    """
    return float(written.rstrip("%")[:MAX_DIGITS]) / (100 if written.endswith("%") else 1)


def point_of(found: tuple[str, str] | Box) -> Point:
    """What `read_point` found, as one point.

    >>> point_of(("0.5", "25%")), point_of((0.0, 0.0, 10.0, 20.0))
    ((0.5, 0.25), (5.0, 10.0))
    """
    return center(found) if len(found) == 4 else (value_of(found[0]), value_of(found[1]))


_QUADRUPLE = r"\s*+(-?+\d++(?:\.\d++)?+),\s*+(-?+\d++(?:\.\d++)?+),\s*+(-?+\d++(?:\.\d++)?+),\s*+(-?+\d++(?:\.\d++)?+)\s*+"
SQUARE = re.compile(rf"\[{_QUADRUPLE}\]")
ANY_BRACKET = re.compile(rf"[\[(]{_QUADRUPLE}[\])]")


def read_box(text: str, pattern: re.Pattern[str]) -> Box | None:
    """The first four numbers in brackets, or None; no number may lack its leading digit, no blank may precede a comma.

    >>> read_box("at [0.1, 0.2, 0.3, 0.4]", SQUARE), read_box("(0.1, 0.2, 0.3, 0.4)", SQUARE)
    ((0.1, 0.2, 0.3, 0.4), None)
    """
    match = pattern.search(text)
    return _box(list(match.groups())) if match else None


def rec_parts(found: Box | None, gold: Box) -> dict[str, float]:
    """`IoU`, `ACC@0.1` to `ACC@0.9` (an IoU of at least that) and `Center_ACC`: the centre of the box found lies in the gold box.

    >>> rec_parts((0.0, 0.0, 0.5, 0.5), (0.0, 0.0, 0.5, 1.0))["ACC@0.5"]
    1.0
    """
    overlap = 0.0 if found is None else iou(gold, found)
    hits = {f"ACC@{threshold}": float(overlap >= threshold) for threshold in THRESHOLDS}
    return {"IoU": overlap, **hits, "Center_ACC": float(found is not None and inside(center(found), gold))}


def rec_metrics(table: ScoreTable, prefix: str) -> Mapping[str, Metric]:
    """The mean of each of `rec_parts`, under the task's prefix."""
    names = ("IoU", *(f"ACC@{threshold}" for threshold in THRESHOLDS), "Center_ACC")
    return {f"{prefix}_{name}": table.mean(name) for name in names}


def click(text: str, answer: Answer) -> Score:
    """1 when the point of `read_point` lies in `answer["box"]`, edges included; a thought and answer tags are taken off first.

    Numbers above 1 are pixels of the original image, others fractions of it, unless the space is declared as `thousandths` or
    `processed`. Failures: `no_answer`, `no_point`.

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> [click(text, gold).value for text in ("[0.5, 0.5]", "[50, 50]", "[0.51, 0.5]")]
    [1.0, 1.0, 0.0]
    """
    body = answer_text(with_answer_end(text))
    found = None if body is None else read_point(body)
    if found is None:
        return failed("no_answer" if body is None else "no_point")
    point = fraction(point_of(found), answer)
    hit = inside(point, fraction_box(answer["box"], answer))
    return Score(float(hit), correct=hit, extracted=list(point))


def fraction(point: Point, answer: Answer) -> Point:
    """A point as fractions of the image's sides, by lmms-eval's guess or by the declared space (see `click`)."""
    space = answer.get("space")
    if space not in ("thousandths", "processed"):
        space = "pixels" if max(point) > 1 else "unit"
    width, height = space_extent(space, answer["image_size"], answer.get("processed_size"))
    return point[0] / width, point[1] / height


def fraction_box(box: Sequence[float], answer: Answer) -> Box:
    """A box of the original image as fractions of its sides.

    >>> fraction_box([0, 0, 50, 20], {"image_size": [100, 40]})
    (0.0, 0.0, 0.5, 0.5)
    """
    width, height = answer["image_size"]
    return box[0] / width, box[1] / height, box[2] / width, box[3] / height


def click_metrics(table: ScoreTable, prefix: str) -> Mapping[str, Metric]:
    """`<prefix>_action_acc`, and `_text_acc` and `_icon_acc` where there are such rows."""
    by_type = {f"{prefix}_{ui_type}_acc": rows.mean() for ui_type, rows in table.by("ui_type").items()}
    return {f"{prefix}_action_acc": table.mean(), **by_type}
