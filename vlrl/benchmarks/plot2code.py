"""Plot2Code (arXiv 2405.07990): write the code of figures of matplotlib's gallery."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, own_prompt, task_prompt
from vlrl.benchmarks.chartmimic import strict, strict_metrics
from vlrl.benchmarks.rules.figures import GOLD_FIGURES, of_gold, told
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import answer_text
from vlrl.types import Answer, Media, Sample, Score

NAME = "plot2code"
NEAR = 0.8
"""Texts whose places are as alike as that may match."""
PIXELS = 100.0
MAX_INCHES = 1e6
SETUP = "import matplotlib.pyplot as plt\nimport numpy as np\nfrom matplotlib.pyplot import *\n"
"""The names that the authors' script has when it runs the code."""
_BLOCK = re.compile(r"```python(.*?)```", re.DOTALL)


def load(folder: Path) -> Iterable[Sample]:
    """The rows of `metadata.jsonl` of the matplotlib part; a doc_id is the number of the picture, which is the row's index."""
    tops = ("data/python_matplotlib/test", "python_matplotlib/test", "data/Plot2Code/test", "test", ".")
    return _rows(find_files(folder, *(f"{top}/metadata.jsonl" if top != "." else "metadata.jsonl" for top in tops)))


def _rows(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("code",)):
        name = row.get("file_name") or f"ground_truth_image_{place.number}.png"
        media = (Media("image", str(place.path.parent / name)),)
        question = row.get("instruction") or "Draw this figure again."
        yield Sample(str(place.number), NAME, question, {"code": row["code"]}, media, place.source)


def answer_program(text: str) -> str | None:
    """All `python` blocks of an answer, one after another, else all of it; None without an answer.

    >>> answer_program("```python\\na\\n``` and ```python\\nb\\n```")
    'a\\nb'
    """
    body = answer_text(text)
    if body is None:
        return None
    return "\n".join(block.strip() for block in _BLOCK.findall(body)) or body


def official_text_match(text: str, answer: Answer) -> Score:
    """Matching texts / (matching texts + texts that are left over in both figures); 1 where neither has a text.

    Texts match when they are equal but for case and their places are near: exp(-d / 100) > 0.8, where the other figure's place is
    scaled by the ratio of the figures' sizes. Places are in each text's own coordinates. Part `executes`. Failures: `no_code`,
    those of the sandbox, `blank_figure`. Raises ValueError for gold code that does not run here.

    >>> official_text_match("<think>bars", {"code": "import matplotlib"}).failure
    'no_code'
    """
    program = answer_program(text)
    if program is None:
        return _nothing("no_code")
    gold, ours = _gold(answer["code"]), told(SETUP + program, "texts", _page)
    if isinstance(ours, str):
        return _nothing(ours)
    if not ours.panels and not ours.texts:
        return _nothing("blank_figure")
    value = text_match(gold, ours)
    return Score(value, {"executes": 1.0, "match": value}, extracted=program)


def _nothing(failure: str) -> Score:
    return Score(0.0, {"executes": 0.0, "match": 0.0}, correct=False, failure=failure)


@dataclass(frozen=True)
class Page:
    """A figure's size in inches, its texts with their places, and how many panels it has."""

    size: tuple[float, float]
    texts: tuple[tuple[str, float | None, float | None], ...]
    panels: int


def _page(facts: Mapping[str, Any]) -> Page:
    width, height = (float(side) for side in facts["size"])
    if not (0 < width < MAX_INCHES and 0 < height < MAX_INCHES):
        raise ValueError("a page has a size")
    texts = tuple((str(text), _place(x), _place(y)) for text, x, y in facts["texts"])
    return Page((width, height), texts, int(facts["panels"]))


def _place(value: Any) -> float | None:
    return None if value is None else float(value)


@lru_cache(GOLD_FIGURES)
def _gold(code: str) -> Page:
    return of_gold(told(SETUP + code, "texts", _page))


def text_match(gold: Page, ours: Page) -> float:
    """Gold texts one after another take the first equal text that is near and still free."""
    ratio = (gold.size[0] / ours.size[0], gold.size[1] / ours.size[1])
    left = list(ours.texts)
    matched = 0
    for text, *place in gold.texts:
        found = next((one for one in left if one[0] == text and _near(place, one[1:], ratio)), None)
        if found is not None:
            left.remove(found)
            matched += 1
    total = len(gold.texts) + len(left)
    return matched / total if total else 1.0


def _near(gold: Iterable[float | None], ours: Iterable[float | None], ratio: tuple[float, float]) -> bool:
    (x, y), (u, v) = gold, ours
    if x is None or y is None or u is None or v is None:
        return False
    return math.exp(-math.hypot(x - u * ratio[0], y - v * ratio[1]) / PIXELS) > NEAR


def official_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The text match over programs that run, as published, and over all; the share of programs that run."""
    return {
        "text_match_score": table.ratio("match", "executes"),
        "text_match_all": table.mean(),
        "code_pass_rate": table.mean("executes"),
    }


PROMPT = (
    "You are a helpful assistant that can generate Python code using matplotlib.Generate the matplotlib code to create a plot "
    "that looks like the given image, as similar as possible.The generated code should be surrounded by ```python and ```\n"
)

BENCHMARK = Benchmark(
    name=NAME,
    title="Plot2Code, matplotlib",
    sizes={"test": 132},
    licence="Apache-2.0",
    layout=(
        "[data/][python_matplotlib/]test/metadata.jsonl: code[, file_name, instruction] + ground_truth_image_<n>.png "
        "(TencentARC/Plot2Code)",
    ),
    load=load,
    hub=("TencentARC/Plot2Code",),
    protocols=(
        Protocol("strict", strict, task_prompt("chart"), "chart_score", strict_metrics, concurrent=True),
        Protocol(
            "official-text-match",
            official_text_match,
            own_prompt(PROMPT),
            "text_match_score",
            official_metrics,
            oracle="TencentARC/Plot2Code 12bd95a eval/text_match_score.py extract_texts, match_texts; matplotlib 3.8.4",
            differences=(
                "A program that fails is a row of value 0; `text_match_score` leaves it out as published.",
                "A figure without axes and texts is blank; there a white picture is.",
                "A program may take 60 seconds, there 30.",
            ),
            generation={"max_completion_length": 1024},
            concurrent=True,
        ),
    ),
    pitfalls=(
        "The published average is over programs that run: a model that fails on hard figures gains.",
        "Places are compared in mixed units (data, axes, pixels): large numbers part equal texts, small ones join all.",
        "The plotly parts are not read; the judge's rating is not computed.",
    ),
)
