"""MathVerse (arXiv 2403.14624): 788 problems in five versions, from much text to all in the picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.rules.math_answers import choice_or_value
from vlrl.benchmarks.rules.pictures import picture
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_text
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "mathverse"
EXTRACTED = "Extracted Answer: "
"""What the extraction model sometimes repeats; the script drops it."""
PATTERNS = ("testmini*.parquet", "data/testmini*.parquet", "testmini*/*.parquet")


def load(folder: Path) -> Iterable[Sample]:
    """The rows of testmini, from the authors' file or the parquet copies; a doc_id is the `sample_index`."""
    found = find_files(folder, "testmini.json", "data/testmini.json", *PATTERNS)
    return _parquet(found) if found[0].suffix == ".parquet" else _original(found[0], folder)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("sample_index", "problem_version", "question", "answer"), skip=("image",)):
        yield _sample(row, place.image("image"), place.source)


def _original(path: Path, folder: Path) -> Iterator[Sample]:
    for number, row in enumerate(read_rows(path, ("sample_index", "problem_version", "question", "answer", "image"))):
        yield _sample(row, picture(folder, row["image"], "images", "."), f"{path}:{number}")


def _sample(row: Mapping[str, Any], media: Media, source: str) -> Sample:
    meta = row.get("metadata") or {}
    groups = {"version": row["problem_version"], "question_type": row.get("question_type")}
    groups |= {key: meta.get(key) for key in ("subject", "subfield")}
    answer: Answer = {
        "answer": str(row["answer"]),
        "kind": "choice" if row.get("question_type") == "multi-choice" else "free",
        "query": row.get("query_wo") or row["question"],
        "query_cot": row.get("query_cot") or row["question"],
        "groups": {key: value for key, value in groups.items() if value},
    }
    if row.get("problem_index"):
        answer["cluster"] = str(row["problem_index"])
    return Sample(str(row["sample_index"]), NAME, row["question"], answer, (media,), source)


def query_prompt(sample: Sample, mode: str, space: str) -> str:
    """The published query, the one that asks for reasoning where thinking is asked for."""
    return PROMPT_MODES[mode] + sample.answer["query_cot" if mode == "think" else "query"]


def quick_match(text: str, answer: Answer) -> Score:
    """1 when the response, blanks around it apart, is the gold's text.

    >>> quick_match(" B ", {"answer": "B"}).value, quick_match("B.", {"answer": "B"}).value
    (1.0, 0.0)
    """
    said = text.replace(EXTRACTED, "").strip()
    return right_or_wrong(said == gold_text(answer), said) if said else failed("no_answer")


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy, also by version, kind of question, subject and subfield. A problem's five versions are one cluster."""
    return break_down(table, "accuracy")


BENCHMARK = Benchmark(
    name=NAME,
    title="MathVerse testmini",
    sizes={"testmini": 3940},
    licence="MIT",
    layout=(
        "[data/]testmini.json + images/ (AI4Math/MathVerse)",
        "[data/]testmini*.parquet, or testmini*/*.parquet: sample_index, problem_version, ... (CaraJ/MathVerse-lmmseval)",
    ),
    load=load,
    hub=("AI4Math/MathVerse", "CaraJ/MathVerse-lmmseval"),
    protocols=(
        Protocol("strict", choice_or_value, query_prompt, "accuracy", metrics),
        Protocol(
            "quick-match",
            quick_match,
            query_prompt,
            "accuracy",
            metrics,
            oracle="ZrrSkywalker/MathVerse 937b090 evaluation/score_answer_s2.py match_answer(quick_match=True), executed on the "
            "response as it is, in place of what a language model extracts",
            differences=("No judge is asked: the published numbers have one extract the answer and another compare it.",),
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "47.6 (judge)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "49.2 (judge)", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "57.6 (judge)", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "Vision Only alone is another benchmark than the mean of five versions: 31 against 49 for one model (VLMEvalKit#869).",
        "Without a judge only answers that are the gold's very text count under quick-match.",
    ),
)
