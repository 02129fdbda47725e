"""ODinW-13 (arXiv 2204.08790): detection in thirteen small sets of other pictures than COCO's."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, own_prompt, task_prompt
from vlrl.benchmarks.coco_det import coco_rows, strict
from vlrl.benchmarks.rules.detection import (
    coco_images,
    gold_objects,
    image_precision,
    order_free_metrics,
    order_free_parts,
    scored,
)
from vlrl.benchmarks.rules.qwen_detections import read_detections
from vlrl.data.image_size import image_size
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows
from vlrl.metrics.coco import CocoImage, coco_stats, order_spread
from vlrl.metrics.detection_counts import detection_counts
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.rewards.gold_geometry import plain_label
from vlrl.types import Answer, Sample, Score

NAME = "odinw13"
SUBSETS = {
    "AerialMaritimeDrone": "large",
    "Aquarium": "Aquarium Combined.v2-raw-1024.coco",
    "CottontailRabbits": "",
    "EgoHands": "generic",
    "NorthAmericaMushrooms": "North American Mushrooms.v1-416x416.coco",
    "Packages": "Raw",
    "PascalVOC": "",
    "pistols": "export",
    "pothole": "",
    "Raccoon": "Raccoon.v2-raw.coco",
    "ShellfishOpenImages": "raw",
    "thermalDogsAndPeople": "",
    "VehiclesOpenImages": "416x416",
}
"""The subsets, in the order of mmdetection's configuration, and the folder of each that it names."""
ANNOTATIONS = ("valid/annotations_without_background.json", "val_annotations_without_background.json")
MAX_DETECTIONS = (100, 300, 1000)
QWEN_NAMES = {"mAP": "mAP", "mAP50": "mAP_50", "mAP75": "mAP_75", "mAP_s": "mAP_s", "mAP_m": "mAP_m", "mAP_l": "mAP_l"}
DECIMALS = 3


def load(folder: Path) -> Iterable[Sample]:
    """The images of the subsets that are there; a doc_id is `<subset>/<image id>`, of the parquet copy the row's index."""
    files = {name: path for name, inner in SUBSETS.items() if (path := _annotations(folder / name, inner))}
    if files:
        return _original(files)
    found = find_files(folder, "test-*.parquet", "data/test-*.parquet", f"<one of {', '.join(SUBSETS)}>/**/{ANNOTATIONS[0]}")
    return _parquet(found)


def _annotations(folder: Path, inner: str) -> Path | None:
    """The annotation file of a subset in the folder that mmdetection names, or in the subset's own."""
    places = [place / name for place in (folder / inner, folder) for name in ANNOTATIONS]
    return next((path for path in places if path.is_file()), None)


def _original(files: Mapping[str, Path]) -> Iterator[Sample]:
    for subset, path in files.items():
        for row in coco_rows(path, path.parent, NAME):
            groups = {"subset": subset}
            yield replace(row, id=f"{subset}/{row.id}", answer={**row.answer, "groups": groups, "cluster": f"{subset}/{row.id}"})


def _parquet(paths: Iterable[Path]) -> Iterator[Sample]:
    """Rows of lmms-eval's copy: boxes are xyxy in pixels."""
    for place, row in numbered_rows(paths, ("categories", "bboxes", "labels", "dataset_name"), skip=("image",)):
        media = place.image("image")
        names = [name if isinstance(name, str) else row["categories"][name] for name in row["labels"]]
        boxes = [{"box": list(box), "label": name} for box, name in zip(row["bboxes"], names, strict=True)]
        answer: Answer = {
            "boxes": boxes,
            "labels": [plain_label(label) for label in row["categories"]],
            "image_size": image_size(media.path, place.source),
            "groups": {"subset": row["dataset_name"]},
        }
        yield Sample(str(place.number), NAME, ", ".join(row["categories"]), answer, (media,), place.source)


def qwen(text: str, answer: Answer, space: str | None = None) -> Score:
    """The mAP of one image as the scorer of Qwen3-VL reads the answer (`rules.qwen_detections`), every box with score 1.0.

    Rounded to three decimals, as there. None where the image has no gold box. `space` replaces the declared one. Failure:
    `no_boxes`.

    >>> boats = [{"box": [0, 0, 10, 10], "label": "boat"}, {"box": [50, 50, 60, 60], "label": "boat"}]
    >>> gold = {"boxes": boats, "labels": ["boat"]}
    >>> qwen('[{"bbox_2d": [0, 0, 10, 10], "label": "Boat"}]', gold).value
    0.505
    """
    answer = answer if space is None else {**answer, "space": space}
    found, failure = read_detections(text, answer)
    gold = gold_objects(answer)
    value = _rounded(image_precision(CocoImage(gold, scored(found, "const")), answer["labels"]))
    parts = order_free_parts(detection_counts(gold, scored(found, "const")))
    return Score(value, parts, None if value is None else value == 1, found, failure)


def qwen_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Average` of the subsets' mAP; of each subset mAP, mAP_50, mAP_75, mAP_s, mAP_m and mAP_l, rounded to three decimals."""
    found: dict[str, Metric] = {}
    means = []
    for subset, images, labels in _by_subset(table):
        stats = coco_stats(images, labels, MAX_DETECTIONS)
        rounded = {name: _rounded(stats[theirs]) for theirs, name in QWEN_NAMES.items()}
        found |= {f"{subset}/{name}": value for name, value in rounded.items()}
        means.append(rounded["mAP"])
    return {"Average": _mean(means), **order_free_metrics(table), **found}


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, DECIMALS)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _by_subset(table: ScoreTable) -> Iterator[tuple[str, list[CocoImage], list[str]]]:
    """Each subset's images with what was found, and its labels."""
    rows: dict[str, list[ScoredRow]] = {}
    for row in table.read():
        rows.setdefault(row.answer["groups"]["subset"], []).append(row)
    for subset, of_subset in rows.items():
        yield subset, coco_images(of_subset, "const"), of_subset[0].answer["labels"]


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Mean F1 of the subsets, order-free numbers over all images, and mAP of each subset with its spread over orders."""
    f1 = {f"f1/{subset}": rows.mean() for subset, rows in table.by("subset").items()}
    found: dict[str, Metric] = {}
    for subset, images, labels in _by_subset(table):
        found |= {f"mAP_const/{subset}": coco_stats(images, labels)["mAP"], f"order_std/{subset}": order_spread(images, labels)}
    means = _mean(mean.estimate for mean in f1.values())
    return {"f1_mean_of_subsets": means, "f1": table.mean(), **order_free_metrics(table), **f1, **found}


PROMPT = own_prompt(
    "Locate every instance that belongs to the following categories: '{question}'. Report bbox coordinates in JSON format."
)
ORACLE = "QwenLM/Qwen3-VL 9658872 evaluation/ODinW-13 run_evaluation, compute_metrics, executed, is_rel={}"
DIFFERENCES = (
    "A subset where nothing was predicted counts 0; there the table breaks.",
    "Empty size classes are undefined instead of -1.",
    "Boxes that are no numbers are left out; there they stop the run.",
    "Blanks around a label do not count; there such a label is unknown.",
)
GENERATION = {"temperature": 0.7, "top_p": 0.8, "top_k": 20, "max_completion_length": 32768}


def _protocol(name: str, score: Callable[[str, Answer], Score], is_rel: int) -> Protocol:
    return Protocol(
        name, score, PROMPT, "Average", qwen_metrics, ORACLE.format(is_rel), differences=DIFFERENCES, generation=GENERATION
    )


BENCHMARK = Benchmark(
    name=NAME,
    title="ODinW-13",
    sizes={},
    licence="each subset its own, see the sources",
    layout=(
        "<subset>/<folder>/valid/annotations_without_background.json + pictures beside it, as mmdetection's odinw13 names them",
        "[data/]test-*.parquet: image, categories, bboxes (xyxy), labels, dataset_name (kcz358/ODinW-13)",
    ),
    load=load,
    hub=("kcz358/ODinW-13",),
    protocols=(
        Protocol("strict", strict, task_prompt("detection"), "f1_mean_of_subsets", strict_metrics),
        _protocol("qwen-abs-resized", qwen, 0),
        _protocol("qwen3vl-rel1000", partial(qwen, space="thousandths"), 1),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "37.5", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "37.3", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "43.1", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Qwen2.5-VL was asked for one class at a time; all classes in one prompt gave users 29.7 instead of 37.3.",
        "One entry without a label, or a word in front of the list, makes the whole answer empty for the scorer.",
        "Every box has score 1.0, so mAP depends on the order of the boxes.",
        "lmms-eval tries two coordinate spaces and keeps the one that fits the gold better.",
    ),
)
