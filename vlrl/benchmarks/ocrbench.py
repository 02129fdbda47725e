"""OCRBench (arXiv 2305.07895): 1,000 questions about text in pictures, answered by containing the gold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path

from vlrl.benchmarks import Benchmark, Metric, Protocol, Reference, break_down, own_prompt, task_prompt
from vlrl.benchmarks.rules.python_values import python_list
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.text_match import holds_phrase
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import fold_full_width
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_texts
from vlrl.types import Answer, Media, Sample, Score

NAME = "ocrbench"
FORMULA = "Handwritten Mathematical Expression Recognition"
RECOGNITION = ("Regular", "Irregular", "Artistic", "Handwriting", "Digit String", "Non-Semantic")
"""The first words of the six question types that are reported together as text recognition."""
SCALE = 1000
"""The published score is the number of right answers of a thousand."""


def load(folder: Path) -> Iterable[Sample]:
    """The rows of the parquet copy, of the authors' file, or of VLMEvalKit's TSV; a doc_id is the row's index."""
    found = find_files(folder, "test-*.parquet", "data/test-*.parquet", "OCRBench.json", "OCRBench/OCRBench.json", "OCRBench.tsv")
    return {".parquet": _parquet, ".json": _original, ".tsv": _tsv}[found[0].suffix](found)


def _parquet(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("question", "question_type", "answer"), skip=("image",)):
        groups = {"question_type": row["question_type"], "dataset": row.get("dataset") or ""}
        yield _sample(str(place.number), row["question"], row["answer"], groups, place.image("image"), place.source)


def _original(paths: list[Path]) -> Iterator[Sample]:
    path = paths[0]
    for number, row in enumerate(read_rows(path, ("image_path", "question", "answers", "type"))):
        media = Media("image", str(path.parent / "OCRBench_Images" / row["image_path"]))
        groups = {"question_type": row["type"], "dataset": row.get("dataset_name") or ""}
        yield _sample(str(number), row["question"], row["answers"], groups, media, f"{path}:{number}")


def _tsv(paths: list[Path]) -> Iterator[Sample]:
    for place, row in numbered_rows(paths, ("index", "question", "answer", "category"), skip=("image",)):
        golds = python_list(row["answer"]) or row["answer"]
        yield _sample(
            row["index"], row["question"], golds, {"question_type": row["category"]}, place.image("image"), place.source
        )


def _sample(doc_id: str, question: str, golds: list[str] | str, groups: Mapping[str, str], media: Media, source: str) -> Sample:
    texts = [golds] if isinstance(golds, str) else [str(gold) for gold in golds]
    answer: Answer = {
        "answer": texts,
        "kind": "formula" if groups["question_type"] == FORMULA else "text",
        "groups": dict(groups),
    }
    return Sample(doc_id, NAME, question, answer, (media,), source)


def contains(fold: Callable[[str], str], text: str, answer: Answer) -> Score:
    """1 when the answer holds a gold text as a whole: not inside a word, and not inside a number.

    Case does not count, except in formulas, which are compared without blanks. `fold` is applied to both sides.

    >>> contains(str, "It is a Nokia.", {"answer": ["nokia"]}).value, contains(str, "London", {"answer": ["ON"]}).value
    (1.0, 0.0)
    """
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    prepared = _formula if answer.get("kind") == "formula" else partial(_text, fold)
    said = prepared(body)
    return right_or_wrong(any(holds_phrase(said, prepared(gold)) for gold in gold_texts(answer)), said)


def _formula(text: str) -> str:
    return text.strip().replace("\n", " ").replace(" ", "")


def _text(fold: Callable[[str], str], text: str) -> str:
    return fold(text).lower().strip().replace("\n", " ")


def strict_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Accuracy, also by question type and source."""
    return break_down(table, "accuracy")


def lmms_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`ocrbench_accuracy`: right answers / 1000 whatever the number of rows; the right answers by question type."""
    counts = {f"lmms/{label}": rows.total() for label, rows in table.by("question_type").items()}
    return {"ocrbench_accuracy": table.total() / SCALE, "correct_total": table.total(), "accuracy": table.mean(), **counts}


def vlmevalkit_metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """Right answers in five groups, their sum, and a tenth of it."""
    counts: dict[str, float] = {}
    for label, rows in table.by("question_type").items():
        group = "Text Recognition" if label.startswith(RECOGNITION) else label
        counts[group] = counts.get(group, 0.0) + rows.total()
    total = table.total()
    return {**{f"vlmevalkit/{group}": value for group, value in counts.items()},
            "vlmevalkit/Final Score": total, "vlmevalkit/Final Score Norm": total / 10, "accuracy": table.mean()}  # fmt: skip


DIFFERENCES = (
    "The gold must stand in the answer as a whole word or number; there `ON` is found in `London` and `35` in `10735`.",
    "Closed thoughts are no part of the answer; there a gold that is named while thinking counts.",
)

BENCHMARK = Benchmark(
    name=NAME,
    title="OCRBench",
    sizes={"test": 1000},
    licence="of the 29 source sets; research use",
    layout=(
        "[data/]test-*.parquet: dataset, question, question_type, answer, image (echo840/OCRBench)",
        "[OCRBench/]OCRBench.json + OCRBench_Images/ (Yuliang-Liu/MultimodalOCR)",
        "OCRBench.tsv: index, question, answer, category, image in base64 (VLMEvalKit)",
    ),
    load=load,
    hub=("echo840/OCRBench",),
    protocols=(
        Protocol("strict", partial(contains, fold_full_width), task_prompt("ocr"), "accuracy", strict_metrics),
        Protocol(
            "lmms-eval",
            partial(contains, fold_full_width),
            own_prompt("{question}"),
            "ocrbench_accuracy",
            lmms_metrics,
            oracle="lmms_eval 0.7.3 tasks/ocrbench/utils.py ocrbench_process_results, ocrbench_aggregate_accuracy",
            differences=(*DIFFERENCES, "The tally is made from the rows; there it is a global that a second run adds to."),
            generation={"max_completion_length": 128},
        ),
        Protocol(
            "vlmevalkit",
            partial(contains, str),
            own_prompt("{question}"),
            "vlmevalkit/Final Score",
            vlmevalkit_metrics,
            oracle="ms-vlmeval 0.0.20 dataset/image_vqa.py OCRBench.evaluate",
            differences=DIFFERENCES,
        ),
    ),
    references=(
        Reference("Qwen2.5-VL-3B", "797", "arXiv 2502.13923"),
        Reference("Qwen2.5-VL-7B", "864", "arXiv 2502.13923"),
        Reference("Qwen3-VL-8B", "896", "arXiv 2511.21631"),
    ),
    pitfalls=(
        "An answer that holds much text holds many golds: compare the lengths of the answers too.",
        "Full-width letters and digits are folded by lmms-eval, not by VLMEvalKit.",
        "The kits divide by 1000 (or 10) whatever the number of rows; `accuracy` divides by the rows.",
    ),
)
