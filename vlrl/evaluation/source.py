"""The rows of a benchmark as they are scored: found, streamed, counted and hashed on the way."""

from __future__ import annotations

import hashlib
import json
import math
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from vlrl.benchmarks import Benchmark
from vlrl.data.layout import LayoutError, places
from vlrl.types import Sample, UserError

WHOLE = "all"
"""The name of the only split of a benchmark whose rows name none."""


@dataclass
class Source:
    """A benchmark in a folder. Iterating yields its first `limit` rows, once; the other fields are then filled.

    | field | meaning |
    |---|---|
    | `ids` | the rows' ids; all of them only without `limit` |
    | `splits` | rows by split |
    | `data_hash` | SHA-256 of ids, questions, gold answers and names of media |
    """

    benchmark: Benchmark
    folder: Path
    limit: int | None = None
    ids: set[str] = field(default_factory=set)
    splits: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self._hash = hashlib.sha256()

    def __iter__(self) -> Iterator[Sample]:
        for sample in self.benchmark.load(self.folder):
            if self.limit is not None and len(self.ids) == self.limit:
                return
            if sample.id in self.ids:
                raise UserError(f"{sample.source or self.folder}: row id {sample.id!r} stands there twice; get the data anew")
            self._note(sample)
            yield sample

    def _note(self, sample: Sample) -> None:
        self.ids.add(sample.id)
        sizes = self.benchmark.sizes
        only = next(iter(sizes)) if len(sizes) == 1 else WHOLE
        self.splits[sample.answer.get("groups", {}).get("split", only)] += 1
        names = [Path(media.path).name for media in sample.media]
        self._hash.update(json.dumps([sample.id, sample.question, sample.answer, names], sort_keys=True).encode())

    @property
    def data_hash(self) -> str:
        return self._hash.hexdigest()

    def size_warnings(self) -> list[str]:
        """One sentence for each split whose number of rows is not the published one; none for a limited run."""
        sizes = self.benchmark.sizes
        if self.limit is not None or not sizes:
            return []
        if WHOLE in self.splits and WHOLE not in sizes:
            published, found = sum(sizes.values()), self.splits.total()
            return [] if found == published else [f"{self.benchmark.name}: {found} rows, {published:,} were published"]
        return [
            f"{self.benchmark.name}: {split} has {found:,} rows, {sizes[split]:,} were published"
            for split, found in self.splits.items()
            if split in sizes and found != sizes[split]
        ]


def row_count(limit: float | None, rows: Callable[[], int]) -> int | None:
    """A `--limit` as a number of rows: below 1 it is a share of all `rows()`, rounded up; None stays None.

    >>> row_count(0.1, lambda: 25), row_count(7, lambda: 25)
    (3, 7)
    """
    if limit is None:
        return None
    return math.ceil(limit * rows()) if limit < 1 else int(limit)


def open_source(benchmark: Benchmark, data_root: Path | None, limit: float | None = None) -> Source:
    """The benchmark in the first of its places (`vlrl.data.layout.places`) that holds its files; `limit` as in `row_count`.

    Raises UserError, naming the places and what was looked for, when none does.
    """
    looked = []
    for folder in places(benchmark.name, data_root, benchmark.hub):
        try:
            next(iter(benchmark.load(folder)))
        except LayoutError as error:
            looked.append(str(error))
        except StopIteration:
            looked.append(f"{folder}: holds no rows")
        else:
            return Source(benchmark, folder, row_count(limit, lambda: sum(1 for _ in benchmark.load(folder))))  # noqa: B023
    if not looked:
        where = ", ".join(benchmark.hub) or "no copy known"
        raise UserError(f"{benchmark.name}: no --data_root was given and the hub cache has no snapshot of it ({where})")
    raise UserError(f"{benchmark.name}: " + "; ".join(looked))
