"""ChartMimic, direct mimic (arXiv 2406.09961): write the code that draws a chart again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, task_prompt
from vlrl.benchmarks.rules.chartmimic import DIFFERENCES, answer_program, chart_rows, low_level, low_level_metrics
from vlrl.data.image_size import image_size
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards import chart
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Sample, Score

NAME = "chartmimic"
SPLITS = {"direct_600": 600, "direct_1800": 1800, "ori_500": 500}
DPI = 120
"""Resolution at which the authors make the pictures from their PDF files."""
PROMPT = (
    "You are an expert Python developer who specializes in writing matplotlib code based on a given picture. I found a very "
    "nice picture in a STEM paper, but there is no corresponding source code available. I need your help to generate the Python "
    "code that can reproduce the picture based on the picture I provide.\nNote that it is necessary to use "
    "figsize=({width}, {height}) to set the image size to match the original size.\nNow, please give me the matplotlib code that "
    "reproduces the picture below."
)


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the first folder of the archive that is there; a doc_id is the file's stem."""
    return chart_rows(folder, NAME, tuple(SPLITS), "Draw this chart again.")


def strict(text: str, answer: Answer) -> Score:
    """`chart.code`; part `executes`: 1 when the code runs to its end and draws something.

    >>> strict("Bars.", {"code": "import matplotlib"}).parts
    {'executes': 0.0}
    """
    score = chart.code(text, answer)
    return replace(score, parts={**score.parts, "executes": float(score.failure is None)})


def official_lowlevel(text: str, answer: Answer) -> Score:
    """The mean of four F1s (`rules.chartmimic.low_level`) of the first ```python block.

    >>> official_lowlevel("Bars.", {"code": "import matplotlib"}).failure
    'no_code'
    """
    return low_level(answer_program(text), answer)


def sized_prompt(sample: Sample, mode: str, space: str) -> str:
    """The authors' prompt, with the picture's size in inches."""
    width, height = (f"{side / DPI:.1f}" for side in image_size(sample.media[0].path, sample.source))
    return PROMPT_MODES[mode] + PROMPT.replace("{width}", width).replace("{height}", height)


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The mean score, also by chart type, and the share of programs that run and draw."""
    return {**break_down(table, "chart_score"), "execution_rate": table.mean("executes")}


BENCHMARK = Benchmark(
    name=NAME,
    title="ChartMimic, direct",
    sizes=SPLITS,
    licence="Apache-2.0",
    layout=(
        "direct_600/, direct_1800/ or ori_500/: <stem>.py, <stem>.pdf, <stem>.png (ChartMimic/ChartMimic, dataset-iclr.tar.gz)",
    ),
    load=load,
    hub=("ChartMimic/ChartMimic",),
    protocols=(
        Protocol("strict", strict, task_prompt("chart"), "chart_score", strict_metrics, concurrent=True),
        Protocol(
            "official-lowlevel",
            official_lowlevel,
            sized_prompt,
            "average",
            low_level_metrics,
            oracle="ChartMimic/ChartMimic c9e149c post_process/code_{checker,interpreter}.py, evaluator/*.py; matplotlib 3.8.4",
            differences=(
                *DIFFERENCES,
                "The figure size in the prompt is that of the picture at 120 dpi; the authors' table of sizes is apart.",
            ),
            generation={"max_completion_length": 4096},
            concurrent=True,
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "low level 58.7", "JanusCoder"),
        Reference("Qwen2.5-VL-7B", "low level 44.6, executes 73.2", "MSRL, arXiv 2508.13587"),
        Reference("GPT-4o", "low level 67.4", "JanusCoder"),
    ),
    pitfalls=(
        "Papers mix the versions ori_500, direct_600 and direct_1800 and two prompts: 44.6 and 58.7 are the same model.",
        "The official low-level score pays for code that dies late; `average_exec_gated` does not.",
        "The judge's half of the official score is not computed here.",
        "The published numbers were drawn with matplotlib 3.8.4; another version moves them.",
    ),
)
