"""What a completion claims and what the gold says, as marks to draw: boxes, points, outlines, strokes; and spans of time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from vlrl.geometry import Point
from vlrl.parsing.frame_boxes import frame_name
from vlrl.rewards.gui_gold import MAX_DISTANCE

LARGEST = 1e300
MOST_MARKS = 200
"""Marks of one answer that are drawn."""
MOST_DEPTH = 4

Kind = Literal["box", "point", "outline", "stroke", "reach"]


@dataclass(frozen=True, slots=True)
class Mark:
    """Geometry in original pixels. A `box` has four values, a `point` two, an `outline` and a `stroke` pairs; a `reach` is a
    point with two radii. `frame` names the video frame it belongs to, `label` what it is said to be.
    """

    kind: Kind
    values: tuple[float, ...]
    label: str = ""
    frame: str | None = None


def predicted_marks(extracted: Any, answer: Mapping[str, Any]) -> list[Mark]:
    """The drawable geometry in a score's `extracted`; none for a span of time, numbers and words."""
    if "span" in answer and _numbers(extracted, 2):
        return []
    return list(_limited(_marks(extracted, 0)))


def predicted_span(extracted: Any, answer: Mapping[str, Any]) -> tuple[float, float] | None:
    """The [start, end] in seconds that a completion gives."""
    if "span" not in answer:
        return None
    found = _numbers(extracted.get("time") if isinstance(extracted, dict) else extracted, 2)
    return (found[0], found[1]) if found else None


def gold_marks(answer: Mapping[str, Any]) -> list[Mark]:
    """All geometry of a gold answer. A point that is judged by distance brings the 14 % of the screen around it."""
    found = [*_limited(_marks({key: answer[key] for key in ("box", "boxes", "points", "point") if key in answer}, 0))]
    for key in ("positive_points", "negative_points"):
        found += [replace(mark, label=key.removesuffix("_points")) for mark in _marks(answer.get(key), 0)]
    if isinstance(answer.get("keypoints"), dict):
        found += _marks(answer["keypoints"], 0)
    if isinstance(answer.get("frames"), dict):
        found += [
            replace(mark, frame=frame_name(str(name)))
            for name, box in answer["frames"].items()
            if _is_frame(str(name))
            for mark in _marks(box, 0)
        ]
    for outline in answer["polygons"] if isinstance(answer.get("polygons"), list) else ():
        values = _numbers(outline, None)
        if values and len(values) >= 6 and len(values) % 2 == 0:
            found.append(Mark("outline", values))
    return [*found, *_reach(answer)]


def gold_span(answer: Mapping[str, Any]) -> tuple[float, float] | None:
    """The gold [start, end] in seconds."""
    found = _numbers(answer.get("span"), 2)
    return (found[0], found[1]) if found else None


def _reach(answer: Mapping[str, Any]) -> list[Mark]:
    point, size = _numbers(answer.get("point"), 2), _numbers(answer.get("image_size"), 2)
    if not point or not size or "box" in answer:
        return []
    return [Mark("reach", (*point, MAX_DISTANCE * size[0], MAX_DISTANCE * size[1]), "14 % of the screen")]


def _limited(marks: Iterator[Mark]) -> Iterator[Mark]:
    for _, mark in zip(range(MOST_MARKS), marks, strict=False):
        yield mark


def _marks(value: Any, depth: int) -> Iterator[Mark]:
    """Marks in any nesting of lists and objects: four numbers are a box, two are a point."""
    if depth > MOST_DEPTH:
        return
    if box := _numbers(value, 4):
        yield Mark("box", box)
    elif point := _numbers(value, 2):
        yield Mark("point", point)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from _marks(item, depth + 1)
    elif isinstance(value, dict):
        yield from _named_marks(value, depth)


BOX_KEYS = ("box", "bbox", "bbox_2d")


def _named_marks(value: Mapping[Any, Any], depth: int) -> Iterator[Mark]:
    label = value.get("label")
    start, end = _numbers(value.get("point"), 2), _numbers(value.get("end"), 2)
    for key, item in value.items():
        name = str(key)
        if name == "point" and start and end:
            yield Mark("stroke", (*start, *end))
        elif name in ("end", "label", "time", "confidence", "score"):
            continue
        elif name in (*BOX_KEYS, "point", "points", "boxes"):
            yield from (replace(mark, label=mark.label or str(label or "")) for mark in _marks(item, depth + 1))
        elif _is_frame(name):
            yield from (replace(mark, frame=frame_name(name)) for mark in _marks(item, depth + 1))
        else:
            yield from (replace(mark, label=name.removesuffix("_points")) for mark in _marks(item, depth + 1))


def _is_frame(name: str) -> bool:
    """Whether a name is a number of a frame or of seconds."""
    return name.isascii() and name.replace(".", "", 1).isdecimal() and len(name) <= 12


def _numbers(value: Any, count: int | None) -> tuple[float, ...]:
    """The value as numbers when it is a list of exactly so many (None: any number of them), else nothing."""
    if not isinstance(value, (list, tuple)) or (count is not None and len(value) != count) or len(value) > 10_000:
        return ()
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) or not abs(v) < LARGEST for v in value):
        return ()
    return tuple(float(v) for v in value)


def pairs(values: tuple[float, ...]) -> list[Point]:
    """Alternating x, y as points."""
    return list(zip(values[0::2], values[1::2], strict=True))
