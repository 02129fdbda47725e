"""Small app screens for GUI clicking, rendered by Chromium, with gold boxes read from the DOM.

Many screens are laid out in one browser page, each in its own element of 128x128 CSS px that hides its overflow. One script reads
every target's box (`getBoundingClientRect`, relative to its screen) and what lies at the box's centre (`elementFromPoint`); one
screenshot gives all pictures. A screen is kept when each of its targets is whole, on top and at least 14 px wide and high.
"""

from __future__ import annotations

import io
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from data_recipes.gui_kit import STYLE_SHEET
from data_recipes.gui_layouts import screen_html
from data_recipes.targets import SIZE, Target, write_rows
from vlrl.types import UserError

if TYPE_CHECKING:
    from playwright.sync_api import Page

MIN_SIDE = 14
COLUMNS, LINES = 8, 6
"""Screens in one page: across and down."""

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
CHROMIUM_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-lcd-text", "--force-color-profile=srgb"),  # grey edges of letters, exact colours
)

READ_TARGETS = """() => [...document.querySelectorAll('.s')].map(screen => {
  const origin = screen.getBoundingClientRect();
  return [...screen.querySelectorAll('[data-colour]')].map(element => {
    const r = element.getBoundingClientRect();
    const top = document.elementFromPoint((r.left + r.right) / 2, (r.top + r.bottom) / 2);
    return {box: [r.left - origin.left, r.top - origin.top, r.right - origin.left, r.bottom - origin.top],
            colour: element.dataset.colour, kind: element.dataset.kind, on_top: element.contains(top)};
  });
})"""


def find_chromium() -> str:
    """The path of an installed Chromium or Chrome."""
    for name in CHROMIUM_NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise UserError("no Chromium found to render the GUI screens with: install one, for example `apt-get install chromium`")


@contextmanager
def browser_page() -> Iterator[Page]:
    """A fresh page that can hold COLUMNS x LINES screens and reaches no network. One at a time in a thread."""
    executable = find_chromium()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise UserError("the GUI screens need Playwright: `pip install vlrl[recipes]`") from error
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=list(CHROMIUM_FLAGS))
        viewport = {"width": COLUMNS * SIZE, "height": LINES * SIZE}
        context = browser.new_context(viewport=viewport, offline=True)  # type: ignore[arg-type]
        context.route("**/*", lambda route: route.abort())
        try:
            yield context.new_page()
        finally:
            browser.close()


def read_page(page: Page, screens: list[str]) -> tuple[list[Image.Image], list[list[dict[str, Any]]]]:
    """Render the screens' HTML; return their pictures (RGB, 128x128) and what the DOM says of their targets."""
    page.set_content(f"<style>{STYLE_SHEET}</style>{''.join(screens)}")
    found = page.evaluate(READ_TARGETS)
    sheet = Image.open(io.BytesIO(page.screenshot(type="png"))).convert("RGB")
    corners = [(SIZE * (i % COLUMNS), SIZE * (i // COLUMNS)) for i in range(len(screens))]
    return [sheet.crop((x, y, x + SIZE, y + SIZE)) for x, y in corners], found


def as_targets(found: list[dict[str, Any]]) -> list[Target] | None:
    """The targets of one screen with boxes rounded to pixels, or None where one is cut, covered or too small."""
    targets = []
    for item in found:
        x1, y1, x2, y2 = (round(v) for v in item["box"])
        inside = min(item["box"]) >= 0 and max(item["box"]) <= SIZE
        if not (inside and item["on_top"] and min(x2 - x1, y2 - y1) >= MIN_SIDE):
            return None
        targets.append(Target((x1, y1, x2, y2), item["colour"], item["kind"]))
    return targets


def iter_screens(count: int, seed: int) -> Iterator[tuple[Image.Image, list[Target]]]:
    """`count` screens with their three to five targets, all from one browser page. The same seed gives the same screens."""
    made = drawn = 0
    with browser_page() as page:
        while made < count:
            batch = range(drawn, drawn + COLUMNS * LINES)
            drawn += len(batch)
            pictures, found = read_page(page, [screen_html(random.Random(f"screen-{seed}-{index}")) for index in batch])
            for picture, items in zip(pictures, found, strict=True):
                targets = as_targets(items)
                if targets and made < count:
                    made += 1
                    yield picture, targets


def render_screens(count: int, seed: int, out_dir: Path, rows_per_image: int = 5) -> list[dict[str, Any]]:
    """Render `count` screens into `out_dir` and return their JSONL rows, at most `rows_per_image` per screen."""
    return write_rows("gui", iter_screens(count, seed), seed, out_dir, rows_per_image)
