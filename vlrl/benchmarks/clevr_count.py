"""Counting things in rendered scenes: the 200 SuperCLEVR questions of R1-V, and CLEVR rows of the same project."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, own_prompt, task_prompt
from vlrl.data.errors import RowError
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.rewards.counting import exact, gold_count
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.types import Answer, Media, Sample, Score

NAME = "clevr-count"

_TAGGED = re.compile(r"<answer>\s*+(\d{1,9})\s*+</answer>")


def load(folder: Path) -> Iterable[Sample]:
    """The rows of R1-V's test file, or of a parquet table with a `solution`; a doc_id is the row's index."""
    names = ("superclevr_test200*.jsonl", "prompts/superclevr_test200*.jsonl", "src/eval/prompts/superclevr_test200*.jsonl")
    found = find_files(folder, *names, "test-*.parquet", "data/test-*.parquet", "data/train-*.parquet", "train-*.parquet")
    return _parquet(found) if found[0].suffix == ".parquet" else _lines(found[0], folder)


def _lines(path: Path, folder: Path) -> Iterator[Sample]:
    for number, row in enumerate(read_rows(path, ("image_path", "question", "ground_truth"))):
        media = Media("image", str(folder / row["image_path"]))
        yield Sample(str(number), NAME, row["question"], {"count": int(row["ground_truth"])}, (media,), f"{path}:{number}")


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("problem", "solution"), skip=("image",)):
        tagged = _TAGGED.search(row["solution"])
        if not tagged:
            raise RowError(place.source, "solution", "holds no <answer> with a number", "is it the counting set?")
        yield Sample(str(place.number), NAME, row["problem"], {"count": int(tagged[1])}, (place.image("image"),), place.source)


def r1_v(text: str, answer: Answer) -> Score:
    """1 when the first answer tag that holds a whole number and nothing else holds the gold.

    >>> r1_v("<think>3</think> <answer> 4 </answer>", {"count": 4}).value, r1_v("4", {"count": 4}).failure
    (1.0, 'no_count')
    """
    gold, found = gold_count(answer), _TAGGED.search(text)
    return right_or_wrong(int(found[1]) == gold, int(found[1])) if found else failed("no_count")


BENCHMARK = Benchmark(
    name=NAME,
    title="CLEVR counting (SuperCLEVR, 200 rows)",
    sizes={"test": 200},
    licence="of the source scenes: CLEVR CC BY 4.0, Super-CLEVR for research",
    layout=(
        "[src/eval/prompts/]superclevr_test200*.jsonl: image_path, question, ground_truth + images/ (Deep-Agent/R1-V)",
        "[data/]test-*.parquet or train-*.parquet: image, problem, solution (leonardPKU/clevr_cogen_a_train)",
    ),
    load=load,
    hub=("leonardPKU/clevr_cogen_a_train",),
    protocols=(
        Protocol("strict", exact, task_prompt("counting")),
        Protocol(
            "r1-v",
            r1_v,
            own_prompt(
                "{question} First output the thinking process in <think> </think> and final answer (number) in "
                "<answer> </answer> tags."
            ),
            oracle="Deep-Agent/R1-V bbbbe3d src/eval/test_qwen2vl_counting_superclevr.py extract_number_answer, executed",
            differences=("A run of more than nine digits is no number.",),
            generation={"max_completion_length": 256},
        ),
    ),
    references=(
        Reference("Qwen2-VL-2B", "48.0", "Deep-Agent/R1-V README"),
        Reference("Qwen2-VL-2B after 100 steps", "82.5", "Deep-Agent/R1-V README"),
    ),
    pitfalls=("An untagged number is wrong under R1-V's rule, which understates models that were not trained to tag.",),
)
