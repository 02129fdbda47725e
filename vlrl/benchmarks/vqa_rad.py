"""VQA-RAD (Lau et al., Scientific Data 2018): short questions about radiographs, CT and MRI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from vlrl.benchmarks import Benchmark, Protocol, Reference, task_prompt
from vlrl.benchmarks.rules import llava_med, medevalkit
from vlrl.data.layout import find_files
from vlrl.data.tables import numbered_rows, read_rows
from vlrl.parsing.words import squeeze
from vlrl.rewards.medical import by_kind
from vlrl.types import Answer, Media, Sample

NAME = "vqa-rad"
ORIGINAL = "VQA_RAD Dataset Public.json"


def load(folder: Path) -> Iterable[Sample]:
    """The test rows of the parquet copies, or of the authors' file."""
    found = find_files(folder, "test-*.parquet", "data/test-*.parquet", ORIGINAL)
    return parquet_rows(found, NAME) if found[0].suffix == ".parquet" else _original(found[0])


def parquet_rows(paths: Iterable[Path], name: str) -> Iterator[Sample]:
    """Rows with image, question and answer; a doc_id is the row's index. A question is closed where its answer is yes or no,
    unless the column `answer_type` says otherwise.
    """
    for place, row in numbered_rows(paths, ("question", "answer"), skip=("image",)):
        kind = row.get("answer_type") or ""
        yield Sample(
            str(place.number), name, row["question"], gold(str(row["answer"]), kind), (place.image("image"),), place.source
        )


def _original(path: Path) -> Iterator[Sample]:
    needs = ("qid", "image_name", "question", "answer", "answer_type", "phrase_type")
    for number, row in enumerate(read_rows(path, needs)):
        if row["phrase_type"].startswith("test"):
            media = Media("image", str(path.parent / "VQA_RAD Image Folder" / row["image_name"]))
            answer = gold(str(row["answer"]), row["answer_type"])
            yield Sample(str(row["qid"]), NAME, row["question"], answer, (media,), f"{path}:{number}")


def gold(text: str, answer_type: str = "") -> Answer:
    """The gold of a medical question: its kind is `closed` where `answer_type` says so, or where it is yes or no.

    >>> gold("Yes")["kind"], gold("left lung")["kind"], gold("Lung", "CLOSED ")["kind"]
    ('closed', 'open', 'closed')
    """
    named = answer_type.strip().upper()
    kind = named if named in ("OPEN", "CLOSED") else "CLOSED" if squeeze(text) in ("yes", "no") else "OPEN"
    return {"answer": text, "kind": kind.lower(), "groups": {"answer_type": kind}}


BENCHMARK = Benchmark(
    name=NAME,
    title="VQA-RAD",
    sizes={"test": 451},
    licence="CC0 1.0",
    layout=(
        "[data/]test-*.parquet: image, question, answer (flaviagiammarino/vqa-rad), with answer_type too (OctoMed/VQA-RAD)",
        f"{ORIGINAL} + VQA_RAD Image Folder/ (the authors' files)",
    ),
    load=load,
    hub=("flaviagiammarino/vqa-rad", "OctoMed/VQA-RAD"),
    protocols=(
        Protocol("strict", by_kind, task_prompt("medical"), "score"),
        llava_med.protocol(),
        medevalkit.question_protocol(),
    ),
    references=(
        Reference("Qwen2.5-VL-7B", "64.5 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("Lingshu-7B", "67.9 (judge)", "Lingshu, arXiv 2506.07044"),
        Reference("MedVLM-R1-2B", "48.6 (judge)", "Lingshu, arXiv 2506.07044"),
    ),
    pitfalls=(
        "The parquet copy names no answer type: yes and no give 251 closed questions, the original labels another number.",
        "Published totals mostly come from a judge model; without one, open answers are right by equality only.",
    ),
)
