"""A file of stored predictions: one JSON object a line, with `doc_id` and `response`.

A line may also hold `processed_size` (`[width, height]` of the picture as the model saw it) and `finish_reason`. The file is
indexed once and read row by row, so that memory does not grow with the texts.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from vlrl.data.errors import RowError
from vlrl.data.jsonl import open_rows, parse_object
from vlrl.types import UserError

BYTE_ORDER_MARK = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Prediction:
    """One stored answer. `response` is None where generation failed; `source` is `file:line`."""

    doc_id: str
    response: str | None
    processed_size: list[float] | None = None
    finish_reason: str | None = None
    failure: str | None = None
    """What kept the row from being answered, where `response` is None."""
    source: str = ""


class Predictions:
    """The predictions of a file by their doc_id.

    Raises UserError, naming file and line, for a file that cannot be read or is empty, for a line that is no such object, and
    for a doc_id that stands there twice.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._file: BinaryIO = open_rows(path)
        self._places: dict[str, tuple[int, int]] = {}
        self._index()

    def __len__(self) -> int:
        return len(self._places)

    def get(self, doc_id: str) -> Prediction | None:
        """The prediction for a row, or None when there is none."""
        place = self._places.get(doc_id)
        if place is None:
            return None
        offset, number = place
        self._file.seek(offset)
        return self._prediction(self._file.readline(), number)

    def refuse_unknown(self, doc_ids: Iterable[str]) -> None:
        """Raises UserError when a prediction is for none of the benchmark's rows."""
        unknown = self._places.keys() - set(doc_ids)
        if unknown:
            doc_id, (_, number) = min(((one, self._places[one]) for one in unknown), key=lambda item: item[1])
            mend = "is it the file of another benchmark, protocol layout or split?"
            what = f"{doc_id!r} is no row of the benchmark ({len(unknown)} such of {len(self)})"
            raise RowError(f"{self.path}:{number}", "doc_id", what, mend)

    def _index(self) -> None:
        offset = 0
        for number, line in enumerate(self._file, start=1):
            if line.strip():
                doc_id = self._prediction(line, number).doc_id
                if doc_id in self._places:
                    first = self._places[doc_id][1]
                    mend = "keep one prediction per row"
                    raise RowError(f"{self.path}:{number}", "doc_id", f"{doc_id!r} stands in line {first} already", mend)
                self._places[doc_id] = (offset, number)
            offset += len(line)
        if not self._places:
            raise UserError(f"{self.path}: holds no predictions; write one JSON object with doc_id and response per line")

    def _prediction(self, line: bytes, number: int) -> Prediction:
        source = f"{self.path}:{number}"
        row = parse_object(line.removeprefix(BYTE_ORDER_MARK), source)
        finish_reason, failure = (_text(row, key, source) for key in ("finish_reason", "failure"))
        return Prediction(_doc_id(row, source), _response(row, source), _size(row, source), finish_reason, failure, source)


def _doc_id(row: dict[str, Any], source: str) -> str:
    value = row.get("doc_id")
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise RowError(source, "doc_id", "is missing, or is neither text nor a whole number", "give the benchmark's row id")
    return str(value)


def _response(row: dict[str, Any], source: str) -> str | None:
    if "response" not in row or not isinstance(row["response"], (str, type(None))):
        raise RowError(source, "response", "is missing or no string", "add the model's text as a string, or null where it failed")
    return row["response"]


def _size(row: dict[str, Any], source: str) -> list[float] | None:
    value = row.get("processed_size")
    if value is None:
        return None
    numbers = isinstance(value, list) and len(value) == 2 and all(type(item) in (int, float) for item in value)
    if not numbers or not all(0 < item < math.inf for item in value):
        raise RowError(source, "processed_size", f"is {value!r}", "give [width, height] in pixels, or leave it out")
    return value


def _text(row: dict[str, Any], key: str, source: str) -> str | None:
    value = row.get(key)
    if value is not None and not isinstance(value, str):
        raise RowError(source, key, "is no string", "give a word, or leave it out")
    return value
