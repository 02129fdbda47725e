"""Two runs on the same benchmark, row by row: the paired difference with its interval, and the rows that flipped."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vlrl.evaluation.repeats import is_right
from vlrl.evaluation.results import VALUE, write_whole
from vlrl.evaluation.scoring import read_log
from vlrl.metrics.score_table import ScoredRow, ScoreTable
from vlrl.types import Score, UserError

COMPARISON_FILE = "comparison.json"


@dataclass(frozen=True)
class Comparison:
    """Another run (`before`) and this one (`after`), over the rows that both have a value for.

    | field | meaning |
    |---|---|
    | `differences` | `value`, and `value/group:label` for each label: `before`, `after`, `difference`, its `ci95`, `n` |
    | `gained`, `lost` | doc_ids that only this run, or only the other one, has right |
    | `unpaired` | rows that only one of the runs has a value for |
    """

    differences: dict[str, dict[str, Any]]
    gained: list[str]
    lost: list[str]
    unpaired: int


def compare_logs(other: Path, this: Path, resamples: int) -> Comparison:
    """Compares two sample logs. Raises UserError when they share no row.

    The interval is that of the mean of the rows' differences, whole clusters drawn: the rows' own difficulty cancels.
    """
    before = {row.doc_id: row.score for row in read_log(other) if row.score.value is not None}
    pairs = ScoreTable.of(lambda: _paired(before, this))
    if not len(pairs):
        raise UserError(f"compare: {other} and {this} share no row with a value; are they of the same benchmark?")
    tables = {VALUE: pairs}
    for group in pairs.labels:
        tables |= {f"{VALUE}/{group}:{label}": rows for label, rows in pairs.by(group).items()}
    differences = {name: _difference(table, resamples) for name, table in tables.items()}
    after = {row.doc_id: row.score for row in read_log(this) if row.score.value is not None}
    turned = {doc_id: is_right(after[doc_id]) - is_right(before[doc_id]) for doc_id in after if doc_id in before}
    gained, lost = ([doc_id for doc_id, turn in turned.items() if turn == way] for way in (1, -1))
    return Comparison(differences, gained, lost, len(before.keys() ^ after.keys()))


def _difference(table: ScoreTable, resamples: int) -> dict[str, Any]:
    mean = table.mean()
    told = {part: table.mean(part).estimate for part in ("before", "after")}
    interval = {"ci95": mean.interval(resamples)} if resamples else {}
    return {**told, "difference": mean.estimate, **interval, "n": mean.n}


def _paired(before: Mapping[str, Score], this: Path) -> Iterator[ScoredRow]:
    for row in read_log(this):
        old, new = before.get(row.doc_id), row.score.value
        if old is not None and old.value is not None and new is not None:
            score = Score(new - old.value, {"before": old.value, "after": new})
            yield ScoredRow(row.doc_id, score, row.answer, row.cluster)


def write_comparison(folder: Path, other: str, found: Mapping[str, Comparison]) -> None:
    """Writes `comparison.json`: the other run's folder, and the comparison of each task."""
    content = {"other": other, "tasks": {name: asdict(comparison) for name, comparison in found.items()}}
    write_whole(folder / COMPARISON_FILE, json.dumps(content, indent=2) + "\n")
