"""A group drawn with Pillow: gold and predictions stand where the record says, in the colours of the inspector."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from vlrl.report import MARGIN, SCALE, draw_group, most_spread
from vlrl.report.look import PALETTE, ink, tag_place
from vlrl.report.trackers import KEY, log_group
from vlrl.types import Answer, Completion, Media, Rollout, RolloutGroup, Sample, Score

TOP = 74
"""Where the picture begins, in units."""


def group(answer: Answer, extracted: list[Any], media: tuple[Media, ...] = (), texts: list[str] | None = None) -> RolloutGroup:
    rollouts = [
        Rollout(Completion((texts or ["text"] * 99)[i], [1], [-0.1], "stop"), Score(1.0 - i / 9, extracted=item), 0.5 - i)
        for i, item in enumerate(extracted)
    ]
    return RolloutGroup(3, Sample("s", "grounding", "the thing", answer, media), "prompt", rollouts)


@pytest.fixture
def scene(tmp_path: Path) -> Media:
    Image.new("RGB", (380, 380), "#c8c8c8").save(tmp_path / "scene.png")
    return Media("image", str(tmp_path / "scene.png"))


def pixel(image: Image.Image, x: float, y: float) -> str:
    """The colour at a place of the picture, whose 380 pixels are 380 units wide."""
    found = image.getpixel((round((MARGIN + x) * SCALE), round((TOP + y) * SCALE)))
    return "#{:02X}{:02X}{:02X}".format(*found) if isinstance(found, tuple) else ""


def test_predictions_stand_where_they_are_in_their_colours(scene: Media) -> None:
    answer = {"box": [40, 40, 120, 120], "image_size": [380, 380]}
    image = draw_group(group(answer, [[200, 60, 300, 160], [210, 200, 330, 320], None], (scene,)))
    assert image.size == (1640, 2 * (TOP + MARGIN + 380))
    assert pixel(image, 10, 10) == "#C8C8C8"
    for colour, x, y in ((PALETTE[0], 300, 100), (PALETTE[0], 200, 130), (PALETTE[1], 330, 260), (PALETTE[1], 270, 320)):
        assert pixel(image, x, y) == colour
    assert pixel(image, 250, 110) == "#C8C8C8", "a box is an outline"
    assert {pixel(image, x, 40) for x in range(45, 115)} >= {"#111111", "#FFFFFF"}, "gold is dashed"
    for rank in (1, 2, 3):
        assert image.getpixel(((MARGIN + 380 + 20 + 1) * SCALE, (TOP + 58 * (rank - 1) + 20) * SCALE)) == tuple(
            int(ink(rank).own[i : i + 2], 16) for i in (1, 3, 5)
        )


def test_points_and_a_picture_of_another_size(scene: Media) -> None:
    image = draw_group(group({"box": [0, 0, 10, 10], "image_size": [760, 760]}, [[400, 200]], (scene,)))
    assert pixel(image, 200, 100) == PALETTE[0]
    assert pixel(image, 200, 105) == PALETTE[0]


def test_the_number_stands_on_the_upper_edge_or_beside_the_point() -> None:
    places = [tag_place("box", (80, 50, 0, 10), rank, 4, 1.0) for rank in (1, 2, 3, 4)]
    assert places == [(10, 10, False), (30, 10, False), (50, 10, False), (70, 10, False)]
    x, y, led = tag_place("point", (5, 5), 1, 1, 2.0)
    assert (x, y, led) == (37, 5, True)


@pytest.mark.parametrize(
    "media", [(), (Media("image", "/nowhere.png"),), (Media("video", "/nowhere.mp4"),), (Media("image", "a\0b"),)]
)
def test_missing_media_are_told(media: tuple[Media, ...]) -> None:
    assert pixel(draw_group(group({"box": [1, 2, 3, 4]}, [[1, 2, 3, 4]], media)), 5, 5) == "#8A919B"


values = st.recursive(
    st.one_of(st.none(), st.floats(), st.integers(-(10**400), 10**400), st.text(max_size=5), st.booleans()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["box", "point", "end", "label", "2"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=40, deadline=None)
@given(extracted=values, gold=values, size=values, text=st.text(st.characters(exclude_categories=()), max_size=40))
def test_no_group_makes_it_raise(
    extracted: Any, gold: Any, size: Any, text: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "plain.png"
    if not path.exists():
        Image.new("RGB", (64, 48)).save(path)
    answer = {"box": gold, "boxes": gold, "image_size": size, "image_index": gold, "span": gold, "frames": gold, "polygons": gold}
    draw_group(group(answer, [extracted, [1, 2, 3, 4]], (Media("image", str(path)),), [text, "x" * 1_000_000]))


def test_wild_scores_and_many_completions(scene: Media) -> None:
    many = group({}, [[i, i, i + 40, i + 40] for i in range(30)], (scene,))
    assert draw_group(many).height == 2 * (TOP + MARGIN + 16 * 58 + 24)
    wild = [Rollout(r.completion, Score(None, failure="\ud800" * 99), float("nan")) for r in many.rollouts[:2]]
    draw_group(RolloutGroup(1, many.sample, "", [*wild, Rollout(many.rollouts[0].completion, Score(1.0), float("inf"))]))
    draw_group(RolloutGroup(1, many.sample, "", []))


def test_most_spread() -> None:
    flat, wide = group({}, [None]), group({}, [None, None, None])
    assert most_spread([flat, wide]) is wide
    assert most_spread([]) is None


class Tracker:
    def __init__(self, name: str) -> None:
        self.name = name
        self.logged: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def log_images(self, values: dict[str, Any], **options: Any) -> None:
        self.logged.append((values, options))


def test_trackers_get_the_picture_in_their_own_way(scene: Media) -> None:
    board, wandb = Tracker("tensorboard"), Tracker("wandb")
    log_group([board, wandb, Tracker("another")], group({}, [None], (scene,)), 20)
    ((values, options),) = board.logged
    assert values[KEY].shape[0] == 1
    assert values[KEY].dtype == np.uint8
    assert options == {"step": 20, "dataformats": "NHWC"}
    ((values, options),) = wandb.logged
    assert isinstance(values[KEY][0], Image.Image)
    assert options == {"step": 20}
