"""CountBenchQA: how many of something a photograph shows, two to ten (pictures of CountBench, arXiv 2302.12066)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, own_prompt, task_prompt
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows
from vlrl.rewards.counting import exact, gold_count
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.types import Answer, Sample, Score

NAME = "countbenchqa"


def load(folder: Path) -> Iterator[Sample]:
    """The rows of the parquet files; a doc_id is the row's index."""
    paths = find_files(folder, "test-*.parquet", "data/test-*.parquet")
    for place, row in numbered_rows(paths, ("question", "number"), skip=("image",)):
        yield Sample(
            str(place.number), NAME, row["question"], {"count": int(row["number"])}, (place.image("image"),), place.source
        )


def lmms_eval(text: str, answer: Answer) -> Score:
    """1 when the response, blanks around it apart, is the number in digits.

    >>> lmms_eval(" 4\\n", {"count": 4}).value, lmms_eval("four", {"count": 4}).value
    (1.0, 0.0)
    """
    said = text.strip()
    return right_or_wrong(said == str(gold_count(answer)), said) if said else failed("no_answer")


BENCHMARK = Benchmark(
    name=NAME,
    title="CountBenchQA",
    sizes={"test": 491},
    licence="of the pictures: LAION-400M links",
    layout=("[data/]test-*.parquet: image, text, question, number (vikhyatk/CountBenchQA)",),
    load=load,
    hub=("vikhyatk/CountBenchQA",),
    protocols=(
        Protocol("strict", exact, task_prompt("counting")),
        Protocol(
            "lmms-eval",
            lmms_eval,
            own_prompt("{question}\nAnswer with a single number."),
            "acc",
            oracle="lmms_eval 0.7.3 tasks/countbenchqa/utils.py countbenchqa_process_results, executed",
            generation={"max_completion_length": 32},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-72B", "93.6", "arXiv 2502.13923"),
        Reference("Qwen3-VL-8B", "80.5", "arXiv 2511.21631"),
    ),
    pitfalls=("lmms-eval shows the picture's caption, which often names the number; it is left out here.",),
)
