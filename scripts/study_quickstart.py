"""The numbers and curves of docs/quickstart.md: `python scripts/study_quickstart.py [--out docs/img]`.

Runs the configuration of `make quickstart` with three seeds, and with four controls: learning rate zero, random rewards, gold
answers shuffled between rows, and blank training images. Runs that are there already (`runs/study/<name>/summary.json`) are not
repeated.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path

from PIL import Image
from study import ROOT, plot, table, train

CONFIG = "configs/train/quickstart.yaml"
DATA = ROOT / "data_recipes" / "quickstart"
TRAIN = ("gui_train", "grounding_train")
METRICS = {"gui/click_accuracy": "GUI click accuracy", "grounding/iou": "grounding mean IoU"}


def controlled_data(folder: Path) -> dict[str, list[Path]]:
    """Training files with rewards drawn by a hash, gold answers shuffled between rows, blank images: control -> files."""
    files: dict[str, list[Path]] = {"random rewards": [], "shuffled gold": [], "blank images": []}
    folder.mkdir(parents=True, exist_ok=True)
    blank = folder / "blank.png"
    Image.new("RGB", (128, 128), (128, 128, 128)).save(blank)
    for name in TRAIN:
        rows = [json.loads(line) for line in (DATA / f"{name}.jsonl").read_text().splitlines()]
        rows = [{**row, "image": str(DATA / row["image"])} for row in rows]
        answers = [row["answer"] for row in rows]
        random.Random(0).shuffle(answers)
        changed = {
            "random rewards": [{**r, "task": f"data_recipes.controls:{r['task'].upper()}"} for r in rows],
            "shuffled gold": [{**r, "answer": answer} for r, answer in zip(rows, answers, strict=True)],
            "blank images": [{**r, "image": str(blank)} for r in rows],
        }
        for control, new_rows in changed.items():
            files[control].append(folder / f"{name}_{control.replace(' ', '_')}.jsonl")
            files[control][-1].write_text("".join(json.dumps(row) + "\n" for row in new_rows))
    return files


def variants(folder: Path) -> dict[str, list[str]]:
    """Name of every run -> what it adds to the command line."""
    runs = {f"seed {seed}": ["--seed", str(seed)] for seed in range(3)}
    runs["learning rate 0"] = ["--optim.learning_rate", "0"]
    for control, files in controlled_data(folder / "data").items():
        runs[control] = ["--data", json.dumps([{"path": str(path)} for path in files])]
    return runs


def main() -> None:
    """Run what is missing, plot, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "study")
    args = parser.parse_args()
    runs = {name: train(args.runs / name.replace(" ", "_"), CONFIG, extra) for name, extra in variants(args.runs).items()}
    plot(runs, METRICS, args.out / "quickstart_curves.png")
    print(table(runs, METRICS))


if __name__ == "__main__":
    main()
