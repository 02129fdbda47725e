"""Masks of ReasonSeg: the gold as LISA draws it, a prediction from boxes, outlines or run lengths in an answer's text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import answer_pixels
from vlrl.parsing.boxes import MAX_COORDINATE, parse_boxes
from vlrl.parsing.detections import parse_detections, says_nothing
from vlrl.parsing.json_text import is_coordinate, json_value
from vlrl.rewards.gold_geometry import image_size_of
from vlrl.types import Answer

Mask = NDArray[np.uint8]
IGNORED = 255
OUTLINE_KEYS = ("polygon", "polygons", "segmentation", "mask")
MAX_OUTLINES = 1000
MAX_DEPTH = 6


def gold_mask(answer: Answer) -> Mask:
    """1 where the target is, 255 where nothing is judged, else 0, as `[height, width]`.

    Shapes are drawn with their outlines, the largest first, so smaller ones lie on top (LISA's `get_mask_from_json`); of
    `answer["shapes"]`, `[{"label": "target", "points": [[x, y], ...]}]`, those with `ignore` in the label are not judged.

    >>> gold_mask({"shapes": [{"label": "target", "points": [[0, 0], [1, 0], [1, 1], [0, 1]]}], "image_size": [3, 2]}).tolist()
    [[1, 1, 0], [1, 1, 0]]
    """
    if "runs" in answer:
        return _decoded(answer["runs"], answer)
    drawn = [(_drawn([one["points"]], answer), one) for one in answer["shapes"]]
    mask = _empty(answer)
    for shape, one in sorted(drawn, key=lambda pair: -int(pair[0].sum())):
        mask[shape > 0] = IGNORED if "ignore" in one["label"].lower() else 1
    return mask


def read_mask(body: str, answer: Answer) -> Mask | None:
    """The mask that an answer describes: everything that it lists, together; all 0 where it says that there is nothing; or None.

    Read are JSON objects with `polygon`, `polygons`, `segmentation` or `mask` - outlines `[x1, y1, ...]` or `[[x, y], ...]`, or
    COCO's run lengths `{"size": [height, width], "counts": ...}` - and boxes in any form of `vlrl.parsing.detections`, which
    are filled from their first corner up to their second one.

    >>> gold = {"image_size": [4, 2]}
    >>> read_mask('{"bbox_2d": [1, 0, 3, 1]}', gold).tolist(), read_mask("I see", gold) is None
    ([[0, 1, 1, 0], [0, 0, 0, 0]], True)
    """
    if says_nothing(body):
        return _empty(answer)
    is_json, value = json_value(body)
    outlines = list(_outlines(value, MAX_DEPTH)) if is_json else []
    if outlines and len(outlines) <= MAX_OUTLINES:
        return _united([_outline_mask(one, answer) for one in outlines], answer)
    boxes = [one.box for one in parse_detections(body) or []] or parse_boxes(body)
    if not boxes or len(boxes) > MAX_OUTLINES:
        return _empty(answer) if is_json and value in ([], {}) else None
    return _united([_filled(box, answer) for box in boxes], answer)


def _united(masks: Sequence[Mask | None], answer: Answer) -> Mask | None:
    known = [mask for mask in masks if mask is not None]
    return np.maximum.reduce([_empty(answer), *known]) if known else None


def _empty(answer: Answer) -> Mask:
    width, height = image_size_of(answer)
    return np.zeros((int(height), int(width)), dtype=np.uint8)


def _outlines(value: Any, depth: int) -> Iterator[Any]:
    """The values of outline keys, single outlines and run lengths alike."""
    if not depth:
        return
    if isinstance(value, list):
        for item in value:
            yield from _outlines(item, depth - 1) if isinstance(item, (dict, list)) else ()
    if not isinstance(value, dict):
        return
    if {"size", "counts"} <= value.keys():
        yield value
        return
    for key, inner in value.items():
        if isinstance(inner, dict):
            yield from _outlines(inner, depth - 1)
        elif key in OUTLINE_KEYS and isinstance(inner, list):
            yield from _single(inner)


def _single(value: list[Any]) -> Iterator[list[Any]]:
    """One outline, or each of a list of outlines."""
    several = value and isinstance(value[0], list) and len(value[0]) > 2
    yield from value if several else [value]


def _outline_mask(value: Any, answer: Answer) -> Mask | None:
    """The mask of an outline or of run lengths; None where it is neither."""
    if isinstance(value, Mapping):
        try:
            return _decoded(value, answer)
        except ValueError:
            return None
    flat = [number for point in value for number in (point if isinstance(point, list) else [point])]
    if len(flat) < 6 or len(flat) % 2 or not all(map(is_coordinate, flat)):
        return None
    pixels = answer_pixels(flat, answer)
    return _drawn([list(zip(pixels[0::2], pixels[1::2], strict=True))], answer)


def _drawn(outlines: Sequence[Sequence[Sequence[float]]], answer: Answer) -> Mask:
    mask = _empty(answer)
    limit = float(1 << 14)  # far outside; OpenCV shifts coordinates inside 32 bits
    points = [np.clip(np.array(one, dtype=float), -limit, limit).astype(np.int32) for one in outlines]
    cv2.polylines(mask, points, True, 1, 1)
    cv2.fillPoly(mask, points, 1)
    return mask


def _filled(box: Sequence[float], answer: Answer) -> Mask:
    mask = _empty(answer)
    values = answer_pixels(box, answer)
    x1, y1, x2, y2 = (max(0, round(max(-MAX_COORDINATE, min(MAX_COORDINATE, value)))) for value in values)
    mask[y1:y2, x1:x2] = 1
    return mask


def _decoded(runs: Mapping[str, Any], answer: Answer) -> Mask:
    """COCO's run lengths, column by column, beginning with zeros. ValueError unless they cover the image exactly."""
    mask = _empty(answer)
    counts = runs["counts"]
    lengths = _unpacked(counts) if isinstance(counts, str) else counts
    whole = isinstance(lengths, list) and all(type(length) is int and length >= 0 for length in lengths)
    if not whole or list(runs["size"]) != list(mask.shape) or sum(lengths) != mask.size:
        raise ValueError("run lengths that do not cover the image")
    values = np.arange(len(lengths)) % 2
    return np.repeat(values, lengths).astype(np.uint8).reshape(mask.shape, order="F")


def _unpacked(text: str) -> list[int]:
    """The run lengths of COCO's compressed text: five bits a character, differences to the last but one."""
    lengths: list[int] = []
    value = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits < 64 or shift > 60:
            return []
        value |= (bits & 31) << shift
        shift += 5
        if not bits & 32:
            value -= (1 << shift) if bits & 16 else 0
            lengths.append(value + (lengths[-2] if len(lengths) > 2 else 0))
            value = shift = 0
    return lengths
