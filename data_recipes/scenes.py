"""Scenes of coloured shapes for referring-expression grounding, drawn with Pillow alone.

Each scene is 128x128 px and shows three to five shapes that do not overlap, each in a colour of its own. Shapes are drawn at four
times their size and reduced, so that edges are smooth; the gold box is the tight pixel box of the shape's reduced alpha mask.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from data_recipes.targets import COLOURS, KINDS, SIZE, Box, Target, paint, write_rows

OVERSAMPLE = 4
SHAPE_SIZES = (21, 56)
"""Larger side of a shape in pixels; the smaller side is never below 18."""

Polygon = list[tuple[float, float]]
RGB = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape in its place: `mask` is its alpha (mode L, 0-255), cropped to its tight pixel box; `left`, `top` in pixels."""

    mask: Image.Image
    left: int
    top: int
    colour: str
    kind: str

    @property
    def box(self) -> Box:
        return self.left, self.top, self.left + self.mask.width, self.top + self.mask.height


def _regular(corners: int, turn: float, radii: tuple[float, ...] = (1.0,)) -> Polygon:
    """Corners on circles of the given radii (taken in turn), starting at the top; `turn` in degrees."""
    angles = [math.radians(360 * i / corners - 90 + turn) for i in range(corners)]
    return [(radii[i % len(radii)] * math.cos(a), radii[i % len(radii)] * math.sin(a)) for i, a in enumerate(angles)]


def _cross(turn: float) -> Polygon:
    arm = 0.36
    corners = [(-arm, -1), (arm, -1), (arm, -arm), (1, -arm), (1, arm), (arm, arm)]
    corners += [(-x, -y) for x, y in corners]
    cos, sin = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    return [(x * cos - y * sin, x * sin + y * cos) for x, y in corners]


def _outline(kind: str, rng: random.Random) -> Polygon:
    """The corners of a polygonal kind around the origin, turned a little."""
    turn = rng.uniform(-7, 7)
    if kind == "cross":
        return _cross(turn)
    if kind == "star":
        return _regular(10, turn, (1.0, 0.45))
    corners, lean = {"triangle": (3, 0), "square": (4, 45), "diamond": (4, 0), "hexagon": (6, 30)}[kind]
    return _regular(corners, lean + turn)


def shape_mask(kind: str, size: int, rng: random.Random) -> Image.Image:
    """The alpha mask (mode L) of a shape whose larger side is `size` px, cropped so that every edge touches the shape."""
    side = size * OVERSAMPLE
    big = Image.new("L", (side, side))
    pen = ImageDraw.Draw(big)
    if kind in ("circle", "ring"):
        pen.ellipse((0, 0, side - 1, side - 1), fill=255)
        if kind == "ring":
            rim = round(side * rng.uniform(0.2, 0.27))
            pen.ellipse((rim, rim, side - 1 - rim, side - 1 - rim), fill=0)
    else:
        xs, ys = zip(*_outline(kind, rng), strict=True)
        scale = (side - 1) / max(max(xs) - min(xs), max(ys) - min(ys))
        pen.polygon([((x - min(xs)) * scale, (y - min(ys)) * scale) for x, y in zip(xs, ys, strict=True)], fill=255)
    small = big.reduce(OVERSAMPLE)
    return small.crop(small.getbbox())


def place_shapes(rng: random.Random) -> list[Shape]:
    """Three to five shapes with different colours, at least 2 px from each other and from the border."""
    count = rng.randint(3, 5)
    shapes: list[Shape] = []
    colours = rng.sample(list(COLOURS), count)
    smallest, largest = SHAPE_SIZES[0], float(SHAPE_SIZES[1])
    while len(shapes) < count:
        kind = rng.choice(KINDS["grounding"])
        mask = shape_mask(kind, rng.randint(smallest, round(largest)), rng)
        place = _free_place(mask.size, shapes, rng)
        if place:
            shapes.append(Shape(mask, *place, colours[len(shapes)], kind))
        largest = max(smallest, 0.9 * largest)
    return shapes


def _free_place(size: tuple[int, int], shapes: list[Shape], rng: random.Random) -> tuple[int, int] | None:
    """A random (left, top) where a mask of this size is near no other shape, or None when ten throws found none."""
    for _ in range(10):
        left, top = rng.randint(2, SIZE - 2 - size[0]), rng.randint(2, SIZE - 2 - size[1])
        if not any(_near((left, top, left + size[0], top + size[1]), other.box) for other in shapes):
            return left, top
    return None


def _near(a: Box, b: Box) -> bool:
    return a[0] < b[2] + 2 and b[0] < a[2] + 2 and a[1] < b[3] + 2 and b[1] < a[3] + 2


def _grey(level: int, rng: random.Random) -> RGB:
    """Near-grey with a hint of warmth or cold."""
    hint = rng.randint(-4, 4)
    return tuple(max(0, min(255, level + d)) for d in (hint, 0, -hint))  # type: ignore[return-value]


def _background(rng: random.Random) -> Image.Image:
    """A near-grey ground: plain, a gradient, light noise, a grid, dots or stripes; light or dark."""
    base = rng.randint(205, 252) if rng.random() < 0.7 else rng.randint(22, 66)
    ground = Image.new("RGB", (SIZE, SIZE), _grey(base, rng))
    style = rng.choice(("plain", "gradient", "noise", "grid", "dots", "stripes"))
    ink = _grey(base - 22 if base > 128 else base + 22, rng)
    pen = ImageDraw.Draw(ground)
    step, start = rng.choice((8, 12, 16, 21)), rng.randint(0, 7)
    if style == "gradient":
        ramp = Image.linear_gradient("L").resize((SIZE, SIZE)).rotate(rng.choice((0, 90, 180, 270)))
        ground = Image.composite(Image.new("RGB", (SIZE, SIZE), ink), ground, ramp)
    elif style == "noise":
        grain = np.random.default_rng(rng.getrandbits(32)).integers(0, 3, (SIZE, SIZE), dtype=np.uint8) * 5
        ground = ImageChops.subtract(ground, Image.fromarray(grain).convert("RGB"))
    elif style == "grid":
        for at in range(start, SIZE, step):
            pen.line((at, 0, at, SIZE), fill=ink)
            pen.line((0, at, SIZE, at), fill=ink)
    elif style == "dots":
        for x in range(start, SIZE, step):
            for y in range(start, SIZE, step):
                pen.rectangle((x, y, x + 1, y + 1), fill=ink)
    elif style == "stripes":
        for at in range(start - SIZE, SIZE, 2 * step):
            pen.line((at, SIZE, at + SIZE, 0), fill=ink, width=step // 2)
    return ground


def _draw_shape(scene: Image.Image, shape: Shape, shadow: bool, rim: bool, rng: random.Random) -> None:
    """Paint one shape; `rim` adds a darker edge inside it, `shadow` a soft grey one behind it."""
    rgb = paint(shape.colour, rng)
    at = (shape.left, shape.top)
    if shadow:
        soft = Image.new("L", (shape.mask.width + 8, shape.mask.height + 8))
        soft.paste(shape.mask.point(lambda alpha: alpha // 3), (4, 4))
        scene.paste((0, 0, 0), (at[0] - 3, at[1] - 2), soft.filter(ImageFilter.GaussianBlur(1.5)))
    if rim:
        scene.paste(tuple(round(0.78 * v) for v in rgb), at, shape.mask)
        padded = Image.new("L", (shape.mask.width + 2, shape.mask.height + 2))
        padded.paste(shape.mask, (1, 1))
        inner = padded.filter(ImageFilter.MinFilter(3)).crop((1, 1, padded.width - 1, padded.height - 1))
        scene.paste(rgb, at, inner)
    else:
        scene.paste(rgb, at, shape.mask)


def draw_scene(rng: random.Random) -> tuple[Image.Image, list[Target]]:
    """One scene (RGB, 128x128 px) and its three to five targets."""
    shapes = place_shapes(rng)
    scene = _background(rng)
    shadow, rim = rng.random() < 0.4, rng.random() < 0.5
    for shape in shapes:
        _draw_shape(scene, shape, shadow, rim, rng)
    return scene, [Target(shape.box, shape.colour, shape.kind) for shape in shapes]


def iter_scenes(count: int, seed: int) -> Iterator[tuple[Image.Image, list[Target]]]:
    """`count` scenes; scene i depends on `seed` and i alone."""
    for index in range(count):
        yield draw_scene(random.Random(f"scene-{seed}-{index}"))


def write_scenes(count: int, seed: int, out_dir: Path, rows_per_image: int = 5) -> list[dict[str, Any]]:
    """Draw `count` scenes into `out_dir` and return their JSONL rows, at most `rows_per_image` per scene."""
    return write_rows("grounding", iter_scenes(count, seed), seed, out_dir, rows_per_image)
