"""RefCOCOg (arXiv 1511.02283, UMD split): RefCOCO with whole sentences."""

from __future__ import annotations

from vlrl.benchmarks import Reference
from vlrl.benchmarks.rules.referring import refcoco_benchmark

BENCHMARK = refcoco_benchmark(
    "refcocog",
    "RefCOCOg",
    sizes={"val": 4896, "test": 9602},
    stem="refcocog",
    hub="RefCOCOg",
    references=(
        Reference("Qwen2.5-VL-3B", "85.2 / 85.7 (val / test)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "87.2 / 87.2 (val / test)", "arXiv 2502.13923"),
        Reference("VLM-R1-3B, 500 steps", "84.8 / 86.4 (val / test)", "om-ai-lab/VLM-R1 issue 68"),
    ),
    pitfalls=("lmms-lab's val holds rows of another split too: its 7,573 objects are not the 2,573 of the standard val.",),
)
