"""OmniMedVQA (arXiv 2402.09181): multiple choice over many public medical image sets; the open-access part."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down
from vlrl.benchmarks.pmc_vqa import CHOICE_DIFFERENCE
from vlrl.benchmarks.rules import medevalkit
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.rewards.vqa import choice
from vlrl.types import Answer, Media, Sample, Score

NAME = "omnimedvqa"


def load(folder: Path) -> Iterator[Sample]:
    """The rows of every open-access file, files by name; a doc_id is the `question_id`."""
    for path in find_files(folder, "QA_information/Open-access/*.json", "OmniMedVQA/QA_information/Open-access/*.json"):
        for number, row in enumerate(read_rows(path, ("question", "gt_answer", "image_path", "option_A"))):
            media = Media("image", str(path.parents[2] / row["image_path"]))
            doc_id = row.get("question_id") or f"{path.stem}:{number}"
            yield Sample(str(doc_id), NAME, row["question"], _gold(row, path.stem), (media,), f"{path}:{number}")


def _gold(row: Mapping[str, Any], file: str) -> Answer:
    """The options with their letters as MedEvalKit writes them; the gold is the letter of the last option of its text."""
    options = {letter: str(row[f"option_{letter}"]) for letter in "ABCD" if row.get(f"option_{letter}") is not None}
    letters = [letter for letter, text in options.items() if text == str(row["gt_answer"])]
    groups = {"question_type": row.get("question_type"), "modality": row.get("modality_type"), "set": row.get("dataset") or file}
    return {
        "answer": letters[-1] if letters else str(row["gt_answer"]),
        "choices": [f"{letter}. {text}" for letter, text in options.items()],
        "groups": {key: str(value) for key, value in groups.items() if value},
    }


def kit_choice(text: str, answer: Answer) -> Score:
    """`multiple_choice` of MedEvalKit, on what stands in answer tags where there are any.

    >>> gold = {"answer": "B", "choices": ["A. MRI", "B. CT"]}
    >>> kit_choice("<answer>CT</answer>", gold).value, kit_choice("I cannot tell.", gold).value
    (1.0, 0.0)
    """
    return medevalkit.multiple_choice(medevalkit.between_tags(text), answer)


def kit_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The kit's accuracies: over all rows, by question type and by modality."""
    kinds = {f"question type metrics/{label}/acc": rows.mean() for label, rows in table.by("question_type").items()}
    modalities = {f"modality type metrics/{label}/acc": rows.mean() for label, rows in table.by("modality").items()}
    return {"total metrics/acc": table.mean(), **kinds, **modalities}


BENCHMARK = Benchmark(
    name=NAME,
    title="OmniMedVQA (open access)",
    sizes={"open-access": 88996},
    licence="those of its source sets",
    layout=("[OmniMedVQA/]QA_information/Open-access/*.json + Images/ (foreverbeliever/OmniMedVQA)",),
    load=load,
    hub=("foreverbeliever/OmniMedVQA",),
    protocols=(
        Protocol("strict", choice, choice_prompt("medical"), "accuracy", lambda table: break_down(table, "accuracy")),
        Protocol(
            "medevalkit",
            kit_choice,
            medevalkit.choice_prompt,
            "total metrics/acc",
            kit_metrics,
            oracle="alibaba-damo-academy/MedEvalKit 9b12e3b utils/OmniMedVQA/OmniMedVQA.py cal_metrics, executed",
            differences=(CHOICE_DIFFERENCE,),
            generation={"max_completion_length": 1024},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "63.6", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "82.9", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "77.7", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=(
        "Med-R1 and MedVLM-R1 report subsets of it, by modality or by question type.",
        "The order of the options hardly varies in some sets: a model can learn letters.",
    ),
)
