"""JSONL -> `Sample`. One object a line; the keys are in docs/architecture.md ("Data set rows").

Reading checks what the text alone can tell (syntax, keys, types, unique ids) and never touches the media, so that a million rows
load in seconds. Whether the media exist and decode and whether the gold answer earns the maximum is `vlrl validate`'s question;
a missing `image_size` is filled in by `vlrl.data.row_media.load_media` when the image is read anyway.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from vlrl.data.errors import RowError, suggest
from vlrl.types import Media, Sample, UserError

ROW_KEYS = ("id", "task", "image", "images", "video", "videos", "video_fps", "question", "answer", "reward")


def read_samples(
    path: str | Path,
    task: str | None = None,
    check_task: Callable[[str], object] | None = None,
    check_reward: Callable[[object], object] | None = None,
) -> list[Sample]:
    """All rows of a JSONL file, or a `UserError` that names the first bad one.

    `task` is the task of rows that name none. `check_task` and `check_reward`, called once per distinct task name and per
    distinct `reward` of a row, raise UserError for an unknown one.
    """
    samples: list[Sample] = []
    for row in scan_rows(path, task, check_task, check_reward):
        if isinstance(row, RowError):
            raise row
        samples.append(row)
    return samples


def scan_rows(
    path: str | Path,
    task: str | None = None,
    check_task: Callable[[str], object] | None = None,
    check_reward: Callable[[object], object] | None = None,
) -> Iterator[Sample | RowError]:
    """Every row of a JSONL file in order, a bad one as its `RowError`. Raises `UserError` when there is nothing to read."""
    reader = _RowReader(Path(path), task, check_task, check_reward)
    empty = True
    with open_rows(path) as file:
        for number, line in numbered_lines(file):
            empty = False
            yield reader.read(number, line)
    if empty:
        raise UserError(f"{path}: holds no rows; write one JSON object per line")


def count_rows(path: str | Path) -> int:
    """How many rows a JSONL file holds, good or bad."""
    with open_rows(path) as file:
        return sum(1 for _ in numbered_lines(file))


def open_rows(path: str | Path) -> BinaryIO:
    """The open file, or a `UserError` when it cannot be opened."""
    try:
        return open(path, "rb")
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path of the data file") from error


def numbered_lines(file: Iterable[bytes]) -> Iterator[tuple[int, bytes]]:
    """The lines that are not blank, with their numbers from 1; a byte order mark before the first is dropped."""
    for number, line in enumerate(file, start=1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")
        if not line.isspace() and line:
            yield number, line


def parse_object(line: bytes, source: str) -> dict[str, Any]:
    """One line as a JSON object, else a `RowError`."""
    try:
        row = _DECODER.decode(line.decode("utf-8"))
    except UnicodeDecodeError as error:
        raise RowError(source, "", f"is not UTF-8 text ({error.reason})", "save the file as UTF-8") from error
    except (ValueError, RecursionError) as error:
        reason = f"{error.msg} at column {error.colno}" if isinstance(error, json.JSONDecodeError) else error
        raise RowError(source, "", f"is not JSON ({reason})", _ONE_OBJECT) from error
    if not isinstance(row, dict):
        raise RowError(source, "", f"is not an object but {_describe(row)}", _ONE_OBJECT)
    return row


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


IMAGE_MEND = "give the path of the image file, or leave the key out; for several, give a list of paths under images"
VIDEO_MEND = "give the path of a video file or of a folder of frames, or a list of paths of frames; several go under videos"
_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
_ONE_OBJECT = "write one JSON object per line"


class _RowReader:
    """Lines of one file -> samples; remembers the ids and the tasks it has seen."""

    def __init__(
        self,
        path: Path,
        task: str | None,
        check_task: Callable[[str], object] | None,
        check_reward: Callable[[object], object] | None,
    ) -> None:
        self.path = str(path)
        self.folder = os.path.abspath(path.parent)
        self.task = task
        self.check_task = check_task
        self.check_reward = check_reward
        self.line_of_id: dict[str, int] = {}
        self.tasks: set[str] = set()
        self.rewards: set[str] = set()

    def read(self, number: int, line: bytes) -> Sample | RowError:
        source = f"{self.path}:{number}"
        try:
            sample = self._sample(parse_object(line, source), source, number)
            self._note_task(sample)
            self._note_reward(sample)
            self._note_id(sample, number)
        except RowError as error:
            return error
        return sample

    def _sample(self, row: dict[str, Any], source: str, number: int) -> Sample:
        for key in row:
            if key not in ROW_KEYS:
                raise RowError(source, key, "is no key of a row", suggest(key, ROW_KEYS))
        return Sample(
            id=_identifier(row.get("id", number), source),
            task=self._task_of(row, source),
            question=_text(row, "question", source, "add the question as a string"),
            answer=_answer(row, source),
            media=(*self._images(row, source), *self._videos(row, source)),
            source=source,
        )

    def _images(self, row: dict[str, Any], source: str) -> Iterator[Media]:
        for key, path in _entries(row, "image", IMAGE_MEND, source):
            _check_path(path, key, IMAGE_MEND, source)
            yield Media("image", self._absolute(path))

    def _videos(self, row: dict[str, Any], source: str) -> Iterator[Media]:
        fps = _video_fps(row, source)
        for key, video in _entries(row, "video", VIDEO_MEND, source):
            frames = video if isinstance(video, list) and video else []
            for path in frames or [video]:
                _check_path(path, key, VIDEO_MEND, source)
            paths = [self._absolute(path) for path in frames or [video]]
            yield Media("video", paths[0], tuple(paths) if frames else (), fps)

    def _absolute(self, path: str) -> str:
        return os.path.normpath(os.path.join(self.folder, path))

    def _task_of(self, row: dict[str, Any], source: str) -> str:
        if "task" not in row and self.task is not None:
            return self.task
        return _text(row, "task", source, "add it to the row or give one task for the whole file")

    def _note_task(self, sample: Sample) -> None:
        if self.check_task is None or sample.task in self.tasks:
            return
        try:
            self.check_task(sample.task)
        except UserError as error:
            raise RowError(sample.source, "task", str(error), "`vlrl show` lists the tasks") from error
        self.tasks.add(sample.task)

    def _note_reward(self, sample: Sample) -> None:
        spec = sample.answer.get("reward")
        if self.check_reward is None or spec is None or repr(spec) in self.rewards:
            return
        try:
            self.check_reward(spec)
        except UserError as error:
            raise RowError(sample.source, "reward", str(error), "`vlrl score --list` lists the rewards") from error
        self.rewards.add(repr(spec))

    def _note_id(self, sample: Sample, number: int) -> None:
        first = self.line_of_id.setdefault(sample.id, number)
        if first != number:
            mend = "give every row its own id, or leave the ids out"
            raise RowError(sample.source, "id", f"{sample.id!r} is the id of line {first} already", mend)


def _identifier(value: Any, source: str) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise RowError(source, "id", f"is {_describe(value)}", "make it a string that is not empty, or leave it out")
    return str(value)


def _text(row: dict[str, Any], key: str, source: str, mend: str) -> str:
    if key not in row:
        raise RowError(source, key, "is missing", mend)
    value = row[key]
    if not isinstance(value, str) or not value.strip():
        raise RowError(source, key, f"is {_describe(value)}", mend)
    if not _encodable(value):
        raise RowError(source, key, "holds half of a surrogate pair", "write the character as UTF-8")
    return value


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _answer(row: dict[str, Any], source: str) -> dict[str, Any]:
    mend = 'add the gold answer as an object, such as {"box": [x1, y1, x2, y2]}'
    if "answer" not in row:
        raise RowError(source, "answer", "is missing", mend)
    answer = row["answer"]
    if not isinstance(answer, dict) or not answer:
        raise RowError(source, "answer", f"is {_describe(answer)}", mend)
    if "reward" not in row:
        return answer
    if "reward" in answer:
        raise RowError(source, "reward", "stands in the answer too", "keep one of the two")
    return {**answer, "reward": row["reward"]}


def _entries(row: dict[str, Any], key: str, mend: str, source: str) -> list[tuple[str, Any]]:
    """What stands under `key`, or each item of the list under its plural, with its place in the row."""
    plural = f"{key}s"
    if key in row and plural in row:
        raise RowError(source, plural, f"stands beside {key}", "keep one of the two")
    if key in row:
        return [(key, row[key])]
    items = row.get(plural, [])
    if plural in row and (not isinstance(items, list) or not items):
        raise RowError(source, plural, f"is {_describe(items)}", mend)
    return [(f"{plural}[{index}]", item) for index, item in enumerate(items)]


def _check_path(path: Any, key: str, mend: str, source: str) -> None:
    if not isinstance(path, str) or not path.strip():
        raise RowError(source, key, f"is {_describe(path)}", mend)
    if not _encodable(path):
        raise RowError(source, key, "holds half of a surrogate pair", "write the character as UTF-8")


def _video_fps(row: dict[str, Any], source: str) -> float | None:
    """The declared frames per second of the row's videos."""
    if "video_fps" not in row:
        return None
    fps = row["video_fps"]
    if "video" not in row and "videos" not in row:
        raise RowError(source, "video_fps", "stands in a row without a video", "add the video or leave video_fps out")
    if isinstance(fps, bool) or not isinstance(fps, (int, float)) or not 0 < fps < math.inf:
        what = _describe(fps) if isinstance(fps, bool) or not isinstance(fps, (int, float)) else fps
        raise RowError(source, "video_fps", f"is {what}", "give the frames per second as a number above 0")
    return float(fps)


def _describe(value: Any) -> str:
    """A JSON value's kind in words, for error messages."""
    if isinstance(value, (str, list, dict)) and not (value.strip() if isinstance(value, str) else value):
        return {str: "an empty string", list: "an empty list", dict: "an empty object"}[type(value)]
    if value is None:
        return "null"
    names = {bool: "true or false", int: "a number", float: "a number", str: "a string", list: "a list", dict: "an object"}
    return names[type(value)]
