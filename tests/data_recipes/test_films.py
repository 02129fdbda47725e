"""Films: what the rows say is what the frames show, the same every time, and no film in both parts."""

from __future__ import annotations

import colorsys
import json
import random
from pathlib import Path

import numpy as np
import pytest

from data_recipes import films
from data_recipes.films import FPS, SECONDS, SIDE, Shape, ask_when, build, iter_films
from data_recipes.targets import COLOURS
from vlrl.data import load_video
from vlrl.evaluation.validate import check_rows
from vlrl.types import Media
from vlrl.video import VideoLimits


def coloured(frame_HWC: np.ndarray, colour: str) -> int:
    """How many pixels of a frame have this colour's hue and are no grey."""
    shade = COLOURS[colour]
    pixels = [colorsys.rgb_to_hls(*(value / 255 for value in pixel)) for pixel in frame_HWC.reshape(-1, 3).tolist()]
    low, high = shade.hue[0] - 6, shade.hue[1] + 6
    return sum(s > 0.4 and any(low <= 360 * h + turn <= high for turn in (0, -360)) for h, _, s in pixels)


@pytest.fixture(scope="module")
def drawn() -> list[tuple[np.ndarray, list[Shape]]]:
    return list(iter_films(12, seed=7))


def test_shapes_are_there_from_start_to_end_and_at_no_other_time(drawn: list[tuple[np.ndarray, list[Shape]]]) -> None:
    for frames_FHWC, shapes in drawn[:4]:
        for shape in shapes:
            seen = [coloured(frame, shape.colour) > 20 for frame in frames_FHWC]
            assert seen == [shape.start <= index / FPS < shape.end for index in range(FPS * SECONDS)]


def test_the_first_shape_comes_first_and_colours_differ(drawn: list[tuple[np.ndarray, list[Shape]]]) -> None:
    for frames_FHWC, shapes in drawn:
        assert frames_FHWC.shape == (FPS * SECONDS, SIDE, SIDE, 3)
        starts = [shape.start for shape in shapes]
        assert starts == sorted(set(starts))
        assert len({shape.colour for shape in shapes}) == len(shapes) == 3
        assert all(shape.start < shape.end <= SECONDS for shape in shapes)


def test_the_same_film_every_time(drawn: list[tuple[np.ndarray, list[Shape]]]) -> None:
    for (frames, shapes), (again, others) in zip(drawn, iter_films(12, seed=7), strict=True):
        assert np.array_equal(frames, again)
        assert shapes == others
    assert not np.array_equal(drawn[0][0], next(iter_films(1, seed=8))[0])


def test_the_question_ends_with_the_colour() -> None:
    shape = Shape("cyan", "ring", 1, 4)
    assert {ask_when(shape, random.Random(seed)).rpartition(" ")[2] for seed in range(20)} == {"cyan"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("films")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(films, "PARTS", {"train": (20, 1), "heldout": (10, 2)})
        assert build(folder) == {"train": 40, "heldout": 20}
    return folder


def test_rows_would_train(built: Path) -> None:
    for part in ("train", "heldout"):
        assert set(check_rows(built / f"{part}.jsonl")) == {None}


def test_files_hold_the_films(built: Path) -> None:
    rows = [json.loads(line) for line in (built / "train.jsonl").read_text().splitlines()]
    assert [row["video"] for row in rows[:4]] == ["train/0000.mp4", "train/0000.mp4", "train/0001.mp4", "train/0001.mp4"]
    for index, (frames_FHWC, shapes) in enumerate(iter_films(3, seed=1)):
        film = load_video(Media("video", str(built / rows[2 * index]["video"])), "", VideoLimits(fps=FPS, min_pixels=1024), 32)
        assert film.seconds == [i / FPS for i in range(FPS * SECONDS)]
        assert np.abs(film.frames_FHWC - frames_FHWC.astype(int)).mean() < 6  # the encoder loses some
        first, when = rows[2 * index : 2 * index + 2]
        assert first["answer"]["answer"] == shapes[0].colour
        spans = {shape.colour: [shape.start, shape.end] for shape in shapes}
        assert when["answer"]["span"] == spans[when["question"].split()[-1]]


def test_a_film_in_both_parts_stops_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(films, "PARTS", {"train": (2, 1), "heldout": (2, 1)})
    with pytest.raises(ValueError, match=r"0000.mp4 is the same film as .*train.0000.mp4: change a seed in PARTS"):
        build(tmp_path)
