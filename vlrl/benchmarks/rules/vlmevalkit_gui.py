"""VLMEvalKit's rule for ScreenSpot (vlmeval/dataset/GUI/screenspot.py)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from vlrl.benchmarks import Metric, Protocol, own_prompt
from vlrl.data.tables import Place
from vlrl.geometry import Box, Point, answer_pixels
from vlrl.metrics.click import inside
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

MAX_DIGITS = 300
_CLICK = re.compile(r"x=([\d.]++), y=([\d.]++)")
PROMPT = (
    "You are a GUI agent. You are given a task and a screenshot of the screen. You need to perform pyautogui click/moveTo action "
    "to complete the task. The answer format is `pyautogui.click(x=?, y=?), x and y is necessary`\n"
    "Please complete the following tasks by clicking using `pyautogui.click`:\n{question}"
)


def picture(place: Place, row: Mapping[str, Any]) -> Media:
    """The row's picture: where `image_path` says, below `images/<table>/`, if it is there; else in the table."""
    unpacked = place.path.parent / "images" / place.path.stem / (row.get("image_path") or "")
    return Media("image", str(unpacked)) if unpacked.is_file() else place.image("image")


def click(text: str, answer: Answer) -> Score:
    """1 when the point of the first `x=..., y=...` lies in the gold box, whose far edges are one pixel nearer; edges included.

    Numbers above 1 are pixels of the original image, others fractions of it, unless the space is declared as `thousandths` or
    `processed`. Failures: `no_point`, `wrong_format` (such as `x=1.2.3`).

    >>> gold = {"box": [0, 0, 50, 50], "image_size": [100, 100]}
    >>> [click(f"pyautogui.click({point})", gold).value for point in ("x=0.2, y=0.2", "x=49, y=49", "x=50, y=49", "x=1,y=1")]
    [1.0, 1.0, 0.0, 0.0]
    """
    match = _CLICK.search(text)
    if match is None:
        return failed("no_point")
    try:
        x, y = (float(number[:MAX_DIGITS]) for number in match.groups())
    except ValueError:
        return failed("wrong_format")
    point, box = _fraction((x, y), answer), _edges(answer)
    hit = inside(point, box)
    return Score(float(hit), correct=hit, extracted=list(point))


def _fraction(point: Point, answer: Answer) -> Point:
    width, height = image_size_of(answer)
    if answer.get("space") in ("thousandths", "processed"):
        x, y = answer_pixels(point, answer)
        return x / width, y / height
    return (point[0] / width, point[1] / height) if max(point) > 1 else point


def _edges(answer: Answer) -> Box:
    """The gold box as fractions; a far edge of -1 counts as 0."""
    width, height = image_size_of(answer)
    x1, y1, x2, y2 = answer["box"]
    left, top, right, bottom = (0.0 if value == -1 else value for value in (x1, y1, x2 - 1, y2 - 1))
    return left / width, top / height, right / width, bottom / height


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Overall_Accuracy`, `Format_Err_Rate`, `Text_Accuracy`, `Icon_Accuracy` and the platforms', in percent."""
    by_type = {f"{label.capitalize()}_Accuracy": rows.mean().percent() for label, rows in table.by("ui_type").items()}
    by_platform = {f"{label.capitalize()}_Accuracy": rows.mean().percent() for label, rows in table.by("platform").items()}
    format_errors = table.failures["wrong_format"]
    error_rate = 100 * format_errors / len(table) if len(table) else None
    return {"Overall_Accuracy": table.mean().percent(), "Format_Err_Rate": error_rate, **by_type, **by_platform}


def prompt(sample: Sample, mode: str, space: str) -> str:
    """The kit's system prompt and instruction in one text."""
    return own_prompt(PROMPT)(sample, mode, space)


SCREENSPOT = Protocol(
    "vlmevalkit",
    click,
    prompt,
    "Overall_Accuracy",
    metrics,
    oracle="ms-vlmeval 0.0.20 dataset/GUI/screenspot.py ScreenSpot.evaluate_point, executed",
    differences=(
        "An answer without `x=..., y=...` is unreadable; there it is a click at the origin, which can lie in the gold box.",
        "Accuracies of text, icon and platform are plain means; there each row counts as often as its cell has rows.",
    ),
)
