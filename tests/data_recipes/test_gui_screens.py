"""GUI screens: what the HTML promises, and that a real browser agrees with the gold boxes."""

import random
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from data_recipes import gui_layouts
from data_recipes.gui_layouts import LAYOUTS, screen_html
from data_recipes.gui_screens import MIN_SIDE, as_targets, browser_page, find_chromium, iter_screens, read_page, render_screens
from data_recipes.targets import COLOURS, KINDS, SIZE, Target
from vlrl.types import UserError

PAINTED = re.compile(r"data-kind='(\w+)' data-colour='(\w+)'")


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_every_layout_paints_three_to_five_slots_in_different_colours(layout, monkeypatch) -> None:
    monkeypatch.setattr(gui_layouts, "LAYOUTS", (layout,))
    for seed in range(30):
        painted = PAINTED.findall(screen_html(random.Random(seed)))
        assert 3 <= len(painted) <= 5
        assert len({colour for _, colour in painted}) == len(painted)
        assert {kind for kind, _ in painted} <= set(KINDS["gui"])
        assert {colour for _, colour in painted} <= set(COLOURS)


def test_the_same_seed_gives_the_same_html() -> None:
    assert screen_html(random.Random("a")) == screen_html(random.Random("a"))


def item(box: list[float], on_top: bool = True) -> dict:
    return {"box": box, "colour": "red", "kind": "icon", "on_top": on_top}


def test_dom_boxes_become_targets_in_whole_pixels() -> None:
    assert as_targets([item([9.6, 20, 30.4, 40])]) == [Target((10, 20, 30, 40), "red", "icon")]


@pytest.mark.parametrize(
    "bad",
    [
        item([-1, 20, 30, 40]),
        item([20, 20, 30, 128.5]),
        item([20, 20, 20 + MIN_SIDE - 1, 60]),
        item([20, 20, 60, 60], on_top=False),
    ],
    ids=["left of the screen", "below the screen", "too narrow", "covered"],
)
def test_a_screen_with_a_bad_target_is_refused(bad: dict) -> None:
    assert as_targets([item([0, 0, 128, 128]), bad]) is None


def test_a_machine_without_chromium_is_told_what_to_install(monkeypatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(UserError, match="apt-get install chromium"):
        find_chromium()


@pytest.mark.browser
def test_a_real_click_at_the_gold_centre_hits_the_target() -> None:
    """An oracle of its own: the browser's mouse, and Playwright's bounding boxes instead of our script's."""
    with browser_page() as page:
        _, found = read_page(page, [screen_html(random.Random(seed)) for seed in range(5)])
        page.evaluate("document.addEventListener('click', e => window.hit = e.target.closest('[data-colour]').dataset.colour)")
        for number, items in enumerate(found):
            for target in as_targets(items) or []:
                screen = page.locator(".s").nth(number)
                box = screen.locator(f"[data-colour={target.colour}]").bounding_box()
                x1, y1, x2, y2 = target.box
                left = SIZE * number
                dom = (box["x"] - left, box["y"], box["x"] - left + box["width"], box["y"] + box["height"])
                assert np.abs(np.subtract(dom, target.box)).max() <= 0.5
                page.mouse.click(left + (x1 + x2) / 2, (y1 + y2) / 2)
                assert page.evaluate("window.hit") == target.colour


@pytest.mark.browser
def test_only_targets_are_coloured() -> None:
    for picture, targets in iter_screens(60, 11):
        pixels = np.asarray(picture).astype(int)
        assert pixels.shape == (SIZE, SIZE, 3)
        chroma = pixels.max(2) - pixels.min(2)
        for x1, y1, x2, y2 in (target.box for target in targets):
            assert (chroma[y1:y2, x1:x2] > 60).mean() > 0.1
            chroma[max(0, y1 - 1) : y2 + 1, max(0, x1 - 1) : x2 + 1] = 0
        assert chroma.max() < 12


@pytest.mark.browser
def test_the_same_seed_renders_the_same_rows(tmp_path: Path) -> None:
    first = render_screens(5, 3, tmp_path / "part")
    pictures = [(tmp_path / row["image"]).read_bytes() for row in first]
    assert first == render_screens(5, 3, tmp_path / "part")
    assert pictures == [(tmp_path / row["image"]).read_bytes() for row in first]
    assert len({row["image"] for row in first}) == 5
