"""The run folder: what training writes, the inspector and every report read (layout: docs/architecture.md, "Run folder").

Files of one step are written to a temporary name and renamed, so a killed run never leaves half a step; `metrics.jsonl` grows
by one line per step, and readers leave out a last line that is still being written. All files are ASCII JSON. In metrics and
summaries a number that is not finite is null; records keep Python's `NaN` and `Infinity`, so that they come back exactly.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import yaml

from vlrl.types import RolloutGroup, UserError, to_json

CONFIG_FILE = "config.yaml"
"""The resolved configuration; the file that makes a folder a run folder."""
CHECKPOINT_MARKER = "complete"
"""The file that the trainer puts into a checkpoint folder last; without it the folder does not count."""


class RunFolder:
    """One run's folder. The one training process writes; any number of readers may read at any time."""

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)

    # writing

    def create(self, config: dict[str, Any]) -> None:
        """Makes the folders and writes `config.yaml`. Everything else that an existing run holds stays."""
        for name in ("rollouts", "eval", "checkpoints"):
            (self.path / name).mkdir(parents=True, exist_ok=True)
        _write_atomic(self.path / CONFIG_FILE, yaml.safe_dump(config, sort_keys=False))
        _cut_torn_line(self.path / "metrics.jsonl")

    def write_metrics(self, step: int, metrics: dict[str, float]) -> None:
        """Appends one line to `metrics.jsonl`; NaN and infinity become null."""
        row = {"step": step, **{name: finite(float(value)) for name, value in metrics.items()}}
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")

    def write_groups(self, step: int, groups: Iterable[RolloutGroup]) -> None:
        """Writes the rollouts of one step, one group a line."""
        _write_atomic(self._step_file("rollouts", step, ".jsonl"), "".join(json.dumps(to_json(group)) + "\n" for group in groups))

    def write_eval(self, step: int, rows: list[dict[str, Any]], summary: dict[str, Any]) -> None:
        """Writes one evaluation: its rows, then the summary that makes it visible."""
        _write_atomic(self._step_file("eval", step, ".jsonl"), "".join(json.dumps(row) + "\n" for row in rows))
        _write_atomic(self._step_file("eval", step, ".json"), _pretty({"step": step, **summary}))

    def write_summary(self, summary: dict[str, Any]) -> None:
        """Writes `summary.json`: the run's result."""
        _write_atomic(self.path / "summary.json", _pretty(summary))

    def forget_after(self, step: int) -> None:
        """Drops the metrics, rollouts and evaluations of every later step, and the summary: a resumed run writes them again."""
        kept = [row for row in self.metrics() if row["step"] <= step]
        _write_atomic(self.path / "metrics.jsonl", "".join(json.dumps(row) + "\n" for row in kept))
        for folder, suffix in (("rollouts", ".jsonl"), ("eval", ".json"), ("eval", ".jsonl")):
            for late in self._steps(folder, suffix):
                if late > step:
                    self._step_file(folder, late, suffix).unlink()
        (self.path / "summary.json").unlink(missing_ok=True)

    def checkpoint_dir(self, step: int) -> Path:
        """Where the checkpoint of `step` lives. The trainer makes the folder, and its file `complete` last."""
        return self._step_file("checkpoints", step, "")

    def latest_checkpoint(self) -> Path | None:
        """The newest checkpoint that was written to its end."""
        done = [step for step in self._steps("checkpoints", "") if (self.checkpoint_dir(step) / CHECKPOINT_MARKER).is_file()]
        return self.checkpoint_dir(done[-1]) if done else None

    # reading

    def check(self) -> None:
        """Raises UserError when the folder is no run folder."""
        if not (self.path / CONFIG_FILE).is_file():
            reason = "it has no config.yaml" if self.path.is_dir() else "it does not exist"
            raise UserError(f"{self.path} is no run folder: {reason}; give the folder that training wrote (runs/<name>)")

    def config(self) -> dict[str, Any]:
        """The resolved configuration."""
        self.check()
        return yaml.safe_load((self.path / CONFIG_FILE).read_text(encoding="utf-8")) or {}

    def metrics(self) -> list[dict[str, Any]]:
        """One dict per step, oldest first. A last line without its end is left out."""
        self.check()
        path = self.path / "metrics.jsonl"
        return _read_lines(path, json.loads) if path.exists() else []

    def steps(self) -> list[int]:
        """The steps whose rollouts are on disk, ascending."""
        self.check()
        return self._steps("rollouts", ".jsonl")

    def groups(self, step: int) -> list[RolloutGroup]:
        """The rollouts of one step."""
        self.check()
        return _read_lines(self._existing("rollouts", step), lambda line: RolloutGroup.from_json(json.loads(line)))

    def evals(self) -> list[dict[str, Any]]:
        """The summaries of all evaluations, by step."""
        self.check()
        return [_read_json(self._step_file("eval", step, ".json")) for step in self._steps("eval", ".json")]

    def eval_rows(self, step: int) -> list[dict[str, Any]]:
        """The rows of one evaluation."""
        self.check()
        return _read_lines(self._existing("eval", step), json.loads)

    def summary(self) -> dict[str, Any] | None:
        """The run's result, or None while it has none."""
        self.check()
        path = self.path / "summary.json"
        return _read_json(path) if path.exists() else None

    # names

    def _step_file(self, folder: str, step: int, suffix: str) -> Path:
        return self.path / folder / f"{step:06d}{suffix}"

    def _steps(self, folder: str, suffix: str) -> list[int]:
        names = (path.name.removesuffix(suffix) for path in (self.path / folder).glob(f"*{suffix}"))
        return sorted(int(name) for name in names if name.isdecimal())

    def _existing(self, folder: str, step: int) -> Path:
        path = self._step_file(folder, step, ".jsonl")
        if not path.exists():
            known = ", ".join(map(str, self._steps(folder, ".jsonl"))) or "none yet"
            raise UserError(f"{self.path} has no {folder} of step {step}; steps on disk: {known}")
        return path


def _write_atomic(path: Path, text: str) -> None:
    """The whole file or nothing: readers and the next start never see a part of it."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


def _cut_torn_line(path: Path) -> None:
    """Removes a last line that a killed run left without its end, so that the next line starts a line of its own."""
    if path.exists():
        data = path.read_bytes()
        if not data.endswith(b"\n"):
            os.truncate(path, data.rfind(b"\n") + 1)


def _read_lines(path: Path, parse: Callable[[str], Any]) -> list[Any]:
    complete = path.read_text(encoding="utf-8").split("\n")[:-1]
    rows = []
    for number, line in enumerate(complete, 1):
        try:
            rows.append(parse(line))
        except (ValueError, KeyError, TypeError) as error:
            raise UserError(f"{path}:{number} is no record of this kind ({error}); was the file edited by hand?") from error
    return rows


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise UserError(f"{path} is not JSON ({error}); was the file edited by hand?") from error


def _pretty(value: dict[str, Any]) -> str:
    return json.dumps(finite(value), indent=2) + "\n"


def finite(value: Any) -> Any:
    """The same plain JSON value with null for every number that is not finite."""
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
