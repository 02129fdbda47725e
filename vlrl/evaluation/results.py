"""From a sample log to `results.json`: the protocol's metrics with intervals, failures by kind, and what they depend on.

| key | holds |
|---|---|
| `results.<task>.<metric>` | a number, null where undefined; `<metric>_ci95` its interval, `<metric>_n` its number of rows |
| `results.<task>.value` | the mean of the rows' `value` |
| `failures.<task>` | rows by kind of failure, `missing` and `truncated` among them; all of them are in the denominators |
| `configs.<task>` | protocol, coordinate space, data hash, oracle, what the interval resamples |
| `versions`, `n-samples`, `higher_is_better`, `config` | as in lmms-eval |

It holds no date and no duration, so that the same run gives the same bytes; those stand in `timing.json`.
"""

from __future__ import annotations

import json
import os
import time
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from vlrl import __version__
from vlrl.benchmarks import Metric, Protocol
from vlrl.evaluation.scoring import BAD_GOLD, TRUNCATED, Spec, read_lines, read_log
from vlrl.evaluation.source import Source
from vlrl.logs import finite
from vlrl.metrics.mean import Mean
from vlrl.metrics.score_table import ScoreTable
from vlrl.types import UserError

VALUE = "value"
RESULTS_FILE = "results.json"
TIMING_FILE = "timing.json"


def samples_file(folder: Path, task: str) -> Path:
    """The sample log of a task in an output folder."""
    return folder / f"samples_{task.replace(':', '.')}.jsonl"


def summarise(protocol: Protocol, log: Path, resamples: int) -> dict[str, Any]:
    """The entry `results.<task>`: every metric, and with `resamples` the intervals of those that have one.

    Raises UserError when the gold of no row can be scored.
    """
    table = ScoreTable.of(lambda: read_log(log))
    if len(table) and table.failures[BAD_GOLD] == len(table):
        first = next(read_log(log))
        raise UserError(f"the gold of no row can be scored, as in {first.doc_id}: {first.score.extracted}; is the data complete?")
    metrics = {VALUE: table.mean(), **protocol.metrics(table)}
    failed = table.failures.total()
    entry: dict[str, Any] = {}
    for name, metric in metrics.items():
        entry |= _told(name, metric, resamples)
    return entry | {"parse_rate": 1 - failed / len(table) if len(table) else None}


def _told(name: str, metric: Metric, resamples: int) -> dict[str, Any]:
    if not isinstance(metric, Mean):
        return {name: finite(metric)}
    told: dict[str, Any] = {name: metric.estimate, f"{name}_n": metric.n}
    if resamples:
        told[f"{name}_ci95"] = metric.interval(resamples)
    return told


def count_failures(log: Path) -> dict[str, int]:
    """Rows by kind of failure; an answer that ran into the limit of tokens counts under `truncated` too."""
    kinds: Counter[str] = Counter()
    for line in read_lines(log):
        kinds.update([line["failure"]] if line["failure"] else [])
        kinds.update(["truncated"] if line["finish_reason"] == TRUNCATED else [])
    return dict(sorted(kinds.items()))


def task_config(spec: Spec, protocol: Protocol, source: Source) -> dict[str, Any]:
    """The entry `configs.<task>`: everything that the task's numbers depend on."""
    return {
        "protocol": spec.protocol,
        "headline": protocol.headline,
        "coord_space": spec.space,
        "oracle": protocol.oracle,
        "protocol_asks": dict(protocol.generation),
        "data_root": str(source.folder),
        "data_hash": source.data_hash,
        "splits": dict(source.splits),
        "partial": source.limit is not None,
        "intervals": "95 % percentile bootstrap over clusters of rows that share their media",
    }


def write_results(folder: Path, tasks: Mapping[str, Mapping[str, Any]], config: Mapping[str, Any]) -> None:
    """Writes `results.json` from the tasks that are done, whole or not at all.

    `tasks` maps each task to its `results`, `failures`, `configs` and number of `rows`. `original` is null for a limited run.
    """
    content = {
        "results": {name: task["results"] for name, task in tasks.items()},
        "failures": {name: task["failures"] for name, task in tasks.items()},
        "configs": {name: task["configs"] for name, task in tasks.items()},
        "versions": dict.fromkeys(tasks, __version__),
        "n-samples": {
            name: {"original": None if task["configs"]["partial"] else task["rows"], "effective": task["rows"]}
            for name, task in tasks.items()
        },
        "higher_is_better": {name: {task["configs"]["headline"]: True} for name, task in tasks.items()},
        "config": dict(config),
    }
    write_whole(folder / RESULTS_FILE, json.dumps(finite(content), indent=2) + "\n")


def write_whole(path: Path, text: str) -> None:
    """Writes a file that is there whole or not at all."""
    temporary = path.with_name(f".{path.name}.tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, path)


class Timing:
    """When a run began and how many seconds each task took, for `timing.json`."""

    def __init__(self) -> None:
        self.date, self._last = datetime.now(UTC).isoformat(timespec="seconds"), time.monotonic()
        self.seconds: dict[str, float] = {}

    def note(self, task: str) -> None:
        """The task has just ended."""
        now = time.monotonic()
        self.seconds[task], self._last = round(now - self._last, 3), now

    def write(self, folder: Path) -> None:
        content = {"date": self.date, "seconds": self.seconds, "total_evaluation_time_seconds": sum(self.seconds.values())}
        write_whole(folder / TIMING_FILE, json.dumps(content, indent=2) + "\n")
