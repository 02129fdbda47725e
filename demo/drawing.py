"""Records -> safe text, pictures and SVG overlays.

Every string and every file that a record names is hostile: text passes `safe`, images are opened here and encoded anew as PNG.
"""

from __future__ import annotations

import base64
import html
import io
import math
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from PIL import Image

from vlrl.data.errors import MediaError
from vlrl.data.media import load_image
from vlrl.types import Media, Sample

RASTER_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
TALLEST = 1.25
LARGEST = 1e300
RINGS = (("halo", 5.0), ("line", 5.0), ("dot", 1.5))
PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#9C8ADE")
"""Okabe and Ito's colour-blind-safe colours, black replaced by a lavender."""

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


def visible(text: str) -> str:
    """Text in which nothing hides: control characters, direction marks and lone surrogates are written as escapes.

    >>> print(visible("\\x1b[31mred \\u202e"))
    \\x1b[31mred \\u202e
    """
    return _HIDDEN.sub(lambda match: ascii(match[0])[1:-1], text)


def safe(value: Any) -> str:
    """Any value as text that HTML shows and never runs.

    >>> safe("<img onerror=x>")
    '&lt;img onerror=x&gt;'
    """
    return html.escape(visible(str(value)))


def text_block(text: str, first: int = 500, most: int = 20_000) -> str:
    """A model's text as a block: the first part, the rest behind a fold, and a note where it had to be cut."""
    if not text:
        return '<pre class="text empty">empty text</pre>'
    if len(text) <= first:
        return f'<pre class="text">{safe(text)}</pre>'
    note = f", up to the first {most:,}" if len(text) > most else ""
    rest = f'<pre class="text">{safe(text[first:most])}</pre>'
    return (
        f'<pre class="text">{safe(text[:first])}</pre>'
        f"<details><summary>show the rest of {len(text):,} characters{note}</summary>{rest}</details>"
    )


def colours(number: int) -> str:
    """The CSS variables of a completion by its number (1 = best of its group): its colour, and one that stands out from it."""
    own = PALETTE[(number - 1) % len(PALETTE)]
    red, green, blue = (int(own[i : i + 2], 16) for i in (1, 3, 5))
    light = 0.3 * red + 0.59 * green + 0.11 * blue > 130
    return f"--c:{own};--h:{'#1b1b1b' if light else '#fff'}"


# pictures


@dataclass(frozen=True, slots=True)
class Picture:
    """An image ready for the page, or the reason why there is none."""

    uri: str = ""
    size: tuple[int, int] = (0, 0)
    problem: str = ""


def load_picture(media: Media, max_side: int) -> Picture:
    """The image behind `media` as a PNG data URI, at most `max_side` pixels long. Never raises for a bad file."""
    if media.kind != "image":
        return Picture(problem=f"a {media.kind} is not drawn yet: {media.path}")
    try:
        stamp = os.stat(media.path)
    except (OSError, ValueError):
        return Picture(problem=f"the image file is missing: {media.path}")
    return _encode(media, max_side, (stamp.st_mtime_ns, stamp.st_size))


@lru_cache(maxsize=256)
def _encode(media: Media, max_side: int, stamp: tuple[int, int]) -> Picture:
    """The picture exactly as the model's loader sees it. `stamp` is part of the cache key only: a changed file is read again."""
    try:
        with Image.open(media.path, formats=RASTER_FORMATS):  # never a format that Pillow hands to another program
            pixels = load_image(media, "inspector")
    except MediaError as error:
        return Picture(problem=f"the image cannot be shown: {error.what}")
    except Exception as error:  # a hostile header makes Pillow raise nearly anything
        return Picture(problem=f"the image cannot be shown: {error}")
    size = pixels.size
    pixels.thumbnail((max_side, max_side))
    buffer = io.BytesIO()
    pixels.save(buffer, "PNG")
    return Picture("data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii"), size)


# geometry


@dataclass(frozen=True, slots=True)
class Prediction:
    """What one completion claims, in original pixels: four numbers are a box, two are a point."""

    number: int
    values: tuple[float, ...]


def prediction(number: int, extracted: Any) -> Prediction | None:
    """The drawable geometry in a score's `extracted`, or None."""
    if not isinstance(extracted, (list, tuple)) or len(extracted) not in (2, 4):
        return None
    if any(isinstance(v, bool) or not isinstance(v, (int, float)) or not abs(v) < LARGEST for v in extracted):
        return None
    return Prediction(number, tuple(float(v) for v in extracted))


def gold_boxes(answer: dict[str, Any]) -> list[tuple[float, ...]]:
    """The gold boxes of an answer: its `box`, or its list of `boxes`."""
    several = answer.get("boxes")
    named = [item.get("box") for item in several if isinstance(item, dict)] if isinstance(several, list) else []
    found = [prediction(0, box) for box in [answer.get("box"), *named]]
    return [box.values for box in found if box is not None and len(box.values) == 4]


def draw_sample(sample: Sample, predictions: Sequence[Prediction], shown_width: int = 480) -> str:
    """The sample's media as figures about `shown_width` screen pixels wide; gold and predictions are drawn on the first one."""
    if not sample.media:
        return '<p class="note">This sample has no picture.</p>'
    first, *others = sample.media
    figures = [_figure(first, sample.answer, predictions, shown_width)]
    return "".join(figures + [_figure(media, {}, (), shown_width) for media in others])


def _figure(media: Media, answer: dict[str, Any], predictions: Sequence[Prediction], shown_width: int) -> str:
    picture = load_picture(media, 2 * shown_width)
    width, height = _frame(answer.get("image_size"), picture)
    unit = max(width, height / TALLEST) / shown_width
    gold = "".join(_gold(box) for box in gold_boxes(answer))
    drawn = "".join(_predicted(p, (width, height), unit) for p in reversed(predictions))
    tags = (
        "".join(_tag(p, len(predictions), (width, height), unit) for p in reversed(predictions)) if len(predictions) > 1 else ""
    )
    notes = "".join(f'<figcaption class="warn">{safe(note)}</figcaption>' for note in _problems(picture, (width, height)))
    return (
        f'<figure><svg class="picture" viewBox="0 0 {width:g} {height:g}" role="img" style="--u:{unit:.4g}px">'
        f"{_canvas(picture, width, height, shown_width)}{drawn}{gold}{tags}</svg>{notes}</figure>"
    )


def _frame(image_size: Any, picture: Picture) -> tuple[float, float]:
    """The pixel frame that the record's coordinates live in."""
    stated = prediction(0, image_size)
    if stated is not None and len(stated.values) == 2 and min(stated.values) > 0:
        return stated.values[0], stated.values[1]
    return (float(picture.size[0]), float(picture.size[1])) if picture.uri else (4.0, 3.0)


def _problems(picture: Picture, frame: tuple[float, float]) -> list[str]:
    if picture.problem:
        return [picture.problem]
    if picture.size != frame:
        file_size = f"{picture.size[0]} x {picture.size[1]}"
        return [f"the file has {file_size} pixels, the record says {frame[0]:g} x {frame[1]:g}: it is shown stretched"]
    return []


def _canvas(picture: Picture, width: float, height: float, shown_width: int) -> str:
    if not picture.uri:
        return (
            f'<rect class="missing" width="{width:g}" height="{height:g}"/>'
            f'<text class="missing-text" x="{width / 2:g}" y="{height / 2:g}">no picture</text>'
        )
    sharp = "pixelated" if 1.5 * max(picture.size) <= shown_width else "auto"
    return (
        f'<image href="{picture.uri}" width="{width:g}" height="{height:g}" preserveAspectRatio="none"'
        f' style="image-rendering:{sharp}"/>'
    )


def _rect(values: Sequence[float], css: str) -> str:
    x1, x2 = sorted((values[0], values[2]))
    y1, y2 = sorted((values[1], values[3]))
    return f'<rect class="{css}" x="{x1:.6g}" y="{y1:.6g}" width="{x2 - x1:.6g}" height="{y2 - y1:.6g}"/>'


def _gold(box: Sequence[float]) -> str:
    title = safe(f"gold [{', '.join(f'{v:g}' for v in box)}]")
    return f'<g class="gold"><title>{title}</title>{_rect(box, "halo")}{_rect(box, "line")}</g>'


def _predicted(item: Prediction, frame: tuple[float, float], unit: float) -> str:
    """One completion's box, or its point as a ringed dot."""
    values = _within_reach(item.values, frame)
    if len(values) == 4:
        return _geo(item, _rect(values, "halo") + _rect(values, "line"))
    place = f'cx="{values[0]:.6g}" cy="{values[1]:.6g}"'
    rings = "".join(f'<circle class="{css}" {place} r="{radius * unit:.4g}"/>' for css, radius in RINGS)
    return _geo(item, rings)


def _tag(item: Prediction, total: int, frame: tuple[float, float], unit: float) -> str:
    """The completion's number: on a box's upper edge, or on a short line from a point. Each has its own place on the edge or its
    own direction, so that equal answers stay readable.
    """
    values = _within_reach(item.values, frame)
    leader = ""
    if len(values) == 4:
        left, right = sorted((values[0], values[2]))
        x, y = left + (right - left) * (item.number - 0.5) / max(total, item.number), min(values[1], values[3])
    else:
        angle, away = 2 * math.pi * (item.number - 1) / total, max(16, 3.4 * total) * unit
        x, y = values[0] + away * math.cos(angle), values[1] + away * math.sin(angle)
        leader = f'<line class="leader" x1="{values[0]:.6g}" y1="{values[1]:.6g}" x2="{x:.6g}" y2="{y:.6g}"/>'
    disc = f'<circle class="tag" cx="{x:.6g}" cy="{y:.6g}" r="{8 * unit:.4g}"/><text x="{x:.6g}" y="{y:.6g}">{item.number}</text>'
    return _geo(item, leader + disc)


def _geo(item: Prediction, content: str) -> str:
    """A part of one completion's drawing; all its parts light up together."""
    title = safe(f"#{item.number} [{', '.join(f'{v:g}' for v in item.values)}]")
    return f'<g class="geo" data-i="{item.number}" style="{colours(item.number)}"><title>{title}</title>{content}</g>'


def _within_reach(values: Sequence[float], frame: tuple[float, float]) -> list[float]:
    """Wild values are drawn at most one frame away, which is out of sight."""
    return [min(max(v, -frame[i % 2]), 2 * frame[i % 2]) for i, v in enumerate(values)]
