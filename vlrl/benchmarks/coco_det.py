"""COCO val2017 detection (arXiv 1405.0312), for models that list boxes without scores."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, task_prompt
from vlrl.benchmarks.rules.detection import (
    coco_images,
    gold_objects,
    image_precision,
    order_free_metrics,
    order_free_parts,
    read_detections,
    scored,
)
from vlrl.data.errors import RowError
from vlrl.data.layout import LayoutError, find_files
from vlrl.data.tables import read_json
from vlrl.geometry import from_xywh
from vlrl.metrics.coco import CocoImage, average_precision_by_label, coco_stats, order_spread
from vlrl.metrics.detection_counts import detection_counts
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.gold_geometry import plain_label
from vlrl.types import Answer, Media, Sample, Score

NAME = "coco-det"


def load(folder: Path) -> Iterable[Sample]:
    """The images of `instances_val2017.json`, by id."""
    path = find_files(folder, "annotations/instances_val2017.json", "instances_val2017.json")[0]
    return coco_rows(path, folder / "val2017", NAME)


def coco_rows(path: Path, images: Path, name: str) -> Iterator[Sample]:
    """The images of a COCO annotation file by id; a doc_id is the image's id.

    As in pycocotools the last of several annotations of one id stands for all of them, the last image of one id for both, and
    annotations of unknown categories do not count.
    """
    data = read_json(path)
    if not isinstance(data, dict) or not {"images", "annotations", "categories"} <= data.keys():
        raise LayoutError(f"{path}: has no images, annotations and categories; is it a COCO annotation file?")
    names = {category["id"]: category["name"] for category in data["categories"]}
    last = {annotation["id"]: annotation for annotation in data["annotations"]}
    of_image: dict[Any, list[dict[str, Any]]] = defaultdict(list)
    for annotation in data["annotations"]:
        of_image[annotation["image_id"]].append(last[annotation["id"]])
    labels = [plain_label(label) for label in names.values()]
    for image_id, image in sorted({image["id"]: image for image in data["images"]}.items()):
        source = f"{path}: image {image_id}"
        gold = [(one, _gold(one, names, source)) for one in of_image[image_id] if one["category_id"] in names]
        answer = {
            "boxes": [item for one, item in gold if not one.get("iscrowd")],
            "crowds": [item for one, item in gold if one.get("iscrowd")],
            "labels": labels,
            "image_size": [image["width"], image["height"]],
        }
        media = Media("image", str(images / image["file_name"]))
        yield Sample(str(image_id), name, ", ".join(names.values()), answer, (media,), source)


def _gold(annotation: Mapping[str, Any], names: Mapping[Any, str], source: str) -> dict[str, Any]:
    try:
        box = from_xywh(annotation["bbox"])
    except ValueError as error:
        raise RowError(source, f"annotation {annotation['id']}", str(error), "get the annotation file anew") from error
    return {"box": list(box), "label": names[annotation["category_id"]], "area": annotation["area"]}


def strict(text: str, answer: Answer) -> Score:
    """F1 over IoU .50:.05:.95 of the image's boxes, whatever their order: 2 * hits / (boxes found + gold boxes).

    Labels gate and unknown labels are false alarms; boxes on a crowd region of their label neither help nor hurt. An image
    without gold is worth 1 where nothing was found, else 0. Range 0..1. Failures: `no_answer`, `no_boxes`, `too_many_boxes`.

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}], "labels": ["cat"]}
    >>> strict('[{"bbox_2d": [0, 0, 10, 10], "label": "cat"}, {"bbox_2d": [0, 0, 5, 5], "label": "truck"}]', gold).value
    0.6666666666666666
    """
    found, failure = read_detections(text, answer)
    parts = order_free_parts(detection_counts(gold_objects(answer), scored(found, "const")))
    value = parts["agreed"] / parts["asked"] if parts["asked"] else float(failure is None)
    return Score(value, parts, correct=value == 1, extracted=found, failure=failure)


def pycocotools_const(text: str, answer: Answer) -> Score:
    """COCO's mAP of the one image, every box with score 1.0 in the order of the text; None where no gold box counts.

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "cat"}], "labels": ["cat"]}
    >>> pycocotools_const('[{"bbox_2d": [0, 0, 10, 6], "label": "cat"}]', gold).value
    0.3
    """
    found, failure = read_detections(text, answer)
    gold = gold_objects(answer)
    value = image_precision(CocoImage(gold, scored(found, "const")), answer["labels"])
    parts = order_free_parts(detection_counts(gold, scored(found, "const")))
    return Score(value, parts, correct=None if value is None else value == 1, extracted=found, failure=failure)


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Order-free numbers first; mAP under two score policies with its spread over orders."""
    images, labels = coco_images(table.read(), "const"), _labels(table)
    return {
        "f1": table.mean(),
        **order_free_metrics(table),
        "mAP_rank": coco_stats(coco_images(table.read(), "rank"), labels)["mAP"],
        "mAP_const": coco_stats(images, labels)["mAP"],
        "mAP_const_order_std": order_spread(images, labels),
    }


def const_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The twelve numbers of COCO, mAP by label and under the rank policy, and the order-free numbers."""
    images, labels = coco_images(table.read(), "const"), _labels(table)
    by_label = {f"mAP/{label}": value for label, value in average_precision_by_label(images, labels).items() if value is not None}
    return {
        **coco_stats(images, labels),
        "mAP_rank": coco_stats(coco_images(table.read(), "rank"), labels)["mAP"],
        "mAP_order_std": order_spread(images, labels),
        **order_free_metrics(table),
        **by_label,
    }


def _labels(table: ScoreTable) -> list[str]:
    return next(table.read()).answer["labels"]


BENCHMARK = Benchmark(
    name=NAME,
    title="COCO val2017 detection",
    sizes={"val2017": 5000},
    licence="CC BY 4.0 (annotations); images under Flickr terms",
    layout=("annotations/instances_val2017.json + val2017/",),
    load=load,
    protocols=(
        Protocol("strict", strict, task_prompt("detection"), "f1", strict_metrics),
        Protocol(
            "pycocotools-const",
            pycocotools_const,
            task_prompt("detection"),
            "mAP",
            const_metrics,
            oracle="pycocotools 2.0.11 COCOeval, executed",
            differences=("Where nothing was predicted the numbers are 0; pycocotools cannot load an empty list.",),
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "mAP 14.2, GP 50.9, GR 33.0 (COCO_filtered)", "om-ai-lab, VLM-R1 blog"),
        Reference("VLM-R1-3B", "mAP 21.1, GP 57.6, GR 43.7 (COCO_filtered)", "om-ai-lab, VLM-R1 blog"),
    ),
    pitfalls=(
        "With equal scores AP depends on the order of the boxes: `mAP_order_std` says how much.",
        "Prompts that name only the classes in the picture raise mAP; here all classes are asked for.",
        "Labels that COCO lacks cost nothing in AP; they are false alarms in F1.",
    ),
)
