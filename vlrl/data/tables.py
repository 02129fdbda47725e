"""Rows of a published data set's file - JSON, JSONL, CSV, TSV, parquet - as dicts, one after another."""

from __future__ import annotations

import csv
import json
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from vlrl.data import containers
from vlrl.data.jsonl import numbered_lines, open_rows, parse_object
from vlrl.data.layout import LayoutError
from vlrl.types import Media, UserError

Row = dict[str, Any]
BATCH = 256


def read_rows(path: str | Path, needs: Collection[str] = (), skip: Collection[str] = ()) -> Iterator[Row]:
    """The rows of a table in order; the format is that of the file's suffix.

    `.json` holds a list of objects, `.jsonl` one object a line, `.csv` and `.tsv` a header line (all values are texts),
    `.parquet` columns. `needs` names the columns that the file must have, `skip` those that are not to be read (images).
    Raises UserError for a file that cannot be read or has no rows, LayoutError for one that lacks a column.
    """
    path = Path(path)
    rows = _READERS[path.suffix](path, frozenset(skip))
    first = next(rows, None)
    if first is None:
        raise UserError(f"{path}: holds no rows; is the file complete?")
    missing = [name for name in needs if name not in first]
    if missing:
        raise LayoutError(
            f"{path}: has no {', '.join(map(repr, missing))}, only {', '.join(first)}; is it this benchmark's file?"
        )
    yield first
    yield from rows


class Place(NamedTuple):
    """Where a row stands: its file, its number there, and its number over all files of the set, both from 0 on."""

    path: Path
    row: int
    number: int

    @property
    def source(self) -> str:
        """The row's name in messages."""
        return f"{self.path}:{self.row}"

    def image(self, column: str, item: int | None = None) -> Media:
        """The picture that a column of the row holds; `item` counts in a list of pictures."""
        return Media("image", containers.cell(self.path, self.row, column, item))


def numbered_rows(paths: Iterable[Path], needs: Collection[str] = (), skip: Collection[str] = ()) -> Iterator[tuple[Place, Row]]:
    """The rows of several tables (`read_rows`), each with its place."""
    number = 0
    for path in paths:
        for row, values in enumerate(read_rows(path, needs, skip)):
            yield Place(path, row, number), values
            number += 1


def read_json(path: str | Path) -> Any:
    """The value of a JSON file. Raises UserError when it cannot be read."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the data folder") from error
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: is not JSON ({error}); get the file anew") from error


def column_names(path: str | Path) -> list[str]:
    """The column names of a parquet file, without reading its rows."""
    return list(_parquet_file(Path(path)).schema_arrow.names)


def _json(path: Path, skip: frozenset[str]) -> Iterator[Row]:
    found = read_json(path)
    if not isinstance(found, list) or not all(isinstance(row, dict) for row in found):
        raise UserError(f"{path}: is not a list of objects; is it this benchmark's file?")
    yield from (_without(row, skip) for row in found)


def _jsonl(path: Path, skip: frozenset[str]) -> Iterator[Row]:
    with open_rows(path) as file:
        for number, line in numbered_lines(file):
            yield _without(parse_object(line, f"{path}:{number}"), skip)


def _without(row: Row, skip: frozenset[str]) -> Row:
    return {name: value for name, value in row.items() if name not in skip} if skip else row


def _separated(path: Path, skip: frozenset[str]) -> Iterator[Row]:
    csv.field_size_limit(1 << 30)  # a cell may hold an image in base64
    with open_rows(path) as raw:
        lines = (line.decode("utf-8-sig" if number == 0 else "utf-8") for number, line in enumerate(raw))
        try:
            for row in csv.DictReader(lines, delimiter="\t" if path.suffix == ".tsv" else ","):
                yield _without(row, skip)
        except (csv.Error, UnicodeDecodeError) as error:
            raise UserError(f"{path}: cannot be read as a table ({error}); get the file anew") from error


def _parquet(path: Path, skip: frozenset[str]) -> Iterator[Row]:
    file = _parquet_file(path)
    columns = [name for name in file.schema_arrow.names if name not in skip]
    for batch in file.iter_batches(batch_size=BATCH, columns=columns):
        yield from batch.to_pylist()


def _parquet_file(path: Path) -> Any:
    from pyarrow import ArrowException  # only now: most data sets need none
    from pyarrow.parquet import ParquetFile

    try:
        return ParquetFile(path)
    except (OSError, ArrowException) as error:
        raise UserError(f"{path}: cannot be read as parquet ({error}); get the file anew") from error


_READERS = {".json": _json, ".jsonl": _jsonl, ".csv": _separated, ".tsv": _separated, ".parquet": _parquet}
