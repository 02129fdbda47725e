"""RefCOCO+ (arXiv 1608.00272): RefCOCO with phrases that name no place."""

from __future__ import annotations

from vlrl.benchmarks import Reference
from vlrl.benchmarks.rules.referring import refcoco_benchmark

BENCHMARK = refcoco_benchmark(
    "refcoco-plus",
    "RefCOCO+",
    sizes={"val": 10758, "testA": 5726, "testB": 4889},
    stem="refcocop",
    hub="RefCOCOplus",
    references=(
        Reference("Qwen2.5-VL-3B", "82.4 / 88.0 / 74.1 (val / testA / testB)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "84.2 / 89.1 / 76.9 (val / testA / testB)", "arXiv 2502.13923"),
        Reference("VLM-R1-3B, 500 steps", "83.8 / 89.4 / 77.6 (val / testA / testB)", "om-ai-lab/VLM-R1 issue 68"),
    ),
)
