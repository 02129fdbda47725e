"""A ScreenSpot of our own: held-out screens of the quickstart in the published layout, which the built-in model can answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

QUICKSTART = Path(__file__).parents[2] / "data_recipes" / "quickstart"


def write_screenspot(folder: Path, rows: int) -> Path:
    """`rows` rows, at least three; returns the folder."""
    (folder / "screenspot_imgs").mkdir(parents=True)
    items = []
    for line in (QUICKSTART / "gui_heldout.jsonl").read_text().splitlines()[:rows]:
        row = json.loads(line)
        name = row["image"].replace("/", "_")
        shutil.copy(QUICKSTART / row["image"], folder / "screenspot_imgs" / name)
        x1, y1, x2, y2 = row["answer"]["box"]
        kind = {"data_type": "icon", "data_source": "quickstart"}
        items.append({"img_filename": name, "bbox": [x1, y1, x2 - x1, y2 - y1], "instruction": row["question"], **kind})
    for number, split in enumerate(("mobile", "desktop", "web")):
        (folder / f"screenspot_{split}.json").write_text(json.dumps(items[number::3]))
    return folder
