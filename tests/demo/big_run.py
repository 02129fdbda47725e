"""A generated run of any size, for timings: plain text files, no pictures. `python tests/demo/big_run.py FOLDER [ROLLOUTS]`."""

from __future__ import annotations

import json
import os
import random
import sys
from pathlib import Path

PER_STEP, GROUP, TOKENS = 1000, 8, 100
SIZE = int(os.environ.get("VLRL_BIG_ROLLOUTS", "10000"))
"""Rollouts of the runs that tests generate; 1000000 checks what the inspector promises."""
WORDS = ("the", "red", "button", "lies", "near", "a", "corner", "of", "screen", "box", "answer", "think", "green", "large")


def generate(path: Path, rollouts: int) -> Path:
    """Steps of 1,000 rollouts, 8 to a group, each of 100 tokens with their log-probabilities."""
    (path / "rollouts").mkdir(parents=True)
    (path / "eval").mkdir()
    (path / "config.yaml").write_text("seed: 0\n")
    rng = random.Random(0)
    texts = [_completion(rng) for _ in range(200)]
    steps = rollouts // PER_STEP
    with (path / "metrics.jsonl").open("w") as metrics:
        for step in range(1, steps + 1):
            lines = [_group(rng, step, line, texts, step / steps) for line in range(PER_STEP // GROUP)]
            (path / "rollouts" / f"{step:06d}.jsonl").write_text("".join(lines))
            row = {"step": step, "reward": step / steps, "entropy": 1.0, "kl": 0.01, "completions/mean_length": TOKENS}
            metrics.write(json.dumps(row) + "\n")
    return path


def _completion(rng: random.Random) -> str:
    words = " ".join(rng.choices(WORDS, k=TOKENS))
    text = f"<think>{words}</think><answer>[{rng.randrange(1000)}, {rng.randrange(1000)}]</answer>"
    ids, logprobs = [rng.randrange(150_000) for _ in range(TOKENS)], [-rng.random() for _ in range(TOKENS)]
    return json.dumps({"text": text, "token_ids": ids, "logprobs": logprobs, "finish_reason": "stop"})


def _group(rng: random.Random, step: int, line: int, texts: list[str], skill: float) -> str:
    sample = {"id": f"row-{line}", "task": "gui", "question": f"press {line}", "answer": {"box": [1, 2, 30, 40]}, "media": []}
    rollouts = ", ".join(_rollout(rng, texts, skill) for _ in range(GROUP))
    head = json.dumps({"step": step, "sample": {**sample, "source": "a.jsonl:1"}, "prompt": "Press it."})
    return f'{head[:-1]}, "rollouts": [{rollouts}]}}\n'


def _rollout(rng: random.Random, texts: list[str], skill: float) -> str:
    right = rng.random() < skill
    failure = "no_point" if rng.random() < 0.05 else None
    parts = {"gui.click": float(right), "format.prompted": 1.0}
    score = {"value": 0.1 + 0.9 * right, "parts": parts, "correct": right, "extracted": [1.0, 2.0], "failure": failure}
    return f'{{"completion": {rng.choice(texts)}, "score": {json.dumps(score)}, "advantage": {right - 0.5}}}'


if __name__ == "__main__":
    generate(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000)
