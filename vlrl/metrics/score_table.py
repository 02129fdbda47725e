"""The scores of a benchmark's rows as columns: their means, ratios and break-downs. Memory does not grow with the texts."""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from vlrl.metrics.mean import Mean
from vlrl.types import Answer, Score


@dataclass(frozen=True, slots=True)
class ScoredRow:
    """One scored row. `answer["groups"]` holds its labels for break-downs; rows of one `cluster` are not independent."""

    doc_id: str
    score: Score
    answer: Answer
    cluster: str


@dataclass(frozen=True)
class ScoreTable:
    """The columns of some rows; `by` gives the same of a part of them.

    `read` streams the rows of the *whole* table anew, for metrics that need what was extracted (average precision).

    >>> def read():
    ...     for name, right in (("a", 1.0), ("b", 0.0), ("c", 0.0)):
    ...         yield ScoredRow(name, Score(right), {"groups": {"kind": "text" if name == "a" else "icon"}}, name)
    >>> table = ScoreTable.of(read)
    >>> len(table), table.mean().estimate, {label: part.mean().estimate for label, part in table.by("kind").items()}
    (3, 0.3333333333333333, {'text': 1.0, 'icon': 0.0})
    """

    read: Callable[[], Iterator[ScoredRow]]
    columns: dict[str | None, NDArray[np.float64]]
    labels: dict[str, dict[str, NDArray[np.int64]]]
    clusters: NDArray[np.int64]
    rows: NDArray[np.int64]
    failures: Counter[str] = field(default_factory=Counter)

    @classmethod
    def of(cls, read: Callable[[], Iterator[ScoredRow]]) -> ScoreTable:
        """The table of all rows that `read` yields, in one pass."""
        columns: dict[str | None, array[float]] = {None: array("d")}
        labels: dict[str, dict[str, array[int]]] = {}
        clusters, code_of = array("q"), dict[str, int]()
        failures: Counter[str] = Counter()
        number = 0
        for number, row in enumerate(read(), start=1):
            _append(columns, None, row.score.value, number - 1)
            for part, value in row.score.parts.items():
                _append(columns, part, value, number - 1)
            _note_labels(labels, row.answer.get("groups", {}), number - 1)
            clusters.append(code_of.setdefault(row.cluster, len(code_of)))
            failures.update([row.score.failure] if row.score.failure else [])
        return cls(
            read,
            {name: np.array([*column, *[np.nan] * (number - len(column))]) for name, column in columns.items()},
            {name: {label: np.array(rows) for label, rows in found.items()} for name, found in labels.items()},
            np.array(clusters, dtype=np.int64),
            np.arange(number),
            failures,
        )

    def __len__(self) -> int:
        return len(self.rows)

    def values(self, part: str | None = None) -> NDArray[np.float64]:
        """The rows' values, or those of a part; NaN where a row has none. A part that no row has is all NaN."""
        column = self.columns.get(part)
        return np.full(len(self), np.nan) if column is None else column[self.rows]

    def mean(self, part: str | None = None) -> Mean:
        """The mean of the values, or of a part, over the rows that have it."""
        values = self.values(part)
        known = ~np.isnan(values)
        return Mean(values[known], np.ones(int(known.sum())), self.clusters[self.rows][known])

    def ratio(self, numerator: str, denominator: str) -> Mean:
        """The sum of one part over the sum of another, over the rows that have both."""
        above, below = self.values(numerator), self.values(denominator)
        known = ~np.isnan(above + below)
        return Mean(above[known], below[known], self.clusters[self.rows][known])

    def total(self, part: str | None = None) -> float:
        """The sum of the values, or of a part."""
        return float(np.nansum(self.values(part)))

    def by(self, group: str) -> dict[str, ScoreTable]:
        """The parts of the table by the rows' labels of a group, in order of appearance; a row may have several labels."""
        found = {label: np.intersect1d(self.rows, rows, assume_unique=True) for label, rows in self.labels.get(group, {}).items()}
        return {label: replace(self, rows=rows) for label, rows in found.items() if len(rows)}


def _append(columns: dict[str | None, array[float]], name: str | None, value: float | None, number: int) -> None:
    """Adds row `number` to a column; rows before it that lack a value have NaN there."""
    column = columns.setdefault(name, array("d"))
    column.extend([np.nan] * (number - len(column)))
    column.append(np.nan if value is None else value)


def _note_labels(labels: dict[str, dict[str, array[int]]], groups: dict[str, str | list[str]], number: int) -> None:
    for group, found in groups.items():
        for label in dict.fromkeys([found] if isinstance(found, str) else found):
            labels.setdefault(group, {}).setdefault(label, array("q")).append(number)
