"""A group as a picture: its media with gold and predictions beside its completions, best first. For papers and trackers.

The colours, the numbers' places and the geometry are those of the inspector (`look`, `marks`); Pillow draws, nothing else is
needed.

>>> from vlrl.types import Completion, Rollout, RolloutGroup, Sample, Score
>>> rollout = Rollout(Completion("[5, 5]", [1, 2], [-0.1, -0.2], "stop"), Score(1.0, extracted=[5.0, 5.0]), 0.5)
>>> draw_group(RolloutGroup(1, Sample("a", "gui", "the red cup", {"box": [0, 0, 9, 9]}), "prompt", [rollout])).width
1640
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from vlrl.report.canvas import Canvas, draw_media
from vlrl.report.look import DISCOURAGED, ENCOURAGED, best_first, ink, largest_advantage, number, visible
from vlrl.types import Rollout, RolloutGroup

SCALE = 2
"""Pixels of the picture for one of its units: sharp on paper and on dense screens."""
MARGIN, LEFT, RIGHT, GAP = 20, 380, 380, 20
HEAD = 54
ROW = 58
MOST_ROWS = 16
LONGEST = 600
"""Characters of a text that are looked at."""
INK, SOFT, RULE, BAD = "#1b2430", "#566375", "#dfe4ea", "#a8330f"

Place = tuple[float, float]


def draw_group(group: RolloutGroup) -> Image.Image:
    """The group as an RGB image, 1640 pixels wide. Media that cannot be read are told in words; no group makes it raise."""
    ranked = [rollout for _, rollout in best_first(group)]
    shown = ranked[:MOST_ROWS]
    media = draw_media(group.sample, [rollout.score.extracted for rollout in ranked], LEFT * SCALE, SCALE)
    rows = ROW * len(shown) + (24 if len(ranked) > len(shown) else 0)
    height = HEAD + max(media.height // SCALE, rows) + 2 * MARGIN
    page = Page(Image.new("RGB", ((2 * MARGIN + LEFT + GAP + RIGHT) * SCALE, height * SCALE), "white"))
    sample = group.sample
    page.text((MARGIN, MARGIN - 4), sample.question or "a prompt without a question", 19, INK, LEFT + GAP + RIGHT)
    page.text((MARGIN, MARGIN + 22), f"{sample.task} · {sample.id} · step {group.step}", 13, SOFT, LEFT + GAP + RIGHT)
    page.image.paste(media, (MARGIN * SCALE, (HEAD + MARGIN) * SCALE))
    largest, left = largest_advantage(group), MARGIN + LEFT + GAP
    for place, rollout in enumerate(shown):
        _row(page, (left, HEAD + MARGIN + ROW * place), place + 1, rollout, largest)
    if len(ranked) > len(shown):
        page.text((left, HEAD + MARGIN + ROW * len(shown)), f"and {len(ranked) - len(shown)} more", 13, SOFT, RIGHT)
    return page.image


def most_spread(groups: Sequence[RolloutGroup]) -> RolloutGroup | None:
    """The group whose rewards lie furthest apart, from which there is most to see; None when there is none."""

    def width(group: RolloutGroup) -> float:
        values = [rollout.score.value for rollout in group.rollouts if rollout.score.value is not None]
        return max(values) - min(values) if values else -1.0

    return max(groups, key=width, default=None)


class Page:
    """An image that is drawn on in units of `SCALE` pixels."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self.canvas = Canvas(ImageDraw.Draw(image), SCALE)

    def text(self, at: Place, words: str, size: float, colour: str, width: float) -> float:
        """One line of text, cut where it would be wider than `width`; returns the width it takes."""
        font = ImageFont.load_default(size * SCALE)
        line = " ".join(visible(words[:LONGEST]).split())
        if self._width(line, font) > width * SCALE:
            line = self._longest(line, font, width)
        self.canvas.draw.text((at[0] * SCALE, at[1] * SCALE), line, fill=colour, font=font)
        return self._width(line, font) / SCALE

    def _longest(self, line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont, width: float) -> str:
        low, high = 0, len(line)
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if self._width(line[:middle] + "…", font) <= width * SCALE else (low, middle - 1)
        return line[:low] + "…"

    def _width(self, line: str, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> float:
        return self.canvas.draw.textlength(line, font=font)


def _row(page: Page, at: Place, rank: int, rollout: Rollout, largest: float) -> None:
    """A completion: its number, reward, advantage, text, and what went wrong."""
    x, y = at
    score = rollout.score
    page.canvas.box((x, y, x + RIGHT, y + ROW - 8), RULE, 1)
    page.canvas.filled((x, y, x + 4, y + ROW - 8), ink(rank).own)
    page.canvas.tag((x + 22, y + 15), rank)
    value = "not scored" if score.value is None else number(score.value)
    end = x + 40 + page.text((x + 40, y + 6), value, 16, INK, 90)
    facts = score.failure or ("" if score.correct is None else "correct" if score.correct else "wrong")
    page.text((end + 12, y + 9), facts, 12, BAD if score.failure else SOFT, x + 220 - end - 16)
    page.text((x + 220, y + 9), number(rollout.advantage, signed=True), 12, INK, 70)
    _advantage(page.canvas, (x + 292, y + 11), rollout.advantage, largest)
    page.text((x + 14, y + 30), rollout.completion.text or "empty text", 12, SOFT, RIGHT - 26)


def _advantage(canvas: Canvas, at: Place, value: float, largest: float) -> None:
    """A bar from the middle: right when the completion is encouraged, left when it is discouraged."""
    x, y = at
    half = 38.0
    canvas.filled((x, y, x + 2 * half, y + 8), RULE)
    if math.isfinite(value):
        length = half * max(-1.0, min(1.0, value / largest))
        canvas.filled((x + half + min(length, 0), y, x + half + max(length, 0), y + 8), ENCOURAGED if value > 0 else DISCOURAGED)
    canvas.filled((x + half - 0.5, y, x + half + 0.5, y + 8), SOFT)
