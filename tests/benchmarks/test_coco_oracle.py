"""COCO numbers from answers in text, against pycocotools on the same boxes: crowds, empty images, unknown labels, double ids."""

from __future__ import annotations

import contextlib
import io
import json
import random
from pathlib import Path
from typing import Any

import pytest
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from vlrl import benchmarks
from vlrl.metrics.coco import STATS
from vlrl.metrics.score_table import ScoredRow, ScoreTable

BENCHMARK = benchmarks.load("coco-det")
PROTOCOL = BENCHMARK.protocol("pycocotools-const")
LABELS = {3: "cat", 7: "Dog", 90: "traffic light"}
SETS = 60


def random_box(rng: random.Random) -> list[int]:
    return [rng.randrange(0, 400), rng.randrange(0, 300), rng.randrange(1, 150), rng.randrange(1, 150)]


def near(rng: random.Random, box: list[int]) -> list[int]:
    x, y, w, h = (value + rng.randrange(-8, 9) for value in box)
    return [max(0, x), max(0, y), max(1, w), max(1, h)]


def random_set(seed: int) -> tuple[dict[str, Any], dict[int, list[tuple[list[int], str]]]]:
    """A COCO file, and for each image what was said: xywh boxes with labels, in order."""
    rng = random.Random(seed)
    images = [{"id": image_id, "file_name": f"{image_id}.jpg", "width": 640, "height": 480} for image_id in range(5, 11)]
    annotations: list[dict[str, Any]] = []
    said: dict[int, list[tuple[list[int], str]]] = {}
    for image in images:
        gold = [(random_box(rng), rng.choice(list(LABELS))) for _ in range(rng.randrange(0, 5))]
        for box, category in gold:
            area = rng.choice([1.0, 0.6]) * box[2] * box[3]
            found = {"id": len(annotations) + 1, "image_id": image["id"], "category_id": category, "bbox": box, "area": area}
            annotations.append({**found, "iscrowd": int(rng.random() < 0.2), "segmentation": []})
        hits = [(near(rng, box), LABELS[category]) for box, category in gold if rng.random() < 0.8]
        false = [(random_box(rng), rng.choice([*LABELS.values(), "unicorn"])) for _ in range(rng.randrange(0, 4))]
        said[image["id"]] = [*hits, *hits[:1], *false] if rng.random() < 0.9 else []
        rng.shuffle(said[image["id"]])
    if seed % 3 == 0 and annotations:
        annotations.append({**annotations[0], "bbox": random_box(rng)})  # an id that stands there twice
    return {"images": images, "annotations": annotations, "categories": [{"id": k, "name": v} for k, v in LABELS.items()]}, said


def oracle(
    content: dict[str, Any], said: dict[int, list[tuple[list[int], str]]], image_id: int | None = None
) -> list[float] | None:
    """The twelve numbers of pycocotools; None where it has nothing to load."""
    category = {label: number for number, label in LABELS.items()}
    found = [
        {"image_id": image, "category_id": category[label], "bbox": box, "score": 1.0}
        for image, boxes in said.items()
        for box, label in boxes
        if label in category
    ]
    if not found or not content["annotations"]:
        return None
    with contextlib.redirect_stdout(io.StringIO()):
        gold = COCO()
        gold.dataset = json.loads(json.dumps(content))
        gold.createIndex()
        evaluation = COCOeval(gold, gold.loadRes(found), "bbox")
        if image_id is not None:
            evaluation.params.imgIds = [image_id]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return list(evaluation.stats.tolist())


def text_of(boxes: list[tuple[list[int], str]]) -> str:
    return json.dumps([{"bbox_2d": [x, y, x + w, y + h], "label": label} for (x, y, w, h), label in boxes])


@pytest.mark.parametrize("seed", range(SETS))
def test_equal_to_pycocotools(seed: int, tmp_path: Path) -> None:
    content, said = random_set(seed)
    (tmp_path / "instances_val2017.json").write_text(json.dumps(content))
    samples = list(BENCHMARK.load(tmp_path))
    rows = [ScoredRow(s.id, PROTOCOL.score(text_of(said[int(s.id)]), s.answer), s.answer, s.id) for s in samples]
    metrics = PROTOCOL.metrics(ScoreTable.of(lambda: iter(rows)))
    whole = oracle(content, said)
    if whole is not None:
        ours = [-1.0 if metrics[name] is None else metrics[name] for name in STATS]
        assert ours == pytest.approx(whole, abs=1e-9)
    for row in rows:
        single = oracle(content, said, int(row.doc_id))
        if single is not None:
            assert (-1.0 if row.score.value is None else row.score.value) == pytest.approx(single[0], abs=1e-9)
