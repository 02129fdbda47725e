"""Scoring, reading, logging and looking need no torch: their modules import, and score, where torch cannot be imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

BLOCK = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"torch", "torchvision", "transformers", "accelerate", "peft", "trl"}:
            raise ImportError(f"{name} is blocked in this test")

sys.meta_path.insert(0, Refuse())
"""

ROOMS = [
    "types",
    "geometry",
    "video",
    "parsing",
    "metrics",
    "sandbox",
    "data",
    "rewards",
    "logs",
    "tasks",
    "adapters",
    "benchmarks",
]
ROOMS += ["report"]
SOURCES = [path for room in ROOMS for path in ((ROOT / "vlrl").glob(f"{room}.py"), (ROOT / "vlrl" / room).rglob("*.py"))]
ROOM_FILES = sorted(path for found in SOURCES for path in found)
MODULES = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in ROOM_FILES]
DOORS = ["vlrl.cli", "vlrl.cli.score", "vlrl.cli.show", "vlrl.cli.validate", "vlrl.cli.export", "vlrl.evaluation.validate"]
DOORS += ["vlrl.cli.eval", "vlrl.cli.eval_benchmarks", "vlrl.evaluation.scoring", "vlrl.evaluation.results"]
DOORS += ["vlrl.cli.eval_answers", "vlrl.cli.eval_report", "vlrl.evaluation.generate", "vlrl.evaluation.compare"]
DEMO_FILES = sorted((ROOT / "demo").rglob("*.py"))
DEMO = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in DEMO_FILES]

SCORE = """
from vlrl import rewards, tasks
for name in tasks.names():
    task = tasks.load(name)
    assert task.score(task.gold_completion(task.example.answer), task.example.answer).value == 1
"""


def run_without_torch(code: str) -> None:
    command = [sys.executable, "-c", BLOCK + code]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def test_the_block_blocks() -> None:
    with pytest.raises(AssertionError, match="torch is blocked"):
        run_without_torch("import torch")


def test_rooms_and_doors_import() -> None:
    run_without_torch("\n".join(f"import {module}" for module in [*MODULES, *DOORS]))


def test_tasks_score() -> None:
    run_without_torch(SCORE)


def test_demo_imports() -> None:
    run_without_torch("\n".join(f"import {module}" for module in DEMO))
