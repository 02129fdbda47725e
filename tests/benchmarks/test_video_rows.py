"""Video benchmarks: the same rows from every layout, places of videos, and rows that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from golden_folders import ROOT

from vlrl import benchmarks
from vlrl.benchmarks.charades_sta import read_range
from vlrl.benchmarks.video_mme import read_letter
from vlrl.types import UserError

CHARADES = ROOT / "charades-sta__lmms-eval" / "data"


def test_charades_text_and_parquet_hold_the_same_rows(tmp_path: Path) -> None:
    (tmp_path / "test-00000-of-00001.parquet").symlink_to(CHARADES / "data" / "test-00000-of-00001.parquet")
    load = benchmarks.load("charades-sta").load
    rows, copies = list(load(CHARADES)), list(load(tmp_path))
    assert [(row.id, row.question, row.answer) for row in rows] == [(row.id, row.question, row.answer) for row in copies]
    assert [Path(row.media[0].path).name for row in rows] == [Path(row.media[0].path).name for row in copies]


@pytest.mark.parametrize("line", ["AB001 1.0##no end.", "AB001 a b##words.", "AB001 9 1##reversed.", "AB001 nan 2##no time."])
def test_a_bad_line_of_charades_is_named(tmp_path: Path, line: str) -> None:
    (tmp_path / "charades_sta_test.txt").write_text(f"AB000 0 1##fine.\n{line}\n")
    with pytest.raises(UserError, match=r"charades_sta_test\.txt:2: .*; get the file anew"):
        list(benchmarks.load("charades-sta").load(tmp_path))


@pytest.mark.parametrize(
    ("text", "span"),
    [
        ("to 5 to 9", (5.0, 9.0)),
        ("9" * 400 + " - 1", None),
        ("1 - " * 20_000, (1.0, 1.0)),
        ("[" * 50_000, None),
        ("1:" * 30_000, None),
        ("start " + "1" * 50_000, None),
        ("```json\n{\"start\": \"00:05\", \"end\": \"00:12\"}\n```", (5.0, 12.0)),
    ],
)  # fmt: skip
def test_ranges_of_odd_texts(text: str, span: tuple[float, float] | None) -> None:
    assert read_range(text) == span


def test_video_mme_parquet_and_json_hold_the_same_rows(tmp_path: Path) -> None:
    folder = ROOT / "video-mme__lmms-eval" / "data"
    rows = pq.read_table(folder / "videomme" / "test-00000-of-00001.parquet").to_pylist()
    videos: dict[str, dict[str, object]] = {}
    for row in rows:
        video = {name: row[name] for name in ("video_id", "duration", "domain", "sub_category", "videoID")}
        questions = videos.setdefault(str(sorted(video.items())), {**video, "questions": []})["questions"]
        assert isinstance(questions, list)
        questions.append({name: row[name] for name in ("question_id", "task_type", "question", "options", "answer")})
    (tmp_path / "Video-MME.json").write_text(json.dumps(list(videos.values())))
    load = benchmarks.load("video-mme").load
    assert {row.id: row.answer for row in load(tmp_path)} == {row.id: row.answer for row in load(folder)}
    assert next(iter(load(folder))).media[0].path.endswith("data/vid0A.mp4")


@pytest.mark.parametrize(
    ("text", "letter"),
    [("the answer is (C) and not D", "D"), ("B.", "B"), ("Both are BAD", None), ("A B", "A"), ("x: C", "C"), ("", None)],
)
def test_lmms_eval_trusts_the_ends_most(text: str, letter: str | None) -> None:
    assert read_letter(text, "ABCD") == letter


def test_mvbench_from_parquet_and_where_its_videos_are(tmp_path: Path) -> None:
    row = {"video": "v.mp4", "question": "Which letter?", "candidates": ["n", "a", "b"], "answer": "a"}
    (tmp_path / "character_order").mkdir()
    pq.write_table(pa.Table.from_pylist([row]), tmp_path / "character_order" / "train-00000.parquet")
    (tmp_path / "video" / "perception" / "videos").mkdir(parents=True)
    (tmp_path / "video" / "perception" / "videos" / "v.mp4").touch()
    (sample,) = benchmarks.load("mvbench").load(tmp_path)
    assert sample.id == "character_order:0"
    assert sample.media[0].path == str(tmp_path / "video" / "perception" / "videos" / "v.mp4")
    rule = benchmarks.load("mvbench").protocol("lmms-eval").score
    assert [rule(text, sample.answer).value for text in ("B", "A", "a", "(B) a")] == [1.0, 0.0, 0.0, 1.0]


def test_next_gqa_leaves_out_what_is_not_grounded() -> None:
    rows = list(benchmarks.load("next-gqa").load(ROOT / "next-gqa__official" / "data"))
    assert len(rows) == 12
    assert rows[0].media[0].path.endswith("videos/0001/1001.mp4")
