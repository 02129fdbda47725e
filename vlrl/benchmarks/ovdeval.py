"""OVDEval (arXiv 2308.13177): open-vocabulary detection with hard negative labels, scored by NMS-AP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, task_prompt
from vlrl.benchmarks.coco_det import coco_rows, strict
from vlrl.benchmarks.rules.detection import (
    coco_images,
    gold_objects,
    image_precision,
    order_free_metrics,
    order_free_parts,
    read_detections,
    scored,
)
from vlrl.data.layout import find_files
from vlrl.data.tables import read_json
from vlrl.metrics.box_iou import iou_matrix
from vlrl.metrics.coco import CocoImage, GoldObject, coco_stats
from vlrl.metrics.detection_counts import HIT, detection_counts
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.types import Answer, Sample, Score

NAME = "ovdeval"
TASKS = ("celebrity", "color", "landmark", "logo", "material", "negation", "object", "position", "relationship")


def load(folder: Path) -> Iterable[Sample]:
    """The images of all sub-tasks that are there; a doc_id is `<task>/<image id>`."""
    patterns = [f"{place}{{}}.json" for place in ("annotations/", "")]
    names = [pattern.format(task) for pattern in patterns for task in TASKS]
    first = find_files(folder, *names)[0]
    return _rows([path for task in TASKS if (path := first.parent / f"{task}.json").is_file()], folder)


def _rows(paths: Iterable[Path], folder: Path) -> Iterator[Sample]:
    for path in paths:
        task = path.stem
        images = folder / "images" / task if (folder / "images" / task).is_dir() else folder / task
        asked = {str(image["id"]): [*image.get("text", []), *image.get("neg_text", [])] for image in read_json(path)["images"]}
        for row in coco_rows(path, images, NAME):
            question = ", ".join(asked[row.id]) or row.question
            answer = {**row.answer, "groups": {"task": task}, "cluster": f"{task}/{row.id}"}
            yield replace(row, id=f"{task}/{row.id}", question=question, answer=answer)


def nms_ap(text: str, answer: Answer) -> Score:
    """The mAP of one image after `suppressed`; None where no gold box counts. Boxes get rank scores: 1 - k / (n + 1).

    Failures: `no_answer`, `no_boxes`, `too_many_boxes`.

    >>> gold = {"boxes": [{"box": [0, 0, 10, 10], "label": "red cup"}], "labels": ["red cup", "blue cup"]}
    >>> both = [f'{{"bbox_2d": [0, 0, 10, 10], "label": "{label} cup"}}' for label in ("blue", "red")]
    >>> nms_ap(f"[{both[0]}, {both[1]}]", gold).value, nms_ap(f"[{both[1]}, {both[0]}]", gold).value
    (0.0, 1.0)
    """
    found, failure = read_detections(text, answer)
    gold = gold_objects(answer)
    for place, one in enumerate(found):
        one["confidence"] = 1 - place / (len(found) + 1)
    kept = suppressed(found, gold)
    value = image_precision(CocoImage(gold, scored(kept, "verbal")), answer["labels"])
    parts = order_free_parts(detection_counts(gold, scored(found, "const")))
    return Score(value, parts, None if value is None else value == 1, kept, failure)


def suppressed(found: Sequence[Mapping[str, Any]], gold: Sequence[GoldObject]) -> list[Mapping[str, Any]]:
    """The boxes without those that share a gold box with a better one: of all with an IoU above .5 the first stays.

    Labels do not matter here, so a model that puts every label on one box keeps the first one only. A box that is the first of
    another gold box stays.

    >>> box = {"box": [0, 0, 10, 10]}
    >>> len(suppressed([box, box], [GoldObject((0, 0, 10, 10), "cup")]))
    1
    """
    kept: set[int] = set()
    removed: set[int] = set()
    overlaps_NM = iou_matrix([one["box"] for one in found], [one.box for one in gold])
    for column in range(len(gold)):
        near = [row for row in range(len(found)) if overlaps_NM[row, column] > HIT]
        kept.update(near[:1])
        removed.update(near[1:])
    return [one for row, one in enumerate(found) if row not in removed - kept]


def nms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`NMS-AP`, the mean over the sub-tasks, and that of each."""
    rows: dict[str, list[ScoredRow]] = {}
    for row in table.read():
        rows.setdefault(row.answer["groups"]["task"], []).append(row)
    found = {task: coco_stats(coco_images(of, "verbal"), of[0].answer["labels"])["mAP"] for task, of in rows.items()}
    known = [value for value in found.values() if value is not None]
    mean = sum(known) / len(known) if known else None
    return {"NMS-AP": mean, **order_free_metrics(table), **{f"{task}/NMS-AP": value for task, value in found.items()}}


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """F1 over IoU .50:.05:.95 of each image, overall and by sub-task, and the order-free numbers."""
    return {**break_down(table, "f1"), **order_free_metrics(table)}


BENCHMARK = Benchmark(
    name=NAME,
    title="OVDEval",
    sizes={},
    licence="Apache-2.0 (repository); images of their owners",
    layout=("[annotations/]<task>.json, COCO with text and neg_text of each image + [images/]<task>/ (omlab/OVDEval)",),
    load=load,
    hub=("omlab/OVDEval",),
    protocols=(
        Protocol("strict", strict, task_prompt("detection"), "f1", strict_metrics),
        Protocol(
            "nms-ap",
            nms_ap,
            task_prompt("detection"),
            "NMS-AP",
            nms_metrics,
            oracle="om-ai-lab/OVDEval 2ba0aa9 eval.py nms_threaded and cal_map (pycocotools), executed with rank scores",
            differences=(
                "A crowd region is suppressed around like any other gold box, as there; unknown labels count for nothing.",
            ),
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "25.5", "om-ai-lab, VLM-R1 blog"),
        Reference("VLM-R1-3B", "31.0", "om-ai-lab, VLM-R1 blog"),
    ),
    pitfalls=(
        "With equal scores the published script keeps the box that was named last; here boxes have rank scores, the first stays.",
        "Each image is asked for its own labels, right ones and hard negatives.",
    ),
)
