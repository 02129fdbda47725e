"""`vlrl train`, `vlrl eval` and `vlrl inspect` from outside: what they write, print and refuse."""

from __future__ import annotations

import json
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import yaml
from toys import HASH_TASK, draw_rows, save_toy, write_rows

from vlrl.cli import main
from vlrl.cli.parser import new_parser, parse
from vlrl.cli.train import add_arguments as add_train_arguments
from vlrl.logs import CHECKPOINT_MARKER, RunFolder
from vlrl.models import vlm as models
from vlrl.training.config import TrainConfig

ROOT = Path(__file__).parents[1]

SIZES = ("--max_completion_length", "8", "--batch_size", "4")


@pytest.fixture(scope="module")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture
def rows(tmp_path: Path) -> Path:
    """Eight rows: four of `gui`, then four of `grounding`, then none."""
    drawn = draw_rows(tmp_path, 8)
    for row in drawn[4:]:
        row["task"] = "grounding"
    return write_rows(tmp_path / "rows.jsonl", drawn)


def run(capsys: pytest.CaptureFixture[str], *argv: object) -> tuple[int, str, str]:
    code = main([str(word) for word in argv])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def refused(capsys: pytest.CaptureFixture[str], *argv: object) -> str:
    """The sentence with which a command line is refused."""
    code, _, err = run(capsys, *argv)
    lines = [line for line in err.splitlines() if line.startswith("vlrl: error: ")]
    assert (code, len(lines)) == (2, 1)
    return lines[0].removeprefix("vlrl: error: ")


def read_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


# vlrl train


@pytest.fixture
def config(tmp_path: Path, toy: Path, rows: Path) -> Path:
    sections = {
        "output_dir": str(tmp_path / "run"),
        "max_steps": 2,
        "save_every": 5,
        "data": [{"path": str(rows), "weight": 2.0}],
        "model": {"name_or_path": str(toy)},
        "rollout": {"num_generations": 2, "generation_batch_size": 4, "max_completion_length": 4},
        "optim": {"learning_rate": 1e-4},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(sections))
    return tmp_path / "config.yaml"


def test_train_from_a_file_with_overrides(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ("--optim.learning_rate", "3e-4", "--rollout.num_generations=4", "--grpo.algorithm", "dapo", "--max_steps", "1")
    code, out, _ = run(capsys, "train", "--config", config, *overrides)
    assert code == 0
    resolved = RunFolder(tmp_path / "run").config()
    assert resolved["optim"] == {**resolved["optim"], "learning_rate": 3e-4, "per_device_train_batch_size": 8}
    assert resolved["rollout"]["num_generations"] == 4
    assert resolved["rollout"]["max_completion_length"] == 4  # from the file
    assert resolved["data"] == [{"path": str(tmp_path / "rows.jsonl"), "task": None, "weight": 2.0}]
    assert resolved["grpo"]["algorithm"] == "dapo"
    assert [len(group.rollouts) for group in RunFolder(tmp_path / "run").groups(1)] == [4]
    assert len(RunFolder(tmp_path / "run").metrics()) == 1
    assert f"run folder: {tmp_path / 'run'}" in out  # without held-out rows there is no table, but there is a run


def test_the_resolved_config_trains_again(config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file in the run folder is a config file: it gives the same run."""
    lora = ("--model.lora.r", "2", "--evaluation.prompt_modes", "[direct, think]", "--optim.lr_scheduler_type", "cosine")
    assert run(capsys, "train", "--config", config, *lora)[0] == 0
    written = tmp_path / "run" / "config.yaml"
    assert run(capsys, "train", "--config", written, "--output_dir", tmp_path / "again")[0] == 0
    first, second = (RunFolder(tmp_path / name) for name in ("run", "again"))
    assert {**second.config(), "output_dir": ""} == {**first.config(), "output_dir": ""}
    assert [row["loss"] for row in second.metrics()] == [row["loss"] for row in first.metrics()]
    assert second.groups(2) == first.groups(2)


@pytest.mark.parametrize("path", sorted((ROOT / "configs" / "train").glob("*.yaml")), ids=lambda path: path.stem)
def test_our_own_configs_are_good(path: Path) -> None:
    parser = new_parser("train", "")
    add_train_arguments(parser)
    parsed = parser.instantiate(parse(parser, ["--config", str(path)]))
    config = TrainConfig(**{field.name: parsed[field.name] for field in fields(TrainConfig)})
    config.check()
    assert config.grpo.resolve().epsilon > 0
    assert config.prompts_per_process(1) * config.rollout.num_generations == config.rollout.generation_batch_size


def test_train_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["train", "--help"])
    out = capsys.readouterr().out
    keys = ("--config", "--data", "--rollout.num_generations", "--grpo.epsilon_high", "--model.lora", "--evaluation.every")
    assert all(key in out for key in keys)


def test_train_needs_data(capsys: pytest.CaptureFixture[str]) -> None:
    assert "data" in refused(capsys, "train")
    assert refused(capsys, "train", "--config", "nowhere.yaml").startswith('"config": File does not exist:')


# vlrl eval


def test_eval_writes_results_and_samples(toy: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out_dir = tmp_path / "deep" / "out"
    argv = ("--model", toy, "--data", rows, "--prompt_mode", "both", "--limit", "5", "--output_path", out_dir)
    code, out, _ = run(capsys, "eval", *argv, *SIZES)
    assert code == 0
    assert "partial: first 5 of 8 rows; not a score of the whole set" in out
    assert sorted(path.name for path in out_dir.iterdir()) == ["results.json", "samples_grounding.jsonl", "samples_gui.jsonl"]
    written = json.loads((out_dir / "results.json").read_text())
    assert set(written["results"]) == {"gui", "grounding"}
    expected = {"model": str(toy), "data": str(rows), "prompt_mode": "both", "limit": 5, "rows": 8}
    assert {key: written["config"][key] for key in expected} == expected
    for mode in ("direct", "think"):
        assert written["results"]["gui"][f"click_accuracy,{mode}"] == 0.0
        assert written["results"]["gui"][f"click_accuracy_ci95,{mode}"] == [0.0, 0.0]
        assert written["results"]["gui"][f"click_accuracy_n,{mode}"] == 4
        assert written["results"]["grounding"][f"iou_n,{mode}"] == 1
        assert written["results"]["grounding"][f"iou_unscorable,{mode}"] == 0
    samples = read_lines(out_dir / "samples_gui.jsonl")
    assert [(s["doc_id"], s["prompt_mode"]) for s in samples] == [
        (f"row-{i}", mode) for mode in ("direct", "think") for i in range(4)
    ]
    assert all(s["value"] == s["score"]["value"] and s["failure"] == s["score"]["failure"] is not None for s in samples)
    assert len(read_lines(out_dir / "samples_grounding.jsonl")) == 2


def test_eval_of_one_mode_has_plain_names(toy: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "eval", "--model", toy, "--data", rows, "--output_path", tmp_path / "out", *SIZES)
    results = json.loads((tmp_path / "out" / "results.json").read_text())["results"]
    assert code == 0
    assert set(results["gui"]) == {"click_accuracy", "click_accuracy_ci95", "click_accuracy_n", "click_accuracy_unscorable"}
    assert {"iou", "acc50"} <= set(results["grounding"])
    assert "partial" not in out
    for name in ("gui/click_accuracy", "grounding/iou", "grounding/acc50"):
        assert name in out


def test_eval_keeps_bad_rows_and_says_so(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = draw_rows(tmp_path, 3)
    bad = [{**good[0], "id": f"bad-{i}", "image": "none.png"} for i in range(7)]
    rows = write_rows(tmp_path / "rows.jsonl", [*good, *bad])
    code, out, _ = run(capsys, "eval", "--model", toy, "--data", rows, "--output_path", tmp_path / "out", *SIZES)
    results = json.loads((tmp_path / "out" / "results.json").read_text())["results"]["gui"]
    assert (code, results["click_accuracy_n"], results["click_accuracy_unscorable"]) == (0, 3, 7)
    samples = read_lines(tmp_path / "out" / "samples_gui.jsonl")
    assert [s["failure"] for s in samples[3:]] == ["bad_row"] * 7
    assert [s["value"] for s in samples[3:]] == [None] * 7
    assert "7 rows (direct) cannot be scored and are in no mean:\n" in out
    assert f"  {rows}:4: image: {tmp_path}/none.png does not exist; mend the path" in out
    assert "  and 2 more" in out


def test_eval_refuses_to_score_nothing(toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = write_rows(tmp_path / "rows.jsonl", [{**row, "image": "none.png"} for row in draw_rows(tmp_path, 2)])
    error = refused(capsys, "eval", "--model", toy, "--data", rows, *SIZES)
    assert error.startswith(f"none of the 2 rows can be evaluated, the first one: {rows}:1: image: ")
    long = write_rows(tmp_path / "long.jsonl", draw_rows(tmp_path, 2))
    error = refused(capsys, "eval", "--model", toy, "--data", long, "--max_prompt_length", "5", *SIZES)
    assert "tokens, more than 5; raise max_prompt_length" in error


def test_eval_of_a_task_of_ones_own(
    toy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "hash_task.py").write_text(HASH_TASK)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "hash_task", raising=False)
    drawn = draw_rows(tmp_path, 3)
    for row in drawn:
        del row["task"]
    rows = write_rows(tmp_path / "rows.jsonl", drawn)
    argv = ("--model", toy, "--data", rows, "--task", "hash_task:TASK", "--output_path", tmp_path / "out")
    assert run(capsys, "eval", *argv, *SIZES)[0] == 0
    results = json.loads((tmp_path / "out" / "results.json").read_text())["results"]
    samples = read_lines(tmp_path / "out" / "samples_hash.jsonl")
    assert results["hash"]["value"] == pytest.approx(sum(s["value"] for s in samples) / 3)
    assert 0 < results["hash"]["value"] < 1


@pytest.mark.parametrize("lora", [(), ("--model.lora.r", "2", "--optim.learning_rate", "0.1")])
def test_eval_of_a_run_folder_takes_its_newest_checkpoint(
    config: Path,
    rows: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    lora: tuple[str],
) -> None:
    assert run(capsys, "train", "--config", config, "--save_every", "1", *lora)[0] == 0
    loaded: list[str] = []
    load = models.load
    monkeypatch.setattr(models, "load", lambda name: loaded.append(name) or load(name))
    assert run(capsys, "eval", "--model", tmp_path / "run", "--data", rows, *SIZES)[0] == 0
    assert loaded == [str(tmp_path / "run" / "checkpoints" / "000002" / "model")]
    assert (Path(loaded[0]) / "adapter_config.json").exists() == bool(lora)


def test_eval_of_a_run_without_a_checkpoint(rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_folder = RunFolder(tmp_path / "young")
    run_folder.create({})
    run_folder.checkpoint_dir(1).mkdir()  # begun, and not marked with
    assert not (run_folder.checkpoint_dir(1) / CHECKPOINT_MARKER).exists()
    error = refused(capsys, "eval", "--model", run_folder.path, "--data", rows)
    assert error == f"{run_folder.path}: is a run folder without a complete checkpoint; wait for one, or name a checkpoint folder"


def test_eval_mistakes(toy: Path, rows: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good = {"--model": str(toy), "--data": str(rows)}

    def error_with(**changes: str) -> str:
        options = good | {f"--{key}": value for key, value in changes.items()}
        return refused(capsys, "eval", *(word for option in options.items() for word in option))

    assert "no checkpoint at '/nowhere/toy': there is no such folder" in error_with(model="/nowhere/toy")
    assert "none.jsonl: cannot be read" in error_with(data=str(tmp_path / "none.jsonl"))
    assert '"limit": ' in error_with(limit="0")
    assert '"batch_size": ' in error_with(batch_size="-1")
    assert "direct" in error_with(prompt_mode="thinking")
    assert error_with(limt="3") == "unknown option 'limt'; did you mean 'limit'?"
    assert f"output_path: {rows} is no folder that can be written (" in error_with(output_path=str(rows))
    nameless = write_rows(tmp_path / "nameless.jsonl", [{key: v for key, v in draw_rows(tmp_path)[0].items() if key != "task"}])
    assert "nameless.jsonl:1: task: is missing; add it to the row or give one task" in error_with(data=str(nameless))
    assert "unknown task 'guy'; did you mean 'gui'?" in error_with(data=str(nameless), task="guy")
    assert "data" in refused(capsys, "eval", "--model", toy)


# vlrl inspect


def test_inspect_refuses_what_is_no_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refused(capsys, "inspect", tmp_path / "none").startswith(f"{tmp_path}/none is no run folder: it does not exist; give")
    assert "it has no config.yaml" in refused(capsys, "inspect", tmp_path)


def test_inspect_names_what_it_needs(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    RunFolder(tmp_path / "run").create({})
    monkeypatch.setitem(sys.modules, "gradio", None)
    monkeypatch.delitem(sys.modules, "demo.app", raising=False)
    assert (
        refused(capsys, "inspect", tmp_path / "run") == "the inspector needs gradio; install it with `pip install 'vlrl[demo]'`"
    )
