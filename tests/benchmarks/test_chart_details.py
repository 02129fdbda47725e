"""The parts of the charts' scores, one by one, against what the authors' code computed under matplotlib 3.8.4."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden_folders import ROOT, expected, samples, task_and_protocol

from vlrl import benchmarks
from vlrl.benchmarks.plot2code import Page, text_match
from vlrl.benchmarks.rules.chartmimic import color_f1, counts_f1, multiset_f1
from vlrl.types import Score

FOLDERS = ("chartmimic__official-lowlevel", "chartmimic-customized__official-lowlevel", "chart2code__official-base")


def scores(folder: Path) -> dict[str, Score]:
    task, protocol = task_and_protocol(folder)
    rule = benchmarks.load(task).protocol(protocol).score
    lines = (folder / "predictions.jsonl").read_text(encoding="utf-8").splitlines()
    responses = {row["doc_id"]: row["response"] for row in map(json.loads, lines)}
    return {sample.id: rule(responses[sample.id], sample.answer) for sample in samples(folder)}


@pytest.mark.parametrize("name", FOLDERS)
def test_every_part_is_the_oracle_s(name: str) -> None:
    folder = ROOT / name
    content = expected(folder)
    carried_over = content.get("per_sample_correct") or {}  # there the type score of the row before leaked
    for doc_id, score in scores(folder).items():
        detail = content["per_sample_detail"][doc_id]
        right = {part: found["f1"] if isinstance(found, dict) else found for part, found in detail.items()}
        if doc_id in carried_over:
            right["chart_type"] = 0.0
        assert {part: score.parts[part] for part in right} == pytest.approx(right, abs=1e-6), doc_id
        executes = score.parts.get("executes", score.parts.get("success"))
        assert executes == content["per_sample_executes"][doc_id], doc_id


def test_code_that_dies_late_keeps_credit_but_does_not_execute() -> None:
    score = scores(ROOT / FOLDERS[0])["errorbar_1"]
    assert (score.value, score.parts["executes"], score.parts["gated"]) == (1.0, 0.0, 0.0)


def test_gold_that_does_not_run_is_no_zero() -> None:
    for task, protocol in (task_and_protocol(ROOT / name) for name in (*FOLDERS, "plot2code__official-text-match")):
        gold = {"code": "raise ValueError('broken')", "setup_code": "x = 1\n"}
        with pytest.raises(ValueError, match="gold code does not run here"):
            benchmarks.load(task).protocol(protocol).score("```python\nimport matplotlib.pyplot as plt\n```", gold)


def test_chart2code_reads_the_parquet_copy(tmp_path: Path) -> None:
    row = {
        "task_id": "1",
        "python_code": "x = 1",
        "target_chart_image_file": "a/bar_1.png",
        "input_chart_image": {"bytes": b"png"},
    }
    (tmp_path / "data" / "level1_direct").mkdir(parents=True)
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "data" / "level1_direct" / "train-00000.parquet")
    (sample,) = benchmarks.load("chart2code").load(tmp_path)
    assert (sample.id, sample.answer["code"]) == ("level1_direct:bar_1", "x = 1")
    assert "column=input_chart_image" in sample.media[0].path


def test_f1s_of_nothing() -> None:
    assert multiset_f1([], ["a"]) == multiset_f1([], []) == counts_f1({}, {}) == color_f1([], []) == 0


def test_near_colours_of_many_count_once() -> None:
    reds = [("bar", f"#FF00{number:02X}") for number in range(12)]
    assert color_f1(reds, [("bar", "#FF0000")]) == 1.0


def test_places_are_scaled_by_the_figures_sizes() -> None:
    gold = Page((10.0, 5.0), (("note", 200.0, 0.0),), 1)
    assert text_match(gold, Page((5.0, 5.0), (("note", 100.0, 0.0),), 1)) == 1.0
    assert text_match(gold, Page((10.0, 5.0), (("note", 100.0, 0.0),), 1)) == 0.0
    assert text_match(gold, Page((5.0, 5.0), (("note", None, 0.0),), 1)) == 0.0
