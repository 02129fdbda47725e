"""LISA-Grounding (VLM-R1, arXiv 2504.07615): ReasonSeg's test questions with a box for an answer."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vlrl.benchmarks import Benchmark, Reference
from vlrl.benchmarks.rules import referring
from vlrl.data.layout import find_files
from vlrl.types import Sample

NAME = "lisa-grounding"


def load(folder: Path) -> Iterable[Sample]:
    """The rows of VLM-R1's file; a doc_id is the index in the file."""
    path = find_files(folder, "rec_jsons_processed/lisa_test.json", "lisa_test.json")[0]
    return referring.vlm_r1_rows(path, (folder / "lisa", folder), NAME, "test")


BENCHMARK = Benchmark(
    name=NAME,
    title="LISA-Grounding",
    sizes={},
    licence="Apache-2.0 (annotations); images of their owners",
    layout=("rec_jsons_processed/lisa_test.json: image, problem, solution (xyxy) + lisa/ (omlab/VLM-R1)",),
    load=load,
    hub=("omlab/VLM-R1",),
    protocols=(referring.STRICT, referring.VLM_R1, referring.VLM_R1_BASELINE),
    references=(Reference("VLM-R1-3B", "63.1", "arXiv 2504.07615"),),
    pitfalls=(
        "Pictures are large: boxes of the resized picture that are not scaled back give some 28 instead of 50 and more.",
        "UniVG-R1 takes an IoU of exactly .5 for right, VLM-R1 does not.",
    ),
)
