"""`vlrl eval --tasks --model` in processes of its own: two at once, and killed at random moments. The files come out the same."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from bench_folder import write_screenspot

from vlrl.cli import main

ROWS = 40
FILES = ("results.json", "samples_screenspot.jsonl", "samples_screenspot.1.jsonl", "predictions_screenspot.jsonl")


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_screenspot(tmp_path_factory.mktemp("bench") / "screenspot", ROWS)


def arguments(bench: Path, out: Path) -> list[str]:
    argv = ["eval", "--model", "tiny", "--tasks", "screenspot", "--data_root", str(bench), "--output_path", str(out)]
    return [*argv, "--batch_size", "3", "--max_completion_length", "24", "--bootstrap", "20", "--num_samples", "2"]


@pytest.fixture(scope="module")
def calm(bench: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of one undisturbed process."""
    out = tmp_path_factory.mktemp("calm")
    assert main(arguments(bench, out)) == 0
    return out


def assert_same(out: Path, calm: Path) -> None:
    for name in FILES:
        assert (out / name).read_bytes() == (calm / name).read_bytes(), name


def start(argv: list[str], **variables: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "vlrl.cli", *argv]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", **variables}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


def test_two_processes_write_what_one_writes(bench: Path, calm: Path, tmp_path: Path) -> None:
    processes = [start(arguments(bench, tmp_path), RANK=str(rank), WORLD_SIZE="2") for rank in range(2)]
    errors = [process.communicate(timeout=300)[1] for process in processes]
    assert [process.returncode for process in processes] == [0, 0], errors
    assert_same(tmp_path, calm)
    shares = [len((tmp_path / f"predictions_screenspot.{rank}.part.jsonl").read_text().splitlines()) for rank in range(2)]
    assert sum(shares) == ROWS
    assert min(shares) > ROWS / 3


def test_accelerate_launch_gives_the_same(bench: Path, calm: Path, tmp_path: Path) -> None:
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1"]
    command = [*launch, "--mixed_precision", "no", "--dynamo_backend", "no", "--main_process_port", "0", "-m", "vlrl.cli"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true"}
    done = subprocess.run([*command, *arguments(bench, tmp_path)], env=environment, capture_output=True, text=True, timeout=400)
    assert done.returncode == 0, done.stderr
    assert_same(tmp_path, calm)
    assert (tmp_path / "predictions_screenspot.1.part.jsonl").stat().st_size > 0


def test_killed_at_random_and_resumed_it_writes_the_same_bytes(bench: Path, calm: Path, tmp_path: Path) -> None:
    moments = random.Random(time.time_ns())
    size = sum(path.stat().st_size for path in calm.glob("predictions_*.part.jsonl"))
    bounds = sorted(moments.randrange(size) for _ in range(2))
    for bound in bounds:
        process = start([*arguments(bench, tmp_path), "--resume"])
        while process.poll() is None and sum(p.stat().st_size for p in tmp_path.glob("*.part.jsonl")) <= bound:
            time.sleep(0.001)
        time.sleep(moments.random() * 0.05)
        os.kill(process.pid, signal.SIGKILL)
        process.communicate()
    parts = sorted(tmp_path.glob("*.part.jsonl"))
    with open(parts[-1], "ab") as file:
        file.write(b'{"doc_id": "web:0", "respo')  # as a kill in the middle of a write leaves it
    assert main([*arguments(bench, tmp_path), "--resume"]) == 0, bounds
    assert_same(tmp_path, calm)


def test_resuming_with_another_number_of_processes_asks_nothing_again(bench: Path, calm: Path, tmp_path: Path) -> None:
    argv = arguments(bench, tmp_path)
    for path in calm.glob("*.0.part.jsonl"):
        (tmp_path / path.name.replace(".0.part", ".7.part")).write_bytes(path.read_bytes())
    assert main([*argv, "--resume"]) == 0
    assert_same(tmp_path, calm)
    assert (tmp_path / "predictions_screenspot.0.part.jsonl").read_bytes() == b""
    assert main(argv) == 0
    assert not (tmp_path / "predictions_screenspot.7.part.jsonl").exists()
    assert_same(tmp_path, calm)


def test_another_model_is_asked_anew(bench: Path, calm: Path, tmp_path: Path) -> None:
    for path in calm.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    assert main([*arguments(bench, tmp_path), "--resume", "--model_args", "max_pixels=4096"]) == 0
    config, old = (json.loads((out / "results.json").read_text())["config"] for out in (tmp_path, calm))
    assert config["model_fingerprint"] != old["model_fingerprint"]
    sizes = {tuple(json.loads(line)["processed_size"]) for line in (tmp_path / "predictions_screenspot.jsonl").open()}
    assert sizes == {(64, 64)}


def test_several_processes_need_a_folder_to_meet_in(
    bench: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    assert main(["eval", "--model", "tiny", "--tasks", "screenspot", "--data_root", str(bench)]) == 2
    assert "several processes meet in --output_path" in capsys.readouterr().err
