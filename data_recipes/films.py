"""Short films of coloured shapes that come and go, for two video tasks: which colour comes first, and when is a colour there.

`python -m data_recipes.films` writes `data_recipes/films/`: mp4 files of 64x64 px, 16 frames, 2 a second, and the JSONL rows of
a train and a held-out part. A film shows three shapes in colours of their own, each in a lane of its own, drifting sideways over
a plain near-grey ground. A shape comes and goes at whole seconds, no two come together. It takes 2 seconds.
"""

from __future__ import annotations

import hashlib
import json
import random
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from data_recipes.scenes import shape_mask
from data_recipes.targets import COLOURS, KINDS, paint

OUT_DIR = Path(__file__).parent / "films"
SIDE, FPS, SECONDS = 64, 2, 8
"""Width and height in pixels, frames per second, length."""
LANE_HEIGHT = 21
SHAPES = 3
LENGTHS = (2, 6)
"""Seconds for which a shape is there: least and most."""
PARTS = {"train": (500, 1), "heldout": (150, 2)}
"""Films and seed of each part."""
FIRST_QUESTIONS = ("which colour comes first", "what colour is there first", "which colour appears first")
WHEN_QUESTIONS = ("there is something {}", "you see something {}", "the film shows something {}")


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape of a film: there from `start` to `end`, in seconds."""

    colour: str
    kind: str
    start: int
    end: int


def draw_film(rng: random.Random) -> tuple[np.ndarray, list[Shape]]:
    """One film [16, 64, 64, 3] (RGB bytes) and its three shapes, the first to come first."""
    colours = rng.sample(list(COLOURS), SHAPES)
    starts = sorted(rng.sample(range(SECONDS - LENGTHS[0]), SHAPES))
    ends = [rng.randint(start + LENGTHS[0], min(SECONDS, start + LENGTHS[1])) for start in starts]
    shapes = [Shape(c, rng.choice(KINDS["grounding"]), s, e) for c, s, e in zip(colours, starts, ends, strict=True)]
    level = rng.randint(205, 252) if rng.random() < 0.7 else rng.randint(22, 66)
    frames = [Image.new("RGB", (SIDE, SIDE), (level, level, level)) for _ in range(FPS * SECONDS)]
    for shape, lane in zip(shapes, rng.sample(range(SHAPES), SHAPES), strict=True):
        mask, rgb = shape_mask(shape.kind, rng.randint(14, 20), rng), paint(shape.colour, rng)
        top = lane * LANE_HEIGHT + rng.randint(0, LANE_HEIGHT - mask.height)
        left, right = (rng.randint(0, SIDE - mask.width) for _ in range(2))
        for index in range(FPS * shape.start, FPS * shape.end):
            at = left + (right - left) * index // (FPS * SECONDS)
            frames[index].paste(rgb, (at, top), mask)
    return np.stack([np.asarray(frame) for frame in frames]), shapes


def iter_films(count: int, seed: int) -> Iterator[tuple[np.ndarray, list[Shape]]]:
    """`count` films; film i depends on `seed` and i alone."""
    for index in range(count):
        yield draw_film(random.Random(f"film-{seed}-{index}"))


def ask_first(rng: random.Random) -> str:
    """A question for the colour that comes first."""
    return rng.choice(FIRST_QUESTIONS)


def ask_when(shape: Shape, rng: random.Random) -> str:
    """A question for the seconds in which a shape is there; its last word is the colour."""
    return rng.choice(WHEN_QUESTIONS).format(shape.colour)


def save_film(frames_FHWC: np.ndarray, path: Path) -> None:
    """An mp4 file, by the encoder that comes with OpenCV."""
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"mp4v"), FPS, (SIDE, SIDE))
    for frame_HWC in frames_FHWC:
        writer.write(cv2.cvtColor(frame_HWC, cv2.COLOR_RGB2BGR))
    writer.release()


def write_films(count: int, seed: int, out_dir: Path) -> list[dict[str, Any]]:
    """Save films as `out_dir/0000.mp4`, ... and return two rows for each; their `video` is relative to the folder above."""
    out_dir.mkdir(parents=True, exist_ok=True)
    rng = random.Random(f"questions-{seed}")
    rows = []
    for index, (frames_FHWC, shapes) in enumerate(iter_films(count, seed)):
        name = f"{out_dir.name}/{index:04d}"
        save_film(frames_FHWC, out_dir.parent / f"{name}.mp4")
        shape = rng.choice(shapes)
        first = {"answer": shapes[0].colour, "kind": "exact"}
        when = {"span": [shape.start, shape.end]}
        for task, question, answer in (("vqa", ask_first(rng), first), ("temporal", ask_when(shape, rng), when)):
            row = {"id": f"{name}-{task}", "task": task, "video": f"{name}.mp4", "question": question, "answer": answer}
            rows.append(row)
    return rows


def build(out_dir: Path) -> dict[str, int]:
    """Write all parts into `out_dir`; return the number of rows of each. Raises ValueError where two parts share a film."""
    counts = {}
    hashes: dict[str, Path] = {}
    for part, (count, seed) in PARTS.items():
        shutil.rmtree(out_dir / part, ignore_errors=True)
        rows = write_films(count, seed, out_dir / part)
        (out_dir / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        counts[part] = len(rows)
        for path in sorted((out_dir / part).glob("*.mp4")):
            twin = hashes.setdefault(hashlib.sha256(path.read_bytes()).hexdigest(), path)
            if twin != path:
                raise ValueError(f"{path} is the same film as {twin}: change a seed in PARTS")
    return counts


if __name__ == "__main__":
    for name, rows in build(OUT_DIR).items():
        print(f"{OUT_DIR / name}.jsonl: {rows} rows")
