"""Questions to the index: the steps of a run, the groups of a step, any selection of rollouts."""

from __future__ import annotations

import json
import re
import sqlite3
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from demo.index.schema import BUSY_SECONDS, CACHE_KIB

KINDS = ("mixed", "right", "wrong", "equal", "unscored", "unreadable")
"""What a group is: rewards that differ; all the same with every completion right, or wrong, or otherwise; no reward; bad line."""

GROUP_ORDERS = {
    "spread": "spread DESC, line",
    "low": "mean IS NULL, mean, line",
    "high": "mean DESC, line",
    "file": "line",
}
ROLLOUT_ORDERS = ("step", "reward", "advantage", "tokens", "items")


GROUP_LIMIT = 2000


@dataclass(frozen=True, slots=True)
class StepRow:
    """Sums of one step. `right`, `wrong` and `equal` count its groups without spread; `cut` its completions at the limit."""

    step: int
    groups: int
    rollouts: int
    right: int
    wrong: int
    equal: int
    unscored: int
    cut: int
    reward: float | None
    length: float | None
    failures: dict[str, int]


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as its list shows it; `offset` and `length` are bytes of its line in the step's file."""

    step: int
    line: int
    offset: int
    length: int
    sample: str
    task: str
    question: str
    count: int
    mean: float | None
    spread: float | None
    kind: str
    rewards: list[float]


@dataclass(frozen=True, slots=True)
class RolloutRow:
    """A completion as a table shows it: `place` in the group of line `line` of its step. Equal texts have equal digests."""

    step: int
    line: int
    place: int
    task: str
    reward: float | None
    advantage: float | None
    tokens: int
    finish: str
    correct: bool | None
    failure: str | None
    flat: bool
    items: int
    digest: int
    parts: dict[str, float]


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt that was sampled several times: how often, and its group's mean reward at the first and at the last step."""

    sample: str
    task: str
    question: str
    times: int
    first: float | None
    last: float | None


@dataclass(frozen=True, slots=True)
class Filter:
    """A selection of rollouts. Ranges are (least, most), either may be None; `failure` "" means none, "*" any.

    `text` are words in a row, the last may be a beginning. `parts` holds ranges by the name of the part; `gap` selects where the
    parts of a score differ by that much or more.
    """

    steps: tuple[int | None, int | None] = (None, None)
    reward: tuple[float | None, float | None] = (None, None)
    tokens: tuple[int | None, int | None] = (None, None)
    parts: dict[str, tuple[float | None, float | None]] = field(default_factory=dict)
    task: str | None = None
    failure: str | None = None
    correct: bool | None = None
    flat: bool | None = None
    text: str = ""
    gap: float | None = None


class IndexReader:
    """Reads one index. Every thread has a connection of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def _rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        if not hasattr(self._local, "db"):
            db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None)
            db.execute("PRAGMA query_only = ON")
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
            self._local.db = db
        return self._local.db.execute(sql, values).fetchall()

    def files(self) -> dict[int, tuple[int, int, int, int]]:
        """Of each step's file: inode, size and time of change when it was read, and the bytes that were read."""
        return {step: (*stamp,) for step, *stamp in self._rows("SELECT step, inode, size, changed, done FROM files")}

    def steps(self) -> list[StepRow]:
        """All steps that were read to their end, ascending."""
        rows = self._rows(
            'SELECT step, groups, rollouts, "right", wrong, equal, unscored, cut, reward, length, failures FROM steps'
        )
        return [StepRow(*(*row[:-1], json.loads(row[-1]))) for row in rows]

    def groups(self, step: int, order: str = "spread", kind: str = "", limit: int = 100, start: int = 0) -> list[GroupRow]:
        """Groups of a step in one of `GROUP_ORDERS`, of one of `KINDS` or (for "flat") without spread, or all."""
        kinds = KINDS[1:4] if kind == "flat" else (kind,) if kind else KINDS
        marks = ", ".join("?" * len(kinds))
        sql = f"SELECT {GROUP} FROM groups WHERE step = ? AND kind IN ({marks}) ORDER BY {GROUP_ORDERS[order]} LIMIT ? OFFSET ?"
        return [_group(row) for row in self._rows(sql, (step, *kinds, limit, start))]

    def kinds(self, step: int) -> dict[str, int]:
        """How many groups of a step are of each kind."""
        return dict(self._rows("SELECT kind, count(*) FROM groups WHERE step = ? GROUP BY kind", (step,)))

    def groups_between(self, first: int, last: int, task: str, limit: int = GROUP_LIMIT) -> list[GroupRow]:
        """The readable groups of a task from one step to another, ascending."""
        sql = f"SELECT {GROUP} FROM groups WHERE step BETWEEN ? AND ? AND task = ? AND count > 0 ORDER BY step, line LIMIT ?"
        return [_group(row) for row in self._rows(sql, (first, last, task, limit))]

    def group(self, step: int, line: int) -> GroupRow | None:
        """One group's row."""
        rows = self._rows(f"SELECT {GROUP} FROM groups WHERE step = ? AND line = ?", (step, line))
        return _group(rows[0]) if rows else None

    def groups_of_sample(self, sample: str, task: str) -> list[GroupRow]:
        """The same prompt at all its steps, ascending."""
        sql = f"SELECT {GROUP} FROM groups WHERE sample = ? AND task = ? ORDER BY step, line"
        return [_group(row) for row in self._rows(sql, (sample, task))]

    def prompts(self, least: int = 2) -> list[PromptRow]:
        """The prompts with at least so many groups, in the order of the first step."""
        sql = (
            "SELECT sample, task, question, count(*), {0}(step), mean FROM groups WHERE kind != 'unreadable' "
            "GROUP BY sample, task HAVING count(*) >= ? ORDER BY step, line"
        )
        last = {row[:2]: row[5] for row in self._rows(sql.format("max"), (least,))}  # the bare columns are of that row
        rows = self._rows(sql.format("min"), (least,))
        return [PromptRow(row[0], row[1], row[2], row[3], row[5], last.get(row[:2])) for row in rows]

    def part_names(self) -> dict[str, int]:
        """The named parts of the scores, and the number of each one's column."""
        return dict(self._rows("SELECT name, position FROM parts ORDER BY position"))

    def tasks(self) -> list[str]:
        """The tasks of the groups."""
        return [row[0] for row in self._rows("SELECT DISTINCT task FROM groups ORDER BY task")]

    def count(self, chosen: Filter) -> int:
        """How many rollouts a filter selects."""
        where, values = self._where(chosen)
        return self._rows(f"SELECT count(*) FROM rollouts WHERE {where}", values)[0][0]

    def rollouts(
        self, chosen: Filter, order: str = "step", descending: bool = True, limit: int = 50, start: int = 0
    ) -> list[RolloutRow]:
        """Selected rollouts, by one of `ROLLOUT_ORDERS` or by the name of a part; those without a value last."""
        return self.page(chosen, order, descending, limit, start)[1]

    def page(
        self, chosen: Filter, order: str = "step", descending: bool = True, limit: int = 50, start: int = 0
    ) -> tuple[int, list[RolloutRow]]:
        """`rollouts`, and before them how many there are in all, in one pass over the index."""
        names = self.part_names()
        column = order if order in ROLLOUT_ORDERS else f"part_{names[order]}" if order in names else "step"
        where, values = self._where(chosen)
        sql = (
            f"WITH hits AS MATERIALIZED (SELECT id, {column} AS key FROM rollouts WHERE {where}) "
            "SELECT id, (SELECT count(*) FROM hits) FROM hits "
            f"ORDER BY key IS NULL, key {'DESC' if descending else 'ASC'}, id LIMIT ? OFFSET ?"
        )
        found = self._rows(sql, (*values, limit, start))
        if not found:
            return (self.count(chosen) if start else 0), []
        columns = f"id, {ROLLOUT}{''.join(f', part_{i}' for i in names.values())}"
        ids = ", ".join(str(row[0]) for row in found)
        by_id = {row[0]: row[1:] for row in self._rows(f"SELECT {columns} FROM rollouts WHERE id IN ({ids})")}
        return found[0][1], [_rollout(by_id[row[0]], list(names)) for row in found if row[0] in by_id]

    def _where(self, chosen: Filter) -> tuple[str, list[Any]]:
        terms: list[str] = []
        values: list[Any] = []
        names = self.part_names()
        ranges: dict[str, tuple[Any, Any]] = {"step": chosen.steps, "reward": chosen.reward, "tokens": chosen.tokens}
        ranges |= {f"part_{names[name]}": limits for name, limits in chosen.parts.items() if name in names}
        for column, limits in ranges.items():
            for sign, limit in zip((">=", "<="), limits, strict=True):
                if limit is not None:
                    terms.append(f"{column} {sign} ?")
                    values.append(limit)
        for column, value in (("task", chosen.task), ("correct", chosen.correct), ("flat", chosen.flat)):
            if value is not None:
                terms.append(f"{column} = ?")
                values.append(value)
        if chosen.failure is not None:
            terms.append({"": "failure IS NULL", "*": "failure IS NOT NULL"}.get(chosen.failure, "failure = ?"))
            values += [] if chosen.failure in ("", "*") else [chosen.failure]
        if chosen.gap is not None and len(names) > 1:
            columns = [f"part_{i}" for i in names.values()]
            largest, least = (
                f"{fn}({', '.join(f'coalesce({c}, {rest})' for c in columns)})" for fn, rest in (("max", -1e300), ("min", 1e300))
            )
            terms.append(f"{largest} - {least} >= ?")
            values.append(chosen.gap)
        if chosen.text.strip():
            terms.append("id IN (SELECT rowid FROM texts WHERE texts MATCH ?)")
            values.append(words_in_a_row(chosen.text))
        return " AND ".join(terms) or "1", values


def words_in_a_row(text: str) -> str:
    """What somebody typed as a phrase of FTS5; punctuation only parts words.

    >>> words_in_a_row('<answer>[12, 7'), words_in_a_row('a "quoted" wor')
    ('"answer 12 7" *', '"a quoted wor" *')
    """
    words = re.findall(r"\w+", text.replace("_", " "))
    return f'"{" ".join(words)}" *' if words else '""'


GROUP = "step, line, offset, length, sample, task, question, count, mean, spread, kind, rewards"
ROLLOUT = "step, line, place, task, reward, advantage, tokens, finish, correct, failure, flat, items, digest"


def _group(row: tuple[Any, ...]) -> GroupRow:
    return GroupRow(*(*row[:-1], json.loads(row[-1])))


def _rollout(row: tuple[Any, ...], names: Sequence[str]) -> RolloutRow:
    head, cells = row[:13], row[13:]
    parts = {name: value for name, value in zip(names, cells, strict=True) if value is not None}
    correct = None if head[8] is None else bool(head[8])
    return RolloutRow(*(*head[:8], correct, head[9], bool(head[10]), *head[11:], parts))
