"""Are all the boxes right? Many boxes with labels, and perhaps confidences, against all gold boxes of an image.

Common to all: a completion lists objects `{"bbox_2d": [x1, y1, x2, y2], "label": "cat"}`, in any form of
`vlrl.parsing.detections`. Labels are compared without regard to case and white space; where no gold box has a label, labels
do not matter. An answer that says there is nothing earns 1 when there is nothing, and 0 otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import Box, answer_pixels, area
from vlrl.metrics.average_precision import COCO_THRESHOLDS, average_precision_of
from vlrl.metrics.box_iou import iou_matrix
from vlrl.metrics.matching import best_pairs, greedy_pairs, ordered_pairs
from vlrl.parsing.detections import Detection, parse_detections
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold_geometry import GoldBox, gold_boxes, plain_label
from vlrl.types import Answer, Score

CORRECT_IOU = 0.5
MAX_BOXES = 1000
"""More boxes than this are a flood and no answer."""

POSITION_WEIGHT, COMPLETENESS_WEIGHT = 0.7, 0.3


@dataclass(frozen=True)
class Scene:
    """What was found against what is there; neither is empty. Boxes are in original pixels."""

    boxes: list[Box]
    found: list[Detection]
    gold: list[GoldBox]

    @cached_property
    def labels(self) -> list[str | None]:
        """Labels as they are compared: all None where the gold has none."""
        labelled = self.gold[0].label is not None
        return [plain_label(one.label) if labelled else None for one in self.found]

    @cached_property
    def gated(self) -> NDArray[np.float64]:
        """IoU of every box with every gold box, 0 where the labels differ."""
        gold_labels = [one.label for one in self.gold]
        code_of = {label: code for code, label in enumerate(gold_labels)}
        codes_N = np.array([code_of.get(label, -1) for label in self.labels])
        return np.where(codes_N[:, None] == [code_of[label] for label in gold_labels], self.ious, 0.0)

    @cached_property
    def ious(self) -> NDArray[np.float64]:
        """IoU of every box with every gold box, whatever the labels."""
        return iou_matrix(self.boxes, [one.box for one in self.gold])

    def is_correct(self) -> bool:
        """Every gold box has a box of its own with the right label and an IoU of at least 0.5, and no box is left over."""
        near_NM = self.gated >= CORRECT_IOU
        if len(self.boxes) != len(self.gold) or not (near_NM.any(axis=0).all() and near_NM.any(axis=1).all()):
            return False
        return len(best_pairs(near_NM.astype(float))) == len(self.gold)

    def average_precision(self, thresholds: Sequence[float]) -> float:
        """COCO's average precision over the gold's labels; a box without confidence has the score 1."""
        scores = [1.0 if one.confidence is None else one.confidence for one in self.found]
        return average_precision_of(self.ious, self.labels, scores, [one.label for one in self.gold], thresholds) or 0.0


Parts = dict[str, float]
Rule = Callable[[Scene], tuple[float, Parts]]


def iou_f1(text: str, answer: Answer) -> Score:
    """2 * S / (n_pred + n_gold), S the greatest sum of IoUs of a one-to-one matching of boxes of the same label.

    It is the F1 of the soft precision S / n_pred and the soft recall S / n_gold, which are in `parts`. Duplicates, extra
    boxes and wrong labels count in n_pred and add nothing to S. Source: label-gated IoU over a Hungarian matching
    (`scipy.optimize.linear_sum_assignment`), this project's own rule, inspired by the detection reward of Visual-RFT (arXiv
    2503.01785). Range 0..1; None when a gold box has no area. Failures: `no_answer` (no closed answer), `no_boxes` (nothing
    reads as boxes or as "none"), `too_many_boxes` (more than 1000). Raises ValueError for a malformed gold
    (`vlrl.rewards.gold_geometry.gold_boxes`).

    The right box and one too many:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}]}
    >>> iou_f1('[{"bbox_2d": [0, 0, 10, 10], "label": "Cat"}, {"bbox_2d": [0, 0, 10, 10], "label": "dog"}]', gold).value
    0.6666666666666666
    """
    return _judge(text, answer, _soft_f1)


def _soft_f1(scene: Scene) -> tuple[float, Parts]:
    total = sum(float(scene.gated[pair]) for pair in best_pairs(scene.gated))
    precision, recall = total / len(scene.boxes), total / len(scene.gold)
    return 2 * total / (len(scene.boxes) + len(scene.gold)), {"precision": precision, "recall": recall}


def mean_average_precision(text: str, answer: Answer) -> Score:
    """COCO mAP of the one image: the mean over the gold's labels and IoU .50:.05:.95 of the 101-point interpolated precision.

    Equal to pycocotools' `COCOeval` on the same boxes; confidences are scores, a box without one has 1.0, equal scores keep
    the order of the text, the 100 best boxes of each label count. Source: COCO (arXiv 1405.0312); as a reward `map` of VLM-R1
    (2504.07615), which pays free text against an empty gold and compares labels with their case. As in COCO, boxes behind the
    right ones and boxes of labels that the gold lacks cost nothing: train with `od_length` or `iou_f1`. Range 0..1; None
    when a gold box has no area. Failures: `no_answer`, `no_boxes`, `too_many_boxes`, as in `iou_f1`. Raises ValueError for a
    malformed gold.

    An IoU of 0.6 passes three of the ten thresholds:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}]}
    >>> mean_average_precision('[{"bbox_2d": [0, 0, 10, 6], "label": "cat"}]', gold).value
    0.3
    """
    return _judge(text, answer, lambda scene: (scene.average_precision(COCO_THRESHOLDS), {}))


def ap50(text: str, answer: Answer) -> Score:
    """COCO average precision of the one image at IoU 0.5, the mean over the gold's labels; all else as in `detection.map`.

    Source: COCO (arXiv 1405.0312); as a reward `od_ap50` of VLM-R1 (2504.07615). Range 0..1; None when a gold box has no
    area. Failures: `no_answer`, `no_boxes`, `too_many_boxes`. Raises ValueError for a malformed gold.

    One of two:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}, {"box": [0, 0, 10, 10], "label": "dog"}]}
    >>> ap50('[{"bbox_2d": [0, 0, 10, 6], "label": "cat"}]', gold).value
    0.5
    """
    return _judge(text, answer, lambda scene: (scene.average_precision((CORRECT_IOU,)), {}))


def od_length(text: str, answer: Answer) -> Score:
    """`detection.map` * min(1, n_gold / n_pred): mAP, scaled down when there are more boxes than there should be.

    Source: `odLength` of VLM-R1 (arXiv 2504.07615), its cure for the flood of boxes that AP alone invites. Parts: `map` and
    `length`, the two factors. Range 0..1; None when a gold box has no area. Failures: `no_answer`, `no_boxes`,
    `too_many_boxes`, as in `iou_f1`. Raises ValueError for a malformed gold.

    The same right box four times:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}]}
    >>> od_length("[" + ", ".join(['{"bbox_2d": [0, 0, 10, 10], "label": "cat"}'] * 4) + "]", gold).value
    0.25
    """
    return _judge(text, answer, _map_and_length)


def _map_and_length(scene: Scene) -> tuple[float, Parts]:
    precision, length = scene.average_precision(COCO_THRESHOLDS), min(1.0, len(scene.gold) / len(scene.boxes))
    return precision * length, {"map": precision, "length": length}


def weighted_sum(text: str, answer: Answer) -> Score:
    """0.7 * S / n_gold + 0.3 * (1 - (misses / n_gold + false alarms / n_pred) / 2), S the sum of the matched IoUs.

    Pairs of the same label are matched greedily, the highest IoU first, from 0.5 on; misses and false alarms are gold boxes
    and boxes without a partner. Parts: `position` and `completeness`. Source: `weighted_sum` of VLM-R1 (arXiv 2504.07615)
    without its credit for a right box with a wrong or a missing label. An answer without any match earns 0. Range 0..1;
    None when a gold box has no area. Failures: `no_answer`, `no_boxes`, `too_many_boxes`, as in `iou_f1`. Raises ValueError
    for a malformed gold.

    The same right box twice:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}]}
    >>> weighted_sum("[" + ", ".join(['{"bbox_2d": [0, 0, 10, 10], "label": "cat"}'] * 2) + "]", gold).value
    0.9249999999999999
    """
    return _judge(text, answer, _position_and_completeness)


def _position_and_completeness(scene: Scene) -> tuple[float, Parts]:
    pairs = greedy_pairs(scene.gated, CORRECT_IOU)
    position = sum(float(scene.gated[pair]) for pair in pairs) / len(scene.gold)
    misses, false_alarms = 1 - len(pairs) / len(scene.gold), 1 - len(pairs) / len(scene.boxes)
    completeness = 1 - (misses + false_alarms) / 2
    value = POSITION_WEIGHT * position + COMPLETENESS_WEIGHT * completeness if pairs else 0.0
    return value, {"position": position, "completeness": completeness}


def visual_rft(text: str, answer: Answer) -> Score:
    """(R_iou + R_conf) / 2, and 0 when no box hits: IoU and confidence as in Visual-RFT.

    Exact copies of a box are dropped; in order of falling confidence c each box takes the free gold box of the highest IoU,
    if that is above 0.5. R_iou is the sum of those IoUs / max(n_gold, n_pred); R_conf is the mean of c for boxes that took
    one and of 1 - c for the others, c held to 0..1. Parts: `iou` and `confidence`. Labels matter where both sides have one.
    Source: Visual-RFT (arXiv 2503.01785), which adds the two and runs a math-verify check before, which pays wrong boxes; it
    also pays R_conf when no box hits, so that a wrong box with confidence 0 earns half of the maximum. Range 0..1; None when
    a gold box has no area. Failures: `no_answer`, `no_boxes`, `too_many_boxes`, as in `iou_f1`, `no_confidence` (a box lacks
    it). Raises ValueError for a malformed gold.

    A right box, of which the model is sure, and a wrong one, of which it is nearly sure:

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10]}]}
    >>> found = "[{'Position': [0, 0, 10, 10], 'Confidence': 1}, {'Position': [20, 0, 30, 10], 'Confidence': 0.8}]"
    >>> round(visual_rft(found, gold).value, 6), visual_rft(found, gold).parts["iou"]
    (0.55, 0.5)
    """
    return _judge(text, answer, _iou_and_confidence, needs_confidence=True)


def _iou_and_confidence(scene: Scene) -> tuple[float, Parts]:
    first_row: dict[Any, int] = {}
    for row, key in enumerate(zip(scene.boxes, scene.labels, strict=True)):
        first_row.setdefault(key, row)
    rows = sorted(first_row.values(), key=lambda row: -_confidence(scene.found[row]))
    ious_NM = np.where(_contradictions(scene)[rows], 0.0, scene.ious[rows])
    pairs = ordered_pairs(ious_NM, CORRECT_IOU)
    iou_part = sum(float(ious_NM[pair]) for pair in pairs) / max(len(scene.gold), len(rows))
    sure = np.clip([_confidence(scene.found[row]) for row in rows], 0.0, 1.0)
    hit = np.isin(np.arange(len(rows)), [row for row, _ in pairs])
    confidence_part = float(np.where(hit, sure, 1 - sure).mean())
    value = (iou_part + confidence_part) / 2 if pairs else 0.0
    return value, {"iou": iou_part, "confidence": confidence_part}


def _confidence(found: Detection) -> float:
    return 0.0 if found.confidence is None else found.confidence


def _contradictions(scene: Scene) -> NDArray[np.bool_]:
    """Where a box and a gold box both have a label, and not the same."""
    return np.array([[label not in (None, one.label) for one in scene.gold] for label in scene.labels])


def _judge(text: str, answer: Answer, rule: Rule, needs_confidence: bool = False) -> Score:
    gold = gold_boxes(answer)
    if any(area(one.box) == 0 for one in gold):
        return Score(None)
    body = answer_text(text)
    found = parse_detections(body) if body is not None else None
    failure = _failure(body, found, needs_confidence)
    if failure or found is None:
        return Score(0.0, correct=False, failure=failure)
    boxes = _in_pixels(found, answer)
    extracted = [_plain(one, box) for one, box in zip(found, boxes, strict=True)]
    if not found or not gold:
        right = not found and not gold
        return Score(float(right), correct=right, extracted=extracted)
    scene = Scene(boxes, found, gold)
    value, parts = rule(scene)
    return Score(value, parts, correct=scene.is_correct(), extracted=extracted)


def _failure(body: str | None, found: list[Detection] | None, needs_confidence: bool) -> str | None:
    if body is None:
        return "no_answer"
    if found is None:
        return "no_boxes"
    if len(found) > MAX_BOXES:
        return "too_many_boxes"
    return "no_confidence" if needs_confidence and any(one.confidence is None for one in found) else None


def _in_pixels(found: list[Detection], answer: Answer) -> list[Box]:
    values = answer_pixels([value for one in found for value in one.box], answer)
    return list(zip(values[0::4], values[1::4], values[2::4], values[3::4], strict=True))


def _plain(one: Detection, box: Box) -> dict[str, Any]:
    plain: dict[str, Any] = {"box": list(box)}
    if one.label is not None:
        plain["label"] = one.label
    if one.confidence is not None:
        plain["confidence"] = one.confidence
    return plain


FAILURES = ("no_answer", "no_boxes", "too_many_boxes")
CAT_AND_DOG = [{"box": [64, 48, 320, 240], "label": "cat"}, {"box": [400, 96, 480, 240], "label": "dog"}]
EXAMPLE = Example(
    '[{"bbox_2d": [64, 48, 320, 240], "label": "cat"}, {"bbox_2d": [400, 96, 480, 240], "label": "dog"}]',
    {"boxes": CAT_AND_DOG, "image_size": [640, 480]},
)
SURE = Example(
    "[{'Position': [64, 48, 320, 240], 'Confidence': 1.0}]", {"boxes": [{"box": [64, 48, 320, 240]}], "image_size": [640, 480]}
)

REWARDS = {
    "iou_f1": Reward(iou_f1, failures=FAILURES, needs=("boxes",), example=EXAMPLE),
    "map": Reward(mean_average_precision, failures=FAILURES, needs=("boxes",), example=EXAMPLE),
    "ap50": Reward(ap50, failures=FAILURES, needs=("boxes",), example=EXAMPLE),
    "od_length": Reward(od_length, failures=FAILURES, needs=("boxes",), example=EXAMPLE),
    "weighted_sum": Reward(weighted_sum, failures=FAILURES, needs=("boxes",), example=EXAMPLE),
    "visual_rft": Reward(visual_rft, failures=(*FAILURES, "no_confidence"), needs=("boxes",), example=SURE),
}
