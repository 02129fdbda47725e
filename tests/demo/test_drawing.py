"""Hostile text and hostile files come out harmless; geometry lands where the record says."""

from __future__ import annotations

import base64
import io
import re
from pathlib import Path
from typing import Any

import pytest
from fabricated import HOSTILE
from PIL import Image

from demo.charts import Series, line_chart, ticks
from demo.drawing import Prediction, draw_sample, gold_boxes, load_picture, prediction, safe, text_block
from vlrl.types import Media, Sample


def picture_file(folder: Path, size: tuple[int, int] = (64, 32)) -> Media:
    path = folder / "a.png"
    Image.new("RGB", size, "red").save(path)
    return Media("image", str(path))


def decode(uri: str) -> Image.Image:
    head, data = uri.split(",", 1)
    assert head == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


@pytest.mark.parametrize("text", HOSTILE)
def test_text_never_becomes_markup(text: str) -> None:
    shown = text_block(text)
    tags = set(re.findall(r"<\s*/?\s*([a-zA-Z]+)", shown))
    assert tags <= {"pre", "details", "summary"}
    shown.encode("utf-8")
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f\u202e]", shown)


def test_attributes_cannot_be_left() -> None:
    assert '"' not in safe('" onmouseover="x')
    assert "'" not in safe("' onmouseover='x")


def test_long_text_is_folded_then_cut_with_a_note() -> None:
    folded = text_block("a" * 3000)
    assert folded.count("a" * 500) >= 1
    assert "show the rest of 3,000 characters<" in folded
    assert "up to" not in folded
    cut = text_block("a" * 1_000_000)
    assert "show the rest of 1,000,000 characters, up to the first 20,000" in cut
    assert len(cut) < 25_000


def test_pictures_are_encoded_anew_and_small(tmp_path: Path) -> None:
    media = picture_file(tmp_path, (300, 100))
    picture = load_picture(media, 150)
    assert (picture.size, picture.problem) == ((300, 100), "")
    assert decode(picture.uri).size == (150, 50)
    Image.new("RGB", (10, 10)).save(media.path)
    assert load_picture(media, 150).size == (10, 10), "a file that changed is read again"


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_raster_image_is_told_not_sent(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(data)
    picture = load_picture(Media("image", str(path)), 100)
    assert picture.uri == ""
    assert "cannot be shown" in picture.problem


@pytest.mark.parametrize("path", ["/nowhere/<b>.png", "a\0b", "http://example.com/a.png", "/etc/hostname", "/"])
def test_bad_paths_give_a_grey_box_with_a_line(path: str) -> None:
    drawn = draw_sample(Sample("1", "gui", "q", {"box": [1, 2, 3, 4]}, (Media("image", path),)), [])
    assert 'class="missing"' in drawn
    assert 'class="warn"' in drawn
    assert "<image" not in drawn
    assert "<b>" not in drawn


def test_video_is_named_not_drawn() -> None:
    assert "video is not drawn yet" in draw_sample(Sample("1", "t", "q", {}, (Media("video", "/a.mp4"),)), [])


NO_GEOMETRY = [
    None,
    "text",
    [1, 2, 3],
    [1, 2, 3, float("nan")],
    [float("inf"), 1],
    [True, False],
    [["1"], 2],
    {"x": 1},
    [1, 10**400],
]


@pytest.mark.parametrize("extracted", NO_GEOMETRY)
def test_only_points_and_boxes_are_drawn(extracted: Any) -> None:
    assert prediction(1, extracted) is None


def test_gold_boxes_of_both_kinds_and_of_nonsense() -> None:
    assert gold_boxes({"box": [1, 2, 3, 4]}) == [(1, 2, 3, 4)]
    assert gold_boxes({"boxes": [{"box": [1, 2, 3, 4], "label": "a"}, {"box": "x"}, 7]}) == [(1, 2, 3, 4)]
    assert gold_boxes({"box": [1, 2], "boxes": 5}) == []


def test_geometry_is_in_original_pixels(tmp_path: Path) -> None:
    sample = Sample("1", "gui", "q", {"box": [8, 4, 20, 16], "image_size": [64, 32]}, (picture_file(tmp_path),))
    drawn = draw_sample(sample, [Prediction(1, (30.0, 20.0, 10.0, 5.0)), Prediction(2, (50.0, 6.0))])
    assert 'viewBox="0 0 64 32"' in drawn
    assert '<rect class="line" x="8" y="4" width="12" height="12"/>' in drawn
    assert '<rect class="line" x="10" y="5" width="20" height="15"/>' in drawn
    assert '<circle class="dot" cx="50" cy="6"' in drawn
    assert 'class="warn"' not in drawn


def test_wild_numbers_stay_drawable(tmp_path: Path) -> None:
    sample = Sample("1", "gui", "q", {"image_size": [64, 32]}, (picture_file(tmp_path),))
    drawn = draw_sample(sample, [Prediction(1, (-1e300, 1e300))])
    assert 'cx="-64" cy="64"' in drawn


def test_a_size_that_disagrees_is_told(tmp_path: Path) -> None:
    sample = Sample("1", "gui", "q", {"image_size": [128, 64]}, (picture_file(tmp_path),))
    assert "64 x 32 pixels, the record says 128 x 64" in draw_sample(sample, [])


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (-1e-9, 1e-9), (-3, 1e6), (1e-12, 2e-12)])
def test_ticks_cover_the_values(low: float, high: float) -> None:
    found = ticks(low, high)
    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-12
    assert 2 <= len(found) <= 7


def test_chart_of_one_point_of_many_points_and_of_none() -> None:
    assert line_chart("t", [Series("a", [])]) == ""
    assert "<circle" in line_chart("t", [Series("a", [(3, 0.0)])])
    long = line_chart("t", [Series("a", [(i, i % 7) for i in range(10_000)])])
    assert long.count('class="strip"') <= 300
    assert "<script" not in line_chart("<script>", [Series("<script>", [(1, 1)]), Series("b", [(1, 1)])])
