"""Media inside other files: a cell of a parquet or TSV table, a member of a zip archive, named by a path with a fragment.

| reference | is |
|---|---|
| `test.parquet#row=3&column=image` | bytes, or a struct `{bytes, path}`; with `&item=0` the first of a list of those |
| `ChartQA.tsv#row=3&column=image` | base64 text; one of at most 64 characters is the `index` of the row that holds it |
| `images.zip#member=a/b.png` | the member's bytes |

Rows count from 0. A path that exists as it stands is that file, whatever it is called.
"""

from __future__ import annotations

import base64
import csv
import io
import os
import zipfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import parse_qsl, quote, unquote

MAX_REFERENCE = 64
"""A TSV cell of at most so many characters names another row's image (VLMEvalKit's convention)."""


def cell(path: str | Path, row: int, column: str, item: int | None = None) -> str:
    """The reference to a cell of a table; `item` counts within a list of images.

    >>> cell("/data/test.parquet", 3, "image")
    '/data/test.parquet#row=3&column=image'
    """
    return f"{path}#row={row}&column={quote(column)}" + (f"&item={item}" if item is not None else "")


def member(path: str | Path, name: str) -> str:
    """The reference to a member of a zip archive.

    >>> member("/data/images.zip", "a/b.png")
    '/data/images.zip#member=a/b.png'
    """
    return f"{path}#member={quote(name)}"


def split_reference(path: str) -> tuple[str, dict[str, str]]:
    """The file of a reference, and its fragment's keys; none for a plain path.

    >>> split_reference("/data/test.parquet#row=3&column=image")
    ('/data/test.parquet', {'row': '3', 'column': 'image'})
    >>> split_reference("/data/a#b.png")
    ('/data/a#b.png', {})
    """
    file, _, fragment = path.rpartition("#")
    if fragment.startswith("member="):
        return file, {"member": unquote(fragment.removeprefix("member="))}
    keys = dict(parse_qsl(fragment))
    return (file, keys) if {"row", "column"} <= keys.keys() <= {"row", "column", "item"} else (path, {})


def exists(path: str) -> bool:
    """True when the file of a reference exists."""
    return os.path.isfile(path) or os.path.isfile(split_reference(path)[0])


def opened(path: str) -> str | BinaryIO:
    """What a decoder opens: a plain path as it is, else the bytes that the reference leads to.

    Raises OSError, KeyError, IndexError or ValueError when it leads nowhere.
    """
    file, keys = split_reference(path)
    if not keys or os.path.isfile(path):
        return path
    if "member" in keys:
        return io.BytesIO(_archive(file).read(keys["member"]))
    row = int(keys["row"])
    if file.endswith(".parquet"):
        return io.BytesIO(_parquet_bytes(file, row, keys["column"], keys.get("item")))
    return io.BytesIO(_tsv_bytes(file, row, keys["column"]))


@lru_cache(maxsize=8)
def _archive(file: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(file)


def _parquet_bytes(file: str, row: int, column: str, item: str | None) -> bytes:
    group, offset = _row_group(file, row)
    value = _parquet_column(file, group, column)[offset].as_py()
    if item is not None:
        value = value[int(item)]
    data = value.get("bytes") if isinstance(value, dict) else value
    if data is None and isinstance(value, dict) and value.get("path"):
        return (Path(file).parent / value["path"]).read_bytes()
    if not isinstance(data, bytes):
        raise ValueError(f"column {column!r} holds no image bytes in row {row}")
    return data


@lru_cache(maxsize=8)
def _parquet(file: str) -> Any:
    from pyarrow.parquet import ParquetFile  # only now: most data sets need none

    return ParquetFile(file)


def _row_group(file: str, row: int) -> tuple[int, int]:
    metadata = _parquet(file).metadata
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if row < rows:
            return group, row
        row -= rows
    raise IndexError(f"the table has only {metadata.num_rows} rows")


@lru_cache(maxsize=2)
def _parquet_column(file: str, group: int, column: str) -> Any:
    return _parquet(file).read_row_group(group, columns=[column]).column(0)


def _tsv_bytes(file: str, row: int, column: str) -> bytes:
    offsets, rows_of_index = _tsv_table(file)
    text = _tsv_row(file, offsets[row])[column]
    if len(text) <= MAX_REFERENCE and text in rows_of_index:
        text = _tsv_row(file, offsets[rows_of_index[text]])[column]
    return base64.b64decode(text.rpartition(",")[2])


def _tsv_row(file: str, offset: int) -> dict[str, str]:
    with open(file, "rb") as handle:
        names = next(_tsv_records(handle))
        handle.seek(offset)
        return dict(zip(names, next(_tsv_records(handle)), strict=False))


@lru_cache(maxsize=4)
def _tsv_table(file: str) -> tuple[list[int], dict[str, int]]:
    """Where each row starts in the file, and the row of each value of the column `index`."""
    offsets: list[int] = []
    rows_of_index: dict[str, int] = {}
    with open(file, "rb") as handle:
        records = _tsv_records(handle)
        names = next(records)
        start = handle.tell()
        for row, record in enumerate(records):
            offsets.append(start)
            rows_of_index[dict(zip(names, record, strict=False)).get("index", "")] = row
            start = handle.tell()
    return offsets, rows_of_index


def _tsv_records(handle: BinaryIO) -> Iterator[list[str]]:
    """Records from the handle's place on; a cell may hold line ends in quotes."""
    csv.field_size_limit(1 << 30)
    lines = (line.decode("utf-8-sig") for line in iter(handle.readline, b""))
    return csv.reader(lines, delimiter="\t")
