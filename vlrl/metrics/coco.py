"""COCO's average precision over a set of images, by pycocotools' own evaluation (crowds and size ranges included).

For one image without crowds `vlrl.metrics.average_precision` gives the same number in a fraction of the time.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vlrl.geometry import Box

STATS = ("mAP", "mAP50", "mAP75", "mAP_s", "mAP_m", "mAP_l", "AR1", "AR10", "AR100", "AR_s", "AR_m", "AR_l")
"""Names of the twelve numbers of `COCOeval.stats`, in its order."""
MAX_DETECTIONS = (1, 10, 100)


@dataclass(frozen=True, slots=True)
class GoldObject:
    """A gold box in pixels. `area` is the object's own, by which COCO sorts into small, medium and large; default: the box's."""

    box: Box
    label: str
    area: float | None = None
    crowd: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """A predicted box in pixels, with its score."""

    box: Box
    label: str
    score: float


@dataclass(frozen=True)
class CocoImage:
    """One image: what is there, what was found. The order of `found` decides between equal scores."""

    gold: Sequence[GoldObject]
    found: Sequence[Found] = field(default_factory=tuple)


def coco_stats(
    images: Sequence[CocoImage], labels: Sequence[str], max_detections: tuple[int, int, int] = MAX_DETECTIONS
) -> dict[str, float | None]:
    """The twelve numbers of `COCOeval(iouType="bbox")`, named by `STATS`; None where no gold box counts.

    Boxes with a label that is none of `labels` do not count, as in COCO. Equal scores keep the order of the images, then that
    of their boxes. Without any box found all is 0, where pycocotools cannot load the empty list. `max_detections` replaces
    1, 10, 100; the names stay, and `mAP` alone always means 100 (None if that is not among them), as in pycocotools.
    Source: arXiv 1405.0312; pycocotools.

    >>> box = (0.0, 0.0, 10.0, 10.0)
    >>> round(coco_stats([CocoImage([GoldObject(box, "cat")], [Found(box, "cat", 1.0)])], ["cat"])["mAP"], 9)
    1.0
    """
    evaluation = _evaluated(images, labels, max_detections)
    return {name: None if value < 0 else value for name, value in zip(STATS, evaluation.stats.tolist(), strict=True)}


def average_precision_by_label(images: Sequence[CocoImage], labels: Sequence[str]) -> dict[str, float | None]:
    """The average precision of each label that has a gold box, over IoU .50:.05:.95 and all sizes.

    >>> box = (0.0, 0.0, 10.0, 10.0)
    >>> average_precision_by_label([CocoImage([GoldObject(box, "cat")])], ["cat", "dog"])
    {'cat': 0.0, 'dog': None}
    """
    precision_TRK = _evaluated(images, labels, MAX_DETECTIONS).eval["precision"][:, :, :, 0, -1]
    means = precision_TRK.mean(axis=(0, 1)).tolist()
    return {label: None if mean < 0 else mean for label, mean in zip(labels, means, strict=True)}


def _evaluated(images: Sequence[CocoImage], labels: Sequence[str], max_detections: tuple[int, int, int]):  # type: ignore[no-untyped-def]
    from pycocotools.cocoeval import COCOeval  # only now: it costs a moment

    with contextlib.redirect_stdout(io.StringIO()):  # it prints its progress
        gold = _dataset(images, labels, [_gold_entries(image) for image in images])
        found = _dataset(images, labels, [_found_entries(image) for image in images])
        evaluation = COCOeval(gold, found, "bbox")
        evaluation.params.maxDets = list(max_detections)
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation


def _dataset(images: Sequence[CocoImage], labels: Sequence[str], entries: Sequence[list[dict[str, object]]]):  # type: ignore[no-untyped-def]
    from pycocotools.coco import COCO

    number_of = {label: number for number, label in enumerate(labels, start=1)}
    annotations = [
        {**entry, "image_id": image_id, "category_id": number_of[label]}
        for image_id, of_image in enumerate(entries, start=1)
        for entry in of_image
        if (label := str(entry.pop("label"))) in number_of
    ]
    dataset = COCO()
    dataset.dataset = {
        "images": [{"id": image_id} for image_id in range(1, len(images) + 1)],
        "categories": [{"id": number, "name": label} for label, number in number_of.items()],
        "annotations": [{**annotation, "id": number} for number, annotation in enumerate(annotations, start=1)],
    }
    dataset.createIndex()
    return dataset


def _gold_entries(image: CocoImage) -> list[dict[str, object]]:
    return [
        {
            "label": one.label,
            "bbox": (bbox := _xywh(one.box)),
            "area": bbox[2] * bbox[3] if one.area is None else one.area,
            "iscrowd": int(one.crowd),
        }
        for one in image.gold
    ]


def _found_entries(image: CocoImage) -> list[dict[str, object]]:
    return [
        {"label": one.label, "bbox": (bbox := _xywh(one.box)), "area": bbox[2] * bbox[3], "iscrowd": 0, "score": one.score}
        for one in image.found
    ]


def _xywh(box: Box) -> list[float]:
    """Reversed corners make an empty box: it finds nothing and counts as a false alarm."""
    return [box[0], box[1], max(0.0, box[2] - box[0]), max(0.0, box[3] - box[1])]


def order_spread(images: Sequence[CocoImage], labels: Sequence[str], orders: int = 20, seed: int = 0) -> float | None:
    """The standard deviation of mAP over random orders of the boxes inside each image: 0 where scores settle the order.

    Where a model gives no scores, average precision is partly an artefact of the order in which it lists its boxes.

    >>> right, wrong = Found((0, 0, 10, 10), "cat", 1.0), Found((20, 0, 30, 10), "cat", 1.0)
    >>> order_spread([CocoImage([GoldObject((0, 0, 10, 10), "cat")], [right, wrong])], ["cat"]) > 0
    True
    """
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(orders):
        shuffled = [CocoImage(one.gold, [one.found[i] for i in rng.permutation(len(one.found))]) for one in images]
        values.append(coco_stats(shuffled, labels)["mAP"])
    known = [value for value in values if value is not None]
    return float(np.std(known)) if known else None
