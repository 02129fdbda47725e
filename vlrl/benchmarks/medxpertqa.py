"""MedXpertQA MM (arXiv 2501.18362): 2,000 expert questions with medical pictures and five options."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules.choices import plain_letter
from vlrl.benchmarks.rules.pictures import picture
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.parsing.choice import parse_choices
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_letter
from vlrl.rewards.vqa import choice
from vlrl.types import Answer, Sample, Score

NAME = "medxpertqa"
MAX_ANSWER = 20_000
"""Characters; a longer text is no answer."""

_ALTERNATIVES = re.compile(r"\b[A-J]\)?\s?(?:or|and|/)\s?\(?[A-J]\b")


def load(folder: Path) -> Iterable[Sample]:
    """The test rows of the hub's files, or of the authors' input file; a doc_id is the `id`."""
    hub = ("MM/test*.parquet", "MM/test.jsonl", "test-*.parquet", "data/test-*.parquet", "test.jsonl", "data/MM/test*")
    authors = "medxpertqa_mm_input.jsonl"
    found = find_files(folder, *hub, authors, f"data/medxpertqa/input/{authors}", f"eval/data/medxpertqa/input/{authors}")
    if found[0].suffix == ".parquet":
        return (_sample(row, folder, place.source) for place, row in numbered_rows(found, ("id", "question", "options", "label")))
    return _lines(found[0], folder)


def _lines(path: Path, folder: Path) -> Iterator[Sample]:
    for number, row in enumerate(read_rows(path, ("id", "question", "options", "label"))):
        yield _sample(row, folder, f"{path}:{number}")


def _sample(row: Mapping[str, Any], folder: Path, source: str) -> Sample:
    options = row["options"]
    if isinstance(options, list):
        options = {option["letter"]: option["content"] for option in options}
    groups = {key: str(row[key]) for key in ("medical_task", "body_system", "question_type") if row.get(key)}
    answer: Answer = {
        "answer": row["label"][0] if isinstance(row["label"], list) else row["label"],
        "choices": {letter: text for letter, text in options.items() if text is not None},
        "groups": groups,
    }
    names = [image["image_path"] if isinstance(image, Mapping) else image for image in row.get("images") or []]
    return Sample(str(row["id"]), NAME, row["question"], answer, tuple(picture(folder, name, "images") for name in names), source)


def official(text: str, answer: Answer) -> Score:
    """1 when the option that the response plainly picks, or else the first letter behind "answer is", is the gold's.

    >>> gold = {"answer": "C", "choices": ["iron", "zinc", "copper"]}
    >>> official("Among A through C, the answer is C.", gold).value, official("A patch of rust suggests C", gold).value
    (1.0, 1.0)
    >>> official("B or C", gold).failure, official("I cannot say", gold).failure
    ('several_choices', 'no_choice')
    """
    choices = gold_choices(answer)
    body = answer_text(with_answer_end(text))
    if body is None or len(body) > MAX_ANSWER:
        return failed("no_answer" if body is None else "too_long")
    letter = plain_letter(text, answer)
    if letter is None:
        picked = parse_choices(body, choices)
        if not picked or _ALTERNATIVES.search(body):
            return failed("several_choices" if picked else "no_choice")
        letter = _first_letter(body, picked)
    return right_or_wrong(letter == gold_letter(answer, choices), letter)


def _first_letter(body: str, picked: list[str]) -> str:
    """The first of the picked options whose letter stands alone behind "answer is"; the first picked where none does."""
    before, found, tail = body.partition(" answer is ")
    alone = re.findall(r"\b[A-J]\b", tail if found else before)
    return next((letter for letter in alone if letter in picked), picked[0])


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy, also by kind of question, medical task and body system."""
    return break_down(table, "accuracy")


BENCHMARK = Benchmark(
    name=NAME,
    title="MedXpertQA MM",
    sizes={"test": 2000},
    licence="MIT",
    layout=(
        "MM/test.jsonl or MM/test*.parquet + images/ or images.zip (TsinghuaC3I/MedXpertQA on the hub)",
        "[eval/][data/medxpertqa/input/]medxpertqa_mm_input.jsonl + images/ (the authors' repository)",
    ),
    load=load,
    hub=("TsinghuaC3I/MedXpertQA",),
    protocols=(
        Protocol("strict", choice, task_prompt("medical"), "accuracy", metrics),
        Protocol(
            "official",
            official,
            own_prompt("Q: {question}\nA: Let's think step by step."),
            "accuracy",
            metrics,
            oracle="TsinghuaC3I/MedXpertQA f21247d eval/utils.py answer_cleansing (zero_shot), executed",
            differences=(
                "The option that the response plainly picks counts: the article `A`, letters of a closed thought and options "
                "that are ruled out do not, lower case and option texts do.",
                "Elsewhere, and always there, the first capital that stands alone is the answer.",
                "Two letters joined by `or` or `and` pick neither.",
                "One turn: there a second turn asks for the letter after the reasoning.",
            ),
            generation={"max_completion_length": 4096},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "22.3", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "26.7", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "20.4", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=("The question's text lists the options already; chance is 20 %.",),
)
