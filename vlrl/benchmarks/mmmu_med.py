"""MMMU-Med: the five subjects of health and medicine of MMMU (arXiv 2311.16502)."""

from __future__ import annotations

from functools import partial

from vlrl.benchmarks import Benchmark, Reference
from vlrl.benchmarks.mmmu import HEALTH, LAYOUT, load, protocols

NAME = "mmmu-med"

BENCHMARK = Benchmark(
    name=NAME,
    title="MMMU-Med validation",
    sizes={"validation": 150},
    licence="Apache-2.0",
    layout=LAYOUT,
    load=partial(load, name=NAME, subjects=HEALTH),
    hub=("MMMU/MMMU", "lmms-lab/MMMU"),
    protocols=protocols("; the five subjects only"),
    references=(
        Reference("Qwen2.5-VL-7B", "50.6", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "54.0", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "35.2", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=("150 rows: an interval is about 8 points wide on either side.",),
)
