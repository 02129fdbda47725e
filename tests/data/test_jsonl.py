"""Reading JSONL rows: what comes out of good ones, and one sentence naming place and mend for every bad one."""

from __future__ import annotations

import json
import pickle
import time
from pathlib import Path
from typing import Any

import pytest

from vlrl.data.errors import RowError
from vlrl.data.jsonl import ROW_KEYS, read_samples, scan_rows
from vlrl.types import Media, Sample, UserError, to_json

GOOD = {"task": "gui", "question": "the red button", "answer": {"box": [1, 2, 3, 4]}}


def write(folder: Path, *rows: Any) -> Path:
    """A data file of rows; text and bytes are written as they are, everything else as JSON."""
    path = folder / "rows.jsonl"
    lines = [row if isinstance(row, bytes) else (row if isinstance(row, str) else json.dumps(row)).encode() for row in rows]
    path.write_bytes(b"\n".join(lines) + b"\n")
    return path


def without(key: str) -> dict[str, Any]:
    return {k: v for k, v in GOOD.items() if k != key}


def test_a_full_row(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", "image": "train/1.png", **GOOD})
    assert read_samples(path) == [
        Sample("a", "gui", "the red button", {"box": [1, 2, 3, 4]}, (Media("image", str(tmp_path / "train/1.png")),), f"{path}:1")
    ]


def test_defaults(tmp_path: Path) -> None:
    path = write(tmp_path, without("task"), {"task": "grounding", **without("task")})
    first, second = read_samples(path, task="gui")
    assert (first.id, first.task, first.media) == ("1", "gui", ())
    assert (second.id, second.task) == ("2", "grounding")
    assert "image_size" not in first.answer


def test_images_in_order_and_absolute_paths_stay(tmp_path: Path) -> None:
    path = write(tmp_path, {"images": ["b.png", "/data/a.png", "../c.png"], **GOOD})
    media = read_samples(path)[0].media
    assert [m.path for m in media] == [str(tmp_path / "b.png"), "/data/a.png", str(tmp_path.parent / "c.png")]


def test_a_relative_data_file_gives_absolute_media(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"image": "a.png", **GOOD})
    monkeypatch.chdir(tmp_path)
    sample = read_samples("rows.jsonl")[0]
    assert sample.media[0].path == str(tmp_path / "a.png")
    assert sample.source == "rows.jsonl:1"


def test_blank_lines_and_byte_order_mark(tmp_path: Path) -> None:
    path = write(tmp_path, b"\xef\xbb\xbf" + json.dumps(GOOD).encode(), "", "  ", GOOD)
    assert [sample.source for sample in read_samples(path)] == [f"{path}:1", f"{path}:4"]


def test_numbers_as_ids(tmp_path: Path) -> None:
    assert read_samples(write(tmp_path, {"id": 7, **GOOD}))[0].id == "7"


BAD_ROWS = [
    ("{oops", "", "is not JSON", "one JSON object per line"),
    ('{"question": NaN}', "", "NaN is no JSON number", "one JSON object per line"),
    ("[" * 100_000, "", "is not JSON", "one JSON object per line"),
    (b'{"question": "\xff"}', "", "is not UTF-8", "save the file as UTF-8"),
    ([GOOD], "", "is not an object but a list", "one JSON object per line"),
    ("null", "", "is not an object but null", "one JSON object per line"),
    (without("question"), "question", "is missing", "add the question"),
    ({**GOOD, "question": "  "}, "question", "is an empty string", "add the question"),
    ({**GOOD, "question": ["x"]}, "question", "is a list", "add the question"),
    ({**GOOD, "question": "\ud800"}, "question", "surrogate", "as UTF-8"),
    (without("task"), "task", "is missing", "add it to the row or give one task for the whole file"),
    ({**GOOD, "task": 3}, "task", "is a number", "add it to the row"),
    (without("answer"), "answer", "is missing", "add the gold answer as an object"),
    ({**GOOD, "answer": "yes"}, "answer", "is a string", "add the gold answer as an object"),
    ({**GOOD, "answer": {}}, "answer", "is an empty object", "add the gold answer as an object"),
    ({**GOOD, "imge": "a.png"}, "imge", "is no key of a row", "did you mean 'image'?"),
    ({**GOOD, "zzz": 1}, "zzz", "is no key of a row", f"choose one of {', '.join(ROW_KEYS)}"),
    ({**GOOD, "image": None}, "image", "is null", "leave the key out"),
    ({**GOOD, "image": "a.png", "images": ["a.png"]}, "images", "stands beside image", "keep one of the two"),
    ({**GOOD, "images": "a.png"}, "images", "is a string", "give a list of paths"),
    ({**GOOD, "images": []}, "images", "is an empty list", "give a list of paths"),
    ({**GOOD, "images": ["a.png", 3]}, "images[1]", "is a number", "give a list of paths"),
    ({**GOOD, "image": "\ud800.png"}, "image", "holds half of a surrogate pair", "UTF-8"),
    ({**GOOD, "video": None}, "video", "is null", "a video file or of a folder of frames"),
    ({**GOOD, "video": []}, "video", "is an empty list", "a list of paths of frames"),
    ({**GOOD, "video": ["a.png", ""]}, "video", "is an empty string", "a list of paths of frames"),
    ({**GOOD, "video": "a.mp4", "videos": ["a.mp4"]}, "videos", "stands beside video", "keep one of the two"),
    ({**GOOD, "videos": ["a.mp4", {}]}, "videos[1]", "is an empty object", "several go under videos"),
    ({**GOOD, "video_fps": 2}, "video_fps", "stands in a row without a video", "leave video_fps out"),
    ({**GOOD, "video": "a", "video_fps": 0}, "video_fps", "is 0", "a number above 0"),
    ({**GOOD, "video": "a", "video_fps": True}, "video_fps", "is true or false", "a number above 0"),
    ({**GOOD, "video": "a", "video_fps": "2"}, "video_fps", "is a string", "a number above 0"),
    ({**GOOD, "id": ""}, "id", "is an empty string", "make it a string"),
    ({**GOOD, "id": True}, "id", "is true or false", "make it a string"),
]


def test_videos_follow_images_and_lists_of_frames_are_one_video(tmp_path: Path) -> None:
    row = {"videos": ["b.mp4", ["1.png", "/data/2.png"]], "images": ["a.png"], "video_fps": 4, **GOOD}
    frames = (str(tmp_path / "1.png"), "/data/2.png")
    (sample,) = read_samples(write(tmp_path, row))
    assert sample.media == (
        Media("image", str(tmp_path / "a.png")),
        Media("video", str(tmp_path / "b.mp4"), (), 4.0),
        Media("video", frames[0], frames, 4.0),
    )
    assert Sample.from_json(json.loads(json.dumps(to_json(sample)))) == sample


@pytest.mark.parametrize(("row", "key", "what", "mend"), BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_bad_rows_are_named(tmp_path: Path, row: Any, key: str, what: str, mend: str) -> None:
    path = write(tmp_path, GOOD, row)
    with pytest.raises(RowError) as caught:
        read_samples(path)
    error = caught.value
    assert (error.source, error.key) == (f"{path}:2", key)
    assert what in error.what
    assert mend in error.mend
    assert "\n" not in str(error)


def test_duplicate_ids(tmp_path: Path) -> None:
    path = write(tmp_path, {"id": "a", **GOOD}, {"id": "b", **GOOD}, {"id": "a", **GOOD})
    with pytest.raises(RowError, match=r"rows.jsonl:3: id: 'a' is the id of line 1 already; give every row its own id"):
        read_samples(path)


def test_an_unknown_task_is_named_once_checked(tmp_path: Path) -> None:
    def check(task: str) -> None:
        asked.append(task)
        if task != "gui":
            raise UserError(f"there is no task {task!r}")

    asked: list[str] = []
    path = write(tmp_path, GOOD, GOOD, {**GOOD, "task": "guy"})
    with pytest.raises(RowError, match=r"rows.jsonl:3: task: there is no task 'guy'; `vlrl show` lists the tasks"):
        read_samples(path, check_task=check)
    assert asked == ["gui", "guy"]


def test_scanning_goes_on_after_a_bad_row(tmp_path: Path) -> None:
    rows = list(scan_rows(write(tmp_path, "{", GOOD, without("answer"), GOOD)))
    assert [isinstance(row, RowError) for row in rows] == [True, False, True, False]


@pytest.mark.parametrize("content", [b"", b"\n \n"])
def test_an_empty_file(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    with pytest.raises(UserError, match="holds no rows; write one JSON object per line"):
        read_samples(path)


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.jsonl", tmp_path):
        with pytest.raises(UserError, match=rf"{path}: cannot be read \(.*\); check the path of the data file"):
            read_samples(path)


def test_errors_survive_pickling() -> None:
    error = RowError("a:1", "question", "is missing", "add it")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_reading_is_fast(tmp_path: Path) -> None:
    rows = ({"id": f"row-{i}", "image": f"images/{i}.png", **GOOD} for i in range(100_000))
    path = write(tmp_path, *rows)
    start = time.process_time()
    assert len(read_samples(path)) == 100_000
    assert time.process_time() - start < 6  # takes 1 to 2 s
