"""From the built-in weights GRPO raises held-out scores; with a learning rate of zero it changes nothing."""

import json
from pathlib import Path

from vlrl.cli import main
from vlrl.logs import RunFolder

DATA = Path("data_recipes/quickstart").resolve()


def train(out: Path, steps: int, *extra: str) -> RunFolder:
    config = Path("configs/train/quickstart.yaml")
    held_out = out.parent / "heldout.jsonl"
    rows = [json.loads(line) for line in (DATA / "gui_heldout.jsonl").read_text().splitlines()][:120]
    held_out.write_text("".join(json.dumps({**row, "image": str(DATA / row["image"])}) + "\n" for row in rows))
    arguments = ["--config", str(config), "--output_dir", str(out), "--max_steps", str(steps), "--evaluation.every", "1000"]
    data = [
        "--data",
        json.dumps([{"path": str(DATA / "gui_train.jsonl")}]),
        "--evaluation.data",
        json.dumps([{"path": str(held_out)}]),
    ]
    assert main(["train", *arguments, *data, *extra]) == 0
    return RunFolder(out)


def click_accuracy(folder: RunFolder) -> dict[str, float]:
    return (folder.summary() or {})["metrics"]["gui/click_accuracy"]


def test_grpo_mends_the_wrong_convention_from_the_reward_alone(tmp_path: Path) -> None:
    result = click_accuracy(train(tmp_path / "run", 30))
    assert result["after"] >= result["before"] + 0.1
    assert result["diff_ci95"][0] > 0


def test_a_learning_rate_of_zero_changes_nothing(tmp_path: Path) -> None:
    result = click_accuracy(train(tmp_path / "run", 3, "--optim.learning_rate", "0"))
    assert result["diff"] == 0
    assert result["diff_ci95"] == [0, 0]
