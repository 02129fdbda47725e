"""A picture of what a run learned: `python scripts/draw_examples.py RUN OUT.png`.

Held-out images of the run's first and last evaluation; gold is dashed, the answer before training orange, after training blue.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from vlrl.logs import RunFolder

SIDE, GAP, CAPTION = 256, 16, 26
BEFORE, AFTER, GOLD = "#E69F00", "#0072B2", "#000000"
PER_TASK = 5


def chosen(before: Sequence[dict[str, Any]], after: Sequence[dict[str, Any]], task: str) -> list[tuple[dict, dict]]:
    """The first rows of the task, one per image, without looking at their scores."""
    pairs: dict[str, tuple[dict, dict]] = {}
    for old, new in zip(before, after, strict=True):
        if old["sample"]["task"] == task:
            pairs.setdefault(old["sample"]["media"][0]["path"], (old, new))
    return list(pairs.values())[:PER_TASK]


def panel(old: dict[str, Any], new: dict[str, Any]) -> Image.Image:
    """One image with gold and both answers, and its question below."""
    sample = old["sample"]
    picture = Image.open(sample["media"][0]["path"]).convert("RGB")
    scale = SIDE / picture.width
    canvas = Image.new("RGB", (SIDE, SIDE + CAPTION), "white")
    canvas.paste(picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS))
    draw = ImageDraw.Draw(canvas)
    dashed(draw, [v * scale for v in sample["answer"]["box"]])
    for row, colour in ((old, BEFORE), (new, AFTER)):
        mark(draw, row["score"]["extracted"], scale, colour)
    draw.text((SIDE / 2, SIDE + 5), sample["question"], fill="#333333", anchor="mt", font=ImageFont.load_default(15))
    return canvas


def mark(draw: ImageDraw.ImageDraw, place: list[float] | None, scale: float, colour: str) -> None:
    """A box, or a point as a filled circle, with a white rim."""
    if place is None:
        return
    values = [v * scale for v in place]
    if len(values) == 2:
        x, y = values
        draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=colour, outline="white", width=2)
    else:
        draw.rectangle(values, outline="white", width=5)
        draw.rectangle([values[0] + 1, values[1] + 1, values[2] - 1, values[3] - 1], outline=colour, width=3)


def dashed(draw: ImageDraw.ImageDraw, box: Sequence[float]) -> None:
    """The gold box: black dashes on a white line."""
    draw.rectangle(list(box), outline="white", width=2)
    x1, y1, x2, y2 = box
    for start, end in (((x1, y1), (x2, y1)), ((x2, y1), (x2, y2)), ((x2, y2), (x1, y2)), ((x1, y2), (x1, y1))):
        length = max(abs(end[0] - start[0]), abs(end[1] - start[1]))
        for at in range(0, int(length), 10):
            a, b = at / length, min(at + 5, length) / length
            ends = [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in (a, b)]
            draw.line(ends, fill=GOLD, width=2)


def montage(rows: Sequence[Sequence[Image.Image]], legend: str) -> Image.Image:
    """Panels in rows, and a legend."""
    width = GAP + max(len(row) for row in rows) * (SIDE + GAP)
    height = GAP + len(rows) * (SIDE + CAPTION + GAP) + 30
    sheet = Image.new("RGB", (width, height), "white")
    for r, row in enumerate(rows):
        for c, image in enumerate(row):
            sheet.paste(image, (GAP + c * (SIDE + GAP), GAP + r * (SIDE + CAPTION + GAP)))
    draw, font, x = ImageDraw.Draw(sheet), ImageFont.load_default(17), GAP
    for text, colour in ((legend, "#333333"), ("before", BEFORE), ("after", AFTER), ("gold: dashed", GOLD)):
        draw.text((x, height - 32), text, fill=colour, font=font)
        x += int(draw.textlength(text, font=font)) + 24
    return sheet


def main() -> None:
    """Draw the first held-out images of every task."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("out", type=Path)
    args = parser.parse_args()
    folder = RunFolder(args.run)
    steps = [e["step"] for e in folder.evals()]
    before, after = folder.eval_rows(steps[0]), folder.eval_rows(steps[-1])
    tasks = sorted({row["sample"]["task"] for row in before}, reverse=True)
    rows = [[panel(*pair) for pair in chosen(before, after, task)] for task in tasks]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    montage(rows, f"{steps[-1]} GRPO steps").quantize(200).save(args.out, optimize=True)


if __name__ == "__main__":
    main()
