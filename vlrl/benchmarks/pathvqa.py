"""PathVQA (arXiv 2003.10286): questions about pathology pictures, half of them yes or no."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, task_prompt
from vlrl.benchmarks.rules import llava_med, medevalkit
from vlrl.benchmarks.vqa_rad import parquet_rows
from vlrl.data.layout import find_files
from vlrl.rewards.medical import by_kind
from vlrl.types import Sample

NAME = "pathvqa"


def load(folder: Path) -> Iterable[Sample]:
    """The test rows of the parquet copy."""
    return parquet_rows(find_files(folder, "test-*.parquet", "data/test-*.parquet"), NAME)


BENCHMARK = Benchmark(
    name=NAME,
    title="PathVQA",
    sizes={"test": 6719},
    licence="MIT",
    layout=("[data/]test-*.parquet: image, question, answer (flaviagiammarino/path-vqa)",),
    load=load,
    hub=("flaviagiammarino/path-vqa",),
    protocols=(
        Protocol("strict", by_kind, task_prompt("medical"), "score"),
        llava_med.protocol(),
        medevalkit.question_protocol(),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "44.1 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "61.9 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "32.5 (judge)", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=("Several models answer as well from blank pictures: run them as a control.",),
)
