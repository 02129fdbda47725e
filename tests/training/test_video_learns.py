"""From the built-in film model GRPO raises the temporal IoU on held-out films, from the reward alone."""

from __future__ import annotations

import json
from pathlib import Path

from data_recipes.films import write_films
from vlrl.cli import main
from vlrl.logs import RunFolder

CONFIG = Path(__file__).parents[2] / "configs" / "train" / "video.yaml"


def write_rows(folder: Path, name: str, films: int, seed: int) -> str:
    """The rows of fresh films that ask when something is there."""
    rows = [row for row in write_films(films, seed, folder / name) if row["task"] == "temporal"]
    (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return json.dumps([{"path": str(folder / f"{name}.jsonl")}])


def test_spans_get_better(tmp_path: Path) -> None:
    data = ["--data", write_rows(tmp_path, "train", 100, 11), "--evaluation.data", write_rows(tmp_path, "heldout", 100, 12)]
    steps = ["--max_steps", "25", "--evaluation.every", "1000", "--save_every", "1000"]
    assert main(["train", "--config", str(CONFIG), "--output_dir", str(tmp_path / "run"), *data, *steps]) == 0
    result = (RunFolder(tmp_path / "run").summary() or {})["metrics"]["temporal/iou"]
    assert result["after"] >= result["before"] + 0.05
    assert result["diff_ci95"][0] > 0
