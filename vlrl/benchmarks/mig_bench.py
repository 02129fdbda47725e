"""MIG-Bench (Migician, arXiv 2501.05767): find a thing in one of several images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, break_down, own_prompt, task_prompt
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.geometry import Box, as_box
from vlrl.metrics.box_iou import iou
from vlrl.metrics.mean import Mean, mean_of_means
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards import grounding
from vlrl.rewards.outcome import failed
from vlrl.types import Answer, Media, Sample, Score

NAME = "mig-bench"
THRESHOLDS = (0.7, 0.5, 0.3)
MAX_DIGITS = 300
WHOLE_IMAGE = [1, 1]
"""The gold boxes are fractions: the image that they lie in counts as 1 wide and 1 high, so `pixels` are fractions here."""


def load(folder: Path) -> Iterable[Sample]:
    """The rows of `MIG_data.json`; a doc_id is the index in the file."""
    return _rows(find_files(folder, "MIG-Bench/MIG_data.json", "MIG_data.json")[0], folder)


def _rows(path: Path, folder: Path) -> Iterator[Sample]:
    for index, row in enumerate(read_rows(path, ("task", "images", "question", "answer"))):
        source = f"{path}:{index}"
        try:
            box = as_box(row["answer"])
        except ValueError as error:
            raise RowError(source, "answer", str(error), "get the file anew") from error
        media = tuple(Media("image", str(_picture(name, path, folder))) for name in row["images"])
        answer = {"box": list(box), "image_size": WHOLE_IMAGE, "groups": {"task": row["task"]}}
        yield Sample(str(index), NAME, row["question"].replace("<image>", "").strip(), answer, media, source)


def _picture(name: str, path: Path, folder: Path) -> Path:
    """A picture's path, which begins with `./MIG-Bench/`: from the data folder, or from the file's own where that is there."""
    below = path.parent / name.removeprefix("./").removeprefix("MIG-Bench/")
    return below if below.is_file() else folder / name


_WHOLE, _DECIMAL, _GAP = r"(\d++)", r"(\d++\.\d++)", r",\s*+"
_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        rf"\({_WHOLE}{_GAP}{_WHOLE}\){_GAP}\({_WHOLE}{_GAP}{_WHOLE}\)",
        r"\[" + _GAP.join([r"(\d*+\.\d++)"] * 4) + r"\]",
        rf"\({_DECIMAL},{_DECIMAL}\),\({_DECIMAL},{_DECIMAL}\)",
        r"\(" + _GAP.join([_DECIMAL] * 4) + r"\)",
        r"\[" + _GAP.join([_WHOLE] * 4) + r"\]",
        r"<box>" + r"\s++".join([_WHOLE] * 4) + r"</box>",
    )
)


def read_box(text: str) -> Box | None:
    """The first box in the first of six forms that the text has, as fractions, or None.

    `(1,2),(3,4)`, `[.1, .2, .3, .4]`, `(0.1,0.2),(0.3,0.4)`, `(0.1, 0.2, 0.3, 0.4)`, `[1, 2, 3, 4]`, `<box>1 2 3 4</box>`. Of a
    single box every number from 1 on is in thousandths, of several every number above 1.

    >>> read_box("(100,100),(500,300)"), read_box("[100, 100, 500, 300] or (0.1,0.2),(0.3,0.4)")
    ((0.1, 0.1, 0.5, 0.3), (0.1, 0.2, 0.3, 0.4))
    """
    found = next((matches for pattern in _PATTERNS if (matches := pattern.findall(text))), None)
    if found is None:
        return None
    values = [float(number[:MAX_DIGITS]) for number in found[0]]
    x1, y1, x2, y2 = (v / 1000 if v > 1 or (v == 1 and len(found) == 1) else v for v in values)
    return x1, y1, x2, y2


def official(text: str, answer: Answer) -> Score:
    """The IoU of the first box with the gold box, whatever the declared space is (see `read_box`). Failure: `no_box`.

    Parts: `IOU@0.7`, `IOU@0.5`, `IOU@0.3`.

    >>> official("(100,100),(500,500)", {"box": [0.1, 0.1, 0.5, 0.5]}).value
    1.0
    """
    found = read_box(text)
    if found is None:
        return failed("no_box")
    overlap = iou(as_box(answer["box"]), found)
    parts = {f"IOU@{threshold}": float(overlap >= threshold) for threshold in THRESHOLDS}
    return Score(overlap, parts, overlap >= 0.5, list(found))


def official_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`<task>/IOU@0.5` and so on in percent, `AVE_IOU` of each task, and the plain mean over the tasks."""
    by_task = {task: _shares(rows) for task, rows in table.by("task").items()}
    names = [f"IOU@{threshold}" for threshold in THRESHOLDS] + ["AVE_IOU"]
    means: dict[str, Metric] = {f"mean_of_tasks/{name}": mean_of_means(one[name] for one in by_task.values()) for name in names}
    return {**means, **{f"{task}/{name}": mean for task, shares in by_task.items() for name, mean in shares.items()}}


def _shares(table: ScoreTable) -> dict[str, Mean]:
    values = {f"IOU@{threshold}": table.mean(f"IOU@{threshold}").percent() for threshold in THRESHOLDS}
    return {**values, "AVE_IOU": table.mean().percent()}


def strict_prompt(sample: Sample, mode: str, space: str) -> str:
    """The task's prompt; no picture's size is known to be that of the gold, so pixels are asked for as fractions."""
    return task_prompt("grounding")(sample, mode, "unit" if space == "pixels" else space)


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Acc@0.5 over all rows and by task, and the plain mean over the tasks."""
    return {**break_down(table, "acc50"), "mean_of_tasks": mean_of_means(rows.mean() for rows in table.by("task").values())}


BENCHMARK = Benchmark(
    name=NAME,
    title="MIG-Bench",
    sizes={"test": 4295},
    licence="see the card of Michael4933/MIG-Bench",
    layout=("[MIG-Bench/]MIG_data.json + MIG-Bench/images/ (Michael4933/MIG-Bench)",),
    load=load,
    hub=("Michael4933/MIG-Bench",),
    protocols=(
        Protocol("strict", grounding.acc50, strict_prompt, "acc50", strict_metrics),
        Protocol(
            "official",
            official,
            own_prompt("{question}Format:<|box_start|>(x1,y1),(x2,y2)<|box_start|>. Don't generate addtional words."),
            "mean_of_tasks/IOU@0.5",
            official_metrics,
            oracle="thunlp/Migician 7b868a2 eval/utils.py extract_bbox, calculate_iou, MIG_bench_eval.py compute_iou, executed",
            differences=("Fractions in square brackets may lack the leading zero.",),
            generation={"max_completion_length": 128},
        ),
    ),
    pitfalls=(
        "The paper's number is the mean over tasks, not over rows.",
        "Whether a number is a fraction or a thousandth is decided number by number.",
        "The authors' runner for their own model multiplies y by 1.05 or 1.10; that is not done here.",
    ),
)
