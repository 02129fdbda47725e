"""Speed of the detection reward against pycocotools: the same completions, the same numbers.

`python scripts/bench_rewards.py [--completions 256] [--boxes 100] [--labels 1 5 20] [--json out.json]` scores completions that
list that many boxes, shaken copies of the gold, strays, wrong labels and tied confidences among them, by one COCOeval each (all
boxes at hand, nothing to read) and by our rewards (reading the text and checking the gold included). Times are of the
processor, medians over the completions. Exits with 1 when a value differs by more than 1e-9 or the factor of `detection.map`
is below --least. Needs pycocotools.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vlrl.rewards import load
from vlrl.types import Answer

SIZE = (1280, 960)
MEASURED = ("detection.map", "detection.od_length", "detection.ap50", "detection.iou_f1", "detection.weighted_sum")

Object = dict[str, Any]


def scene(rng: np.random.Generator, boxes: int, labels: int) -> tuple[list[Object], Answer]:
    """A completion's objects and the gold: half of the boxes are shaken gold boxes, one in ten has a wrong label."""
    corner, side = rng.integers(0, 800, (boxes, 2)), rng.integers(8, 160, (boxes, 2))
    gold = np.hstack([corner, corner + side])
    meant = rng.permutation(boxes)
    shaken = gold[meant] + rng.integers(-4, 5, (boxes, 4))
    strays = np.hstack([corner[::-1], corner[::-1] + side])
    found = np.where(rng.random((boxes, 1)) < 0.5, shaken, strays)
    names = [f"thing {number}" for number in rng.integers(0, labels, boxes)]
    named = [names[index] if rng.random() > 0.1 else "thing 0" for index in meant]
    scores = rng.choice([0.3, 0.5, 0.5, 0.9], boxes)
    objects = [
        {"bbox_2d": box, "label": name, "score": float(score)}
        for box, name, score in zip(found.tolist(), named, scores, strict=True)
    ]
    things = [{"box": box, "label": name} for box, name in zip(gold.tolist(), names, strict=True)]
    return objects, {"boxes": things, "image_size": list(SIZE)}


def coco_map(objects: list[Object], answer: Answer) -> float:
    """COCOeval of one image, as VLM-R1 calls it: silent, standard parameters."""
    number = {name: index for index, name in enumerate(sorted({item["label"] for item in answer["boxes"]}), start=1)}
    gold, found = COCO(), [item for item in objects if item["label"] in number]
    things = [(index, number[item["label"]], item["box"]) for index, item in enumerate(answer["boxes"], start=1)]
    gold.dataset = {
        "images": [{"id": 1}],
        "categories": [{"id": index, "name": name} for name, index in number.items()],
        "annotations": [
            {"id": i, "image_id": 1, "category_id": c, "bbox": xywh(box), "area": xywh(box)[2] * xywh(box)[3], "iscrowd": 0}
            for i, c, box in things
        ],
    }
    with contextlib.redirect_stdout(io.StringIO()):
        gold.createIndex()
        boxes = [
            {"image_id": 1, "category_id": number[item["label"]], "bbox": xywh(item["bbox_2d"]), "score": item["score"]}
            for item in found
        ]
        evaluation = COCOeval(gold, gold.loadRes(boxes), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return float(evaluation.stats[0])


def xywh(box: list[float]) -> list[float]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def timed(score: Callable[[], float | None]) -> tuple[float, float]:
    """Processor seconds and value."""
    start = time.process_time()
    value = score()
    return time.process_time() - start, value or 0.0


def measure(completions: int, boxes: int, labels: int) -> dict[str, Any]:
    """Median milliseconds a completion by scorer, the factor over COCOeval, `detection.map`'s greatest difference from it."""
    rng = np.random.default_rng(0)
    scenes = [scene(rng, boxes, labels) for _ in range(completions)]
    texts = [(f"<think>I look.</think><answer>{json.dumps(objects)}</answer>", answer) for objects, answer in scenes]
    taken = {"pycocotools": [timed(partial(coco_map, *one)) for one in scenes]}
    for name in MEASURED:
        reward = load(name)
        taken[name] = [timed(lambda: reward(*one).value) for one in texts]  # noqa: B023
    seconds = {name: np.array(pairs)[:, 0] for name, pairs in taken.items()}
    values = {name: np.array(pairs)[:, 1] for name, pairs in taken.items()}
    return {
        "completions": completions,
        "boxes": boxes,
        "labels": labels,
        "milliseconds": {name: 1000 * float(np.median(found)) for name, found in seconds.items()},
        "factor": {name: float(np.median(seconds["pycocotools"]) / np.median(found)) for name, found in seconds.items()},
        "mean_value": {name: float(found.mean()) for name, found in values.items()},
        "greatest_difference": float(np.abs(values["pycocotools"] - values["detection.map"]).max()),
    }


def table(result: dict[str, Any]) -> str:
    head = f"{result['completions']} completions x {result['boxes']} boxes, labels: {result['labels']}"
    lines = [head, f"{'scorer':24} {'ms each':>9} {'factor':>8} {'mean value':>11}"]
    for name, each in result["milliseconds"].items():
        lines.append(f"{name:24} {each:9.2f} {result['factor'][name]:7.1f}x {result['mean_value'][name]:11.4f}")
    return "\n".join([*lines, f"greatest difference of detection.map from pycocotools: {result['greatest_difference']:.1e}", ""])


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--completions", type=int, default=256)
    parser.add_argument("--boxes", type=int, default=100)
    parser.add_argument("--labels", type=int, nargs="+", default=[1, 5, 20], help="how many labels; one table each")
    parser.add_argument("--least", type=float, default=20.0, help="the factor that detection.map must reach")
    parser.add_argument("--json", type=Path, help="write the numbers there")
    options = parser.parse_args()
    results = [measure(options.completions, options.boxes, labels) for labels in options.labels]
    print("\n".join(table(result) for result in results))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    good = [one["greatest_difference"] <= 1e-9 and one["factor"]["detection.map"] >= options.least for one in results]
    return int(not all(good))


if __name__ == "__main__":
    sys.exit(main())
