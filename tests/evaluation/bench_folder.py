"""Benchmarks of our own in the published layouts: the quickstart's pictures and films, which the built-in models can answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from data_recipes import films

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


def write_charades(folder: Path) -> Path:
    """A Charades-STA of our own: two films of the quickstart's kind; returns the folder."""
    rows = [row for row in films.write_films(2, 5, folder / "Charades_v1_480") if row["task"] == "temporal"]
    spans = [(Path(row["video"]).stem, *row["answer"]["span"], row["question"]) for row in rows]
    text = "".join(f"{name} {start:.1f} {end:.1f}##{question}\n" for name, start, end, question in spans)
    (folder / "charades_sta_test.txt").write_text(text)
    return folder
