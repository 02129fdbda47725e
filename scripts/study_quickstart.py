"""The numbers and curves of docs/quickstart.md: `python scripts/study_quickstart.py [--out docs/img]`.

Runs the configuration of `make quickstart` with three seeds, and with four controls: learning rate zero, random rewards, gold
answers shuffled between rows, and blank training images. Runs that are there already (`runs/study/<name>/summary.json`) are not
repeated.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from PIL import Image

from vlrl.logs import RunFolder

ROOT = Path(__file__).parents[1]
DATA = ROOT / "data_recipes" / "quickstart"
TRAIN = ("gui_train", "grounding_train")
METRICS = {"gui/click_accuracy": "GUI click accuracy", "grounding/iou": "grounding mean IoU"}
SEED_COLOURS = ("#0072B2", "#009E73", "#CC79A7")
CONTROL_COLOURS = ("#999999", "#000000", "#D55E00", "#E69F00")


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


def run(folder: Path, extra: list[str]) -> RunFolder:
    """Train one variant as `make quickstart` does, unless it is done."""
    if not (folder / "summary.json").exists():
        launcher = [str(Path(sys.executable).parent / "accelerate"), "launch", "--config_file", "configs/accelerate/cpu.yaml"]
        script = ["scripts/train_grpo.py", "--config", "configs/train/quickstart.yaml", "--output_dir", str(folder)]
        subprocess.run([*launcher, *script, *extra], cwd=ROOT, check=True)
    return RunFolder(folder)


def plot(runs: dict[str, RunFolder], path: Path) -> None:
    """Held-out scores over steps, seeds in colour with their 95 % bands, controls dashed."""
    colours = dict(zip(runs, SEED_COLOURS + CONTROL_COLOURS, strict=True))
    figure, axes = plt.subplots(1, len(METRICS), figsize=(11, 3.6), layout="constrained")
    for axis, (metric, title) in zip(axes, METRICS.items(), strict=True):
        for name, folder in runs.items():
            points = [(e["step"], e["prompt_modes"]["direct"][metric]) for e in folder.evals()]
            steps, means = [s for s, _ in points], [m["mean"] for _, m in points]
            seed = name.startswith("seed")
            axis.plot(
                steps, means, color=colours[name], linestyle="-" if seed else "--", linewidth=2 if seed else 1.5, label=name
            )
            if seed:
                low, high = [m["ci95"][0] for _, m in points], [m["ci95"][1] for _, m in points]
                axis.fill_between(steps, low, high, color=colours[name], alpha=0.12, linewidth=0)
        axis.set(title=f"{title}, held-out", xlabel="GRPO step", ylim=(0, None))
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", alpha=0.3)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside right center", frameon=False, fontsize=9)
    figure.savefig(path, dpi=150)


def table(runs: dict[str, RunFolder]) -> str:
    """The runs' summaries as Markdown."""
    lines = ["| run | metric | before | after | difference, 95 % interval | seconds |", "|---|---|---|---|---|---|"]
    for name, folder in runs.items():
        summary = folder.summary() or {}
        for metric in METRICS:
            m = summary["metrics"][metric]
            low, high = m["diff_ci95"]
            change = f"{m['diff']:+.3f} [{low:+.3f}, {high:+.3f}]"
            lines.append(f"| {name} | `{metric}` | {m['before']:.3f} | {m['after']:.3f} | {change} | {summary['seconds']:.0f} |")
    return "\n".join(lines)


def main() -> None:
    """Run what is missing, plot, print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "study")
    args = parser.parse_args()
    runs = {name: run(args.runs / name.replace(" ", "_"), extra) for name, extra in variants(args.runs).items()}
    args.out.mkdir(parents=True, exist_ok=True)
    plot(runs, args.out / "quickstart_curves.png")
    print(table(runs))


if __name__ == "__main__":
    main()
