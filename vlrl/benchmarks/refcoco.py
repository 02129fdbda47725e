"""RefCOCO (arXiv 1608.00272): the box of the one thing that a short phrase describes."""

from __future__ import annotations

from vlrl.benchmarks import Reference
from vlrl.benchmarks.rules.referring import refcoco_benchmark

BENCHMARK = refcoco_benchmark(
    "refcoco",
    "RefCOCO",
    sizes={"val": 10834, "testA": 5657, "testB": 5095},
    stem="refcoco",
    hub="RefCOCO",
    references=(
        Reference("Qwen2.5-VL-3B", "89.1 / 91.7 / 84.0 (val / testA / testB)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "90.0 / 92.5 / 85.4 (val / testA / testB)", "arXiv 2502.13923"),
        Reference("VLM-R1-3B, 500 steps", "90.6 / 92.8 / 85.8 (val / testA / testB)", "om-ai-lab/VLM-R1 issue 68"),
    ),
    pitfalls=(
        "lmms-lab's val holds rows of another split too: its 8,811 objects are not the 3,811 of the standard val.",
        "VLMEvalKit's table holds RefCOCO, RefCOCO+ and RefCOCOg; here all of its rows are read, as its number is their mean.",
    ),
)
