"""The media of a row, loaded in order; whose size the gold geometry is in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vlrl.data.errors import MediaError
from vlrl.data.row_media import gold_media, load_media
from vlrl.types import Media, Sample
from vlrl.video import Video, VideoLimits

LIMITS = VideoLimits(min_pixels=1024)


def save(folder: Path, name: str, width: int, height: int) -> Media:
    Image.new("RGB", (width, height)).save(folder / name)
    return Media("image", str(folder / name))


def save_frames(folder: Path, width: int, height: int) -> Media:
    folder.mkdir()
    frames = [save(folder, f"{i}.png", width, height).path for i in range(4)]
    return Media("video", frames[0], tuple(frames), 2.0)


def sample(answer: dict[str, object], *media: Media) -> Sample:
    return Sample("a", "gui", "q", answer, media, "rows.jsonl:7")


def load(row: Sample) -> tuple[Sample, list[Image.Image | Video]]:
    return load_media(row, LIMITS, 16)


def test_image_size_is_filled_in_from_the_first_image(tmp_path: Path) -> None:
    row = sample({"box": [0, 0, 1, 1]}, save(tmp_path, "a.png", 4, 3), save(tmp_path, "b.png", 8, 6))
    filled, images = load(row)
    assert filled.answer == {"box": [0, 0, 1, 1], "image_size": [4, 3]}
    assert "image_size" not in row.answer
    assert [image.size for image in images] == [(4, 3), (8, 6)]


def test_a_row_without_media() -> None:
    row = sample({"answer": "4"})
    assert load(row) == (row, [])


def test_a_declared_size_must_be_the_files(tmp_path: Path) -> None:
    media = save(tmp_path, "a.png", 4, 3)
    assert load(sample({"image_size": [4, 3]}, media))[0].answer["image_size"] == [4, 3]
    words = r"rows.jsonl:7: answer.image_size: says \[3, 4\], but .* has \[4, 3\]; leave image_size out"
    with pytest.raises(MediaError, match=words):
        load(sample({"image_size": [3, 4]}, media))


def test_the_size_is_that_of_the_image_which_holds_the_gold(tmp_path: Path) -> None:
    media = (save_frames(tmp_path / "v", 50, 40), save(tmp_path, "a.png", 8, 6), save(tmp_path, "b.png", 20, 10))
    row = sample({"box": [0, 0, 9, 9], "image_index": 2}, *media)
    assert (gold_media(row), load(row)[0].answer["image_size"]) == (2, [20, 10])
    with pytest.raises(MediaError, match="image_index: is 3, but the row has 2 images; give a number from 1 to 2"):
        load(sample({"image_index": 3}, *media))


def test_the_size_of_a_row_of_videos_is_the_first_ones_before_resizing(tmp_path: Path) -> None:
    row = sample({"span": [0, 1]}, save_frames(tmp_path / "a", 50, 40), save_frames(tmp_path / "b", 60, 60))
    filled, (first, second) = load(row)
    assert filled.answer["image_size"] == [50, 40]
    assert isinstance(first, Video)
    assert isinstance(second, Video)
    assert (first.size, first.original_size, second.size) == ((48, 32), (50, 40), (64, 64))


def test_media_come_in_the_rows_order(tmp_path: Path) -> None:
    row = sample({}, save(tmp_path, "a.png", 4, 3), save_frames(tmp_path / "v", 50, 40), save(tmp_path, "b.png", 8, 6))
    first, video, last = load(row)[1]
    assert isinstance(video, Video)
    assert np.array_equal(video.frames_FHWC, np.zeros((4, 32, 48, 3), np.uint8))
    assert (first.size, last.size) == ((4, 3), (8, 6))
