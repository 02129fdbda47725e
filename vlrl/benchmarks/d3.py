"""D3 (Described Object Detection, arXiv 2307.12813): everything that fits a sentence, such as "a dog without a leash"."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, task_prompt
from vlrl.benchmarks.coco_det import coco_rows, const_metrics, pycocotools_const, strict, strict_metrics
from vlrl.data.layout import find_files
from vlrl.types import Sample

NAME = "d3"
FILES = ("d3_full_annotations.json", "d3_pres_annotations.json", "d3_abs_annotations.json")


def load(folder: Path) -> Iterable[Sample]:
    """The images of the annotation file: of FULL, where that is there, else of PRES or ABS; a doc_id is the image's id."""
    path = find_files(folder, *(f"{place}{name}" for name in FILES for place in ("d3_json/", "")))[0]
    return coco_rows(path, folder / "d3_images", NAME)


BENCHMARK = Benchmark(
    name=NAME,
    title="D3, described object detection",
    sizes={"full": 10578},
    licence="CC BY-NC 4.0",
    layout=("[d3_json/]d3_{full,pres,abs}_annotations.json + d3_images/ (shikras/d-cube)",),
    load=load,
    protocols=(
        Protocol("strict", strict, task_prompt("detection"), "f1", strict_metrics),
        Protocol(
            "official-const",
            pycocotools_const,
            task_prompt("detection"),
            "mAP",
            const_metrics,
            oracle="pycocotools COCOeval, as shikras/d-cube fa0ccd6 doc.md calls it; every box with score 1.0",
            differences=("Where nothing was predicted the numbers are 0; pycocotools cannot load an empty list.",),
        ),
    ),
    pitfalls=(
        "The paper asks each image for the four sentences of its group (intra-group). The annotation file names no groups, so "
        "all sentences are asked here (inter-group), which is harder.",
        "FULL, PRES and ABS are three files: the folder's FULL file is taken where it is there.",
    ),
)
