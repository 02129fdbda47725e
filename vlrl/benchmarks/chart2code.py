"""Chart2Code (arXiv 2510.17932): code for charts, on three levels: draw again, edit, draw a long table."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, break_down, own_prompt, task_prompt
from vlrl.benchmarks.chartmimic import strict, strict_metrics
from vlrl.benchmarks.rules.chartmimic import gold_code
from vlrl.benchmarks.rules.figures import Figure, Value, drawn, gold_drawn
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.box_iou import iou
from vlrl.metrics.edit_distance import indel_similarity
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import answer_text
from vlrl.types import Answer, Media, Sample, Score

NAME = "chart2code"
PARTS = ("color", "grid", "layout", "legend", "parameter_data", "parameter_visual", "text", "type")
WEIGHTS = {
    **dict.fromkeys(("patch_face", "line_color", "scatter_color", "text_color"), 1.0),
    "scatter_palette": 0.7,
    **dict.fromkeys(("patch_edge", "axes_bg", "figure_bg"), 0.01),
    **dict.fromkeys(("axis_label", "title"), 0.05),
}
"""How much a colour of each role counts; of others `OTHER_WEIGHT`."""
OTHER_WEIGHT = 0.1
UNMATCHED = "axes_bg"
"""The authors key the backgrounds of panels by memory address, so that they never match."""
DATA = frozenset(["xdata", "ydata", "offsets", "xy", "verts", "width", "height", "sizes"])
"""Properties that are data; all others are looks."""
PICTURES = ("input image", "input image_2")
PICTURE = "input_chart_image"
QUESTION = "Draw this chart again."
_PYTHON = re.compile(r"```python[ \t]*\n(.*?)\n```", re.DOTALL)
_PLAIN = re.compile(r"```[ \t]*\n(.*?)\n```", re.DOTALL)


# ---- rows ----------------------------------------------------------------------------------------------------------------


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' `level*.json`, or of the parquet copy; a doc_id is `<level>:<stem of the gold>`."""
    for path in find_files(folder, "level*.json", "data/level*.json", "data/level*/*.parquet", "level*/*.parquet"):
        yield from _parquet(path) if path.suffix == ".parquet" else _level(path)


def _parquet(path: Path) -> Iterator[Sample]:
    level = path.parent.name
    for place, row in numbered_rows([path], ("python_code", "target_chart_image_file"), skip=(PICTURE,)):
        stem = Path(row["target_chart_image_file"]).stem
        answer: Answer = {"code": row["python_code"], "groups": {"level": level}}
        question = row.get("instruction") or QUESTION
        yield Sample(f"{level}:{stem}", NAME, question, answer, (place.image(PICTURE),), place.source)


def _level(path: Path) -> Iterator[Sample]:
    for number, row in enumerate(read_rows(path)):
        if "GT code" not in row:
            continue
        gold = path.parent / row["GT code"]
        media = tuple(Media("image", str(path.parent / row[key])) for key in PICTURES if row.get(key))
        answer: Answer = {"code": gold_code(gold), "groups": {"level": path.stem}}
        yield Sample(f"{path.stem}:{gold.stem}", NAME, _question(path.parent, row), answer, media, f"{path}:{number}")


def _question(folder: Path, row: Mapping[str, Any]) -> str:
    """The instruction, and the data where that is a text, from their files."""
    named = [folder / row[key] for key in ("instruction", "input data") if row.get(key)]
    texts = [gold_code(path).strip() for path in named if path.suffix == ".txt" and path.is_file()]
    return "\n\n".join(texts) or QUESTION


# ---- scores --------------------------------------------------------------------------------------------------------------


def answer_program(text: str) -> str | None:
    """The first block called `python`, else the first without a name; None without one.

    >>> answer_program("```\\nimport a\\n```")
    'import a'
    """
    body = answer_text(text)
    found = (_PYTHON.search(body) or _PLAIN.search(body)) if body is not None else None
    return found[1].strip() if found else None


def official_base(text: str, answer: Answer) -> Score:
    """The mean of eight F1s between two figures as objects; 0 for a program that fails. Part `success`, and the eight.

    Failures: `no_code`, those of the sandbox. Raises ValueError for gold code that does not run here.

    >>> official_base("A bar chart.", {"code": "import matplotlib"}).failure
    'no_code'
    """
    program = answer_program(text)
    if program is None:
        return _nothing("no_code")
    gold, ours = gold_drawn(answer["code"]), drawn(program)
    if isinstance(ours, str):
        return _nothing(ours)
    parts = compare(ours, gold)
    return Score(sum(parts.values()) / len(parts), {**parts, "success": 1.0}, extracted=program)


def _nothing(failure: str) -> Score:
    return Score(0.0, dict.fromkeys((*PARTS, "success"), 0.0), correct=False, failure=failure)


def compare(ours: Figure, gold: Figure) -> dict[str, float]:
    """The eight F1s."""
    data, look = parameter_f1s(ours.elements, gold.elements)
    return {
        "color": color_f1(ours.colors, gold.colors),
        "grid": same_f1(ours.grids, gold.grids),
        "layout": same_f1(ours.layout, gold.layout),
        "legend": legend_f1(ours, gold),
        "parameter_data": data,
        "parameter_visual": look,
        "text": text_f1(ours.texts, gold.texts),
        "type": same_f1(ours.types, gold.types),
    }


def _f1(common: float, found: float, gold: float) -> float:
    """F1 of a sum of similarities; 1 where neither side has anything, 0 where one has nothing."""
    if not found and not gold:
        return 1.0
    precision, recall = (min(1.0, common / size) if size else 0.0 for size in (found, gold))
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def same_f1(ours: Iterable[Any], gold: Iterable[Any]) -> float:
    """F1 of equal items.

    >>> same_f1(["line"], ["line", "bar"]), same_f1([], [])
    (0.6666666666666666, 1.0)
    """
    a, b = Counter(ours), Counter(gold)
    return _f1((a & b).total(), a.total(), b.total())


def color_f1(ours: Mapping[str, Mapping[str, str]], gold: Mapping[str, Mapping[str, str]]) -> float:
    """Weighted F1 of the colours with the same role and key, by `color_similarity`."""
    common = 0.0
    for role in (ours.keys() & gold.keys()) - {UNMATCHED}:
        for key in ours[role].keys() & gold[role].keys():
            common += WEIGHTS.get(role, OTHER_WEIGHT) * color_similarity(ours[role][key], gold[role][key])
    return _f1(
        common, *(sum(WEIGHTS.get(role, OTHER_WEIGHT) * len(found) for role, found in side.items()) for side in (ours, gold))
    )


def color_similarity(a: str, b: str) -> float:
    """1 - distance / greatest distance, in sRGB.

    >>> color_similarity("#000000", "#FFFFFF"), round(color_similarity("#FF0000", "#00FF00"), 4)
    (0.0, 0.1835)
    """
    return 1 - math.dist(bytes.fromhex(a[1:]), bytes.fromhex(b[1:])) / math.dist((0, 0, 0), (255, 255, 255))


def legend_f1(ours: Figure, gold: Figure) -> float:
    """F1 of entries with the same text in legends that overlap."""
    left, common = list(gold.legends), 0
    for text, box in ours.legends:
        found = next((one for one in left if one[0] == text and iou(box, one[1]) > 0), None)
        if found is not None:
            left.remove(found)
            common += 1
    return _f1(common, len(ours.legends), len(gold.legends))


def text_f1(ours: Mapping[str, tuple[str, ...]], gold: Mapping[str, tuple[str, ...]]) -> float:
    """F1 by edit similarity; in each role the texts take one after another the most similar gold text that is free."""
    common = 0.0
    for role in ours.keys() & gold.keys():
        left = list(gold[role])
        for text in ours[role][: len(left)]:
            alike = [indel_similarity(text, other) for other in left]
            best = max(range(len(left)), key=alike.__getitem__)
            common += alike[best]
            del left[best]
    return _f1(common, *(sum(map(len, side.values())) for side in (ours, gold)))


def parameter_f1s(ours: tuple[Mapping[str, Value], ...], gold: tuple[Mapping[str, Value], ...]) -> tuple[float, float]:
    """F1 of the data and of the looks: each gold element takes the free element of its type that is most like it."""
    left = list(ours)
    common = {True: 0.0, False: 0.0}
    for element in gold:
        scores = [_likeness(element, other) for other in left]
        best = max(range(len(left)), key=scores.__getitem__, default=None)
        if best is None or scores[best] < 0:
            continue
        match = left.pop(best)
        for name in (element.keys() | match.keys()) - {"type"}:
            common[name in DATA] += value_similarity(element.get(name), match.get(name))
    if not ours and not gold:
        return 1.0, 1.0
    data, look = (_f1(common[is_data], _count(ours, is_data), _count(gold, is_data)) for is_data in (True, False))
    return data, look


def _likeness(gold: Mapping[str, Value], other: Mapping[str, Value]) -> float:
    if gold["type"] != other["type"]:
        return -1.0
    return sum(value_similarity(value, other.get(name)) for name, value in gold.items() if name != "type")


def _count(elements: Iterable[Mapping[str, Value]], is_data: bool) -> int:
    return sum((name in DATA) == is_data for element in elements for name in element if name != "type")


def value_similarity(a: Value, b: Value) -> float:
    """Of lists the Jaccard index of their different values; else 1 for equal values, 0 for others.

    >>> value_similarity(frozenset([1.0, 2.0]), frozenset([2.0, 3.0, 4.0])), value_similarity("1.0", 1.0)
    (0.25, 1.0)
    """
    if isinstance(a, frozenset) or isinstance(b, frozenset):
        if not isinstance(a, frozenset) or not isinstance(b, frozenset):
            return 0.0
        union: frozenset[Any] = frozenset(a) | frozenset(b)
        return len(frozenset[Any](a) & frozenset[Any](b)) / len(union) if union else 1.0
    if a is None or b is None:
        return float(a is b)
    x, y = _number(a), _number(b)
    if x is None or y is None:
        return float(str(a) == str(b))
    return float(abs(x - y) <= 1e-8 + 1e-5 * abs(y))


def _number(value: float | str) -> float | None:
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


# ---- metrics -------------------------------------------------------------------------------------------------------------


def official_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The share of programs that run; each F1 over those, as published, and over all; the mean of the eight over all."""
    executed = {f"{part}_f1": table.ratio(part, "success") for part in PARTS}
    everything = {f"{part}_f1_all": table.mean(part) for part in PARTS}
    return {**break_down(table, "average_all"), "success_rate": table.mean("success"), **executed, **everything}


BENCHMARK = Benchmark(
    name=NAME,
    title="Chart2Code",
    sizes={"test": 2023},
    licence="Apache-2.0",
    layout=(
        "[data/]level1_{direct,figure,customize}.json, level2.json, level3.json: GT code, input image[, instruction, input data] "
        "+ the files that they name (CSU-JPG/Chart2Code, data.zip)",
        "[data/]<level>/*.parquet: python_code, input_chart_image, target_chart_image_file[, instruction] (CSU-JPG/Chart2Code)",
    ),
    load=load,
    hub=("CSU-JPG/Chart2Code",),
    protocols=(
        Protocol("strict", strict, task_prompt("chart"), "chart_score", strict_metrics, concurrent=True),
        Protocol(
            "official-base",
            official_base,
            own_prompt("{question}\nGive the Python code in one ```python block."),
            "average_all",
            official_metrics,
            oracle="CSU-JPG/Chart2Code 781a14f Evaluation/srcs/*_evaluator.py on executed figures; matplotlib 3.8.4",
            differences=(
                "A program that fails or is missing is a row of value 0; the metrics named `*_f1` leave it out as published.",
                "The value is the mean of the eight F1s; there each is reported alone.",
                "Colours of a palette are compared in order of their names; there the order is that of a hash and changes.",
                "Of more than 2,000 different numbers of an artist, 1,000 artists or 2,000 texts the first count.",
                "Network charts keep their layout; there every file whose path holds `/graph` has the same one.",
                "The prompt is ours: the authors' differ from model to model.",
            ),
            generation={"max_completion_length": 4096},
            concurrent=True,
        ),
    ),
    pitfalls=(
        "The published F1s are over programs that run.",
        "The backgrounds of panels never match, so that a chart that is equal to the gold has a colour F1 below 1.",
        "Tick labels of categories make a bar chart, others a histogram.",
        "Tables of level 3 (xlsx) are not shown to the model. The judges' scores are not computed.",
    ),
)
