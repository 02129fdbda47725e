"""What the studies share: train a variant of a configuration unless it is done, plot held-out scores, print the table."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt

from vlrl.logs import RunFolder

ROOT = Path(__file__).parents[1]
SEED_COLOURS = ("#0072B2", "#009E73", "#CC79A7")
CONTROL_COLOURS = ("#999999", "#000000", "#D55E00", "#E69F00")


def train(folder: Path, config: str, extra: Sequence[str]) -> RunFolder:
    """One run of `config` with what `extra` adds to its command line, unless `folder` holds it finished already."""
    if not (folder / "summary.json").exists():
        launcher = [str(Path(sys.executable).parent / "accelerate"), "launch", "--config_file", "configs/accelerate/cpu.yaml"]
        script = ["scripts/train_grpo.py", "--config", config, "--output_dir", str(folder)]
        subprocess.run([*launcher, *script, *extra], cwd=ROOT, check=True)
    return RunFolder(folder)


def plot(runs: Mapping[str, RunFolder], metrics: Mapping[str, str], path: Path) -> None:
    """Held-out scores over steps, one picture for each metric and its title: seeds with their 95 % bands, controls dashed."""
    colours = dict(zip(runs, SEED_COLOURS + CONTROL_COLOURS, strict=False))
    figure, axes = plt.subplots(1, len(metrics), figsize=(11, 3.6), layout="constrained")
    for axis, (metric, title) in zip(axes, metrics.items(), strict=True):
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
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=150)


def table(runs: Mapping[str, RunFolder], metrics: Mapping[str, str]) -> str:
    """The runs' summaries as Markdown."""
    lines = ["| run | metric | before | after | difference, 95 % interval | seconds |", "|---|---|---|---|---|---|"]
    for name, folder in runs.items():
        summary = folder.summary() or {}
        for metric in metrics:
            m = summary["metrics"][metric]
            low, high = m["diff_ci95"]
            change = f"{m['diff']:+.3f} [{low:+.3f}, {high:+.3f}]"
            lines.append(f"| {name} | `{metric}` | {m['before']:.3f} | {m['after']:.3f} | {change} | {summary['seconds']:.0f} |")
    return "\n".join(lines)
