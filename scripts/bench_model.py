"""The model, prompts and completions that all speed benchmarks share: a Qwen2.5-VL of 9 million random weights.

One image of 448 x 448 pixels is 256 tokens (patches of 14 pixels, 2 x 2 merged, windowed attention but for the last layer), the
question brings a prompt to 304 tokens. An image token costs twice as much in the vision tower as in the language model, as in
Qwen2-VL-2B; in Qwen2.5-VL-3B it is once, in Qwen2.5-VL-7B 0.4 times (docs/packed-update.md, "Cost").
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping
from datetime import date
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from vlrl.models import families
from vlrl.models.tiny.build import ToyShape, build_toy
from vlrl.models.vlm import VLM

SHAPE = ToyShape(
    hidden_size=256, text_layers=6, vision_layers=3, num_heads=4, patch_size=14, spatial_merge_size=2, image_side=448,
    initializer_range=0.02,
)  # fmt: skip
QUICK = ToyShape(
    hidden_size=32, text_layers=2, vision_layers=2, num_heads=2, patch_size=14, spatial_merge_size=2, image_side=112
)  # fmt: skip
"""For a look whether a script runs."""
SIDE = 448
"""Pixels of an image's side: (448 / 28)^2 = 256 tokens."""
VOCABULARY = [f"w{number:04d}" for number in range(2000)]


def build(shape: ToyShape = SHAPE, seed: int = 0) -> VLM:
    """The model with its processor, in float32 on the CPU."""
    model, processor = build_toy("qwen2_5_vl", [" ".join(VOCABULARY)], shape=shape, seed=seed)
    return VLM(model, processor, families.load("qwen2_5_vl"))


def picture(seed: int = 0, side: int = SIDE) -> Image.Image:
    """Coloured noise: no two pictures are alike."""
    return Image.fromarray(np.random.default_rng(seed).integers(0, 256, (side, side, 3), dtype=np.uint8))


def question(words: int = 40, seed: int = 0) -> str:
    """A text of `words` tokens."""
    return " ".join(np.random.default_rng(seed).choice(VOCABULARY, words))


def completions(vlm: VLM, count: int, length: int, seed: int = 0) -> list[list[int]]:
    """Random token ids, none of them special."""
    words = vlm.processor.tokenizer.convert_tokens_to_ids([f" {word}" for word in VOCABULARY[1:]])
    return np.random.default_rng(seed).choice(words, (count, length)).tolist()


def interleaved(paths: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, float]:
    """Median seconds of each path, after one run to warm up. They take turns: what else the machine does hits them all."""
    seconds: dict[str, list[float]] = {name: [] for name in paths}
    for turn in range(repeats + 1):
        for name, run in paths.items():
            started = time.perf_counter()
            run()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return {name: statistics.median(values) for name, values in seconds.items()}


def parser(doc: str | None, repeats: int) -> argparse.ArgumentParser:
    """The command line that all benchmarks have in common."""
    made = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--json", type=Path, help="write the result there too")
    made.add_argument(
        "--repeats", type=int, default=repeats, help="timed runs of each way, after one to warm up; they take turns"
    )
    made.add_argument("--quick", action="store_true", help="a tiny model and tiny sizes: does it run?")
    return made


def circumstances() -> dict[str, Any]:
    """Where and with what a measurement was made."""
    packages = ("torch", "transformers", "trl", "accelerate")
    return {
        "machine": {"cpu": _cpu(), "cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "date": date.today().isoformat(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in packages}},
    }


def _cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def report(result: dict[str, Any], path: Path | None) -> None:
    """Print the result, and write it to `path` when there is one."""
    text = json.dumps(result, indent=2)
    print(text)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
