"""Detections without confidences as data sets score them: reading the answer, COCO's numbers, and numbers free of order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from vlrl.benchmarks import Metric
from vlrl.geometry import Box, answer_pixels
from vlrl.metrics.average_precision import average_precision
from vlrl.metrics.coco import CocoImage, Found, GoldObject, coco_stats
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.parsing.detections import Detection, parse_detections
from vlrl.parsing.tags import answer_text
from vlrl.rewards.detection import MAX_BOXES
from vlrl.rewards.gold_geometry import plain_label
from vlrl.types import Answer

ScorePolicy = Literal["const", "rank", "verbal"]
"""const: 1.0 for every box; rank: 1 - k / (n + 1) for the k-th of n boxes; verbal: the stated confidence, else 1.0."""


def read_detections(text: str, answer: Answer) -> tuple[list[dict[str, Any]], str | None]:
    """The boxes of an answer in original pixels, `[{"box", "label", "confidence"}]`, and why there is none.

    Labels are lower case with single spaces, empty where there is none. Failures: `no_answer`, `no_boxes`, `too_many_boxes`.

    >>> read_detections('[{"bbox_2d": [1, 2, 3, 4], "label": "Cat"}]', {})
    ([{'box': [1.0, 2.0, 3.0, 4.0], 'label': 'cat', 'confidence': None}], None)
    """
    body = answer_text(text)
    found = parse_detections(body) if body is not None else None
    if found is None:
        return [], "no_answer" if body is None else "no_boxes"
    if len(found) > MAX_BOXES:
        return [], "too_many_boxes"
    return [_in_pixels(one, answer) for one in found], None


def _in_pixels(one: Detection, answer: Answer) -> dict[str, Any]:
    box = list(answer_pixels(one.box, answer))
    return {"box": box, "label": plain_label(one.label) or "", "confidence": one.confidence}


def gold_objects(answer: Answer) -> list[GoldObject]:
    """The gold of an answer: `boxes` and `crowds`, each `{"box", "label", "area"}`."""
    single = [_gold(item, crowd=False) for item in answer["boxes"]]
    return single + [_gold(item, crowd=True) for item in answer.get("crowds", [])]


def _gold(item: Mapping[str, Any], crowd: bool) -> GoldObject:
    return GoldObject(_box(item["box"]), plain_label(item["label"]) or "", item.get("area"), crowd)


def scored(found: Sequence[Mapping[str, Any]], policy: ScorePolicy) -> list[Found]:
    """Detections with the score that the policy gives them.

    >>> [one.score for one in scored([{"box": [0, 0, 1, 1], "label": "cat"}] * 3, "rank")]
    [1.0, 0.75, 0.5]
    """
    return [Found(_box(one["box"]), one["label"], _score(one, k, len(found), policy)) for k, one in enumerate(found)]


def _score(one: Mapping[str, Any], place: int, count: int, policy: ScorePolicy) -> float:
    if policy == "rank":
        return 1 - place / (count + 1)
    stated = one.get("confidence") if policy == "verbal" else None
    return 1.0 if stated is None else float(stated)


def _box(values: Sequence[float]) -> Box:
    x1, y1, x2, y2 = values
    return x1, y1, x2, y2


def image_precision(image: CocoImage, labels: Sequence[str]) -> float | None:
    """COCO's mAP of one image; None without gold that counts."""
    if any(one.crowd for one in image.gold):
        return coco_stats([image], labels)["mAP"]
    gold = list(image.gold)
    return average_precision(
        [one.box for one in image.found],
        [one.label for one in image.found],
        [one.score for one in image.found],
        [one.box for one in gold],
        [one.label for one in gold],
    )


def coco_images(rows: Iterable[ScoredRow], policy: ScorePolicy) -> list[CocoImage]:
    """The images of scored rows, whose `extracted` are the detections of `read_detections`."""
    return [CocoImage(gold_objects(row.answer), scored(row.score.extracted or [], policy)) for row in rows]


def order_free_metrics(table: ScoreTable) -> dict[str, Metric]:
    """Precision, recall and F1 at IoU .5, F1 over .50:.05:.95, mean IoU of matched boxes, VLM-R1's GP and GR, over all images.

    From the parts that `order_free_parts` gives each row.
    """
    return {
        "precision50": table.ratio("hits50", "n_found"),
        "recall50": table.ratio("hits50", "n_gold"),
        "f1_50": table.ratio("agreed50", "asked"),
        "f1_50_95": table.ratio("agreed", "asked"),
        "matched_iou": table.ratio("iou_sum", "matched"),
        "GP50": table.ratio("greedy_hits50", "n_found"),
        "GR50": table.ratio("greedy_hits50", "n_gold"),
    }


def order_free_parts(counts: Mapping[str, float]) -> dict[str, float]:
    """`detection_counts` with the numerators and the denominator of F1: `agreed50`, `agreed`, `asked`."""
    asked = counts["n_found"] + counts["n_gold"]
    return {**counts, "agreed50": 2 * counts["hits50"], "agreed": 2 * counts["hits"], "asked": asked}
