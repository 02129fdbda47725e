"""A sample's media as figures, gold and predictions drawn over them as SVG. What belongs to one completion has its `data-i`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from demo.media import Picture, Roots, load_picture
from demo.text import safe, short
from vlrl.report.look import RINGS, TAG_RADIUS, ink, tag_place
from vlrl.report.marks import Mark, gold_marks, pairs, predicted_marks
from vlrl.types import Media, Sample

TALLEST = 1.25


def colours(rank: int) -> str:
    """The CSS variables of a completion by its rank (1 = best of its group): its colour, and one that stands out from it."""
    own = ink(rank)
    return f"--c:{own.own};--h:{own.against}"


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the completion of a rank claims."""

    rank: int
    marks: tuple[Mark, ...]


def predictions_of(extracted: Sequence[Any], answer: dict[str, Any]) -> list[Prediction]:
    """The drawable claims of some completions, in the order of their ranks; those without any are left out."""
    found = [Prediction(rank, tuple(predicted_marks(item, answer))) for rank, item in enumerate(extracted, 1)]
    return [prediction for prediction in found if prediction.marks]


@dataclass(frozen=True, slots=True)
class Frame:
    """The pixel frame that marks live in, and how many of its pixels make one on the screen."""

    width: float
    height: float
    unit: float


def draw_images(sample: Sample, predictions: Sequence[Prediction], roots: Roots, shown_width: int = 480) -> str:
    """The sample's pictures about `shown_width` screen pixels wide. Gold and predictions are drawn on the one that holds the gold
    (`answer["image_index"]`, from 1 on; default the first).
    """
    index = sample.answer.get("image_index")
    holder = index - 1 if isinstance(index, int) and 1 <= index <= len(sample.media) else 0
    width = shown_width if len(sample.media) == 1 else max(shown_width // 2, 200)
    figures = []
    for i, media in enumerate(sample.media):
        here = i == holder
        picture = load_picture(media, roots, 2 * width)
        caption = f"image {i + 1} of {len(sample.media)}{', with the gold' if here else ''}" if len(sample.media) > 1 else ""
        figures.append(figure(picture, sample.answer if here else {}, predictions if here else (), width, caption))
    css = "pictures several" if len(figures) > 1 else "pictures"
    return f'<div class="{css}">{"".join(figures)}</div>'


def figure(
    picture: Picture,
    answer: dict[str, Any],
    predictions: Sequence[Prediction],
    shown_width: int,
    caption: str = "",
    tags: bool = True,
) -> str:
    """One picture with the marks of a gold answer and of predictions."""
    frame = _frame(answer.get("image_size"), picture, shown_width)
    gold = "".join(_gold(mark, frame) for mark in gold_marks(answer) if mark.frame is None)
    return overlay(picture, frame, gold, predictions, shown_width, caption, tags)


def overlay(
    picture: Picture, frame: Frame, gold: str, predictions: Sequence[Prediction], shown_width: int, caption: str, tags: bool
) -> str:
    """A picture with gold that is drawn already, and the marks of predictions under it."""
    shapes = "".join(_geo(p, "".join(_shape(mark, frame) for mark in p.marks)) for p in reversed(predictions))
    numbers = "".join(_tag(p, len(predictions), frame) for p in reversed(predictions)) if tags and len(predictions) > 1 else ""
    notes = [safe(caption)] if caption else []
    warnings = [safe(note) for note in _problems(picture, frame)]
    lines = "".join(f"<figcaption>{note}</figcaption>" for note in notes)
    lines += "".join(f'<figcaption class="warn">{note}</figcaption>' for note in warnings)
    return (
        f'<figure><svg class="picture" viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" style="--u:{frame.unit:.4g}px">'
        f"{_canvas(picture, frame, shown_width)}{shapes}{gold}{numbers}</svg>{lines}</figure>"
    )


def frame_of(picture: Picture, shown_width: int) -> Frame:
    """The frame of a picture whose record states no size."""
    return _frame(None, picture, shown_width)


def _frame(image_size: Any, picture: Picture, shown_width: int) -> Frame:
    width, height = (float(picture.size[0]), float(picture.size[1])) if picture.uri else (4.0, 3.0)
    if isinstance(image_size, (list, tuple)) and len(image_size) == 2:
        stated = [float(v) for v in image_size if isinstance(v, (int, float)) and not isinstance(v, bool) and 0 < v < 1e6]
        width, height = stated if len(stated) == 2 else (width, height)
    return Frame(width, height, max(width, height / TALLEST) / shown_width)


def _problems(picture: Picture, frame: Frame) -> list[str]:
    if picture.problem:
        return [picture.problem]
    if picture.size != (frame.width, frame.height):
        file_size = f"{picture.size[0]} x {picture.size[1]}"
        return [f"the file has {file_size} pixels, the record says {frame.width:g} x {frame.height:g}: it is shown stretched"]
    return []


def _canvas(picture: Picture, frame: Frame, shown_width: int) -> str:
    if not picture.uri:
        return (
            f'<rect class="missing" width="{frame.width:g}" height="{frame.height:g}"/>'
            f'<text class="missing-text" x="{frame.width / 2:g}" y="{frame.height / 2:g}">no picture</text>'
        )
    sharp = "pixelated" if 1.5 * max(picture.size) <= shown_width else "auto"
    return (
        f'<image href="{picture.uri}" width="{frame.width:g}" height="{frame.height:g}" preserveAspectRatio="none"'
        f' style="image-rendering:{sharp}"/>'
    )


def _gold(mark: Mark, frame: Frame) -> str:
    values = ", ".join(f"{value:g}" for value in mark.values[:8])
    title = safe(f"gold {mark.label} [{values}]" if mark.label else f"gold [{values}]")
    content = _rings(mark.values, frame, ("halo", "line")) if mark.kind == "point" else _outlined(mark, frame)
    label = _label(mark, frame) if mark.label and mark.kind == "box" else ""
    return f'<g class="gold {mark.kind}"><title>{title}</title>{content}{label}</g>'


def gold_of_frame(answer: dict[str, Any], name: str, frame: Frame) -> str:
    """The gold marks of one video frame."""
    return "".join(_gold(mark, frame) for mark in gold_marks(answer) if mark.frame == name)


def _shape(mark: Mark, frame: Frame) -> str:
    return _rings(mark.values, frame, ("halo", "line", "dot")) if mark.kind == "point" else _outlined(mark, frame)


def _rings(values: Sequence[float], frame: Frame, css: Sequence[str]) -> str:
    x, y = _within_reach(values, frame)
    radii = dict(RINGS)
    return "".join(f'<circle class="{name}" cx="{x:.6g}" cy="{y:.6g}" r="{radii[name] * frame.unit:.4g}"/>' for name in css)


def _outlined(mark: Mark, frame: Frame) -> str:
    return "".join(_path(mark, frame, css) for css in ("halo", "line"))


def _path(mark: Mark, frame: Frame, css: str) -> str:
    if mark.kind == "reach":
        x, y, rx, ry = mark.values
        return f'<ellipse class="{css}" cx="{x:.6g}" cy="{y:.6g}" rx="{rx:.6g}" ry="{ry:.6g}"/>'
    values = _within_reach(mark.values, frame)
    if mark.kind == "box":
        (x1, x2), (y1, y2) = sorted((values[0], values[2])), sorted((values[1], values[3]))
        return f'<rect class="{css}" x="{x1:.6g}" y="{y1:.6g}" width="{x2 - x1:.6g}" height="{y2 - y1:.6g}"/>'
    corners = " ".join(f"{x:.6g},{y:.6g}" for x, y in pairs(tuple(values)))
    arrow = (
        f'<circle class="dot" cx="{values[-2]:.6g}" cy="{values[-1]:.6g}" r="{4 * frame.unit:.4g}"/>'
        if mark.kind == "stroke"
        else ""
    )
    return f'<{"polygon" if mark.kind == "outline" else "polyline"} class="{css}" points="{corners}"/>{arrow}'


def _label(mark: Mark, frame: Frame) -> str:
    x, y = _within_reach(mark.values[:2], frame)
    return f'<text class="label" x="{x + 3 * frame.unit:.6g}" y="{y + 12 * frame.unit:.6g}">{short(mark.label, 24)}</text>'


def _tag(item: Prediction, total: int, frame: Frame) -> str:
    """The completion's rank, where `tag_place` puts it."""
    mark = item.marks[0]
    values = _within_reach(mark.values, frame)
    x, y, led = tag_place(mark.kind, values, item.rank, total, frame.unit)
    leader = f'<line class="leader" x1="{values[0]:.6g}" y1="{values[1]:.6g}" x2="{x:.6g}" y2="{y:.6g}"/>' if led else ""
    disc = f'<circle class="tag" cx="{x:.6g}" cy="{y:.6g}" r="{TAG_RADIUS * frame.unit:.4g}"/>'
    return _geo(item, f'{leader}{disc}<text x="{x:.6g}" y="{y:.6g}">{item.rank}</text>')


def _geo(item: Prediction, content: str) -> str:
    """A part of one completion's drawing; all its parts light up together."""
    first = item.marks[0]
    title = f"#{item.rank} {first.label} [{', '.join(f'{v:g}' for v in first.values[:4])}]"
    return f'<g class="geo" data-i="{item.rank}" style="{colours(item.rank)}"><title>{safe(title)}</title>{content}</g>'


def _within_reach(values: Sequence[float], frame: Frame) -> list[float]:
    """Wild values are drawn at most one frame away, which is out of sight."""
    return [
        min(max(v, -(frame.width, frame.height)[i % 2]), 2 * (frame.width, frame.height)[i % 2]) for i, v in enumerate(values)
    ]


def has_pictures(media: Sequence[Media]) -> bool:
    """Whether all media are images."""
    return bool(media) and all(item.kind == "image" for item in media)
