"""Rollout files -> index, a piece at a time: new lines of a growing file are added, a file that was replaced is read anew."""

from __future__ import annotations

import json
import math
import os
import statistics
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import orjson

from demo.index.schema import MOST_PARTS, connect, index_path

Value = TypeVar("Value")

PIECE = 8 << 20
"""Bytes of a file that are read in one transaction."""
LONGEST_TEXT = 20_000
"""Characters of a completion that can be searched."""
LONGEST_QUESTION = 300
TAIL = 64

COLUMNS = "step, line, place, task, reward, advantage, tokens, finish, correct, failure, flat, items, digest"


class FileState(NamedTuple):
    """How far a file was read: `done` bytes and `lines`; `tail` is a checksum of the bytes before `done`."""

    inode: int
    size: int
    changed: int
    done: int
    lines: int
    tail: int


def step_file(run: Path, step: int) -> Path:
    """Where the rollouts of a step are."""
    return run / "rollouts" / f"{step:06d}.jsonl"


def step_files(run: Path) -> dict[int, tuple[Path, os.stat_result]]:
    """The rollout files of a run by step."""
    try:
        with os.scandir(run / "rollouts") as entries:
            named = [(entry.name.removesuffix(".jsonl"), entry) for entry in entries if entry.name.endswith(".jsonl")]
            return {int(name): (Path(entry.path), entry.stat()) for name, entry in named if name.isdecimal()}
    except FileNotFoundError:
        return {}


class IndexBuilder:
    """Keeps one run's index up to date. Threads may share it; other processes may build the same index at the same time."""

    def __init__(self, run: Path) -> None:
        self.run = run
        self.path = index_path(run)
        self._db = connect(self.path)
        self._lock = threading.Lock()
        self._parts: dict[str, int] = {}
        self._urgent = 0

    def close(self) -> None:
        """Ends the connection."""
        with self._lock:
            self._db.close()

    def sync(self, stop: threading.Event | None = None) -> None:
        """Reads all that is new, the newest step first, and forgets the steps that are gone."""
        files = step_files(self.run)
        with self._lock:
            known = {step: state for step, *state in self._db.execute("SELECT step, inode, size, changed FROM files")}
        for gone in known.keys() - files.keys():
            self._write(partial(self._forget, gone))
        for step in sorted(files, reverse=True):
            path, stat = files[step]
            if known.get(step) != [stat.st_ino, stat.st_size, stat.st_mtime_ns]:
                self._sync_file(step, path, stop)

    def sync_step(self, step: int) -> None:
        """Reads what is new of one step, before anything else."""
        path = step_file(self.run, step)
        if path.is_file():
            self._urgent += 1
            try:
                self._sync_file(step, path, None)
            finally:
                self._urgent -= 1

    def _sync_file(self, step: int, path: Path, stop: threading.Event | None) -> None:
        while not (stop is not None and stop.is_set()) and self._write(lambda: self._read_piece(step, path)):
            while stop is not None and self._urgent:  # a lock alone would go to whoever had it last
                time.sleep(0.002)

    def _write(self, work: Callable[[], Value]) -> Value:
        """`work` in one transaction. Whoever else writes waits."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = work()
                self._db.execute("COMMIT")
                return result
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    def _read_piece(self, step: int, path: Path) -> bool:
        """Adds the next complete lines of a file. True when there may be more."""
        row = self._db.execute("SELECT inode, size, changed, done, lines, tail FROM files WHERE step = ?", (step,)).fetchone()
        seen = FileState(*row) if row else None
        try:
            stat = path.stat()
            if seen is not None and (stat.st_ino, stat.st_size, stat.st_mtime_ns) == (seen.inode, seen.size, seen.changed):
                return False
            with path.open("rb") as file:
                if seen is None or not _is_continued(seen, stat.st_ino, stat.st_size, file):
                    self._forget(step)
                    seen = FileState(0, 0, 0, 0, 0, 0)
                file.seek(seen.done)
                data = file.read(PIECE)
                while b"\n" not in data and (more := file.read(PIECE)):
                    data += more
                end = data.rfind(b"\n") + 1
                done = seen.done + end
                tail = _tail(file, done)
        except FileNotFoundError:
            return False
        self._add_lines(step, seen, data[:end])
        at_end = seen.done + len(data) >= stat.st_size
        lines = seen.lines + data.count(b"\n")
        state = FileState(stat.st_ino, stat.st_size if at_end else -1, stat.st_mtime_ns, done, lines, tail)
        self._db.execute("INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?, ?)", (step, *state))
        if at_end:
            self._sum_up(step)
        return not at_end

    def _forget(self, step: int) -> None:
        """Removes a step. Its words stay in `texts`, where their ids lead nowhere: ids are never used again."""
        for table in ("files", "steps", "groups", "rollouts"):
            self._db.execute(f"DELETE FROM {table} WHERE step = ?", (step,))

    def _add_lines(self, step: int, seen: FileState, data: bytes) -> None:
        groups, rows, texts, parts = [], [], [], []
        next_id = self._next_rollout()
        for line, (offset, raw) in enumerate(_lines(data), seen.lines):
            record = parse(raw)
            try:
                group, found = _group_rows(step, line, seen.done + offset, len(raw), record)
            except (KeyError, TypeError, ValueError, AttributeError):
                group, found = _unreadable(step, line, seen.done + offset, len(raw)), []
            groups.append(group)
            for row, text, named in found:
                rows.append((next_id, *row))
                texts.append((next_id, text))
                if named:
                    parts.append((next_id, named))
                next_id += 1
        self._db.executemany(f"INSERT INTO groups ({GROUP_COLUMNS}) VALUES ({_marks(GROUP_COLUMNS)})", groups)
        self._insert_rollouts(rows, parts)
        self._db.executemany("INSERT INTO texts (rowid, text) VALUES (?, ?)", texts)

    def _next_rollout(self) -> int:
        found = self._db.execute("SELECT seq FROM sqlite_sequence WHERE name = 'rollouts'").fetchone()
        return (found[0] if found else 0) + 1

    def _insert_rollouts(self, rows: list[tuple[Any, ...]], parts: list[tuple[int, dict[str, float]]]) -> None:
        """The rows with their parts, each part in its own column, which is made when its name is met first."""
        for name in dict.fromkeys(name for _, named in parts for name in named):
            self._part_column(name)
        width = len(self._parts)
        columns = "".join(f", part_{i}" for i in range(width))
        named_by_id = dict(parts)
        empty: dict[str, float] = {}
        full = []
        for row in rows:
            cells: list[float | None] = [None] * width
            for name, value in named_by_id.get(row[0], empty).items():
                if name in self._parts:
                    cells[self._parts[name]] = value
            full.append((*row, *cells))
        marks = ", ".join("?" * (1 + COLUMNS.count(",") + 1 + width))
        self._db.executemany(f"INSERT INTO rollouts (id, {COLUMNS}{columns}) VALUES ({marks})", full)

    def _part_column(self, name: str) -> None:
        if name in self._parts:
            return
        self._parts = dict(self._db.execute("SELECT name, position FROM parts").fetchall())
        if name not in self._parts and len(self._parts) < MOST_PARTS:
            position = len(self._parts)
            self._db.execute("INSERT INTO parts VALUES (?, ?)", (name, position))
            self._db.execute(f"ALTER TABLE rollouts ADD COLUMN part_{position} REAL")
            self._parts[name] = position

    def _sum_up(self, step: int) -> None:
        failures = self._db.execute(
            "SELECT failure, count(*) FROM rollouts WHERE step = ? AND failure IS NOT NULL GROUP BY failure", (step,)
        ).fetchall()
        kinds = dict(self._db.execute("SELECT kind, count(*) FROM groups WHERE step = ? GROUP BY kind", (step,)).fetchall())
        count, cut, reward, length = self._db.execute(
            "SELECT count(*), total(finish = 'length'), avg(reward), avg(tokens) FROM rollouts WHERE step = ?", (step,)
        ).fetchone()
        split = [kinds.get(kind, 0) for kind in ("right", "wrong", "equal", "unscored")]
        row = (step, sum(kinds.values()), count, *split, int(cut), reward, length, json.dumps(dict(failures)))
        self._db.execute(f"INSERT OR REPLACE INTO steps VALUES ({', '.join('?' * len(row))})", row)


GROUP_COLUMNS = "step, line, offset, length, sample, task, question, count, mean, spread, kind, rewards"


def _marks(columns: str) -> str:
    return ", ".join("?" * (columns.count(",") + 1))


def _is_continued(seen: FileState, inode: int, size: int, file: Any) -> bool:
    """Whether a file still begins with what was read of it."""
    if seen.inode != inode or size < seen.done:
        return False
    return _tail(file, seen.done) == seen.tail


def _tail(file: Any, done: int) -> int:
    """The checksum of the last bytes before `done`."""
    start = max(done - TAIL, 0)
    file.seek(start)
    return zlib.crc32(file.read(done - start))


def _lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        end = data.index(b"\n", start)
        yield start, data[start:end]
        start = end + 1


def parse(raw: bytes) -> Any:
    """A line as JSON, None when it is none. orjson is fast, but reads neither NaN nor lone surrogates."""
    for loads in (orjson.loads, json.loads):
        try:
            return loads(raw)
        except (ValueError, RecursionError):
            continue
    return None


def _group_rows(step: int, line: int, offset: int, length: int, record: Any) -> tuple[tuple[Any, ...], list[Any]]:
    sample, rollouts = record["sample"], record["rollouts"]
    task = clean(sample.get("task"))
    scores = [rollout["score"] for rollout in rollouts]
    values = [_number(score.get("value")) for score in scores]
    scored = [value for value in values if value is not None]
    kind = group_kind(scored, [score.get("correct") for score in scores])
    flat = int(kind in ("right", "wrong", "equal"))
    mean = math.fsum(scored) / len(scored) if scored else None
    spread = statistics.pstdev(scored) if len(scored) > 1 and not flat else 0.0 if scored else None
    question = clean(sample.get("question"))[:LONGEST_QUESTION]
    shown = json.dumps([round(value, 4) for value in scored[:64]])
    group = (step, line, offset, length, clean(sample.get("id")), task, question, len(rollouts), mean, spread, kind, shown)
    found = [
        _rollout_row(step, line, place, task, rollout, value, flat)
        for place, (rollout, value) in enumerate(zip(rollouts, values, strict=True))
    ]
    return group, found


def _rollout_row(
    step: int, line: int, place: int, task: str, rollout: dict[str, Any], value: float | None, flat: int
) -> tuple[tuple[Any, ...], str, dict[str, float]]:
    completion, score = rollout["completion"], rollout["score"]
    text = clean(completion.get("text"))
    correct, failure, extracted = score.get("correct"), score.get("failure"), score.get("extracted")
    row = (
        step, line, place, task, value, _number(rollout.get("advantage")), len(completion.get("token_ids") or ()),
        clean(completion.get("finish_reason")), None if correct is None else int(bool(correct)),
        None if failure is None else clean(failure), flat, _things(extracted), zlib.crc32(text.encode()),
    )  # fmt: skip
    parts = {clean(name): number for name, part in (score.get("parts") or {}).items() if (number := _number(part)) is not None}
    return row, text[:LONGEST_TEXT], parts


def _unreadable(step: int, line: int, offset: int, length: int) -> tuple[Any, ...]:
    return (step, line, offset, length, "", "", "this line cannot be read", 0, None, None, "unreadable", "[]")


def group_kind(values: list[float], correct: list[Any]) -> str:
    """`mixed` when rewards differ; else `right`, `wrong` or `equal` by what all completions are; `unscored` without any reward.

    >>> group_kind([1.0, 0.0], [True, False]), group_kind([1.0, 1.0], [True, True]), group_kind([0.1, 0.1], [None, False])
    ('mixed', 'right', 'equal')
    """
    if not values:
        return "unscored"
    if max(values) - min(values) > 1e-9:
        return "mixed"
    return "right" if all(c is True for c in correct) else "wrong" if all(c is False for c in correct) else "equal"


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and math.isfinite(value) else None


def _things(extracted: Any) -> int:
    """How many things an answer names: of a list of boxes, objects or pairs their number, else 1, or 0 for none."""
    if isinstance(extracted, (list, tuple)) and extracted and isinstance(extracted[0], (list, tuple, dict)):
        return len(extracted)
    return 0 if extracted in (None, "", []) else 1


def clean(value: Any) -> str:
    """A text that SQLite can hold: without lone surrogates and zero bytes.

    >>> clean("a\\ud800b"), clean(None)
    ('a?b', '')
    """
    text = value if isinstance(value, str) else "" if value is None else str(value)
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", " ") if not text.isascii() or "\0" in text else text
