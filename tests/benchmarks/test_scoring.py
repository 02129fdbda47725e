"""From predictions to the sample log: resumed, in several processes, and with every mistake that a file can hold."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from golden_folders import ROOT

from vlrl import benchmarks
from vlrl.cli import main
from vlrl.evaluation.predictions import Predictions
from vlrl.evaluation.scoring import Job, Spec, make_job, read_lines, score_to_log
from vlrl.evaluation.source import open_source

CHARTQA = ROOT / "chartqa__lmms-eval"
COCO = ROOT / "coco-det__pycocotools-const"
SCREENSPOT = ROOT / "screenspot__seeclick-official"
ROWS = 300


def write_predictions(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def write_chartqa(folder: Path, rows: int) -> tuple[Path, Path]:
    """A made-up test set in the authors' layout, and predictions of which two thirds are right."""
    (folder / "test").mkdir(parents=True)
    items = [{"imgname": f"{i % 7}.png", "query": f"How many? ({i})", "label": str(i)} for i in range(rows)]
    (folder / "test" / "test_human.json").write_text(json.dumps(items))
    said = [{"doc_id": i, "response": str(i) if i % 3 else "none"} for i in range(rows)]
    return folder, write_predictions(folder / "predictions.jsonl", said)


def jobs(data: Path, predictions: Path) -> list[Job]:
    stored = Predictions(predictions)
    source = open_source(benchmarks.load("chartqa"), data)
    return [make_job(Spec("chartqa", "strict"), sample, stored.get(sample.id)) for sample in source]


def evaluate(*argv: object) -> int:
    return main(["eval", *map(str, argv)])


def refused(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    assert evaluate(*argv) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vlrl: error: ")]
    return line.removeprefix("vlrl: error: ")


@pytest.fixture
def made(tmp_path: Path) -> tuple[Path, Path]:
    return write_chartqa(tmp_path / "made", ROWS)


@pytest.mark.parametrize("left", [0, 1, 17, -1, -40])
def test_a_log_cut_anywhere_is_completed_to_the_same_bytes(made: tuple[Path, Path], tmp_path: Path, left: int) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    score_to_log(whole, jobs(*made), resume=False)
    content = whole.read_bytes()
    cut.write_bytes(content[: left % len(content)] if left >= 0 else content[:left])
    score_to_log(cut, jobs(*made), resume=True)
    assert cut.read_bytes() == content


def test_lines_of_other_predictions_are_written_again(made: tuple[Path, Path], tmp_path: Path) -> None:
    data, predictions = made
    log = tmp_path / "log.jsonl"
    score_to_log(log, jobs(data, predictions), resume=False)
    changed = [{"doc_id": i, "response": "5" if i == 100 else str(i) if i % 3 else "none"} for i in range(ROWS - 10)]
    write_predictions(predictions, changed)
    score_to_log(log, jobs(data, predictions), resume=True)
    fresh = tmp_path / "fresh.jsonl"
    score_to_log(fresh, jobs(data, predictions), resume=False)
    assert log.read_bytes() == fresh.read_bytes()
    assert [line["failure"] for line in read_lines(log)][-10:] == ["missing"] * 10


def test_a_longer_old_log_is_cut(made: tuple[Path, Path], tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    score_to_log(log, jobs(*made), resume=False)
    score_to_log(log, jobs(*made)[:5], resume=True)
    assert len(list(read_lines(log))) == 5


def test_two_processes_write_what_one_writes(made: tuple[Path, Path], tmp_path: Path) -> None:
    score_to_log(tmp_path / "one.jsonl", jobs(*made), resume=False)
    score_to_log(tmp_path / "two.jsonl", jobs(*made), resume=False, processes=2)
    assert (tmp_path / "one.jsonl").read_bytes() == (tmp_path / "two.jsonl").read_bytes()


def test_a_killed_run_goes_on_to_the_same_files(tmp_path: Path) -> None:
    data, predictions = write_chartqa(tmp_path / "made", 3000)
    argv = ["--tasks", "chartqa", "--data_root", str(data), "--predictions", str(predictions), "--bootstrap", "20"]
    assert evaluate(*argv, "--output_path", tmp_path / "calm") == 0
    out = tmp_path / "killed"
    log = out / "samples_chartqa.jsonl"
    command = [sys.executable, "-m", "vlrl.cli", "eval", *argv, "--output_path", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and not (log.exists() and log.stat().st_size > 20_000):
        time.sleep(0.002)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert log.stat().st_size > 0
    assert evaluate(*argv, "--output_path", out, "--resume") == 0
    for name in ("samples_chartqa.jsonl", "results.json"):
        assert (out / name).read_bytes() == (tmp_path / "calm" / name).read_bytes()


def test_missing_and_failed_rows_stay_in_the_denominator(tmp_path: Path) -> None:
    said = [
        {"doc_id": 0, "response": "7"},
        {"doc_id": 1, "response": None},
        {"doc_id": 2, "response": "<think>so", "finish_reason": "length"},
    ]
    predictions = write_predictions(tmp_path / "p.jsonl", said)
    argv = ("--tasks", "chartqa", "--data_root", CHARTQA / "data", "--predictions", predictions, "--output_path", tmp_path)
    assert evaluate(*argv) == 0
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["results"]["chartqa"]["relaxed_accuracy"] == pytest.approx(1 / 40)
    assert results["results"]["chartqa"]["relaxed_accuracy_n"] == 40
    assert results["failures"]["chartqa"] == {"missing": 38, "no_answer": 1, "truncated": 1}
    assert results["results"]["chartqa"]["parse_rate"] == pytest.approx(1 / 40)
    assert evaluate(*argv, "--fail_on_parse_rate", "0.5") == 1


def test_a_limited_run_says_that_it_is_partial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--tasks", "chartqa", "--data_root", CHARTQA / "data", "--predictions", CHARTQA / "predictions.jsonl")
    assert evaluate(*argv, "--limit", "5", "--output_path", tmp_path) == 0
    captured = capsys.readouterr()
    assert "partial: first 5 rows" in captured.out
    assert "were published" not in captured.err
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["n-samples"]["chartqa"] == {"original": None, "effective": 5}


def test_another_size_than_the_published_one_is_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    argv = ("--tasks", "chartqa", "--data_root", CHARTQA / "data", "--predictions", CHARTQA / "predictions.jsonl")
    assert evaluate(*argv) == 0
    assert "vlrl: warning: chartqa: test has 40 rows, 2,500 were published" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "holds no predictions; write one JSON object"),
        ([{"doc_id": 0, "response": "1"}, {"doc_id": "0", "response": "2"}], ":2: doc_id: '0' stands in line 1 already"),
        ([{"doc_id": 0, "response": "1"}, {"doc_id": 99, "response": "2"}], ":2: doc_id: '99' is no row of the benchmark"),
        ([{"response": "1"}], ":1: doc_id: is missing"),
        ([{"doc_id": 0}], ":1: response: is missing or no string"),
        ([{"doc_id": 0, "response": 7}], ":1: response: is missing or no string"),
        ([{"doc_id": 0, "response": "", "processed_size": [0, 5]}], ":1: processed_size: is [0, 5]"),
        ([{"doc_id": 0, "response": "", "finish_reason": 3}], ":1: finish_reason: is no string"),
    ],
)
def test_bad_predictions(rows: list[dict[str, Any]], sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = write_predictions(tmp_path / "p.jsonl", rows)
    argv = ("--tasks", "chartqa", "--data_root", CHARTQA / "data", "--predictions", predictions)
    assert sentence in refused(capsys, *argv)


def test_bad_command_lines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chartqa = ("--data_root", CHARTQA / "data", "--predictions", CHARTQA / "predictions.jsonl")
    assert "either --tasks" in refused(capsys)
    assert "unknown benchmark 'chartQ'; did you mean 'chartqa'?" in refused(capsys, "--tasks", "chartQ", *chartqa)
    error = refused(capsys, "--tasks", "chartqa", "--protocol", "lms-eval", *chartqa)
    assert error == "unknown protocol of chartqa 'lms-eval'; did you mean 'lmms-eval'?"
    assert "names no benchmark, or one twice" in refused(capsys, "--tasks", "chartqa,chartqa", *chartqa)
    error = refused(capsys, "--tasks", "chartqa", "--data_root", tmp_path, *chartqa[2:])
    assert "test/test_*.json" in error
    assert "ChartQA_TEST.tsv" in error
    error = refused(capsys, "--tasks", "chartqa", "--data_root", tmp_path / "none", *chartqa[2:])
    assert "is no folder" in error
    error = refused(capsys, "--tasks", "screenspot", "--data_root", CHARTQA / "data", *chartqa[2:])
    assert "has no 'bbox'" in error


def test_without_data_root_the_offline_hub_cache_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    argv = ("--tasks", "chartqa", "--protocol", "lmms-eval", "--predictions", CHARTQA / "predictions.jsonl")
    assert "the hub cache has no snapshot of it (lmms-lab/ChartQA" in refused(capsys, *argv)
    snapshot = tmp_path / "datasets--lmms-lab--ChartQA" / "snapshots" / "abc" / "data"
    snapshot.mkdir(parents=True)
    (snapshot / "test-00000-of-00001.parquet").symlink_to(CHARTQA / "data" / "test-00000-of-00001.parquet")
    assert evaluate(*argv) == 0
    assert evaluate(*argv, "--data_root", tmp_path) == 0


def test_a_missing_image_and_a_box_of_nan_are_one_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    item = {"img_filename": "a.png", "bbox": [1, 2, 3, 4], "instruction": "go", "data_type": "text", "data_source": "ios"}
    file = tmp_path / "screenspot_mobile.json"
    argv = ("--tasks", "screenspot", "--data_root", tmp_path, "--predictions", SCREENSPOT / "predictions.jsonl")
    file.write_text(json.dumps([item]))
    assert "screenspot_imgs/a.png does not exist; add the benchmark's images" in refused(capsys, *argv)
    file.write_text(json.dumps([{**item, "bbox": [1, float("nan"), 3, 4]}]))
    assert "screenspot_mobile.json:0: bbox: a box has finite numbers" in refused(capsys, *argv)


def test_the_space_processed_needs_a_size(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    predictions = write_predictions(tmp_path / "p.jsonl", [{"doc_id": "mobile:0", "response": "[10, 10]"}])
    argv = ("--tasks", "screenspot", "--data_root", SCREENSPOT / "data", "--predictions", predictions)
    error = refused(capsys, *argv, "--coord_space", "processed")
    assert f"{predictions}:1: processed_size: is missing; add [width, height]" in error
    write_predictions(predictions, [{"doc_id": "mobile:0", "response": "[72, 80]", "processed_size": [360, 640]}])
    assert evaluate(*argv, "--coord_space", "processed", "--output_path", tmp_path) == 0
    lines = list(read_lines(tmp_path / "samples_screenspot.jsonl"))
    assert [line["value"] for line in lines[:2]] == [1.0, 0.0]


def test_texts_can_be_left_out_of_the_log(tmp_path: Path) -> None:
    argv = ("--tasks", "chartqa", "--data_root", CHARTQA / "data", "--predictions", CHARTQA / "predictions.jsonl")
    assert evaluate(*argv, "--output_path", tmp_path, "--log_samples", "false") == 0
    assert "resps" not in next(read_lines(tmp_path / "samples_chartqa.jsonl"))
    assert evaluate(*argv, "--output_path", tmp_path, "--log_samples") == 0
    assert next(read_lines(tmp_path / "samples_chartqa.jsonl"))["resps"] == ["7"]


def test_the_list_names_layout_licence_and_size(capsys: pytest.CaptureFixture[str]) -> None:
    assert evaluate("--list") == 0
    out = capsys.readouterr().out
    for name in benchmarks.names():
        assert f"{name}  (" in out
    assert "screenspot_{mobile,desktop,web}.json" in out
    assert "1,272 rows" in out


def test_a_benchmark_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = (
        "from dataclasses import replace\nfrom vlrl.benchmarks.chartqa import BENCHMARK as theirs\n"
        "BENCHMARK = replace(theirs, name='mine', sizes={'test': 40})\n"
    )
    (tmp_path / "my_bench.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    argv = ("--data_root", CHARTQA / "data", "--predictions", CHARTQA / "predictions.jsonl", "--output_path", tmp_path)
    assert evaluate("--tasks", "my_bench:BENCHMARK", *argv) == 0
    assert (tmp_path / "samples_mine.jsonl").exists()


def test_annotations_as_pycocotools_reads_them(tmp_path: Path) -> None:
    content = json.loads((COCO / "data" / "annotations" / "instances_val2017.json").read_text())
    first = content["annotations"][0]
    content["annotations"].append({**first, "bbox": [0, 0, 10, 10]})
    (tmp_path / "instances_val2017.json").write_text(json.dumps(content))
    rows = {row.id: row for row in benchmarks.load("coco-det").load(tmp_path)}
    boxes = [item["box"] for item in rows[str(first["image_id"])].answer["boxes"]]
    assert boxes.count([0.0, 0.0, 10.0, 10.0]) == 2
