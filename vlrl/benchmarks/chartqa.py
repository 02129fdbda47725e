"""ChartQA (arXiv 2203.10244): short answers about charts, numbers within 5 %."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, own_prompt, task_prompt
from vlrl.benchmarks.rules.python_values import python_float, python_list
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.units import close
from vlrl.rewards.outcome import right_or_wrong
from vlrl.rewards.text_gold import gold_text
from vlrl.rewards.vqa import RELAXED_TOLERANCE, relaxed
from vlrl.types import Answer, Media, Sample, Score

NAME = "chartqa"
YEAR = re.compile(r"(?:1[89]|20)[0-9]{2}")
ASKS_YEAR = re.compile(r"\byears?\b", re.IGNORECASE)


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the authors' files, of the parquet copy, or of VLMEvalKit's TSV."""
    patterns = (
        "test/test_*.json",
        "ChartQA Dataset/test/test_*.json",
        "test-*.parquet",
        "data/test-*.parquet",
        "ChartQA_TEST.tsv",
    )
    found = find_files(folder, *patterns)
    return {".json": _original, ".parquet": _parquet, ".tsv": _tsv}[found[0].suffix](found)


def _original(paths: list[Path]) -> Iterator[Sample]:
    """`test_human.json` first, then `test_augmented.json`; a doc_id is the index over both."""
    index = 0
    for path in sorted(paths, reverse=True):
        for number, row in enumerate(read_rows(path, ("imgname", "query", "label"))):
            media = Media("image", str(path.parent / "png" / row["imgname"]))
            yield _sample(str(index), row["query"], row["label"], path.stem, media, f"{path}:{number}")
            index += 1


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("type", "question", "answer"), skip=("image",)):
        yield _sample(str(place.number), row["question"], row["answer"], row["type"], place.image("image"), place.source)


def _tsv(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("index", "question", "answer"), skip=("image",)):
        yield _sample(row["index"], row["question"], row["answer"], row.get("split", ""), place.image("image"), place.source)


def _sample(doc_id: str, question: str, gold: str, kind: str, media: Media, source: str) -> Sample:
    answer: Answer = {"answer": str(gold), "groups": {"type": "human" if "human" in kind else "augmented"}}
    if YEAR.fullmatch(answer["answer"]) and ASKS_YEAR.search(question):
        answer["kind"] = "year"
    return Sample(doc_id, NAME, question, answer, (media,), source)


def strict(text: str, answer: Answer) -> Score:
    """`vqa.relaxed`, but a year that was asked for has no tolerance.

    >>> strict("2008", {"answer": "2010", "kind": "year"}).value, strict("2008", {"answer": "2010"}).value
    (0.0, 1.0)
    """
    return relaxed(text, {**answer, "tolerance": 0.0} if answer.get("kind") == "year" else answer)


def lmms_eval(text: str, answer: Answer) -> Score:
    """Relaxed accuracy of the whole response as it stands: nothing is stripped, no tag is read.

    >>> lmms_eval("21", {"answer": "20"}).value, lmms_eval("Yes ", {"answer": "Yes"}).value
    (1.0, 0.0)
    """
    return right_or_wrong(_relaxed(text, gold_text(answer)), text)


def vlmevalkit(text: str, answer: Answer) -> Score:
    """The same of the response without surrounding blanks; a gold that is written as a list takes any of its elements.

    >>> vlmevalkit("3 ", {"answer": "[2, 3]"}).value
    1.0
    """
    said, gold = text.strip(), gold_text(answer)
    return right_or_wrong(any(_relaxed(said, one) for one in python_list(gold) or [gold]), said)


def _relaxed(said: str, gold: str) -> bool:
    value, target = _number(said), _number(gold)
    if value is None or target is None:
        return said.lower() == gold.lower()
    return close(value, target, RELAXED_TOLERANCE)


def _number(text: str) -> float | None:
    """A number as Python reads it; a percent sign divides by 100."""
    value = python_float(text.rstrip("%"))
    return value / 100 if value is not None and text.endswith("%") else value


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`relaxed_overall`, and one metric for each half of the test set."""
    return {"relaxed_overall": table.mean(), **{f"relaxed_{half}_split": rows.mean() for half, rows in table.by("type").items()}}


def vlmevalkit_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`Overall` and one metric for each half, in percent."""
    halves = {f"test_{half}": rows.mean().percent() for half, rows in table.by("type").items()}
    return {**halves, "Overall": table.mean().percent()}


DIFFERENCES = (
    "A gold of 0 takes any zero; there only the text `0` is right.",
    "NaN and infinity are no numbers; a gold text `nan` is right when repeated.",
    "The edge of 5 % is exact in decimals: 0.63 is within 5 % of 0.6.",
)

BENCHMARK = Benchmark(
    name=NAME,
    title="ChartQA",
    sizes={"test": 2500},
    licence="GPL-3.0",
    layout=(
        "[ChartQA Dataset/]test/test_{human,augmented}.json + test/png/ (vis-nlp/ChartQA)",
        "[data/]test-*.parquet: type, question, answer, image (lmms-lab/ChartQA)",
        "ChartQA_TEST.tsv: index, question, answer, split, image in base64 (VLMEvalKit)",
    ),
    load=load,
    hub=("lmms-lab/ChartQA", "lmms-lab-encoder/ChartQA"),
    protocols=(
        Protocol("strict", strict, task_prompt("vqa"), "relaxed_accuracy"),
        Protocol(
            "lmms-eval",
            lmms_eval,
            own_prompt("{question}\nAnswer the question with a single word."),
            "relaxed_overall",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/chartqa/utils.py relaxed_correctness",
            differences=DIFFERENCES,
            generation={"max_completion_length": 16},
        ),
        Protocol(
            "vlmevalkit",
            vlmevalkit,
            own_prompt("{question}\nAnswer the question using a single word or phrase."),
            "Overall",
            vlmevalkit_metrics,
            oracle="ms-vlmeval 0.0.20 dataset/utils/vqa_eval.py process_line, hit_calculate",
            differences=(*DIFFERENCES, "A gold list is read as a literal, never run."),
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "84.0", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "87.3", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "89.5", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Years are numbers for the published rule: 2008 is right where 2010 is asked.",
        "`5%` against `5` is wrong, `0.05` against `5%` is right; `1,000` is no number.",
        "A full stop or a trailing blank makes a text answer wrong under lmms-eval.",
    ),
)
