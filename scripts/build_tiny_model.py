"""Build the model that comes with the package: `python scripts/build_tiny_model.py [--out vlrl/models/tiny/weights]`.

A toy of the real Qwen3-VL classes is warm-started by supervised training on pictures that the recipes draw, with *coarse*
annotations: boxes at 55 % of the object's size, click points just right of the element. So it knows where things are and obeys
the question, but in the wrong convention, which GRPO then mends from the reward alone. The script prints the held-out scores of
the weights that it wrote; docs/quickstart.md has those of the committed ones, with the machine and the time.

Needs a Chromium (the screens are rendered by a browser). Pictures are kept in `.cache/tiny/`.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.progress import track
from torch import Tensor
from transformers import PreTrainedModel, ProcessorMixin

from data_recipes.gui_screens import iter_screens
from data_recipes.scenes import iter_scenes
from data_recipes.targets import QUESTION_WORDS, SIZE, Target, ask
from vlrl import tasks
from vlrl.data import read_samples
from vlrl.evaluation.runner import evaluate, summarise
from vlrl.models import families
from vlrl.models.tiny.build import ToyShape, build_toy
from vlrl.models.tiny.tokenizer import END, NUMBER_STEP, number_tokens
from vlrl.models.tiny.warm_start import Batch, Turn, pack, warm_start
from vlrl.models.vlm import TINY, VLM
from vlrl.rollout.transformers_engine import TransformersEngine

DATA = Path(__file__).parents[1] / "data_recipes" / "quickstart"
SPACE = "thousandths"
PICTURES = {"grounding": iter_scenes, "gui": iter_screens}
THINK_SHARE = 0.1
BOX_SCALE = 0.55
"""Annotated boxes have this share of the object's width and height."""
CLICK_OFFSET = (0.35, 0.85, 0.6)
"""Annotated clicks lie this share of the element's width right of its centre: lowest, highest, most frequent; 0.5 is its edge."""


@dataclass(frozen=True)
class Pool:
    """Pictures [N, 128, 128, 3] (uint8) with their targets."""

    pictures: np.ndarray
    targets: list[list[Target]]


def make_pool(task: str, count: int, seed: int, cache: Path) -> Pool:
    """The recipe's pictures, from the cache when they are there."""
    path = cache / f"{task}-{count}-{seed}.npz"
    if not path.exists():
        drawn = list(track(PICTURES[task](count, seed), f"drawing {task}", total=count))
        flat = [(i, *t.box, t.colour, t.kind) for i, (_, targets) in enumerate(drawn) for t in targets]
        cache.mkdir(parents=True, exist_ok=True)
        np.savez_compressed(path, pictures=np.stack([np.asarray(p) for p, _ in drawn]), targets=np.array(flat, dtype=str))
    with np.load(path) as stored:
        pictures, flat = stored["pictures"], stored["targets"].tolist()
    targets: list[list[Target]] = [[] for _ in pictures]
    for index, *box, colour, kind in flat:
        targets[int(index)].append(Target(tuple(map(int, box)), colour, kind))
    return Pool(pictures, targets)


def coarse_answer(task: str, target: Target, rng: random.Random) -> str:
    """The wrong convention that the warm start teaches, as answer text."""
    x1, y1, x2, y2 = target.box
    centre_x, centre_y = (x1 + x2) / 2, (y1 + y2) / 2
    if task == "gui":
        values = [centre_x + rng.triangular(*CLICK_OFFSET) * (x2 - x1), centre_y + rng.gauss(0, 0.1) * (y2 - y1)]
    else:
        half_w, half_h = BOX_SCALE * (x2 - x1) / 2, BOX_SCALE * (y2 - y1) / 2
        values = [centre_x - half_w, centre_y - half_h, centre_x + half_w, centre_y + half_h]
    steps = 1000 // NUMBER_STEP
    return "[" + ", ".join(str(NUMBER_STEP * min(steps, max(0, round(v / SIZE * steps)))) for v in values) + "]"


def flipped(picture: np.ndarray, targets: list[Target], rng: random.Random) -> tuple[np.ndarray, list[Target]]:
    """The picture mirrored along a random choice of its axes, and its targets likewise."""
    across, down = rng.random() < 0.5, rng.random() < 0.5
    picture = picture[:: -1 if down else 1, :: -1 if across else 1]
    boxes = [t.box for t in targets]
    boxes = [(SIZE - x2, y1, SIZE - x1, y2) if across else (x1, y1, x2, y2) for x1, y1, x2, y2 in boxes]
    boxes = [(x1, SIZE - y2, x2, SIZE - y1) if down else (x1, y1, x2, y2) for x1, y1, x2, y2 in boxes]
    return picture, [Target(box, t.colour, t.kind) for box, t in zip(boxes, targets, strict=True)]


class Batches:
    """Draws pictures from the pools and packs all questions about a picture into one row."""

    def __init__(self, model: PreTrainedModel, processor: ProcessorMixin, pools: dict[str, Pool], seed: int) -> None:
        self.model, self.processor, self.pools, self.rng = model, processor, pools, random.Random(seed)
        self.tokenizer = processor.tokenizer
        tokens = (SIZE // processor.image_processor.patch_size // processor.image_processor.merge_size) ** 2
        self.prefix = self.tokenizer.encode("<|user|><|vision_start|>" + "<|image_pad|>" * tokens + "<|vision_end|>")

    def draw(self, count: int) -> Batch:
        rows, pictures = [], []
        for _ in range(count):
            task = self.rng.choice(list(self.pools))
            pool = self.pools[task]
            index = self.rng.randrange(len(pool.pictures))
            picture, targets = flipped(pool.pictures[index], pool.targets[index], self.rng)
            pictures.append(np.ascontiguousarray(picture))
            rows.append([self._turn(task, target) for target in targets])
        media = self.processor.image_processor(images=pictures, return_tensors="pt", input_data_format="channels_last")
        positions_3P = self._prefix_positions(media["image_grid_thw"][:1])
        return pack(self.prefix, positions_3P, rows, dict(media), self.tokenizer.pad_token_id)

    def _turn(self, task: str, target: Target) -> Turn:
        mode = "think" if self.rng.random() < THINK_SHARE else "direct"
        question = tasks.load(task).prompt(ask(task, target, self.rng), mode, SPACE)
        answer = coarse_answer(task, target, self.rng)
        if mode == "think":
            answer = f"<think>{tasks.GOLD_THOUGHT}</think><answer>{answer}</answer>"
        return self.tokenizer.encode(question + "<|assistant|>"), self.tokenizer.encode(answer + END)

    def _prefix_positions(self, grid: Tensor) -> Tensor:
        ids = torch.tensor([self.prefix])
        types = (ids == self.processor.image_token_id).long()
        positions, _ = self.model.model.get_rope_index(ids, types, image_grid_thw=grid)
        return positions[:, 0]


def held_out_scores(vlm: VLM) -> str:
    """Greedy scores on the committed held-out rows."""
    samples = [s for task in PICTURES for s in read_samples(DATA / f"{task}_heldout.jsonl")]
    vlm.model.eval()
    rows = evaluate(samples, vlm, TransformersEngine(vlm, 16), "direct", 512, 128)
    return "  ".join(f"{name} {m['mean']:.3f}" for name, m in summarise(rows).items())


def phrases() -> list[str]:
    """The fixed words of every prompt, and the thought: one token each."""
    prompts = [tasks.load(task).prompt("", mode, SPACE) for task in PICTURES for mode in tasks.PROMPT_MODES]
    return [prompt.removesuffix(" ") for prompt in prompts] + [tasks.GOLD_THOUGHT]


def main() -> None:
    """Draw, train, evaluate, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=TINY)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--pictures_per_step", type=int, default=16)
    parser.add_argument("--pool", type=int, default=6000, help="pictures per task")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--cache", type=Path, default=Path(".cache/tiny"))
    args = parser.parse_args()
    torch.set_num_threads(1)
    started, cpu_started = time.perf_counter(), time.process_time()
    pools = {task: make_pool(task, args.pool, 1_000_000 + args.seed, args.cache) for task in PICTURES}
    print(f"pictures ready after {time.perf_counter() - started:.0f} s")
    words = [f" {word}" for word in QUESTION_WORDS]
    model, processor = build_toy("qwen3_vl", words, phrases(), ToyShape(deepstack=(0,)), args.seed)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(processor.tokenizer)} tokens")
    vlm = VLM(model, processor, families.load("qwen3_vl"))
    batches = Batches(model, processor, pools, args.seed)
    number_ids = torch.tensor(processor.tokenizer.convert_tokens_to_ids(number_tokens()))
    for step, loss in warm_start(model, lambda: batches.draw(args.pictures_per_step), number_ids, args.steps):
        scores = held_out_scores(vlm) if step % 500 == 0 else ""
        model.train()
        print(f"step {step:5d}  loss {loss:.3f}  {time.process_time() - cpu_started:.0f} CPU s  {scores}", flush=True)
    vlm.save(args.out)
    print(f"wrote {args.out}: held-out {held_out_scores(vlm)}")


if __name__ == "__main__":
    main()
