"""A killed run that goes on equals one that was never killed; what else lies in the folder is refused, kept or moved aside."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from toy_training import ROOT, TRAIN_SCRIPT, contents, metrics, set_up, write_config
from toys import save_toy

from vlrl.cli import main
from vlrl.logs import CHECKPOINT_MARKER, RunFolder
from vlrl.models.tiny.build import ToyShape

STEPS, SAVE_EVERY = 12, 3
SEED = 20
"""Of the three points at which the run is killed."""
STATIONS = [
    ("vlrl.training.grpo:sample", 1),
    ("vlrl.training.grpo:update", 1),
    ("vlrl.training.grpo:optimizer_step", 2),
    ("vlrl.logs:RunFolder.write_groups", 1),
    ("vlrl.logs:RunFolder.write_metrics", 1),
]
"""Functions that every step calls, and how often."""


class Zygote:
    """`zygote.py`, as seen from the test."""

    def __init__(self, folder: Path) -> None:
        environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1", "ZYGOTE_LOG": str(folder / "log")}
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
            cwd=ROOT,
        )

    def start(self, *argv: str, kill: tuple[str, int, str] | None = None) -> int:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"argv": ["train", *argv], "kill": kill}) + "\n")
        self.process.stdin.flush()
        return int(self._line())

    def wait(self) -> int:
        return int(self._line())

    def _line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline()


@pytest.fixture
def zygote(tmp_path: Path) -> Iterator[Zygote]:
    zygote = Zygote(tmp_path)
    yield zygote
    zygote.process.kill()
    zygote.process.wait()


def in_a_random_place(chance: random.Random, steps: range) -> tuple[str, int, str]:
    """Before or after a call of some station in one of `steps`."""
    place, calls = chance.choice(STATIONS)
    return place, chance.choice(steps) * calls - chance.randrange(calls), chance.choice(("before", "after"))


def kill_in_the_middle_of(step: int, run: RunFolder, pid: int, chance: random.Random) -> None:
    """From outside, at any instant after `step` is in the metrics."""
    limit = time.monotonic() + 120
    while not any(row["step"] >= step for row in run.metrics()):
        assert time.monotonic() < limit
        time.sleep(0.005)
    time.sleep(chance.random() * 0.3)
    os.kill(pid, signal.SIGKILL)


def test_three_kills_change_nothing(tmp_path: Path, zygote: Zygote) -> None:
    settings = {
        "max_steps": STEPS,
        "save_every": SAVE_EVERY,
        "evaluation": {"every": 4, "data": [{"path": str(tmp_path / "held_out.jsonl")}]},
    }
    config, run, chance = set_up(tmp_path, **settings), tmp_path / "run", random.Random(SEED)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "OMP_NUM_THREADS": "1"}
    undisturbed = tmp_path / "undisturbed"
    command = [*TRAIN_SCRIPT, "--config", str(config), "--output_dir", str(undisturbed)]
    subprocess.run(command, env=environment, capture_output=True, check=True, timeout=300)

    resume = ("--config", str(config), "--resume", "true")
    zygote.start(*resume, kill=in_a_random_place(chance, range(SAVE_EVERY + 1, 2 * SAVE_EVERY + 1)))
    assert zygote.wait() == -signal.SIGKILL
    assert newest_step(run) == SAVE_EVERY

    zygote.start(*resume, kill=("vlrl.models.vlm:VLM.save", 2, "after"))  # the checkpoint of step 9, half written
    assert zygote.wait() == -signal.SIGKILL
    half = run / "checkpoints" / "000009"
    assert (half / "model" / "config.json").exists()
    assert not (half / CHECKPOINT_MARKER).exists()
    assert newest_step(run) == 2 * SAVE_EVERY

    kill_in_the_middle_of(2 * SAVE_EVERY + 2, RunFolder(run), zygote.start(*resume), chance)
    assert zygote.wait() == -signal.SIGKILL
    assert not (run / "summary.json").exists()

    zygote.start(*resume)
    assert zygote.wait() == 0, (tmp_path / "log").read_text()
    same_run(run, undisturbed)
    assert not list(tmp_path.glob("run.old-*"))


def newest_step(run: Path) -> int:
    newest = RunFolder(run).latest_checkpoint()
    return int(newest.name) if newest else 0


def same_run(run: Path, other: Path) -> None:
    assert metrics(run) == metrics(other)
    assert [row["step"] for row in metrics(run)] == list(range(1, STEPS + 1))
    assert contents(run, "rollouts", "eval") == contents(other, "rollouts", "eval")
    summary, expected = RunFolder(run).summary(), RunFolder(other).summary()
    assert summary is not None
    assert expected is not None
    assert summary.pop("seconds") > 0
    assert expected.pop("seconds") > 0
    assert summary == expected
    last = f"checkpoints/{STEPS:06d}/model/model.safetensors"
    assert (run / last).read_bytes() == (other / last).read_bytes()
    assert all(row["grad_norm"] > 0 and row["kl"] is not None for row in metrics(run))  # it was worth comparing
    assert len({row["reward"] for row in metrics(run)}) == STEPS


# one process from here on: what a resume finds in the folder


@pytest.fixture
def finished(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """The folder of a finished run of two steps, with its config file."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "hash_task", raising=False)
    config = set_up(tmp_path, max_steps=2, save_every=2)
    assert main(["train", "--config", str(config)]) == 0
    capsys.readouterr()
    return tmp_path


def train(folder: Path, *argv: str) -> int:
    return main(["train", "--config", str(folder / "config.yaml"), *argv])


def refusal(folder: Path, capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """The one line with which a run is refused; its folder stays as it was."""
    before = contents(folder / "run")
    assert train(folder, *argv) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("vlrl: error: ")]
    assert len(lines) == 1
    assert contents(folder / "run") == before
    return lines[0]


def test_a_finished_run_shows_its_table_again_and_stays_as_it_is(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(finished / "run")
    times = {path: path.stat().st_mtime_ns for path in (finished / "run").rglob("*")}
    assert train(finished, "--resume", "true") == 0
    out = capsys.readouterr().out
    assert "hash/value" in out
    assert f"run folder: {finished / 'run'}" in out
    assert contents(finished / "run") == before
    assert {path: path.stat().st_mtime_ns for path in (finished / "run").rglob("*")} == times


def test_a_finished_run_goes_on_to_more_steps(finished: Path) -> None:
    first = metrics(finished / "run")
    assert train(finished, "--resume", "true", "--max_steps", "3") == 0
    run = RunFolder(finished / "run")
    assert metrics(run.path)[:2] == first
    assert [row["step"] for row in run.metrics()] == [1, 2, 3]
    assert [summary["step"] for summary in run.evals()] == [0, 2, 3]
    assert run.config()["max_steps"] == 3
    assert newest_step(run.path) == 3


def test_a_run_killed_after_its_last_checkpoint_gets_its_summary(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    summary = RunFolder(finished / "run").summary()
    (finished / "run" / "summary.json").unlink()
    assert train(finished, "--resume", "true") == 0
    again = RunFolder(finished / "run").summary()
    assert summary is not None
    assert again is not None
    assert again["metrics"] == summary["metrics"]
    assert "hash/value" in capsys.readouterr().out


def test_without_resume_an_earlier_run_is_moved_aside(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = contents(finished / "run")
    for number in (1, 2):
        assert train(finished, "--max_steps", "1", "--save_every", "1") == 0
        out = capsys.readouterr().out
        assert f"{finished / 'run'} held an earlier run: it is now {finished / 'run'}.old-{number}, and the run starts" in out
    assert contents(finished / "run.old-1") == before
    assert len(metrics(finished / "run")) == len(metrics(finished / "run.old-2")) == 1


def test_without_a_checkpoint_a_resume_starts_anew(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its first evaluation too: nothing tells that the rows on disk are of this model and configuration."""
    expected = metrics(finished / "run")
    (finished / "run" / "checkpoints" / "000002" / CHECKPOINT_MARKER).unlink()
    assert train(finished, "--resume", "true") == 0
    out = capsys.readouterr().out
    assert f"{finished / 'run'} holds no complete checkpoint to resume from: it is now {finished / 'run'}.old-1" in out
    assert "step 0  held-out" in out
    assert metrics(finished / "run") == metrics(finished / "run.old-1") == expected


def test_a_resume_of_nothing_starts(finished: Path) -> None:
    shutil.rmtree(finished / "run")
    (finished / "run").mkdir()  # an empty folder is no run
    assert train(finished, "--resume", "true", "--max_steps", "1") == 0
    assert not list(finished.glob("run.old-*"))


def test_a_folder_that_is_no_run_is_left_alone(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (finished / "run" / "config.yaml").unlink()
    words = f"output_dir: {finished / 'run'} is there and is no run folder; choose another one"
    for resume in ("true", "false"):
        assert words in refusal(finished, capsys, "--resume", resume)
    assert f"output_dir: {finished / 'hash_task.py'} is there" in refusal(
        finished, capsys, "--output_dir", str(finished / "hash_task.py")
    )


def test_a_checkpoint_of_another_model(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = save_toy(finished / "other", "qwen2_vl", ToyShape(hidden_size=32, text_layers=1, num_heads=2, image_side=64))
    error = refusal(finished, capsys, "--resume", "true", "--model.name_or_path", str(other))
    assert f"{finished / 'run' / 'checkpoints' / '000002'}: is a checkpoint of Qwen3VLForConditionalGeneration (" in error
    assert "but model.name_or_path gives Qwen2VLForConditionalGeneration (" in error
    assert "resume with the model and the LoRA settings it was trained with, or choose another output_dir" in error


@pytest.mark.parametrize("changed", [("--model.lora.r", "2"), ("--model.freeze_vision_tower", "true")])
def test_a_checkpoint_with_other_trainable_parts(
    finished: Path, capsys: pytest.CaptureFixture[str], changed: tuple[str, str]
) -> None:
    assert "trainable); resume with the model" in refusal(finished, capsys, "--resume", "true", *changed)


def test_a_checkpoint_of_another_number_of_processes(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = finished / "run" / "checkpoints" / "000002" / "trainer_state.json"
    written: dict[str, Any] = json.loads(state.read_text())
    state.write_text(json.dumps({**written, "cursors": written["cursors"] * 4}))
    error = refusal(finished, capsys, "--resume", "true")
    assert error.endswith("000002: was written by 4 processes, each with its own place in the data; launch as many now, not 1")


def test_a_checkpoint_past_the_end(finished: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(finished, capsys, "--resume", "true", "--max_steps", "1")
    assert error.endswith("000002: is 2 steps into the run, past max_steps = 1; raise max_steps, or choose another output_dir")


def test_old_checkpoints_go(finished: Path) -> None:
    write_config(finished, max_steps=4, save_every=1, keep_checkpoints=2, evaluation={})
    assert train(finished) == 0
    assert sorted(path.name for path in (finished / "run" / "checkpoints").iterdir()) == ["000003", "000004"]
