"""Whole GRPO steps, rollout and reward and update: this project's loop against TRL's GRPOTrainer.

    python scripts/bench_step.py --json out.json      # the table of docs/packed-update.md

Both start from the same checkpoint and draw the same rows; completions have C tokens always; reward, algorithm (DAPO, no KL) and
learning rate are the same. A step is everything from the rows on disk to the changed weights. The two take turns, step by step.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import bench_model
import bench_trl
from PIL import Image
from transformers import TrainerCallback

from vlrl.models.tiny.build import ToyShape
from vlrl.models.vlm import VLM
from vlrl.rewards import Reward
from vlrl.tasks.vqa import TASK as VQA
from vlrl.training import setup
from vlrl.training.config import DatasetConfig, GrpoConfig, ModelConfig, OptimConfig, RolloutConfig, TrainConfig
from vlrl.training.grpo import grpo_step
from vlrl.types import Answer, Score


def score(text: str, answer: Answer) -> Score:
    """A number that a completion's text alone decides, as varied as the texts."""
    return Score(sha256(text.encode()).digest()[0] / 255)


REWARD = Reward(score)
TASK = replace(VQA, name="hash", rewards={"bench_step:REWARD": 1.0}, metrics={"value": "bench_step:REWARD"}, headline="value")


@dataclass(frozen=True)
class Size:
    """`prompts` of each step, G completions of C tokens each; a picture of `side` pixels and a question of `words` tokens."""

    prompts: int = 2
    group: int = 8
    completion: int = 64
    words: int = 40
    side: int = bench_model.SIDE
    shape: ToyShape = bench_model.SHAPE


QUICK = Size(2, 4, 6, 10, 112, bench_model.QUICK)


def write(folder: Path, size: Size, count: int) -> list[bench_trl.Row]:
    """The checkpoint and `count` rows in `folder`; the rows in TRL's words."""
    vlm = bench_model.build(size.shape)
    vlm.save(folder / "model")
    lines: list[dict[str, Any]] = []
    rows: list[bench_trl.Row] = []
    for index in range(count):
        path = folder / f"{index}.png"
        bench_model.picture(index, size.side).save(path)
        question = bench_model.question(size.words, index)
        lines.append({"image": path.name, "question": question, "answer": {"answer": "w0001"}})
        text = TASK.prompt(question, "direct", vlm.space)
        with Image.open(path) as image:
            rows.append(bench_trl.row(text, [image.copy()]))
    (folder / "rows.jsonl").write_text("\n".join(map(json.dumps, lines)))
    return rows


def endless(vlm: VLM) -> list[int]:
    """The tokens that nobody may sample, so that every completion has C tokens."""
    return [*vlm.banned_ids, *vlm.eos_ids, vlm.pad_id]


def ours(folder: Path, size: Size, steps: int) -> Callable[[], object]:
    """One step of our loop with each call."""
    rows = size.prompts * size.group
    config = TrainConfig(
        data=[DatasetConfig(str(folder / "rows.jsonl"), "bench_step:TASK")],
        output_dir=str(folder / "run"),
        max_steps=steps,
        model=ModelConfig(str(folder / "model")),
        rollout=RolloutConfig(size.group, rows, max_completion_length=size.completion),
        grpo=GrpoConfig("dapo"),
        optim=OptimConfig(warmup_steps=0),
    )
    run = setup.build(config)
    run.vlm.banned_ids, run.vlm.eos_ids = endless(run.vlm), []

    def step() -> object:
        run.step += 1
        return grpo_step(run)

    return step


@dataclass
class Turns(TrainerCallback):
    """After each step of TRL's, one of ours. What TRL does between two of its steps, such as reading rows, counts as its own."""

    ours: Callable[[], object]
    trl_seconds: list[float] = field(default_factory=list)
    our_seconds: list[float] = field(default_factory=list)
    last: float = field(default_factory=time.perf_counter)

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """TRL's step is over."""
        begin = time.perf_counter()
        self.trl_seconds.append(begin - self.last)
        self.ours()
        self.last = time.perf_counter()
        self.our_seconds.append(self.last - begin)


def compare(size: Size, repeats: int) -> dict[str, Any]:
    """Median seconds of a step on both sides, after one to warm up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows = write(folder, size, size.prompts * (repeats + 1))
        turns = Turns(ours(folder, size, repeats + 1))
        vlm = bench_model.build(size.shape)
        trainer = bench_trl.build(
            vlm.base,
            vlm.processor,
            rows,
            lambda completions, **_: [score(completion[0]["content"], {}).value for completion in completions],
            str(folder / "trl"),
            max_steps=repeats + 1,
            num_generations=size.group,
            per_device_train_batch_size=size.prompts * size.group,
            max_completion_length=size.completion,
            generation_kwargs={"suppress_tokens": endless(vlm)},
        )
        trainer.add_callback(turns)
        turns.last = time.perf_counter()
        trainer.train()
    seconds = {"ours": statistics.median(turns.our_seconds[1:]), "trl": statistics.median(turns.trl_seconds[1:])}
    settings = {"prompts": size.prompts, "group": size.group, "completion": size.completion, "repeats": repeats}
    result = {"wall_ratio_trl": seconds["trl"] / seconds["ours"], "seconds": seconds, "settings": settings}
    return {**result, **bench_model.circumstances()}


def main() -> None:
    """Parse the command line and run."""
    args = bench_model.parser(__doc__, 9).parse_args()
    bench_model.report(compare(QUICK, 1) if args.quick else compare(Size(), args.repeats), args.json)


if __name__ == "__main__":
    main()
