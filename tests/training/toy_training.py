"""A training run of a few seconds: toy checkpoint, a few drawn rows, a task whose reward is a hash of the completion."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import yaml
from toys import HASH_TASK, draw_rows, save_toy, write_rows

ROOT = Path(__file__).parents[2]
TRAIN_SCRIPT = [sys.executable, str(ROOT / "scripts" / "train_grpo.py")]


def write_config(folder: Path, **keys: Any) -> Path:
    """`folder/config.yaml` of a run of four steps; `keys` replace those of the same name (sections whole)."""
    config: dict[str, Any] = {
        "output_dir": str(folder / "run"),
        "max_steps": 4,
        "save_every": 2,
        "data": [{"path": str(folder / "rows.jsonl")}],
        "model": {"name_or_path": str(folder / "toy")},
        "rollout": {"num_generations": 4, "generation_batch_size": 8, "max_completion_length": 6, "max_prompt_length": 200},
        "grpo": {"algorithm": "grpo", "num_iterations": 2},
        "optim": {"learning_rate": 1e-3, "warmup_steps": 2, "per_device_train_batch_size": 4},
        "evaluation": {"every": 2, "data": [{"path": str(folder / "held_out.jsonl")}]},
    }
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(config | keys))
    return path


def set_up(folder: Path, task: str = "hash_task:TASK", **keys: Any) -> Path:
    """Checkpoint, rows, held-out rows and `hash_task.py` in `folder`; returns the config file."""
    save_toy(folder / "toy")
    write_rows(folder / "rows.jsonl", draw_rows(folder, 5, task=task))
    write_rows(folder / "held_out.jsonl", draw_rows(folder / "held_out", 4, task=task))
    (folder / "hash_task.py").write_text(HASH_TASK)
    return write_config(folder, **keys)


def metrics(run: Path) -> list[dict[str, Any]]:
    """The run's metrics without its times."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    return [{key: value for key, value in row.items() if not key.startswith("time/")} for row in rows]


def contents(run: Path, *folders: str) -> dict[str, bytes]:
    """Every file of these folders of a run (default: of all)."""
    paths = [path for path in run.rglob("*") if path.is_file()]
    names = {path.relative_to(run): path for path in paths}
    return {str(name): path.read_bytes() for name, path in names.items() if not folders or name.parts[0] in folders}
