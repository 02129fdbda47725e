"""Hostile text and hostile files come out harmless; geometry lands where the record says."""

from __future__ import annotations

import base64
import io
import os
import re
from pathlib import Path
from typing import Any

import pytest
from all_families import film
from fabricated import HOSTILE
from PIL import Image

from demo.charts import Series, area_chart, line_chart, ticks
from demo.drawing import Prediction, draw_images, predictions_of
from demo.film import draw_video, load_strip
from demo.media import Roots, load_picture
from demo.text import safe, text_block
from vlrl.report.marks import Mark, gold_marks, predicted_marks, predicted_span
from vlrl.types import Media, Sample


def picture_file(folder: Path, size: tuple[int, int] = (64, 32)) -> Media:
    path = folder / "a.png"
    Image.new("RGB", size, "red").save(path)
    return Media("image", str(path))


def decode(uri: str) -> Image.Image:
    head, data = uri.split(",", 1)
    assert head in ("data:image/png;base64", "data:image/jpeg;base64")
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


# files


def test_pictures_are_encoded_anew_and_small(tmp_path: Path) -> None:
    media, roots = picture_file(tmp_path, (300, 100)), Roots([tmp_path])
    picture = load_picture(media, roots, 150)
    assert (picture.size, picture.problem) == ((300, 100), "")
    assert decode(picture.uri).size == (150, 50)
    Image.new("RGB", (10, 10)).save(media.path)
    assert load_picture(media, roots, 150).size == (10, 10), "a file that changed is read again"
    Image.new("RGB", (2000, 1000)).save(media.path)
    assert decode(load_picture(media, roots, 400).uri).format == "JPEG"


@pytest.mark.parametrize("data", [b"<svg onload=alert(1)>", b"", b"\x89PNG\r\n\x1a\n\x00\x00", b"%!PS-Adobe-3.0 EPSF-3.0\n"])
def test_what_is_no_raster_image_is_told_not_sent(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(data)
    picture = load_picture(Media("image", str(path)), Roots([tmp_path]), 100)
    assert picture.uri == ""
    assert "cannot be shown" in picture.problem


def test_only_files_below_the_roots_are_opened(tmp_path: Path) -> None:
    inside, outside = tmp_path / "run", tmp_path / "run-of-another"
    inside.mkdir()
    outside.mkdir()
    secret = picture_file(outside)
    (inside / "link.png").symlink_to(secret.path)
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    good = picture_file(inside)
    (inside / "inner.png").symlink_to(good.path)
    roots = Roots([inside])
    for path in (
        secret.path,
        f"{inside}/link.png",
        f"{inside}/folder/a.png",
        f"{inside}/../run-of-another/a.png",
        str(inside),
        "a.png",
    ):
        assert "outside" in load_picture(Media("image", path), roots, 10).problem, path
    for path in (good.path, f"{inside}/inner.png", f"{inside}/../run/a.png"):
        assert load_picture(Media("image", path), roots, 10).uri, path
    assert "outside" in load_picture(Media("image", f"{secret.path}#member=a.png"), roots, 10).problem


@pytest.mark.parametrize("path", ["/nowhere/<b>.png", "a\0b", "http://example.com/a.png", "/etc/hostname", "/", "/dev/zero"])
def test_bad_paths_give_a_grey_box_with_a_line(path: str) -> None:
    drawn = draw_images(Sample("1", "gui", "q", {"box": [1, 2, 3, 4]}, (Media("image", path),)), [], Roots(["/nowhere"]))
    assert 'class="missing"' in drawn
    assert 'class="warn"' in drawn
    assert "<image" not in drawn
    assert "<b>" not in drawn


def test_a_pipe_and_a_folder_are_not_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "folder.png").mkdir()
    for name in ("pipe.png", "folder.png"):
        assert "no plain file" in load_picture(Media("image", str(tmp_path / name)), Roots([tmp_path]), 10).problem


# geometry

NOTHING = [None, "text", [1, 2, 3], [1, 2, 3, float("nan")], [float("inf"), 1], [True, False], [["1"], 2], {"x": 1}, [1, 10**400]]


@pytest.mark.parametrize("extracted", NOTHING)
def test_what_is_no_geometry_is_not_drawn(extracted: Any) -> None:
    assert predicted_marks(extracted, {}) == []


@pytest.mark.parametrize(
    ("extracted", "marks"),
    [
        ([1, 2, 3, 4], [Mark("box", (1, 2, 3, 4))]),
        ([[1, 2], [3, 4]], [Mark("point", (1, 2)), Mark("point", (3, 4))]),
        ([{"box": [1, 2, 3, 4], "label": "cat"}], [Mark("box", (1, 2, 3, 4), "cat")]),
        ({"type": "click", "point": [5, 6]}, [Mark("point", (5, 6))]),
        ({"type": "drag", "point": [5, 6], "end": [7, 8]}, [Mark("stroke", (5, 6, 7, 8))]),
        ({"time": [0, 2], "boxes": {"01": [1, 2, 3, 4]}}, [Mark("box", (1, 2, 3, 4), frame="1")]),
        ({"nose": [1, 2]}, [Mark("point", (1, 2), "nose")]),
        ({"box": [1, 2, 3, 4], "positive_points": [[5, 6]]}, [Mark("box", (1, 2, 3, 4)), Mark("point", (5, 6), "positive")]),
    ],
)
def test_every_family_s_answer_is_read(extracted: Any, marks: list[Mark]) -> None:
    assert predicted_marks(extracted, {}) == marks


def test_two_numbers_are_a_span_where_the_gold_is_one() -> None:
    assert predicted_marks([1, 2], {"span": [0, 1]}) == []
    assert predicted_span([1, 2], {"span": [0, 1]}) == (1, 2)
    assert predicted_span({"time": [1, 2], "boxes": {}}, {"span": [0, 1]}) == (1, 2)
    assert predicted_span([1, 2], {}) is None


def test_gold_of_all_kinds_and_of_nonsense() -> None:
    assert [m.values for m in gold_marks({"box": [1, 2, 3, 4]})] == [(1, 2, 3, 4)]
    assert gold_marks({"boxes": [{"box": [1, 2, 3, 4], "label": "a"}, {"box": "x"}, 7]}) == [Mark("box", (1, 2, 3, 4), "a")]
    assert gold_marks({"box": [1, 2, 3], "boxes": 5, "frames": [1], "polygons": "x", "keypoints": 7}) == []
    assert [m.kind for m in gold_marks({"polygons": [[0, 0, 4, 0, 0, 4], [1]]})] == ["outline"]
    assert gold_marks({"frames": {"01": [1, 2, 3, 4], "x": [1, 2, 3, 4]}}) == [Mark("box", (1, 2, 3, 4), frame="1")]
    assert {m.label for m in gold_marks({"positive_points": [[1, 2]], "negative_points": [[3, 4]]})} == {"positive", "negative"}


def test_a_point_judged_by_distance_has_its_reach() -> None:
    point, reach = gold_marks({"point": [500, 400], "image_size": [1000, 800]})
    assert (point.kind, reach.kind) == ("point", "reach")
    assert reach.values == pytest.approx((500, 400, 140, 112), abs=1e-5)
    assert [m.kind for m in gold_marks({"point": [5, 4], "box": [1, 2, 3, 4], "image_size": [10, 8]})] == ["box", "point"]


def drawn_on(tmp_path: Path, answer: dict[str, Any], predictions: list[Prediction]) -> str:
    sample = Sample("1", "gui", "q", answer, (picture_file(tmp_path),))
    return draw_images(sample, predictions, Roots([tmp_path]))


def test_geometry_is_in_original_pixels(tmp_path: Path) -> None:
    predictions = predictions_of([[30.0, 20.0, 10.0, 5.0], [50.0, 6.0], None], {})
    drawn = drawn_on(tmp_path, {"box": [8, 4, 20, 16], "image_size": [64, 32]}, predictions)
    assert 'viewBox="0 0 64 32"' in drawn
    assert '<rect class="line" x="8" y="4" width="12" height="12"/>' in drawn
    assert '<rect class="line" x="10" y="5" width="20" height="15"/>' in drawn
    assert '<circle class="dot" cx="50" cy="6"' in drawn
    assert 'class="warn"' not in drawn
    assert set(re.findall(r'data-i="(\d)"', drawn)) == {"1", "2"}


def test_wild_numbers_stay_drawable(tmp_path: Path) -> None:
    drawn = drawn_on(tmp_path, {"image_size": [64, 32]}, predictions_of([[-1e299, 1e299]], {}))
    assert 'cx="-64" cy="64"' in drawn


def test_a_flood_of_boxes_stays_small(tmp_path: Path) -> None:
    drawn = drawn_on(tmp_path, {"image_size": [64, 32]}, predictions_of([[[1, 2, 3, 4]] * 100_000], {}))
    assert drawn.count("<rect") < 1000


def test_a_size_that_disagrees_is_told(tmp_path: Path) -> None:
    assert "64 x 32 pixels, the record says 128 x 64" in drawn_on(tmp_path, {"image_size": [128, 64]}, [])


def test_gold_stands_on_the_image_that_it_belongs_to(tmp_path: Path) -> None:
    media = picture_file(tmp_path)
    sample = Sample("1", "grounding", "q", {"box": [8, 4, 20, 16], "image_index": 2, "image_size": [64, 32]}, (media, media))
    first, second = draw_images(sample, predictions_of([[1, 2, 3, 4]], {}), Roots([tmp_path])).split("</figure>")[:2]
    assert "gold" not in first.replace("with the gold", "")
    assert 'class="gold box"' in second
    assert 'class="geo"' in second


# videos


def test_a_video_is_a_strip_of_frames_with_times(tmp_path: Path) -> None:
    media = Media("video", film(tmp_path / "a.gif"))
    strip = load_strip(media, Roots([tmp_path]), 12)
    assert strip.problem == ""
    assert len(strip.frames) == 12
    times = [seconds for seconds, _ in strip.frames]
    assert times == sorted(times)
    assert (times[0], times[-1], strip.seconds) == pytest.approx((0.0, 2.4, 2.5))
    drawn = draw_video(media, {"span": [0.5, 1.0]}, [(1, (0.5, 2.5))], [], Roots([tmp_path]))
    assert drawn.count("<figure>") == 12
    assert "left:20.00%;width:20.00%" in drawn, "the gold from 0.5 to 1.0 of 2.5 seconds"
    assert "left:20.00%;width:80.00%" in drawn


def test_boxes_stand_on_the_frames_that_they_name(tmp_path: Path) -> None:
    media = Media("video", film(tmp_path / "a.gif"))
    answer = {"frames": {"1": [110, 90, 150, 130]}}
    drawn = draw_video(media, answer, [], predictions_of([{"1": [0, 0, 9, 9]}], answer), Roots([tmp_path]))
    (cell,) = [part for part in drawn.split("<figure>") if 'class="gold' in part]
    assert "1.0 s · “1”" in cell
    assert 'class="geo"' in cell


def test_places_count_in_a_list_of_frames(tmp_path: Path) -> None:
    for i in range(30):
        Image.new("RGB", (16, 16), (8 * i, 0, 0)).save(tmp_path / f"{i:02d}.png")
    frames = tuple(str(tmp_path / f"{i:02d}.png") for i in range(30))
    media = Media("video", frames[0], frames, 2.0)
    drawn = draw_video(media, {"frames": {"7": [1, 2, 3, 4]}}, [], [], Roots([tmp_path]))
    (cell,) = [part for part in drawn.split("<figure>") if 'class="gold' in part]
    assert "3.5 s · “7”" in cell


def test_videos_outside_or_broken_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    assert "cannot be shown" in load_strip(Media("video", str(tmp_path / "a.mp4")), Roots([tmp_path]), 12).problem
    assert "outside" in load_strip(Media("video", "/etc/hostname"), Roots([tmp_path]), 12).problem
    mixed = Media("video", str(tmp_path / "a.mp4"), (str(tmp_path / "a.mp4"), "/etc/hostname"), 1.0)
    assert "outside" in load_strip(mixed, Roots([tmp_path]), 12).problem


# curves


@pytest.mark.parametrize(("low", "high"), [(0, 0), (5, 5), (-1e-9, 1e-9), (-3, 1e6), (1e-12, 2e-12)])
def test_ticks_cover_the_values(low: float, high: float) -> None:
    found = ticks(low, high)
    assert found[0] <= low + 1e-12
    assert found[-1] >= high - 1e-12
    assert 2 <= len(found) <= 7


def test_chart_of_one_point_of_many_points_and_of_none() -> None:
    assert line_chart("t", [Series("a", [])]) == area_chart("t", []) == ""
    assert "<circle" in line_chart("t", [Series("a", [(3, 0.0)])])
    long = line_chart("t", [Series("a", [(i, i % 7) for i in range(10_000)])])
    assert len(long) < 30_000
    assert "<script" not in line_chart("<script>", [Series("<script>", [(1, 1)]), Series("b", [(1, 1)])])


def test_areas_stand_on_each_other() -> None:
    drawn = area_chart("t", [Series("a", [(0, 0.25), (1, 0.5)]), Series("b", [(0, 0.25), (1, 0.5)])])
    lower, upper = re.findall(r'polygon points="([^"]+)"', drawn)
    corners = [[tuple(map(float, pair.split(","))) for pair in points.split()] for points in (lower, upper)]
    assert corners[0][:2] == list(reversed(corners[1][2:])), "the upper area begins where the lower one ends"
    assert corners[1][1][1] == 10.0, "both together are 1, at the top"
