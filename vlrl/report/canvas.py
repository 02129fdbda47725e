"""Strokes with Pillow, and a sample's media with gold and predictions drawn over them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from vlrl.data import load_image, load_video
from vlrl.report.look import RINGS, TAG_RADIUS, ink, number, tag_place, visible
from vlrl.report.marks import Mark, gold_marks, gold_span, pairs, predicted_marks, predicted_span
from vlrl.types import Sample
from vlrl.video import VideoLimits

DASH, SPACE = 7.0, 5.0
TALLEST = 1.25
STRIP = 4
"""Frames of a video that are drawn, in two rows."""
BAR = 18
FRAME_FACTOR = 4
FRAME_PIXELS = 320 * 240
MISSING, GOLD = "#8a919b", "#111111"

Place = tuple[float, float]


@dataclass(frozen=True)
class Canvas:
    """Strokes in units of `unit` pixels."""

    draw: ImageDraw.ImageDraw
    unit: float

    def box(self, corners: tuple[float, float, float, float], colour: str, width: float) -> None:
        """An outline."""
        self.draw.rectangle([v * self.unit for v in corners], outline=colour, width=max(round(width * self.unit), 1))

    def filled(self, corners: tuple[float, float, float, float], colour: str) -> None:
        """A filled box."""
        self.draw.rectangle([v * self.unit for v in corners], fill=colour)

    def line(self, points: Sequence[Place], colour: str, width: float) -> None:
        """Strokes from point to point."""
        scaled = [(x * self.unit, y * self.unit) for x, y in points]
        self.draw.line(scaled, fill=colour, width=max(round(width * self.unit), 1), joint="curve")

    def dashed(self, points: Sequence[Place], closed: bool) -> None:
        """Gold: black dashes on a white line."""
        corners = [*points, points[0]] if closed else list(points)
        self.line(corners, "#ffffff", 3.5)
        for (x1, y1), (x2, y2) in pairwise(corners):
            length = math.hypot(x2 - x1, y2 - y1)
            for i in range(math.ceil(length / (DASH + SPACE))):
                a, b = ((DASH + SPACE) * i / length, min((DASH + SPACE) * i + DASH, length) / length)
                self.line([(x1 + (x2 - x1) * t, y1 + (y2 - y1) * t) for t in (a, b)], GOLD, 2)

    def ring(self, at: Place, radius: float, colour: str, width: float) -> None:
        """A circle, filled when `width` is 0."""
        x, y, r = at[0] * self.unit, at[1] * self.unit, radius * self.unit
        bounds = (x - r, y - r, x + r, y + r)
        if width:
            self.draw.ellipse(bounds, outline=colour, width=max(round(width * self.unit), 1))
        else:
            self.draw.ellipse(bounds, fill=colour)

    def tag(self, at: Place, rank: int) -> None:
        """A completion's number on a disc of its colour."""
        colours = ink(rank)
        self.ring(at, TAG_RADIUS + 0.8, colours.against, 0)
        self.ring(at, TAG_RADIUS, colours.own, 0)
        font = ImageFont.load_default(11 * self.unit)
        self.draw.text((at[0] * self.unit, at[1] * self.unit), f"{rank}", fill=colours.against, font=font, anchor="mm")


def draw_media(sample: Sample, extracted: Sequence[Any], width: int, scale: int) -> Image.Image:
    """The medium that holds the gold, `width` pixels wide, with what the completions (best first) claim. Never raises."""
    index = sample.answer.get("image_index")
    place = index - 1 if isinstance(index, int) and 1 <= index <= len(sample.media) else 0
    if not sample.media:
        return _words("This prompt has no picture.", width, scale)
    media = sample.media[place]
    try:
        if media.kind == "video":
            return _draw_video(sample, place, extracted, width, scale)
        picture = load_image(media, sample.source or "report")
    except Exception as error:  # broken or hostile bytes make decoders raise nearly anything
        return _words(f"no picture: {error}", width, scale)
    size = _stated_size(sample.answer) or picture.size
    height = max(round(width * min(size[1] / size[0], TALLEST * 2)), 1)
    sharp = Image.Resampling.NEAREST if max(picture.size) * 3 <= width else Image.Resampling.LANCZOS
    image = picture.resize((width, height), sharp)
    _overlay(
        Canvas(ImageDraw.Draw(image), scale),
        sample.answer,
        extracted,
        (image.width / size[0] / scale, image.height / size[1] / scale),
    )
    return image


def _stated_size(answer: dict[str, Any]) -> Place | None:
    """The size whose pixels the gold and the predictions count, as the record states it."""
    size = answer.get("image_size")
    values = [v for v in size if isinstance(v, (int, float)) and 0 < v < 1e6] if isinstance(size, (list, tuple)) else []
    return (float(values[0]), float(values[1])) if len(values) == 2 else None


def _words(words: str, width: int, scale: int) -> Image.Image:
    """A grey place for a picture, with a sentence."""
    image = Image.new("RGB", (width, width // 3), MISSING)
    text = visible(words[:60])
    ImageDraw.Draw(image).text((width / 2, width / 6), text, fill="white", font=ImageFont.load_default(11 * scale), anchor="mm")
    return image


def _overlay(canvas: Canvas, answer: dict[str, Any], extracted: Sequence[Any], zoom: Place) -> None:
    """Predictions, the best on top; the gold over them; their numbers last."""
    claims = [(rank, [m for m in predicted_marks(item, answer) if m.frame is None]) for rank, item in enumerate(extracted, 1)]
    drawn = [(rank, [_zoomed(mark, zoom) for mark in marks]) for rank, marks in claims if marks]
    for rank, marks in reversed(drawn):
        for mark in marks:
            _claim(canvas, mark, rank)
    for mark in gold_marks(answer):
        if mark.frame is None:
            _gold(canvas, _zoomed(mark, zoom))
    if len(drawn) > 1:
        for rank, marks in reversed(drawn):
            _number(canvas, marks[0], rank, len(drawn))


def _zoomed(mark: Mark, zoom: Place) -> Mark:
    """A mark in the canvas's units. Wild values are drawn out of sight, not at infinity."""
    values = tuple(min(max(v * zoom[i % 2], -4000.0), 4000.0) for i, v in enumerate(mark.values))
    return Mark(mark.kind, values, mark.label, mark.frame)


def _corners(mark: Mark) -> list[Place]:
    if mark.kind == "box":
        (x1, x2), (y1, y2) = sorted((mark.values[0], mark.values[2])), sorted((mark.values[1], mark.values[3]))
        return [(x1, y1), (x2, y1), (x2, y2), (x1, y2)]
    if mark.kind == "reach":
        x, y, rx, ry = mark.values
        turns = [2 * math.pi * i / 48 for i in range(48)]
        return [(x + rx * math.cos(t), y + ry * math.sin(t)) for t in turns]
    return pairs(mark.values)


def _claim(canvas: Canvas, mark: Mark, rank: int) -> None:
    colours = ink(rank)
    if mark.kind == "point":
        at, radii = pairs(mark.values)[0], dict(RINGS)
        canvas.ring(at, radii["halo"] + 1, colours.against, 4.5)
        canvas.ring(at, radii["line"], colours.own, 2.5)
        canvas.ring(at, radii["dot"], colours.own, 0)
        return
    corners = _corners(mark)
    closed = [*corners, corners[0]] if mark.kind != "stroke" else corners
    canvas.line(closed, colours.against, 4)
    canvas.line(closed, colours.own, 2.5)


def _gold(canvas: Canvas, mark: Mark) -> None:
    if mark.kind == "point":
        at, radii = pairs(mark.values)[0], dict(RINGS)
        canvas.ring(at, radii["halo"] + 1, "#ffffff", 3.5)
        canvas.ring(at, radii["line"], GOLD, 2)
        return
    corners = _corners(mark)
    if mark.kind == "reach":
        canvas.line([*corners, corners[0]], "#ffffff", 3.5)
        for start, end in zip(corners[::2], corners[1::2], strict=True):
            canvas.line([start, end], GOLD, 2)
        return
    canvas.dashed(corners, closed=mark.kind != "stroke")


def _number(canvas: Canvas, mark: Mark, rank: int, total: int) -> None:
    x, y, led = tag_place(mark.kind, mark.values, rank, total, 1.0)
    if led:
        canvas.line([(mark.values[0], mark.values[1]), (x, y)], ink(rank).own, 1.2)
    canvas.tag((x, y), rank)


def _draw_video(sample: Sample, place: int, extracted: Sequence[Any], width: int, scale: int) -> Image.Image:
    """Some frames with their times, and below them the spans of time: the gold's, then the completions'."""
    limits = VideoLimits(fps=1000.0, max_frames=STRIP, max_pixels=FRAME_PIXELS, min_pixels=FRAME_FACTOR**2)
    video = load_video(sample.media[place], sample.source or "report", limits, FRAME_FACTOR)
    gold = gold_span(sample.answer)
    spans = [(rank, span) for rank, item in enumerate(extracted, 1) if (span := predicted_span(item, sample.answer))]
    wide = (width - 4 * scale) // 2
    high = max(round(wide * video.frames_FHWC.shape[1] / video.frames_FHWC.shape[2]), 1)
    rows = math.ceil(len(video.seconds) / 2)
    bars = len(spans) + (gold is not None)
    image = Image.new("RGB", (width, rows * (high + 4 * scale) + (bars * BAR + 6) * scale), "white")
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(11 * scale)
    for i, (seconds, frame_HWC) in enumerate(zip(video.seconds, video.frames_FHWC, strict=True)):
        at = ((i % 2) * (wide + 4 * scale), (i // 2) * (high + 4 * scale))
        image.paste(Image.fromarray(frame_HWC).resize((wide, high), Image.Resampling.LANCZOS), at)
        draw.text(
            (at[0] + 6 * scale, at[1] + 4 * scale),
            f"{seconds:.1f} s",
            fill="white",
            font=font,
            stroke_width=scale,
            stroke_fill=GOLD,
        )
    named = [*([("gold", GOLD, gold)] if gold else []), *((f"{rank}", ink(rank).own, span) for rank, span in spans)]
    longest = max([video.total / video.fps, *(end for _, _, (_, end) in named if end < 1e6)]) or 1.0
    for i, (name, colour, span) in enumerate(named):
        _span(Canvas(draw, scale), (width / scale, rows * (high / scale + 4) + 6 + i * BAR), name, colour, span, longest)
    return image


def _span(canvas: Canvas, at: Place, name: str, colour: str, span: Place, longest: float) -> None:
    """A bar of time; `at` is the right end of its row."""
    width, y = at
    left, right = 34.0, width - 100
    start, end = (left + (right - left) * min(max(second / longest, 0.0), 1.0) for second in span)
    font = ImageFont.load_default(11 * canvas.unit)
    canvas.filled((left, y, right, y + 11), "#f4f6f8")
    canvas.filled((min(start, end), y, max(start + 2, end), y + 11), colour)
    canvas.draw.text((0, y * canvas.unit), name, fill=GOLD, font=font)
    words = f"{number(span[0])} to {number(span[1])} s"
    canvas.draw.text(((right + 8) * canvas.unit, y * canvas.unit), words, fill=GOLD, font=font)
