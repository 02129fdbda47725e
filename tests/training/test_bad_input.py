"""Bad input, through the real command: one sentence that names place and mend; and a row that goes bad does not end a run."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from toy_training import ROOT, TRAIN_SCRIPT, metrics, set_up, write_config
from toys import draw_rows, picture, write_rows

from vlrl.cli import main
from vlrl.logs import RunFolder


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose `config.yaml` would train; tests put their own `--output_dir` and rows."""
    folder = tmp_path_factory.mktemp("ready")
    set_up(folder, task="gui", max_steps=2, evaluation={})
    return folder


def train(folder: Path, *argv: str) -> int:
    return main(["train", "--config", str(folder / "config.yaml"), *argv])


def refusal(capsys: pytest.CaptureFixture[str], folder: Path, output: Path, *argv: str) -> str:
    """The one sentence with which a run is refused before it writes anything."""
    assert train(folder, "--output_dir", str(output / "run"), *argv) == 2
    assert not (output / "run").exists()
    return sentence(capsys)


def sentence(capsys: pytest.CaptureFixture[str]) -> str:
    error = capsys.readouterr().err
    lines = [line for line in error.splitlines() if line.startswith("vlrl: error: ")]
    assert len(lines) == 1
    assert error.rstrip().endswith(lines[0])
    assert "Traceback" not in error
    return lines[0].removeprefix("vlrl: error: ")


# configuration


def test_an_unknown_key(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_rows(tmp_path / "rows.jsonl", draw_rows(tmp_path))
    file = write_config(tmp_path, rollout={"num_generation": 4})
    assert train(tmp_path) == 2
    assert sentence(capsys) == f"{file}: unknown option 'rollout.num_generation'; did you mean 'rollout.num_generations'?"


NUMBERS = [
    ("rollout.num_generations", "1", "a group of fewer than 2 has no baseline; set it to 2 or more (8 is usual)"),
    ("rollout.num_generations", "0", "set it to 2 or more"),
    (
        "rollout.generation_batch_size",
        "10",
        "not a multiple of num_generations x processes = 4 x 1; set it to a multiple of 4",
    ),
    ("rollout.generation_batch_size", "0", "set it to a multiple of 4"),
    ("grpo.steps_per_generation", "3", "does not divide the 2 prompts of each process; set it to a divisor of 2"),
    ("grpo.steps_per_generation", "0", "set it to 1 or more"),
    ("grpo.num_iterations", "0", "set it to 1 or more"),
    ("max_steps", "0", "set it to 1 or more"),
    ("save_every", "0", "set it to 1 or more"),
    ("keep_checkpoints", "0", "set it to 1 or more"),
    ("evaluation.every", "0", "set it to 1 or more"),
    ("evaluation.batch_size", "-4", "set it to 1 or more"),
    ("optim.per_device_train_batch_size", "0", "set it to 1 or more"),
    ("rollout.max_prompt_length", "0", "set it to 1 or more"),
    ("rollout.max_completion_length", "0", "set it to 1 or more"),
    ("rollout.temperature", "0.0", "set it above 0 (1.0 samples from the model as it is)"),
    ("optim.learning_rate", "-1.0", "set it to 0 or more"),
    ("optim.learning_rate", ".nan", "set it to 0 or more"),
    ("optim.warmup_steps", "-1", "set it to 0 or more"),
    ("optim.max_grad_norm", "0.0", "set it above 0 (.inf never clips)"),
    ("grpo.beta", "-0.1", "set it to 0 or more"),
    ("grpo.epsilon", ".inf", "set it to 0 or more"),
]


@pytest.mark.parametrize(("key", "value", "words"), NUMBERS)
def test_numbers_with_which_no_run_works(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: str, words: str
) -> None:
    error = refusal(capsys, ready, tmp_path, f"--{key}", value)
    assert error.startswith(f"{key} is {value.removeprefix('.')}")
    assert words in error


WORDS = [
    ("grpo.algorithm", "gpro", "grpo.algorithm: there is no 'gpro'; choose one of grpo, "),
    ("grpo.aggregation", "mean", "sequence_mean"),
    ("optim.lr_scheduler_type", "cosin", "cosine"),
    ("optim.learning_rate", "fast", "float"),
    ("model.dtype", "float8", "bfloat16"),
    ("model.attn_implementation", "flash", "sdpa"),
    ("model.name_or_path", "/nowhere/toy", "no checkpoint at '/nowhere/toy': there is no such folder; give a checkpoint folder"),
    ("model.lora.r", "0", "model.lora: "),
    ("model.lora.target_modules", "nothing", "model.lora: "),
    ("model.min_pixels", "100000000", "min_pixels is 100000000, more than max_pixels"),
    ("prompt_mode", "thinking", "think"),
    ("trackers", "[wandbb]", "wandb"),
    ("data", "[]", "data is empty; name at least one JSONL file"),
    ("data", "rows.jsonl", "data"),
]


@pytest.mark.parametrize(("key", "value", "words"), WORDS)
def test_words_that_mean_nothing(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], key: str, value: str, words: str
) -> None:
    error = refusal(capsys, ready, tmp_path, f"--{key}", value)
    assert words in error
    assert key.split(".")[0] in error


def test_a_tracker_that_is_not_installed(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vlrl.training.setup.get_available_trackers", list)
    error = refusal(capsys, ready, tmp_path, "--trackers", "[tensorboard]")
    assert error == "trackers: tensorboard is not installed; `pip install tensorboard`, or leave it out"


def test_processes_that_do_not_know_of_each_other(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under `torchrun` without GPUs: they would all write the same run folder."""
    monkeypatch.setenv("WORLD_SIZE", "2")
    error = refusal(capsys, ready, tmp_path)
    assert error == "2 processes were launched, but accelerate sees 1; on CPUs set ACCELERATE_USE_CPU=true"


# data files


def data_argument(path: Path, **keys: Any) -> tuple[str, str]:
    return "--data", json.dumps([{"path": str(path), **keys}])


def test_data_files_that_hold_nothing(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    empty = write_rows(tmp_path / "empty.jsonl", [])
    assert refusal(capsys, ready, tmp_path, *data_argument(empty)) == f"{empty}: holds no rows; write one JSON object per line"
    missing = refusal(capsys, ready, tmp_path, *data_argument(tmp_path / "none.jsonl"))
    assert missing.startswith(f"{tmp_path}/none.jsonl: cannot be read (")
    assert missing.endswith("; check the path of the data file")
    held_out = ("--evaluation.data", json.dumps([{"path": str(empty)}]))
    assert "empty.jsonl: holds no rows" in refusal(capsys, ready, tmp_path, *held_out)
    weightless = refusal(capsys, ready, tmp_path, *data_argument(ready / "rows.jsonl", weight=0))
    assert weightless == "data set 0 of the mixture has weight 0.0; give a number above 0, or leave the set out"


ROWS_THAT_CANNOT_BE_READ = [
    ("{", "is not JSON"),
    ({"task": "guy"}, "task: unknown task 'guy'; did you mean 'gui'?"),
    ({"task": None}, "task: is null; add it to the row or give one task for the whole file"),
    ({"answer": None}, "answer: is null; add the gold answer as an object"),
    ({"question": ""}, "question: is an empty string; add the question as a string"),
    ({"imge": "0.png"}, "imge: is no key of a row; did you mean 'image'?"),
    ({"id": "row-0"}, "id: 'row-0' is the id of line 1 already; give every row its own id"),
]


@pytest.mark.parametrize(("change", "words"), ROWS_THAT_CANNOT_BE_READ)
def test_rows_that_cannot_be_read_are_refused_before_training(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Any, words: str
) -> None:
    first, second, *others = draw_rows(tmp_path)
    rows = [first, change if isinstance(change, str) else {**second, **change}, *others]
    file = write_rows(tmp_path / "rows.jsonl", rows)
    error = refusal(capsys, ready, tmp_path, *data_argument(file))
    assert error.startswith(f"{file}:2: ")
    assert words in error
    assert main(["validate", str(file)]) == 1
    out = capsys.readouterr().out
    assert out.splitlines() == [error, f"{file}: {len(rows)} rows, 1 bad"]


def test_a_row_without_an_answer(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    row = draw_rows(tmp_path)[0]
    del row["answer"]
    file = write_rows(tmp_path / "rows.jsonl", [row])
    error = refusal(capsys, ready, tmp_path, *data_argument(file))
    assert error == f'{file}:1: answer: is missing; add the gold answer as an object, such as {{"box": [x1, y1, x2, y2]}}'


def test_the_process_ends_with_2_and_one_line(ready: Path, tmp_path: Path) -> None:
    """What a shell sees."""
    bad = ["--config", str(ready / "config.yaml"), "--output_dir", str(tmp_path / "run"), "--rollout.num_generations", "two"]
    done = subprocess.run([*TRAIN_SCRIPT, *bad], capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith('vlrl: error: "rollout.num_generations": ')
    assert done.stderr.count("\n") == 1


def test_the_makefile_launches_quietly() -> None:
    """Without --quiet the launcher adds a traceback of its own to the sentence."""
    assert "accelerate launch --quiet" in (ROOT / "Makefile").read_text()


# rows that turn out bad when they are needed


def draw_bad_rows(folder: Path) -> list[dict[str, Any]]:
    """One row for each way to go bad."""
    good = draw_rows(folder, 1)[0]
    (folder / "corrupt.png").write_bytes((folder / "0.png").read_bytes()[:100])
    changes: dict[str, dict[str, Any]] = {
        "missing": {"image": "missing.png"},
        "corrupt": {"image": "corrupt.png"},
        "outside": {"answer": {"box": [8, 8, 99, 32]}},
        "long": {"question": "please " * 100},
    }
    return [{**good, **change, "id": name} for name, change in changes.items()]


SKIPPED = {
    "missing": "image: {folder}/missing.png does not exist; mend the path",
    "corrupt": "image: {folder}/corrupt.png cannot be decoded",
    "outside": "answer: ",
    "long": "question: the prompt has ",
}


def test_bad_rows_are_skipped_counted_and_named(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad = draw_rows(tmp_path, 4), draw_bad_rows(tmp_path)
    file = write_rows(tmp_path / "rows.jsonl", [*bad, *good])
    output = ("--output_dir", str(tmp_path / "run"), "--max_steps", "4")
    assert train(ready, *output, *data_argument(file)) == 0
    run = RunFolder(tmp_path / "run")
    lines = [line for line in capsys.readouterr().out.splitlines() if "skipped a row: " in line]
    skips = [int(row["rows_skipped"]) for row in run.metrics()]
    for step, count in enumerate(skips, start=1):
        assert sum(line.startswith(f"step {step}: skipped a row: {file}:") for line in lines) == count
        assert [len(group.rollouts) for group in run.groups(step)] == [4, 4]
    state = json.loads((run.checkpoint_dir(4) / "trainer_state.json").read_text())
    assert sum(skips) == state["cursors"][0] - 8  # draws that gave no prompt
    assert {group.sample.id for step in run.steps() for group in run.groups(step)} == {row["id"] for row in good}
    for number, name in enumerate(SKIPPED, start=1):
        words = f"skipped a row: {file}:{number}: {SKIPPED[name].format(folder=tmp_path)}"
        assert sum(words in line for line in lines) >= 1
    assert any("lies outside the image" in line for line in lines)
    assert any("tokens, more than 200; raise max_prompt_length" in line for line in lines)


def test_a_file_that_vanishes_during_training(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows are good when they are read; from the second step on half of their images are gone."""
    file = write_rows(tmp_path / "rows.jsonl", draw_rows(tmp_path, 4))
    write_metrics = RunFolder.write_metrics

    def write_and_delete(folder: RunFolder, step: int, row: dict[str, float]) -> None:
        write_metrics(folder, step, row)
        for name in ("0.png", "1.png"):
            (tmp_path / name).unlink(missing_ok=True)

    monkeypatch.setattr(RunFolder, "write_metrics", write_and_delete)
    assert train(ready, "--output_dir", str(tmp_path / "run"), "--max_steps", "4", *data_argument(file)) == 0
    skips = [row["rows_skipped"] for row in metrics(tmp_path / "run")]
    assert skips[0] == 0
    assert sum(skips) > 0
    assert "0.png does not exist" in capsys.readouterr().out


@pytest.mark.parametrize("argv", [(), ("--rollout.max_prompt_length", "5")])
def test_nothing_but_bad_rows_ends_the_run(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...]
) -> None:
    rows = draw_rows(tmp_path, 3)
    file = write_rows(tmp_path / "rows.jsonl", rows if argv else [{**row, "image": "none.png"} for row in rows])
    assert train(ready, "--output_dir", str(tmp_path / "run"), *data_argument(file), *argv) == 2
    error = sentence(capsys)
    assert error.startswith(f"100 rows in a row are unusable, the last one: {file}:")
    assert error.endswith("; run `vlrl validate` on the data")
    assert ("more than 5" in error) if argv else ("none.png does not exist" in error)


def test_a_question_that_holds_a_placeholder(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, other = draw_rows(tmp_path, 2)
    file = write_rows(tmp_path / "rows.jsonl", [good, {**other, "question": "what is <|image_pad|>?"}])
    assert train(ready, "--output_dir", str(tmp_path / "run"), *data_argument(file)) == 0
    words = f"skipped a row: {file}:2: the text holds <|image_pad|>, which stands for pixels; take it out"
    assert words in capsys.readouterr().out


def test_an_image_that_the_processor_refuses(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, other = draw_rows(tmp_path, 2)
    picture(300, 1).save(tmp_path / "thin.png")
    wide = {**other, "image": "thin.png", "answer": {"box": [0, 0, 9, 1]}}
    file = write_rows(tmp_path / "rows.jsonl", [good, wide])
    assert train(ready, "--output_dir", str(tmp_path / "run"), *data_argument(file)) == 0
    out = capsys.readouterr().out
    assert f"skipped a row: {file}:2: the processor refuses the image: " in out
    assert "; resize the image, or leave the row out\n" in out


# held-out rows


def test_bad_held_out_rows_are_counted_beside_the_score(ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write_rows(tmp_path / "held_out.jsonl", [*draw_rows(tmp_path, 3), *draw_bad_rows(tmp_path)])
    held_out = ("--evaluation.data", json.dumps([{"path": str(file)}]))
    assert train(ready, "--output_dir", str(tmp_path / "run"), "--evaluation.every", "2", *held_out) == 0
    run, out = RunFolder(tmp_path / "run"), capsys.readouterr().out
    assert "step 0  4 of 7 held-out rows cannot be scored and are in no mean, the first one: " + f"{file}:4: image: " in out
    assert "3 rows (4 left out: they cannot be scored)" in out
    for evaluation in run.evals():
        found = evaluation["prompt_modes"]["direct"]["gui/click_accuracy"]
        assert (found["n"], found["unscorable"]) == (3, 4)
    summary = run.summary()
    assert summary is not None
    assert (summary["metrics"]["gui/click_accuracy"]["n"], summary["metrics"]["gui/click_accuracy"]["unscorable"]) == (3, 4)
    assert [row["score"]["failure"] for row in run.eval_rows(0)][3:] == ["bad_row"] * 4


def test_nothing_but_bad_held_out_rows_is_refused_before_training(
    ready: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_rows(tmp_path / "held_out.jsonl", draw_bad_rows(tmp_path))
    held_out = ("--evaluation.data", json.dumps([{"path": str(file)}]))
    assert train(ready, "--output_dir", str(tmp_path / "run"), *held_out) == 2
    assert sentence(capsys).startswith(f"none of the 4 rows can be evaluated, the first one: {file}:1: image: ")
    assert not (tmp_path / "run" / "metrics.jsonl").exists() or metrics(tmp_path / "run") == []
