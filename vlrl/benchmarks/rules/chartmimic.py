"""ChartMimic's low-level scores: four F1s of what two programs call and draw, both traced in the sandbox."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from vlrl.benchmarks import Metric
from vlrl.benchmarks.rules.figures import of_gold, told
from vlrl.data.layout import find_files
from vlrl.metrics.color_difference import Constants, delta_e_2000, hex_to_lab
from vlrl.metrics.matching import best_pairs
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.tags import answer_text
from vlrl.types import Answer, Media, Sample, Score, UserError

GOLD_TRACES = 64
PARTS = ("text", "layout", "chart_type", "color")
MANY_COLOURS, NEAR = 10, 0.7
"""Of more colours than that, those more similar than `NEAR` to an earlier one are left out."""

COLORMATH = Constants(
    np.array([[0.412424, 0.357579, 0.180464], [0.212656, 0.715158, 0.0721856], [0.0193324, 0.119193, 0.950444]]),
    np.array([0.95047, 1.0, 1.08883]),
    7.787,
)
"""The rounded constants of colormath 3.0.0, which the official script uses."""

_BLOCK = re.compile(r"```python(.*?)```", re.DOTALL)
_END = re.compile(r"plt\.savefig\(|plt.show\(")
_HEX = re.compile(r"#[0-9A-F]{6}(?:[0-9A-F]{2})?")


@dataclass(frozen=True)
class Drawn:
    """What a program called and drew; `error` is None for one that ended well."""

    texts: tuple[str, ...]
    layout: tuple[tuple[int, ...], ...]
    calls: Mapping[str, int]
    colors: tuple[tuple[str, str], ...]
    error: str | None


# ---- rows ----------------------------------------------------------------------------------------------------------------


def chart_rows(folder: Path, name: str, splits: Sequence[str], question: str) -> Iterator[Sample]:
    """The rows of the first of the folders `splits` that is there: `<stem>.py` with its `<stem>.png`; a doc_id is the stem."""
    for path in find_files(folder, *(f"{split}/*.py" for split in splits)):
        groups = {"split": path.parent.name, "chart_type": path.stem.split("_")[0].lower()}
        media = (Media("image", str(path.with_suffix(".png"))),)
        yield Sample(path.stem, name, question, {"code": gold_code(path), "groups": groups}, media, str(path))


def gold_code(path: Path) -> str:
    """The text of a program file. Raises UserError when it cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read ({error}); get the file anew") from error


# ---- programs ------------------------------------------------------------------------------------------------------------


def answer_program(text: str) -> str | None:
    """The first closed block called exactly `python` of the answer, up to where it saves or shows the figure; None without one.

    >>> answer_program("```python\\nimport a\\nplt.show()\\nb()\\n```"), answer_program("```py\\nimport a\\n```")
    ('import a', None)
    """
    body = answer_text(text)
    block = _BLOCK.search(body) if body is not None else None
    return until_saved(block[1]) if block else None


def until_saved(program: str) -> str:
    """The program up to the first `plt.savefig(` or `plt.show(`: drawing ends there.

    >>> until_saved("plt.plot([1])\\nplt.savefig('a.pdf')\\nplt.close()")
    'plt.plot([1])'
    """
    return _END.split(program, maxsplit=1)[0].strip()


def traced(program: str) -> Drawn | str:
    """What a program draws, also one that dies on the way; a failure code when the sandbox cannot tell."""
    return told(program, "calls", _drawn)


def _drawn(facts: Mapping[str, Any]) -> Drawn:
    """The trace in checked form: it is a claim of the program's."""
    calls = {str(kind): min(int(count), 10**6) for kind, count in facts["calls"].items() if int(count) > 0}
    colors = [(str(kind), str(color)) for kind, found in facts["colors"].items() for color in found]
    if not all(_HEX.fullmatch(color) for _, color in colors if color.startswith("#")):
        raise ValueError("a colour is none")
    layout = tuple(tuple(int(number) for number in cell) for cell in facts["layout"])
    error = facts["error"]
    return Drawn(tuple(map(str, facts["texts"])), layout, calls, tuple(sorted(colors)), None if error is None else str(error))


@lru_cache(GOLD_TRACES)
def gold_drawn(code: str) -> Drawn:
    """The trace of gold code. Raises ValueError when it does not run here to its end."""
    drawn = of_gold(traced(until_saved(code)))
    return drawn if drawn.error is None else of_gold(drawn.error)


# ---- scores --------------------------------------------------------------------------------------------------------------


def low_level(program: str | None, answer: Answer) -> Score:
    """The mean of the F1s of text, layout, chart type and colour with the figure that `answer["code"]` draws.

    Parts: the four, and `executes`: 1 for a program that runs to its end. A program that dies late keeps credit for what it
    drew. Failures: `no_code`, `exec_error` (nothing was drawn before the error), those of the sandbox. Raises ValueError for gold
    code that does not run here.

    >>> low_level(None, {"code": "import matplotlib"}).parts["executes"]
    0.0
    """
    if program is None:
        return _nothing("no_code")
    gold, drawn = gold_drawn(answer["code"]), traced(program)
    if isinstance(drawn, str):
        return _nothing(drawn)
    if drawn.error is not None and not drawn.calls and not drawn.texts and not drawn.layout:
        return _nothing("exec_error")
    whole_figure = answer.get("groups", {}).get("chart_type") == "graph"
    parts = {
        "text": multiset_f1(drawn.texts, gold.texts),
        "layout": multiset_f1(*(_cells(one, whole_figure) for one in (drawn, gold))),
        "chart_type": counts_f1(drawn.calls, gold.calls),
        "color": color_f1(drawn.colors, gold.colors),
    }
    value = sum(parts.values()) / len(parts)
    executes = {"executes": float(drawn.error is None)}
    return Score(value, {**parts, **executes, "gated": value * executes["executes"]}, extracted=program)


def _nothing(failure: str) -> Score:
    return Score(0.0, dict.fromkeys((*PARTS, "executes", "gated"), 0.0), correct=False, failure=failure)


def _cells(drawn: Drawn, whole_figure: bool) -> list[tuple[int, ...]]:
    """The cells of the panels; of networks only how many panels there are."""
    return [(1, 1, 0, 1, 0, 1)] * len(drawn.layout) if whole_figure else list(drawn.layout)


def multiset_f1(found: Iterable[Any], gold: Iterable[Any]) -> float:
    """F1 of equal items; 0 when either side has none.

    >>> multiset_f1(["a", "a", "b"], ["a", "c"])
    0.4
    """
    return counts_f1(Counter(found), Counter(gold))


def counts_f1(found: Mapping[Any, int], gold: Mapping[Any, int]) -> float:
    """F1 of the common counts: 2 * sum of min / (sum of both); 0 when either side is empty.

    >>> round(counts_f1({"bar": 2, "plot": 1}, {"bar": 1}), 6)
    0.5
    """
    common = sum(min(count, gold[key]) for key, count in found.items() if key in gold)
    return _f1(common, sum(found.values()), sum(gold.values()))


def _f1(common: float, found: int, gold: int) -> float:
    return 2 * common / (found + gold) if found and gold else 0.0


def color_f1(found: Sequence[tuple[str, str]], gold: Sequence[tuple[str, str]]) -> float:
    """F1 of (kind, colour): in each kind the best one-to-one matching by max(0, 1 - CIEDE2000 / 100), colour maps by name.

    >>> color_f1([("bar", "#FF0000"), ("bar", "#00FF00")], [("bar", "#00FF00"), ("line", "#FF0000")])
    0.5
    """
    ours, theirs = _few(found), _few(gold)
    common = sum(_matched(_of(kind, ours), _of(kind, theirs)) for kind in {kind for kind, _ in ours})
    return _f1(common, len(ours), len(theirs))


def _of(kind: str, colors: Sequence[tuple[str, str]]) -> list[str]:
    return [color for other, color in colors if other == kind]


def _matched(found: list[str], gold: list[str]) -> float:
    if not found or not gold:
        return 0.0
    similarity_NM = color_similarity(found, gold)
    return float(sum(similarity_NM[pair] for pair in best_pairs(similarity_NM)))


def color_similarity(a: Sequence[str], b: Sequence[str]) -> np.ndarray:
    """max(0, 1 - CIEDE2000 / 100) of every pair; of names 1 or 0.

    >>> color_similarity(["viridis", "#000000"], ["viridis", "#FFFFFF"]).round(6).tolist()
    [[1.0, 0.0], [0.0, 0.0]]
    """
    plain = ([color[:7] if color.startswith("#") else "#000000" for color in side] for side in (a, b))
    lab_a, lab_b = (hex_to_lab(side, COLORMATH) for side in plain)
    similarity_NM = np.maximum(0.0, 1 - delta_e_2000(lab_a[:, None], lab_b[None]) / 100)
    for row, left in enumerate(a):
        for column, right in enumerate(b):
            if not (left.startswith("#") and right.startswith("#")):
                similarity_NM[row, column] = float(left == right)
    return similarity_NM


def _few(colors: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Of many colours, those that are not near an earlier one, of whatever kind."""
    if len(colors) <= MANY_COLOURS:
        return list(colors)
    similarity_NN = color_similarity(*([color for _, color in colors],) * 2)
    kept: list[int] = []
    for index in range(len(colors)):
        if all(similarity_NN[index, other] <= NEAR for other in kept):
            kept.append(index)
    return [colors[index] for index in kept]


# ---- metrics -------------------------------------------------------------------------------------------------------------


def low_level_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The share of programs that run, the mean of each F1, their average, and the average with failed programs at 0."""
    parts = {f"{part}_f1": table.mean(part) for part in PARTS}
    gated = table.mean("gated")
    return {"average": table.mean(), "execution_rate": table.mean("executes"), **parts, "average_exec_gated": gated}


DIFFERENCES = (
    "The chart type is 0 where nothing was drawn; there the type score of the row before is kept.",
    "Only the answer behind a closed thought is read.",
    "Code is run as it stands; there it is indented, which also indents lines of texts in triple quotes.",
    "Of more than ten colours near ones are dropped in order of their names; there the order is that of a hash and changes.",
    "Artists that the hooks cannot read (bars recoloured by name, outlined histograms) are skipped; there the program ends.",
    "Charts are drawn with the installed matplotlib, there with 3.8.4; 3.11 gave the same scores on all rows that were compared.",
    "A gold without any colour that is read (plain box plots) has a colour F1 of 0; there most such charts end in an error.",
    "A program may take 60 seconds; there is no limit there.",
)
