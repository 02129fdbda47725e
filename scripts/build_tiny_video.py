"""Build the film model that comes with the package: `python scripts/build_tiny_video.py [--out vlrl/models/tiny/video_weights]`.

A toy of the real Qwen3-VL classes is warm-started by supervised training on films that the recipe draws, with *coarse* answers:
asked which colour comes first it is mostly told the last one, asked when a colour is there some span inside the real one. So it
knows colours and times, in the wrong convention, which GRPO then mends from the reward alone. The script prints the held-out
scores of the weights that it wrote; docs/video.md has those of the committed ones, with the machine and the time.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import Qwen3VLVideoProcessor

from data_recipes.films import FIRST_QUESTIONS, FPS, SECONDS, SIDE, WHEN_QUESTIONS, Shape, ask_first, ask_when, build, draw_film
from data_recipes.targets import COLOURS
from vlrl import tasks
from vlrl.data import read_samples
from vlrl.evaluation.runner import evaluate, summarise
from vlrl.models import families
from vlrl.models.tiny.build import ToyShape, build_toy, sinusoid
from vlrl.models.tiny.tokenizer import END
from vlrl.models.tiny.warm_start import Batch, Turn, pack, warm_start
from vlrl.models.vlm import BUILT_IN, VLM
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.video import Video, VideoLimits

SPACE = "thousandths"
TASKS = ("vqa", "temporal")
THINK_SHARE = 0.1
LAST_SHARE = 0.5
"""So often the last colour is called the first."""
SPREAD = 0.3
"""Root mean square of what the tokens of one second have in common when training starts; their own part has 0.1."""
LIMITS = VideoLimits(fps=FPS, min_pixels=SIDE * SIDE, max_pixels=SIDE * SIDE)


def coarse_span(shape: Shape, rng: random.Random) -> str:
    """A span inside the real one around its middle; the shorter, the more often."""
    middle = (shape.start + shape.end) // 2
    starts, ends = range(shape.start, middle + 1), range(middle + 1, shape.end + 1)
    start = rng.choices(starts, [(1 + second - shape.start) ** 2 for second in starts])[0]
    end = rng.choices(ends, [(1 + shape.end - second) ** 2 for second in ends])[0]
    return f"{start} - {end}"


def coarse_colour(shapes: list[Shape], rng: random.Random) -> str:
    """The colour of the shape that comes last, or of another."""
    return shapes[-1].colour if rng.random() < LAST_SHARE else rng.choice(shapes[:-1]).colour


class Films:
    """Draws films and packs the questions about each into one row."""

    def __init__(self, vlm: VLM, seed: int) -> None:
        self.vlm, self.rng = vlm, random.Random(f"warm-start-{seed}")
        self.tokenizer = vlm.processor.tokenizer
        self.video_processor: Qwen3VLVideoProcessor = vlm.processor.video_processor
        frames, _ = draw_film(self.rng)
        film = Video(frames, tuple(map(float, range(len(frames)))), FPS, len(frames), (SIDE, SIDE))
        self.prefix = vlm.encode("", [film])  # every film has the same times and tokens

    def draw(self, count: int) -> Batch:
        rows, films = [], []
        for _ in range(count):
            frames_FHWC, shapes = draw_film(self.rng)
            films.append(torch.from_numpy(frames_FHWC).permute(0, 3, 1, 2))
            turns = [self._turn("vqa", ask_first(self.rng), coarse_colour(shapes, self.rng))]
            turns += [self._turn("temporal", ask_when(shape, self.rng), coarse_span(shape, self.rng)) for shape in shapes]
            rows.append(turns)
        media = self.video_processor(films, do_resize=False, do_sample_frames=False, return_tensors="pt")
        keys = self.vlm.family.media_keys
        ids, positions_3P = self.prefix.input_ids_P[:-1].tolist(), self.prefix.position_ids_AP[:, :-1]  # the assistant's token
        pixels = {key: media[key] for key in keys if key in media}
        return pack(ids, positions_3P, rows, pixels, self.tokenizer.pad_token_id)

    def _turn(self, task: str, question: str, answer: str) -> Turn:
        mode = "think" if self.rng.random() < THINK_SHARE else "direct"
        if mode == "think":
            answer = f"<think>{tasks.GOLD_THOUGHT}</think><answer>{answer}</answer>"
        prompt = tasks.load(task).prompt(question, mode, SPACE)
        return self.tokenizer.encode(prompt + "<|assistant|>"), self.tokenizer.encode(answer + END)


def second_tokens() -> Iterator[tuple[str, int]]:
    """The tokens that tell a second: the time before a frame pair, the start of a span, its end."""
    for second in range(SECONDS + 1):
        yield f"<{second + 0.5 / FPS:.1f} seconds>", second
        yield f"{second} -", second
        yield f" {second}", second


@torch.no_grad()
def spread_seconds(vlm: VLM) -> None:
    """The three tokens of a second begin alike, and like those of the seconds beside it: random ones take far longer to order."""
    tokens, seconds = zip(*second_tokens(), strict=True)
    table = vlm.base.get_input_embeddings().weight
    ids_N = torch.tensor(vlm.processor.tokenizer.convert_tokens_to_ids(tokens))
    table[ids_N] += SPREAD * sinusoid(torch.tensor(seconds) / SECONDS, table.shape[1])


def held_out_scores(vlm: VLM, rows: Path) -> str:
    """Greedy scores on the recipe's held-out rows."""
    vlm.model.eval()
    found = evaluate(read_samples(rows), vlm, TransformersEngine(vlm, 8), "direct", 256, 100)
    return "  ".join(f"{name} {m['mean']:.3f}" for name, m in summarise(found).items())


def words() -> list[str]:
    """The words of questions, and the colours as answers."""
    questions = [*FIRST_QUESTIONS, *(question.format("") for question in WHEN_QUESTIONS), *COLOURS]
    return [f" {text}" for text in questions] + list(COLOURS)


def phrases() -> list[str]:
    """The fixed words of every prompt, the thought, and what tells a second: one token each."""
    prompts = [tasks.load(task).prompt("", mode, SPACE) for task in TASKS for mode in tasks.PROMPT_MODES]
    return [prompt.removesuffix(" ") for prompt in prompts] + [tasks.GOLD_THOUGHT, *(token for token, _ in second_tokens())]


def main() -> None:
    """Draw, train, evaluate, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=BUILT_IN["tiny-video"])
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--films_per_step", type=int, default=16)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    shape = ToyShape(image_side=SIDE, spatial_merge_size=2, deepstack=(0,))
    model, processor = build_toy("qwen3_vl", words(), phrases(), shape, args.seed)
    print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {len(processor.tokenizer)} tokens")
    vlm = VLM(model, processor, families.load("qwen3_vl"), LIMITS)
    spread_seconds(vlm)
    films = Films(vlm, args.seed)
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder))
        rows = Path(folder) / "heldout.jsonl"
        no_numbers = torch.empty(0, dtype=torch.long)
        for step, loss in warm_start(model, lambda: films.draw(args.films_per_step), no_numbers, args.steps):
            scores = held_out_scores(vlm, rows) if step % 500 == 0 else ""
            model.train()
            print(f"step {step:5d}  loss {loss:.3f}  {time.process_time() - started:.0f} CPU s  {scores}", flush=True)
        vlm.save(args.out)
        print(f"wrote {args.out}: held-out {held_out_scores(vlm, rows)}")


if __name__ == "__main__":
    main()
