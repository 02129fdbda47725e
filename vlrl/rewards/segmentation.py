"""Would a segmenter, prompted with the answer's box and points, find the thing?"""

from __future__ import annotations

from typing import Any

from vlrl.geometry import Box, Point, answer_pixels, area, as_box
from vlrl.metrics.box_iou import iou
from vlrl.metrics.point_match import closeness, distances, mean_distance
from vlrl.metrics.polygon import inside_polygon
from vlrl.parsing.point_lists import MaskPrompt, parse_mask_prompt
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import checked_space, gold_box
from vlrl.rewards.gold_geometry import gold_points, image_size_of
from vlrl.types import Answer, Score

CORRECT_IOU = 0.5
SIGMA = 50.0
MAX_POINTS = 100
"""More points than this prompt no segmenter."""

Polygon = list[Point]


def points(text: str, answer: Answer) -> Score:
    """0.5 * IoU + 0.25 * P + 0.25 * N: the box with `box`, the points with `positive_points` and `negative_points`.

    P = exp(-m^2 / (2 * 50^2)), m the mean distance of the one-to-one matching with the smallest sum, in thousandths of the
    image's sides; N likewise. The completion is `{"bbox_2d": [...], "positive_points": [[x, y], ...], "negative_points": [...]}`
    with as many points as the gold. Parts: `iou`, `positive`, `negative`. Correct from an IoU of 0.5 on. Source: OneThinker
    (arXiv 2512.03043), which asks for three points each. Range 0..1; None when the gold box has no area. Failures:
    `no_answer` (no closed answer), `no_prompt` (no such object), `no_box` (it has no box, or one with reversed corners),
    `wrong_count` (not as many points as the gold). Raises ValueError for a malformed gold (`vlrl.rewards.gold.gold_box`,
    `vlrl.rewards.gold_geometry.gold_points`, or a list without a point).

    The positive point is 50 thousandths off:

    >>> gold = {"box": [0, 0, 50, 50], "positive_points": [[20, 20]], "negative_points": [[80, 80]], "image_size": [100, 100]}
    >>> found = '{"bbox_2d": [0, 0, 50, 50], "positive_points": [[25, 20]], "negative_points": [[80, 80]]}'
    >>> round(points(found, gold).value, 4)
    0.9016
    """
    box, size = gold_box(answer), image_size_of(answer)
    gold = [gold_points(answer, key) for key in ("positive_points", "negative_points")]
    if not all(gold):
        raise ValueError("answer 'positive_points' and 'negative_points' hold at least one point each")
    if area(box) == 0:
        return Score(None)
    prompt, failure = _prompt(text, answer)
    if prompt is None or prompt.box is None:
        return _failed(failure)
    found = [prompt.positive, prompt.negative]
    if [len(one) for one in found] != [len(one) for one in gold]:
        return _failed("wrong_count")
    positive, negative = (float(closeness(mean_distance(distances(a, b, size)), SIGMA)) for a, b in zip(found, gold, strict=True))
    overlap = iou(prompt.box, box)
    parts = {"iou": overlap, "positive": positive, "negative": negative}
    return Score(0.5 * overlap + 0.25 * positive + 0.25 * negative, parts, overlap >= CORRECT_IOU, _plain(prompt))


def mask(text: str, answer: Answer) -> Score:
    """0.5 * IoU of the box with the mask's own box + 0.5 * the share of the positive points that lie on the mask.

    `answer["polygons"]` is the mask as in COCO, a list of outlines `[x1, y1, x2, y2, ...]`; a point lies on it when it lies in
    any of them (even-odd rule). The completion is as in `segmentation.points`; negative points do not count. Parts: `iou`,
    `positive`. Correct from an IoU of 0.5 on with all points on the mask. Source: inspired by Seg-Zero (arXiv 2503.06520) and
    OneThinker (2512.03043). Range 0..1; None when the mask's box has no area. Failures: `no_answer`, `no_prompt`, `no_box`, as
    in `segmentation.points`, `wrong_count` (more than 100 points). Raises ValueError for `polygons` that are missing or
    malformed (no list of lists of at least three points).

    The point lies in the box, beside the triangle:

    >>> gold = {"polygons": [[0, 0, 40, 0, 0, 40]]}
    >>> mask('{"bbox_2d": [0, 0, 40, 40], "positive_points": [[30, 30]]}', gold).value
    0.5
    """
    checked_space(answer)
    outlines = _gold_polygons(answer)
    hull = _hull(outlines)
    if area(hull) == 0:
        return Score(None)
    prompt, failure = _prompt(text, answer)
    if prompt is None or prompt.box is None:
        return _failed(failure)
    if len(prompt.positive) > MAX_POINTS:
        return _failed("wrong_count")
    on_mask = [any(inside_polygon(point, outline) for outline in outlines) for point in prompt.positive]
    overlap, positive = iou(prompt.box, hull), sum(on_mask) / len(on_mask)
    parts = {"iou": overlap, "positive": positive}
    return Score((overlap + positive) / 2, parts, overlap >= CORRECT_IOU and positive == 1, _plain(prompt))


def _prompt(text: str, answer: Answer) -> tuple[MaskPrompt | None, str]:
    """The completion's prompt in original pixels, and the failure code for one that has no good box."""
    body = answer_text(text)
    written = None if body is None else parse_mask_prompt(body)
    if written is None:
        return None, "no_answer" if body is None else "no_prompt"
    try:
        box = as_box(answer_pixels(written.box or (), answer))
    except ValueError:
        return None, "no_box"
    return MaskPrompt(box, _in_pixels(written.positive, answer), _in_pixels(written.negative, answer)), ""


def _in_pixels(found: list[Point], answer: Answer) -> list[Point]:
    values = answer_pixels([value for point in found for value in point], answer)
    return list(zip(values[0::2], values[1::2], strict=True))


def _gold_polygons(answer: Answer) -> list[Polygon]:
    polygons = answer.get("polygons")
    if not isinstance(polygons, list) or not polygons:
        raise ValueError(f"answer 'polygons' is a list of outlines [x1, y1, x2, y2, ...], not {polygons!r}")
    return [_outline(polygon) for polygon in polygons]


def _outline(polygon: Any) -> Polygon:
    try:
        found = [as_box([x, y, x, y])[:2] for x, y in zip(polygon[0::2], polygon[1::2], strict=True)]
    except (TypeError, ValueError) as error:
        raise ValueError(f"answer 'polygons': an outline is [x1, y1, x2, y2, ...], not {polygon!r}") from error
    if len(found) < 3:
        raise ValueError("answer 'polygons': an outline has at least three points")
    return found


def _hull(outlines: list[Polygon]) -> Box:
    xs, ys = zip(*(point for outline in outlines for point in outline), strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _plain(prompt: MaskPrompt) -> dict[str, Any]:
    return {key: [list(point) for point in value] for key, value in prompt._asdict().items() if key != "box"} | {
        "box": list(prompt.box or ())
    }


def _failed(code: str) -> Score:
    return Score(0.0, correct=False, failure=code)


FAILURES = ("no_answer", "no_prompt", "no_box", "wrong_count")
PROMPT = '{"bbox_2d": [64, 48, 320, 240], "positive_points": [[192, 144]], "negative_points": [[400, 400]]}'
POINTS = Example(
    PROMPT,
    {"box": [64, 48, 320, 240], "positive_points": [[192, 144]], "negative_points": [[400, 400]], "image_size": [640, 480]},
)
MASK = Example(PROMPT, {"polygons": [[64, 48, 320, 48, 320, 240, 64, 240]], "image_size": [640, 480]})

REWARDS = {
    "points": Reward(
        points, failures=FAILURES, needs=("box", "positive_points", "negative_points", "image_size"), example=POINTS
    ),
    "mask": Reward(mask, failures=FAILURES, needs=("polygons",), example=MASK),
}
