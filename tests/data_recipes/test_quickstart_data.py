"""The committed quickstart data: counts, valid rows, pictures that show what the questions ask for, and a clean split."""

import colorsys
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from data_recipes.quickstart import OUT_DIR, PARTS, ROWS_PER_IMAGE, Part, picture_hashes, refuse_shared_pictures
from data_recipes.scenes import write_scenes
from data_recipes.targets import COLOURS, QUESTION_WORDS, SIZE

PART_NAMES = [part.name for part in PARTS]


def rows_of(name: str) -> list[dict]:
    return [json.loads(line) for line in (OUT_DIR / f"{name}.jsonl").read_text().splitlines()]


def mean_hue(pixels: np.ndarray) -> float:
    """Circular mean of the hue in degrees over the saturated pixels of (n, 3) RGB values."""
    chroma = pixels.max(1).astype(int) - pixels.min(1)
    angles = [2 * np.pi * colorsys.rgb_to_hsv(*(rgb / 255))[0] for rgb in pixels[chroma > 60]]
    return float(np.degrees(np.angle(np.exp(1j * np.array(angles)).mean())))


@pytest.mark.parametrize("part", PARTS, ids=PART_NAMES)
def test_counts(part: Part) -> None:
    rows = rows_of(part.name)
    assert len(list((OUT_DIR / part.name).glob("*.png"))) == part.images
    assert len(rows) == part.images * ROWS_PER_IMAGE
    assert {row["image"] for row in rows} == {f"{part.name}/{index:04d}.png" for index in range(part.images)}


@pytest.mark.parametrize("name", PART_NAMES)
def test_rows_are_valid(name: str) -> None:
    for row in rows_of(name):
        assert set(row) == {"id", "task", "image", "question", "answer"}
        assert row["task"] == name.split("_")[0]
        assert row["answer"]["image_size"] == [SIZE, SIZE]
        x1, y1, x2, y2 = row["answer"]["box"]
        assert 0 <= x1 < x2 <= SIZE
        assert 0 <= y1 < y2 <= SIZE
        assert min(x2 - x1, y2 - y1) >= 14
        words = row["question"].split()
        assert set(words) <= set(QUESTION_WORDS)
        assert words[-1] in COLOURS


@pytest.mark.parametrize("name", PART_NAMES)
def test_an_image_is_asked_for_a_colour_once(name: str) -> None:
    asked = [(row["image"], row["question"].split()[-1]) for row in rows_of(name)]
    assert len(set(asked)) == len(asked)


@pytest.mark.parametrize("name", PART_NAMES)
def test_the_box_shows_the_colour_asked_for(name: str) -> None:
    for row in rows_of(name):
        x1, y1, x2, y2 = row["answer"]["box"]
        with Image.open(OUT_DIR / row["image"]) as picture:
            pixels = np.asarray(picture.convert("RGB"))[y1:y2, x1:x2].reshape(-1, 3)
        middle = sum(COLOURS[row["question"].split()[-1]].hue) / 2
        distance = abs((mean_hue(pixels) - middle + 180) % 360 - 180)
        assert distance < 10.5, row["id"]


@pytest.mark.parametrize("task", ["gui", "grounding"])
def test_train_and_heldout_share_no_picture_and_no_id(task: str) -> None:
    refuse_shared_pictures(OUT_DIR / f"{task}_train", OUT_DIR / f"{task}_heldout")
    ids = [row["id"] for part in ("train", "heldout") for row in rows_of(f"{task}_{part}")]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("part", PARTS, ids=PART_NAMES)
def test_no_picture_comes_twice(part: Part) -> None:
    assert len(picture_hashes(OUT_DIR / part.name)) == part.images


def test_a_shared_picture_is_refused(tmp_path: Path) -> None:
    write_scenes(3, 1, tmp_path / "train")
    write_scenes(2, 1, tmp_path / "heldout")
    with pytest.raises(ValueError, match="is the same picture as"):
        refuse_shared_pictures(tmp_path / "train", tmp_path / "heldout")


def test_the_committed_scenes_are_what_the_recipe_draws(tmp_path: Path) -> None:
    part = next(part for part in PARTS if part.name == "grounding_train")
    rows = part.write(5, part.seed, tmp_path / part.name, ROWS_PER_IMAGE)
    assert rows == rows_of(part.name)[: len(rows)]
    drawn = picture_hashes(tmp_path / part.name)
    assert drawn.keys() <= picture_hashes(OUT_DIR / part.name).keys()


def test_the_set_stays_small() -> None:
    assert sum(path.stat().st_size for path in OUT_DIR.rglob("*") if path.is_file()) < 3_000_000
