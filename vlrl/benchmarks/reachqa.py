"""ReachQA (arXiv 2410.18798) as code: write the code of its test charts, as MSRL (2508.13587) uses it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, task_prompt
from vlrl.benchmarks.chartmimic import strict, strict_metrics
from vlrl.benchmarks.rules.chartmimic import gold_code
from vlrl.data.layout import find_files
from vlrl.types import Media, Sample

NAME = "reachqa"


def load(folder: Path) -> Iterable[Sample]:
    """The charts of the authors' test set; a doc_id is the file's stem."""
    return _rows(find_files(folder, "code/*.py", "reachqa_test/code/*.py", "data/reachqa_test/code/*.py"))


def _rows(paths: list[Path]) -> Iterator[Sample]:
    for path in paths:
        media = (Media("image", str(path.parent.parent / "images" / f"{path.stem}.png")),)
        yield Sample(path.stem, NAME, "Draw this chart again.", {"code": gold_code(path)}, media, str(path))


BENCHMARK = Benchmark(
    name=NAME,
    title="ReachQA as code",
    sizes={"test": 500},
    licence="not stated in the repository",
    layout=("[data/][reachqa_test/]code/<n>.py + images/<n>.png, drawn by execute_code.py (hewei2001/ReachQA)",),
    load=load,
    protocols=(Protocol("strict", strict, task_prompt("chart"), "chart_score", strict_metrics, concurrent=True),),
    references=(
        Reference("Qwen2.5-VL-7B", "executes 62.2, judge 37.6", "MSRL, arXiv 2508.13587"),
        Reference("MSRL", "executes 98.2, judge 89.9", "arXiv 2508.13587"),
    ),
    pitfalls=("The published numbers are a judge's; `execution_rate` alone can be compared.",),
)
