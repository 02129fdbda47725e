"""PMC-VQA (arXiv 2305.10415): multiple-choice questions about figures of medical papers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference
from vlrl.benchmarks.rules import medevalkit
from vlrl.benchmarks.rules.choices import choice_prompt
from vlrl.benchmarks.rules.pictures import picture
from vlrl.data.layout import find_files
from vlrl.data.tables import read_rows
from vlrl.rewards.vqa import choice
from vlrl.types import Answer, Sample

NAME = "pmc-vqa"
CHOICES = tuple(f"Choice {letter}" for letter in "ABCD")


def load(folder: Path) -> Iterator[Sample]:
    """The rows of the first table that is there; a doc_id is the column `index`."""
    path = find_files(folder, "test_2.csv", "test_clean.csv", "test.csv")[0]
    for number, row in enumerate(read_rows(path, ("Figure_path", "Question", "Answer", *CHOICES))):
        answer: Answer = {
            "answer": row["Answer"].strip(),
            "choices": [row[column] for column in CHOICES],
            "groups": {"split": path.stem},
        }
        media = picture(folder, row["Figure_path"], "images", "figures", "images_2")
        yield Sample(row.get("index") or str(number), NAME, row["Question"], answer, (media,), f"{path}:{number}")


CHOICE_DIFFERENCE = (
    "An option that is only the most similar one counts when the response names it: an empty response or a refusal picks "
    "nothing; there each is the option that difflib finds nearest."
)

BENCHMARK = Benchmark(
    name=NAME,
    title="PMC-VQA",
    sizes={"test_clean": 2000},
    licence="CC BY-SA 4.0",
    layout=("test_2.csv or test_clean.csv + images/ or figures/ or images.zip (RadGenome/PMC-VQA)",),
    load=load,
    hub=("RadGenome/PMC-VQA", "xmcmic/PMC-VQA"),
    protocols=(
        Protocol("strict", choice, choice_prompt("medical")),
        Protocol(
            "medevalkit",
            medevalkit.multiple_choice,
            medevalkit.choice_prompt,
            "total metrics/acc",
            lambda table: {"total metrics/acc": table.mean()},
            oracle="alibaba-damo-academy/MedEvalKit 9b12e3b utils/PMC_VQA/PMC_VQA.py cal_metrics, executed",
            differences=(CHOICE_DIFFERENCE,),
            generation={"max_completion_length": 1024},
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "51.9", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "56.3", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "47.6", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=("`test_2.csv` and `test_clean.csv` are different sets of questions; the result names the one that was read.",),
)
