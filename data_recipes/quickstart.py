"""Build the data set behind `make quickstart`: `python -m data_recipes.quickstart` writes `data_recipes/quickstart/`.

Two tasks, each with a train and a held-out part from different seeds: clicking GUI elements on small app screens and boxing
shapes in scenes. The output is committed, because the screens need a browser and everybody should train on the same pictures.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from data_recipes.gui_screens import render_screens
from data_recipes.scenes import write_scenes

OUT_DIR = Path(__file__).parent / "quickstart"
ROWS_PER_IMAGE = 3


@dataclass(frozen=True, slots=True)
class Part:
    """One JSONL file of the data set and the folder of pictures that goes by the same name."""

    name: str
    write: Callable[[int, int, Path, int], list[dict[str, Any]]]
    images: int
    seed: int


PARTS = (
    Part("gui_train", render_screens, 300, 1),
    Part("gui_heldout", render_screens, 80, 2),
    Part("grounding_train", write_scenes, 300, 3),
    Part("grounding_heldout", write_scenes, 80, 4),
)


def picture_hashes(folder: Path) -> dict[str, Path]:
    """The SHA-256 of each picture's RGB pixels, with the picture's path."""
    found = {}
    for path in sorted(folder.glob("*.png")):
        with Image.open(path) as picture:
            found[hashlib.sha256(picture.convert("RGB").tobytes()).hexdigest()] = path
    return found


def refuse_shared_pictures(train: Path, heldout: Path) -> None:
    """Raise where a held-out picture has the very pixels of a train picture."""
    train_hashes, heldout_hashes = picture_hashes(train), picture_hashes(heldout)
    for shared in train_hashes.keys() & heldout_hashes.keys():
        raise ValueError(f"{heldout_hashes[shared]} is the same picture as {train_hashes[shared]}: change a seed in PARTS")


def build(out_dir: Path) -> dict[str, int]:
    """Write all parts into `out_dir`; return the number of rows of each."""
    counts = {}
    for part in PARTS:
        shutil.rmtree(out_dir / part.name, ignore_errors=True)
        rows = part.write(part.images, part.seed, out_dir / part.name, ROWS_PER_IMAGE)
        (out_dir / f"{part.name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        counts[part.name] = len(rows)
    for task in ("gui", "grounding"):
        refuse_shared_pictures(out_dir / f"{task}_train", out_dir / f"{task}_heldout")
    return counts


if __name__ == "__main__":
    for name, count in build(OUT_DIR).items():
        print(f"{OUT_DIR / name}.jsonl: {count} rows")
