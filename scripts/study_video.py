"""The numbers and curves of docs/video.md: `python scripts/study_video.py [--out docs/img]`.

Builds the films, trains `configs/train/video.yaml` with three seeds, with a learning rate of zero and on blank films, then asks
the trained models about the held-out films once more with their frames blanked, shuffled and reversed. Runs that are there
already (`runs/study_video/<name>/summary.json`) are not repeated.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from study import ROOT, plot, table, train

from data_recipes.films import FPS, OUT_DIR, SECONDS, SIDE, build, save_film
from vlrl import tasks
from vlrl.data import load_media, read_samples
from vlrl.logs import RunFolder
from vlrl.metrics.bootstrap import mean_interval
from vlrl.models.vlm import VLM, load
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.types import Sample, Score
from vlrl.video import Video

CONFIG = "configs/train/video.yaml"
METRICS = {"vqa/accuracy": "first colour, accuracy", "temporal/iou": "when, mean temporal IoU"}
SEEDS = range(3)

Frames = Callable[[np.ndarray, random.Random], np.ndarray]
CHANGES: dict[str, Frames] = {
    "as they are": lambda frames, rng: frames,
    "blanked": lambda frames, rng: np.full_like(frames, 128),
    "shuffled": lambda frames, rng: frames[rng.sample(range(len(frames)), len(frames))],
    "reversed": lambda frames, rng: frames[::-1],
}
"""What is done to the frames of the held-out films; their times stay."""


def scores(vlm: VLM, samples: list[Sample], change: Frames) -> dict[str, list[float]]:
    """Greedy answers about changed films: the headline metric of each row by task."""
    rng, engine = random.Random(0), TransformersEngine(vlm, 8)
    prompts, rows = [], []
    for sample in samples:
        task = tasks.load(sample.task)
        row, (film,) = load_media(sample, vlm.video_limits, vlm.frame_factor)
        assert isinstance(film, Video)
        changed = replace(film, frames_FHWC=np.ascontiguousarray(change(film.frames_FHWC, rng)))
        prompts.append(vlm.encode(task.prompt(sample.question, "direct", vlm.space), [changed]))
        rows.append((task, row))
    found: dict[str, list[float]] = {}
    for (task, row), (completion,) in zip(rows, engine.generate(prompts, 1, 0.0, [0] * len(prompts)), strict=True):
        measured = task.measure(task.grade(completion, row.answer, 8))
        found.setdefault(f"{task.name}/{task.headline}", []).append(measured[task.headline])
    return found


def constant_answers(samples: list[Sample]) -> dict[str, float]:
    """The best that one and the same answer to every question of a task can earn."""
    best: dict[str, float] = {}
    for name in sorted({sample.task for sample in samples}):
        task = tasks.load(name)
        answers = [sample.answer for sample in samples if sample.task == name]
        for text in {task.gold_completion(answer) for answer in answers}:
            values = [task.measure(_score(task, text, answer))[task.headline] for answer in answers]
            key = f"{name}/{task.headline}"
            best[key] = max(best.get(key, 0.0), sum(values) / len(values))
    return best


def _score(task: tasks.Task, text: str, answer: dict[str, object]) -> Score:
    return task.score(text, {**tasks.UNSAMPLED, **answer})


def changed_films(runs: dict[str, RunFolder], samples: list[Sample]) -> str:
    """Every trained seed on every kind of changed film, as Markdown; and what a constant answer earns."""
    lines = ["| frames | model | " + " | ".join(METRICS) + " |", "|---|---|" + "---|" * len(METRICS)]
    for name, run in runs.items():
        vlm = load(str(run.latest_checkpoint()) + "/model")
        for change, frames in CHANGES.items():
            found = scores(vlm, samples, frames)
            cells = [
                "{:.3f} [{:.3f}, {:.3f}]".format(*mean_interval(found[metric], range(len(found[metric])))) for metric in METRICS
            ]
            lines.append(f"| {change} | {name} | {' | '.join(cells)} |")
    best = constant_answers(samples)
    lines.append(f"| any | best constant answer | {' | '.join(f'{best[metric]:.3f}' for metric in METRICS)} |")
    return "\n".join(lines)


def blank_films(folder: Path) -> Path:
    """The training rows, each with the same film of a grey ground."""
    folder.mkdir(parents=True, exist_ok=True)
    save_film(np.full((FPS * SECONDS, SIDE, SIDE, 3), 128, np.uint8), folder / "blank.mp4")
    rows = [json.loads(line) for line in (OUT_DIR / "train.jsonl").read_text().splitlines()]
    path = folder / "blank.jsonl"
    path.write_text("".join(json.dumps({**row, "video": "blank.mp4"}) + "\n" for row in rows))
    return path


def variants(folder: Path) -> dict[str, list[str]]:
    """Name of every run -> what it adds to the command line."""
    runs = {f"seed {seed}": ["--seed", str(seed)] for seed in SEEDS}
    runs["learning rate 0"] = ["--optim.learning_rate", "0", "--max_steps", "80"]
    runs["blank training films"] = ["--data", json.dumps([{"path": str(blank_films(folder / "data"))}])]
    return runs


def main() -> None:
    """Run what is missing, plot, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "img")
    parser.add_argument("--runs", type=Path, default=ROOT / "runs" / "study_video")
    args = parser.parse_args()
    build(OUT_DIR)
    runs = {name: train(args.runs / name.replace(" ", "_"), CONFIG, extra) for name, extra in variants(args.runs).items()}
    seeds = {name: run for name, run in runs.items() if name.startswith("seed")}
    plot(runs, METRICS, args.out / "video_curves.png")
    print(table(runs, METRICS), changed_films(seeds, read_samples(OUT_DIR / "heldout.jsonl")), sep="\n\n")


if __name__ == "__main__":
    main()
