"""ChartMimic, customised mimic (arXiv 2406.09961): write code that draws other data in the manner of a chart."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, chartmimic, own_prompt, task_prompt
from vlrl.benchmarks.rules.chartmimic import DIFFERENCES, answer_program, chart_rows, low_level, low_level_metrics
from vlrl.data.errors import RowError
from vlrl.parsing.code import parse_code
from vlrl.parsing.tags import answer_text
from vlrl.types import Answer, Sample, Score

NAME = "chartmimic-customized"
SPLITS = {"customized_600": 600, "customized_1800": 1800, "customized_500": 500}
QUESTION = "Draw a chart in the manner of this one, of this data, which is defined already:\n"
_RULE = r"# ={19}\n"
_DATA = re.compile(
    rf"{_RULE}# Part 2: Data Preparation\n{_RULE}(.*?){_RULE}# Part 3: Plot Configuration and Rendering\n{_RULE[:-2]}", re.DOTALL
)
SETUP = """import warnings, math, colorsys, contextlib
warnings.filterwarnings('ignore', category=UserWarning)
warnings.filterwarnings('ignore', category=FutureWarning)
import matplotlib.pyplot as plt
import numpy as np
np.random.seed(0)
from matplotlib import cm
import matplotlib.colors as mcolors
from matplotlib.colors import LogNorm
from matplotlib.gridspec import GridSpec
import matplotlib.gridspec as gridspec
with contextlib.suppress(ImportError):
    from scipy.stats import gaussian_kde, multivariate_normal, norm
with contextlib.suppress(ImportError):
    import pandas as pd
with contextlib.suppress(ImportError):
    import networkx as nx
with contextlib.suppress(ImportError):
    import seaborn as sns
with contextlib.suppress(ImportError):
    from matplotlib_venn import venn2
"""
"""What stands before every answer; libraries that are not installed are left out."""


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the first folder of the archive that is there; the gold's data part is in the question."""
    for sample in chart_rows(folder, NAME, tuple(SPLITS), ""):
        found = _DATA.search(sample.answer["code"])
        if found is None:
            raise RowError(sample.source, "", "has no section `Part 2: Data Preparation`", "get the file anew")
        data = found[1].strip()
        answer = {**sample.answer, "setup_code": f"{SETUP}{data}\n"}
        yield replace(sample, question=QUESTION + data, answer=answer)


def strict(text: str, answer: Answer) -> Score:
    """As in chartmimic, with imports and the gold's data part before the answer's code.

    >>> strict("Bars.", {"code": "import matplotlib", "setup_code": "x = [1]\\n"}).failure
    'no_code'
    """
    body = answer_text(text)
    program = parse_code(body) if body is not None else None
    return chartmimic.strict("" if program is None else f"```python\n{answer['setup_code']}{program}\n```", answer)


def official_lowlevel(text: str, answer: Answer) -> Score:
    """As in chartmimic, with imports and the gold's data part before the answer's code.

    >>> official_lowlevel("Bars.", {"code": "import matplotlib", "setup_code": "x = [1]\\n"}).failure
    'no_code'
    """
    program = answer_program(text)
    return low_level(None if program is None else answer["setup_code"] + program, answer)


BENCHMARK = Benchmark(
    name=NAME,
    title="ChartMimic, customised",
    sizes=SPLITS,
    licence="Apache-2.0",
    layout=(
        "customized_600/, customized_1800/ or customized_500/: <stem>.py, <stem>.pdf, <stem>.png "
        "(ChartMimic/ChartMimic, dataset-iclr.tar.gz)",
    ),
    load=load,
    hub=("ChartMimic/ChartMimic",),
    protocols=(
        Protocol("strict", strict, task_prompt("chart"), "chart_score", chartmimic.strict_metrics, concurrent=True),
        Protocol(
            "official-lowlevel",
            official_lowlevel,
            own_prompt("{question}\nGive the matplotlib code in one ```python block."),
            "average",
            low_level_metrics,
            oracle="ChartMimic/ChartMimic c9e149c post_process/code_{checker,interpreter}.py, evaluator/*.py; matplotlib 3.8.4",
            differences=(*DIFFERENCES, "The prompt is ours: the authors' table of instructions is apart from the data."),
            generation={"max_completion_length": 4096},
            concurrent=True,
        ),
    ),
    pitfalls=(
        *chartmimic.BENCHMARK.pitfalls,
        "The gold's data is defined before the answer's code; code that defines its own data overrides it.",
    ),
)
