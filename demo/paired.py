"""Two evaluations of the same rows: which rows are in both, and which flipped, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from demo.records import read_sample, read_score
from vlrl.metrics.bootstrap import paired_difference_interval
from vlrl.types import Sample, Score

Change = Literal["lost", "gained", "lower", "higher", "same"]
CHANGES: Mapping[Change, str] = {
    "lost": "right, then wrong",
    "gained": "wrong, then right",
    "lower": "lower score",
    "higher": "higher score",
    "same": "the same",
}
EQUAL = 1e-9


@dataclass(frozen=True, slots=True)
class Pair:
    """A row in both evaluations."""

    sample: Sample
    mode: str
    texts: tuple[str, str]
    scores: tuple[Score, Score]

    @property
    def difference(self) -> float:
        """Second value minus first; 0 where one of them has none."""
        first, second = (score.value for score in self.scores)
        return 0.0 if first is None or second is None else second - first

    @property
    def change(self) -> Change:
        """A flip of what is correct, else the way the value went."""
        first, second = (score.correct for score in self.scores)
        if first is not None and second is not None and first != second:
            return "gained" if second else "lost"
        return "same" if abs(self.difference) <= EQUAL else "higher" if self.difference > 0 else "lower"


def pairs_of(first: Sequence[Mapping[str, Any]], second: Sequence[Mapping[str, Any]]) -> list[Pair]:
    """The rows that both have, in the order of the first. Rows are the same by id, task, prompt mode and line of their data file;
    of its path only the name counts, since two people keep it in two places.
    """
    others = {_key(row): row for row in second}
    found = ((row, others[_key(row)]) for row in first if _key(row) in others)
    return [
        Pair(
            read_sample(b["sample"]),
            str(a.get("prompt_mode") or ""),
            (str(a.get("text") or ""), str(b.get("text") or "")),
            (read_score(a.get("score")), read_score(b.get("score"))),
        )
        for a, b in found
    ]


def _key(row: Mapping[str, Any]) -> tuple[str, ...]:
    sample = row.get("sample") or {}
    source = str(sample.get("source") or "").replace("\\", "/").rpartition("/")[2]
    return str(sample.get("id")), str(sample.get("task")), str(row.get("prompt_mode") or ""), source


@dataclass(frozen=True, slots=True)
class Summary:
    """Means of the rows that both could score, and the paired difference with its 95 % interval."""

    rows: int
    first: float
    second: float
    difference: tuple[float, float, float]
    changes: dict[Change, int]


def summary(pairs: Sequence[Pair]) -> Summary | None:
    """Of some pairs; None when no row has both values. The interval resamples media, as everywhere."""
    scored = [
        (pair, a, b)
        for pair in pairs
        for a, b in [(pair.scores[0].value, pair.scores[1].value)]
        if a is not None and b is not None
    ]
    if not scored:
        return None
    first, second = [a for _, a, _ in scored], [b for _, _, b in scored]
    clusters = [" ".join(media.path for media in pair.sample.media) or i for i, (pair, _, _) in enumerate(scored)]
    changes: dict[Change, int] = {name: sum(pair.change == name for pair, _, _ in scored) for name in CHANGES}
    rows = len(scored)
    return Summary(rows, sum(first) / rows, sum(second) / rows, paired_difference_interval(first, second, clusters), changes)
