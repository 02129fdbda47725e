"""CV-Bench (Cambrian-1, arXiv 2406.16860): counting, relations, depth and distance as multiple choice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.rules.choices import choice_prompt, plain_letter
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import ALPHABET, gold_choices, gold_letter
from vlrl.rewards.vqa import choice
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Media, Sample, Score

NAME = "cv-bench"


def load(folder: Path) -> Iterable[Sample]:
    """The rows of both halves, from the parquet files or the JSON lines; a doc_id is the `idx`."""
    found = find_files(folder, "test*.parquet", "data/test*.parquet", "test*.jsonl")
    return _parquet(found) if found[0].suffix == ".parquet" else _lines(found, folder)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("idx", "question", "choices", "answer"), skip=("image",)):
        yield _sample(row, place.image("image"), place.source)


def _lines(paths: list[Path], folder: Path) -> Iterator[Sample]:
    for path in paths:
        for number, row in enumerate(read_rows(path, ("idx", "question", "choices", "answer", "filename"))):
            yield _sample(row, Media("image", str(folder / row["filename"])), f"{path}:{number}")


def _sample(row: Mapping[str, Any], media: Media, source: str) -> Sample:
    groups = {key: str(row[key]) for key in ("type", "task", "source") if row.get(key)}
    answer: Answer = {"answer": row["answer"], "choices": list(row["choices"]), "groups": groups}
    answer["query"] = row.get("prompt") or row["question"]
    return Sample(str(row["idx"]), NAME, row["question"], answer, (media,), source)


def lmms_eval(text: str, answer: Answer) -> Score:
    """1 when the option that the response plainly picks is the gold's. See the protocol's `differences`.

    >>> gold = {"answer": "(B)", "choices": ["cat", "dog"]}
    >>> lmms_eval("B. dog", gold).value, lmms_eval("The answer is (B)", gold).value, lmms_eval("Both", gold).failure
    (1.0, 1.0, 'no_choice')
    """
    picked = plain_letter(text, answer)
    return right_or_wrong(picked == gold_letter(answer, gold_choices(answer)), picked) if picked else failed("no_choice")


def lmms_prompt(sample: Sample, mode: str, space: str) -> str:
    """lmms-eval's note around the published prompt."""
    letters = ", ".join(ALPHABET[: len(sample.answer["choices"])])
    note = f"Note: You only need to respond with {letters} without providing any additional information."
    return f"{PROMPT_MODES[mode]}{note}\n\n{sample.answer['query']}"


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`cv_bench_acc` over all rows, the authors' formula, and accuracy by half, task and source.

    The formula: ((ADE20K + COCO) / 2 + Omni3D) / 2; None where one of the three sources is missing.
    """
    sources = {label: rows.mean().estimate for label, rows in table.by("source").items()}
    ade, coco, omni = (sources.get(source) for source in ("ADE20K", "COCO", "Omni3D"))
    whole = None if ade is None or coco is None or omni is None else ((ade + coco) / 2 + omni) / 2
    return {"cv_bench_acc": table.mean(), "cv_bench_official": whole, **break_down(table, "accuracy")}


BENCHMARK = Benchmark(
    name=NAME,
    title="CV-Bench",
    sizes={"test": 2638},
    licence="Apache-2.0; pictures under the terms of ADE20K, COCO and Omni3D",
    layout=(
        "[data/]test*.parquet (test_2d, test_3d): idx, type, task, question, choices, answer, prompt, source, image "
        "(nyu-visionx/CV-Bench)",
        "test_2d.jsonl, test_3d.jsonl + img/",
    ),
    load=load,
    hub=("nyu-visionx/CV-Bench",),
    protocols=(
        Protocol("strict", choice, choice_prompt("vqa"), "cv_bench_acc", metrics),
        Protocol(
            "lmms-eval",
            lmms_eval,
            lmms_prompt,
            "cv_bench_acc",
            metrics,
            oracle="lmms_eval 0.7.3 tasks/cv_bench/utils.py cv_bench_process_results, executed",
            differences=(
                "The option that the response plainly picks counts, wherever it stands; there the first letter of the response "
                "does, so that `The answer is (B)` reads as T, `Both` as B and `A dog` as A.",
            ),
            generation={"max_completion_length": 1024},
        ),
    ),
    references=(Reference("Qwen2.5-VL-3B, no-think RFT", "79.8", "Think or Not Think, arXiv 2503.16188"),),
    pitfalls=(
        "lmms-eval reports the mean over rows, the authors a formula over three sources: `cv_bench_acc`, `cv_bench_official`.",
    ),
)
