"""The folders `<task>__<protocol>/` of tests/golden/benchmarks: `data/`, `predictions.jsonl`, `flags.txt`, `expected.json`."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from vlrl import benchmarks
from vlrl.types import Sample

ROOT = Path(__file__).parents[1] / "golden" / "benchmarks"
FOLDERS = sorted(path for path in ROOT.iterdir() if path.is_dir())


def task_and_protocol(folder: Path) -> tuple[str, str]:
    task, _, protocol = folder.name.partition("__")
    return task, protocol


def flags(folder: Path) -> list[str]:
    return (folder / "flags.txt").read_text(encoding="utf-8").split()


def space(folder: Path) -> str:
    words = flags(folder)
    return words[words.index("--coord_space") + 1] if "--coord_space" in words else "pixels"


def expected(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "expected.json").read_text(encoding="utf-8"))


def right_values(folder: Path) -> dict[str, float | None]:
    """The value of each row: the corrected one where there is one, else the oracle's."""
    content = expected(folder)
    return {**content["per_sample"], **(content.get("per_sample_correct") or {})}


@cache
def samples(folder: Path) -> list[Sample]:
    return list(benchmarks.load(task_and_protocol(folder)[0]).load(folder / "data"))
