"""MMMU (arXiv 2311.16502): college questions in thirty subjects, with up to seven pictures each."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Protocol, Reference
from vlrl.benchmarks.rules import mmmu as rules
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.benchmarks.rules.python_values import python_list
from vlrl.data.layout import find_files
from vlrl.data.tables import Place, numbered_rows
from vlrl.types import Answer, Sample

NAME = "mmmu"
PICTURES = tuple(f"image_{number}" for number in range(1, 8))
HEALTH = ("Basic_Medical_Science", "Clinical_Medicine", "Diagnostics_and_Laboratory_Medicine", "Pharmacy", "Public_Health")
DOMAINS = {
    "Art and Design": ("Art", "Art_Theory", "Design", "Music"),
    "Business": ("Accounting", "Economics", "Finance", "Manage", "Marketing"),
    "Science": ("Biology", "Chemistry", "Geography", "Math", "Physics"),
    "Health and Medicine": HEALTH,
    "Humanities and Social Science": ("History", "Literature", "Sociology", "Psychology"),
    "Tech and Engineering": ("Agriculture", "Architecture_and_Engineering", "Computer_Science", "Electronics",
                             "Energy_and_Power", "Materials", "Mechanical_Engineering"),
}  # fmt: skip
DOMAIN_OF = {subject: domain for domain, subjects in DOMAINS.items() for subject in subjects}

_PICTURE = re.compile(r"<image ([1-7])>")


def load(folder: Path, name: str, subjects: Collection[str] = ()) -> Iterable[Sample]:
    """The validation rows of the subjects, or of all; a doc_id is the row's `id`."""
    found = find_files(folder, "*/validation-*.parquet", "validation-*.parquet", "data/validation-*.parquet")
    return (sample for sample in _rows(found, name) if not subjects or sample.answer["groups"]["subject"] in subjects)


def _rows(paths: list[Path], name: str) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("id", "question", "options", "answer", "question_type"), skip=PICTURES):
        multiple = row["question_type"] == "multiple-choice"
        subject = "_".join(row["id"].split("_")[1:-1])
        groups = {"subject": subject, "domain": DOMAIN_OF.get(subject, "other"), "difficulty": row.get("topic_difficulty") or ""}
        answer: Answer = {"kind": "choice" if multiple else "open", "groups": groups}
        answer["answer"] = row["answer"] if multiple else python_list(row["answer"]) or [row["answer"]]
        if multiple:
            answer["choices"] = python_list(row["options"])
        yield Sample(row["id"], name, row["question"], answer, tuple(_pictures(place, row)), place.source)


def _pictures(place: Place, row: dict[str, Any]) -> Iterator[Any]:
    """The pictures that question and options mention, by number."""
    numbers = sorted(set(_PICTURE.findall(row["question"] + row["options"])))
    return (place.image(f"image_{number}") for number in numbers)


def protocols(oracle_note: str = "") -> tuple[Protocol, ...]:
    """`strict` and `official`, as MMMU and its medical part share them."""
    return (
        Protocol("strict", rules.strict, choice_prompt("vqa"), "acc", rules.metrics),
        Protocol(
            "official",
            rules.reading(rules.OFFICIAL_PLACES),
            rules.prompt,
            "acc",
            rules.metrics,
            oracle="MMMU-Benchmark/MMMU bb0b95a mmmu/utils/eval_utils.py, executed with seed 42" + oracle_note,
            differences=rules.DIFFERENCES,
        ),
    )


LAYOUT = (
    "<Subject>/validation-*.parquet: id, question, options, answer, question_type, image_1..image_7 (MMMU/MMMU)",
    "[data/]validation-*.parquet: the same, all subjects in one",
)

BENCHMARK = Benchmark(
    name=NAME,
    title="MMMU validation",
    sizes={"validation": 900},
    licence="Apache-2.0",
    layout=LAYOUT,
    load=partial(load, name=NAME),
    hub=("MMMU/MMMU", "lmms-lab/MMMU"),
    protocols=(
        *protocols(),
        Protocol(
            "lmms-eval",
            rules.reading(rules.LMMS_PLACES),
            rules.prompt,
            "acc",
            rules.metrics,
            oracle="lmms_eval 0.7.3 tasks/mmmu/utils.py mmmu_process_results, executed",
            differences=(*rules.DIFFERENCES, "A gold list is a list; there its text is the one gold, which nothing holds."),
            generation={"max_completion_length": 128},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "53.1", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "58.6", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-72B", "70.2", "arXiv 2502.13923"),
    ),
    pitfalls=(
        "The same model gets 50.7 under lmms-eval and 54.8 under VLMEvalKit: random letters, a judge that rescues, and open "
        "questions turned into two options.",
        "The answers of the test split are not published; numbers are of the 900 validation rows.",
    ),
)
