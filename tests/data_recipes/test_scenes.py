"""Scenes: the gold box is the drawn shape's pixel box, colours are unique, and a seed fixes everything."""

import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from data_recipes.scenes import draw_scene, iter_scenes, place_shapes, shape_mask, write_scenes
from data_recipes.targets import COLOURS, KINDS, SIZE

seeds = st.integers(0, 10**9)


def chroma(picture: Image.Image) -> np.ndarray:
    """Largest minus smallest channel of each pixel: (height, width), 0-255."""
    pixels = np.asarray(picture.convert("RGB")).astype(int)
    return pixels.max(2) - pixels.min(2)


@given(seed=seeds, kind=st.sampled_from(KINDS["grounding"]), size=st.integers(21, 56))
def test_a_mask_touches_every_edge_and_has_the_size_asked_for(seed: int, kind: str, size: int) -> None:
    mask = shape_mask(kind, size, random.Random(seed))
    assert mask.getbbox() == (0, 0, mask.width, mask.height)
    assert size - 1 <= max(mask.size) <= size
    assert min(mask.size) >= 18


@given(seed=seeds)
@settings(max_examples=50)
def test_boxes_are_the_masks_boxes_and_lie_apart_inside_the_scene(seed: int) -> None:
    shapes = place_shapes(random.Random(seed))
    picture, targets = draw_scene(random.Random(seed))
    assert [t.box for t in targets] == [s.box for s in shapes]
    owner = np.zeros((SIZE, SIZE), int)
    for shape in shapes:
        alpha = Image.new("L", picture.size)
        alpha.paste(shape.mask, (shape.left, shape.top))
        assert alpha.getbbox() == shape.box
        x1, y1, x2, y2 = shape.box
        assert 0 < x1 < x2 < SIZE
        assert 0 < y1 < y2 < SIZE
        owner[y1:y2, x1:x2] += 1
    assert owner.max() == 1


@given(seed=seeds)
@settings(max_examples=50)
def test_saturated_pixels_fill_the_boxes_and_nothing_else(seed: int) -> None:
    picture, targets = draw_scene(random.Random(seed))
    coloured = chroma(picture) > 60
    for target in targets:
        x1, y1, x2, y2 = target.box
        ys, xs = np.nonzero(coloured[y1:y2, x1:x2])
        seen = np.array([xs.min(), ys.min(), xs.max() + 1 - (x2 - x1), ys.max() + 1 - (y2 - y1)])
        assert np.abs(seen).max() <= 2, "the shape's saturated part reaches the box's edges but for its soft rim"
        coloured[y1:y2, x1:x2] = False
    assert not coloured.any()


@given(seed=seeds)
@settings(max_examples=50)
def test_three_to_five_targets_of_different_colours(seed: int) -> None:
    _, targets = draw_scene(random.Random(seed))
    colours = [t.colour for t in targets]
    assert 3 <= len(targets) <= 5
    assert len(set(colours)) == len(colours)
    assert set(colours) <= set(COLOURS)


def test_the_same_seed_gives_the_same_scenes_and_another_seed_others() -> None:
    def pixels(seed: int) -> list[bytes]:
        return [picture.tobytes() for picture, _ in iter_scenes(4, seed)]

    assert pixels(7) == pixels(7)
    assert not set(pixels(7)) & set(pixels(8))


@pytest.mark.parametrize("count", [1, 3])
def test_a_scene_does_not_depend_on_how_many_are_drawn(count: int) -> None:
    drawn = [targets for _, targets in iter_scenes(count, 5)]
    assert drawn == [targets for _, targets in iter_scenes(6, 5)][:count]


def test_written_rows_name_pictures_that_exist(tmp_path) -> None:
    rows = write_scenes(3, 1, tmp_path / "part", rows_per_image=2)
    assert [row["id"] for row in rows[:3]] == ["part-0000-0", "part-0000-1", "part-0001-0"]
    assert all((tmp_path / row["image"]).is_file() for row in rows)
