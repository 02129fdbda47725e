"""Documents, mathematics and medicine: layouts that no golden folder has, rows without gold, texts made to hang a scorer."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from PIL import Image
from pyarrow.parquet import write_table

from vlrl import benchmarks
from vlrl.data.containers import opened
from vlrl.data.errors import RowError
from vlrl.types import Sample

Writer = Callable[[Path], None]


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 3)).save(buffer, "PNG")
    return buffer.getvalue()


def parquet(path: Path, *rows: dict[str, Any], image: str | None = None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    full = [{**row, image: {"bytes": png(), "path": None}} for row in rows] if image else list(rows)
    write_table(pa.Table.from_pylist(full), path)


def lines(path: Path, *rows: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def whole(path: Path, content: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))


def separated(path: Path, rows: list[dict[str, str]]) -> None:
    with open(path, "w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
        writer.writeheader()
        writer.writerows(rows)


VISTA = {"question": "How many?", "image": "images/1.jpg", "choices": None, "precision": 1.0, "answer": "1.2", "unit": None,
         "question_type": "free_form", "answer_type": "float", "query": "Hint. How many?",
         "metadata": {"skills": ["a", "b"]}}  # fmt: skip
VISION = {
    "id": "9",
    "question": "Which?",
    "options": ["3", "4"],
    "answer": "B",
    "level": 2,
    "subject": "counting",
    "image": "9.jpg",
}
VERSE = {"sample_index": "5", "problem_index": "1", "problem_version": "Text Lite", "question": "x?", "answer": "A",
         "question_type": "multi-choice", "metadata": {"subject": "Functions"}}  # fmt: skip
CV = {"idx": 7, "type": "2D", "task": "Count", "question": "How many?", "choices": ["3", "4"], "answer": "(B)", "source": "COCO",
      "filename": "img/7.png"}  # fmt: skip
EXPERT = {"id": "MM-1", "question": "Which?", "medical_task": "Diagnosis", "question_type": "Reasoning"}
MMMU = {"id": "validation_Pharmacy_3", "question": "<image 1> or <image 2>?", "options": "['a', \"b's\"]", "answer": "B",
        "question_type": "multiple-choice"}  # fmt: skip
RAD = {
    "qid": 11,
    "image_name": "a.jpg",
    "question": "Which?",
    "answer": "T2",
    "answer_type": "CLOSED ",
    "phrase_type": "test_para",
}
PMC = {"index": "4", "Figure_path": "f.jpg", "Caption": "", "Question": "Which?", "Choice A": " A:heart", "Choice B": " B:lung",
       "Choice C": " C:liver", "Choice D": " D:spleen", "Answer": "B", "split": "test"}  # fmt: skip
OCR = {
    "dataset_name": "IIIT5K",
    "image_path": "a.png",
    "question": "text?",
    "answers": ["ON"],
    "type": "Regular Text Recognition",
}


def pmc_with_archive(folder: Path) -> None:
    separated(folder / "test_clean.csv", [PMC])
    with zipfile.ZipFile(folder / "images.zip", "w") as archive:
        archive.writestr("images/f.jpg", png())


LAYOUTS: dict[str, tuple[str, Writer, str, dict[str, Any]]] = {
    "vqa-rad, the authors' file": (
        "vqa-rad",
        lambda folder: whole(folder / "VQA_RAD Dataset Public.json", [{**RAD, "phrase_type": "freeform"}, RAD]),
        "11",
        {"answer": "T2", "kind": "closed"},
    ),
    "pmc-vqa, clean split with archive": ("pmc-vqa", pmc_with_archive, "4", {"answer": "B"}),
    "docvqa, VLMEvalKit": (
        "docvqa",
        lambda folder: separated(
            folder / "DocVQA_VAL.tsv", [{"index": "3", "question": "Who?", "answer": "['a', 'b']", "image": "AAAA"}]
        ),
        "3",
        {"answer": ["a", "b"]},
    ),
    "ocrbench, the authors' file": ("ocrbench", lambda folder: whole(folder / "OCRBench.json", [OCR]), "0", {"answer": ["ON"]}),
    "ocrbench, VLMEvalKit": (
        "ocrbench",
        lambda folder: separated(
            folder / "OCRBench.tsv",
            [{"index": "2", "question": "text?", "answer": "['a b']", "category": "Digit String Recognition", "image": "AAAA"}],
        ),
        "2",
        {"answer": ["a b"]},
    ),
    "mathvista, the authors' file": (
        "mathvista",
        lambda folder: whole(folder / "data" / "testmini.json", {"17": VISTA}),
        "17",
        {"answer": "1.2", "precision": 1},
    ),
    "mathvision, parquet": (
        "mathvision",
        lambda folder: parquet(folder / "data" / "testmini-00000-of-00001.parquet", VISION, image="decoded_image"),
        "9",
        {"answer": "B", "choices": ["3", "4"]},
    ),
    "mathverse, parquet": (
        "mathverse",
        lambda folder: parquet(folder / "testmini_version_split" / "text_lite.parquet", VERSE, image="image"),
        "5",
        {"answer": "A", "cluster": "1"},
    ),
    "cv-bench, JSON lines": ("cv-bench", lambda folder: lines(folder / "test_2d.jsonl", CV), "7", {"answer": "(B)"}),
    "medxpertqa, the authors' file": (
        "medxpertqa",
        lambda folder: lines(
            folder / "eval" / "data" / "medxpertqa" / "input" / "medxpertqa_mm_input.jsonl",
            {**EXPERT, "options": [{"letter": "A", "content": "x"}, {"letter": "B", "content": "y"}], "label": ["B"],
             "images": [{"image_path": "a.jpeg"}]},
        ),
        "MM-1",
        {"answer": "B", "choices": {"A": "x", "B": "y"}},
    ),
    "medxpertqa, parquet": (
        "medxpertqa",
        lambda folder: parquet(
            folder / "MM" / "test-00000-of-00001.parquet",
            {**EXPERT, "options": {"A": "x", "B": "y"}, "label": "A", "images": ["a.jpeg"]},
        ),
        "MM-1",
        {"answer": "A"},
    ),
    "mmmu, all subjects in one": (
        "mmmu",
        lambda folder: parquet(folder / "data" / "validation-00000-of-00001.parquet", MMMU),
        "validation_Pharmacy_3",
        {"answer": "B", "choices": ["a", "b's"]},
    ),
    "clevr-count, parquet": (
        "clevr-count",
        lambda folder: parquet(
            folder / "data" / "train-0.parquet", {"problem": "How many?", "solution": "<answer> 3 </answer>"}, image="image"
        ),
        "0",
        {"count": 3},
    ),
}  # fmt: skip


@pytest.mark.parametrize(("name", "write", "doc_id", "gold"), LAYOUTS.values(), ids=LAYOUTS)
def test_other_layouts(name: str, write: Writer, doc_id: str, gold: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path)
    (row,) = list(benchmarks.load(name).load(tmp_path))
    assert row.id == doc_id
    assert gold.items() <= row.answer.items()
    for protocol in benchmarks.load(name).protocols:
        assert protocol.score("", row.answer).value == 0


def test_a_picture_in_an_archive_is_found(tmp_path: Path) -> None:
    pmc_with_archive(tmp_path)
    (row,) = list(benchmarks.load("pmc-vqa").load(tmp_path))
    with Image.open(opened(row.media[0].path)) as image:
        assert image.size == (4, 3)


def test_mmmu_shows_the_pictures_that_the_question_names(tmp_path: Path) -> None:
    parquet(tmp_path / "Pharmacy" / "validation-00000-of-00001.parquet", MMMU)
    (row,) = list(benchmarks.load("mmmu-med").load(tmp_path))
    assert [media.path.rpartition("&")[2] for media in row.media] == ["column=image_1", "column=image_2"]


@pytest.mark.parametrize(
    ("name", "write", "sentence"),
    [
        ("mathvista", lambda folder: whole(folder / "testmini.json", {"1": {**VISTA, "answer": ""}}), "use testmini"),
        (
            "docvqa",
            lambda folder: whole(folder / "val_v1.0.json", {"data": [{"questionId": 1, "question": "x", "image": "a.png"}]}),
            "use the validation split",
        ),
        (
            "jigsaw",
            lambda folder: lines(folder / "jigsaw.jsonl", {"image": "a", "prompt": "p", "solution": 1, "answer_type": "box"}),
            "give one of grid, letter, digit",
        ),
        (
            "clevr-count",
            lambda folder: parquet(folder / "test-0.parquet", {"problem": "p", "solution": "three"}, image="image"),
            "is it the counting set?",
        ),
    ],
)
def test_a_row_without_gold_is_one_sentence(name: str, write: Writer, sentence: str, tmp_path: Path) -> None:
    write(tmp_path)
    with pytest.raises(RowError, match=sentence):
        list(benchmarks.load(name).load(tmp_path))


def test_llava_med_leaves_the_chinese_rows_of_slake_out() -> None:
    gold = {"answer": "是", "kind": "closed", "groups": {"language": "zh"}}
    assert benchmarks.load("slake").protocol("llava-med").score("yes", gold).value is None


HOSTILE = ("<answer>", "(", "()", "\\boxed{", "1,", "7", "A ", "The answer is \"", "is ", "B\n\n", "\n")  # fmt: skip
GOLDS: dict[str, dict[str, Any]] = {
    "slake": {"answer": "Lung", "kind": "open", "groups": {"language": "en"}},
    "cls-rl": {"answer": "pug"},
    "jigsaw": {"kind": "grid", "order": [2, 1], "grid": [1, 2]},
    "mmmu": {"kind": "open", "answer": ["7"]},
    "mathvision": {"kind": "free", "answer": "7"},
    "mathvista": {"kind": "float", "answer": "1.2", "precision": 1},
    "omnimedvqa": {"answer": "A", "choices": ["A. heart", "B. lung"]},
    "medxpertqa": {"answer": "A", "choices": {"A": "heart", "B": "lung"}},
    "ocrbench": {"answer": ["7"], "kind": "text"},
}


@pytest.mark.parametrize(("name", "gold"), GOLDS.items(), ids=GOLDS)
def test_a_long_text_of_one_piece_takes_no_time(name: str, gold: dict[str, Any]) -> None:
    for protocol in benchmarks.load(name).protocols:
        protocol.score("warm", gold)
        for piece in HOSTILE:
            start = time.perf_counter()
            protocol.score(piece * (60_000 // len(piece)), gold)
            assert time.perf_counter() - start < 2, (protocol.name, piece)


def test_options_stand_in_the_prompt() -> None:
    sample = Sample("0", "mmmu", "Which organ?", {"kind": "choice", "answer": "A", "choices": ["heart", "lung"], "groups": {}})
    for protocol in benchmarks.load("mmmu").protocols:
        assert "B. lung" in protocol.prompt(sample, "direct", "pixels")
