"""Toy checkpoints, drawn rows and a toy task for tests that load, sample or train. Kept small: they run on two busy cores."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from transformers import PreTrainedModel, ProcessorMixin

from vlrl.models import families
from vlrl.models.tiny import build, toys_1d
from vlrl.models.tiny.build import ToyShape, build_toy
from vlrl.models.vlm import VLM

WORDS = ("Give the click point as [x, y] in 0-1000 coordinates. Do: the red box", "Give the box as [x1, y1, x2, y2]. Find:")
SHAPE = ToyShape(hidden_size=32, text_layers=2, num_heads=2, patch_size=8, spatial_merge_size=2, image_side=64)
FAMILIES = (*build.FAMILIES, *toys_1d.FAMILIES)

HASH_TASK = '''
"""A task whose reward is a hash of the completion: as varied as the completions, and any change of a completion shows in it."""
from dataclasses import replace
from hashlib import sha256

from vlrl.rewards import Reward
from vlrl.tasks.grounding import TASK as GROUNDING
from vlrl.types import Score


def score(text, answer):
    value = sha256(text.encode()).digest()[0] / 255
    return Score(value, correct=value > 0.5)


HASH = Reward(score)
TASK = replace(GROUNDING, name="hash", rewards={"hash_task:HASH": 1.0}, metrics={"value": "hash_task:HASH"}, headline="value")
'''


@cache
def _built(family: str, shape: ToyShape) -> tuple[PreTrainedModel, ProcessorMixin]:
    return build_toy(family, WORDS, shape=shape)


def save_toy(folder: Path, family: str = "qwen3_vl", shape: ToyShape = SHAPE) -> Path:
    """A toy checkpoint of random weights in `folder`, which is returned."""
    model, processor = _built(family, shape)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def toy_vlm(family: str = "qwen3_vl", shape: ToyShape = SHAPE) -> VLM:
    """A toy model of its own, not shared with other tests; those of `toys_1d` have a shape of their own."""
    one_axis = family in toys_1d.FAMILIES
    model, processor = toys_1d.build_toy(family, WORDS) if one_axis else build_toy(family, WORDS, shape=shape)
    return VLM(model, processor, families.load(family))


def picture(width: int = 64, height: int = 64, seed: int = 0) -> Image.Image:
    """A picture with a red box and a blue disc, elsewhere for each seed."""
    image = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(image)
    left = width * (seed % 5) // 8
    draw.rectangle((left, height // 8, left + width // 3, height // 2), fill="red")
    draw.ellipse((width // 2, height // 2, width // 2 + width // 4, height - 1 - seed % 7), fill="blue")
    return image


def draw_rows(folder: Path, count: int = 6, **keys: Any) -> list[dict[str, Any]]:
    """`count` good rows whose pictures are in `folder`; `keys` are added to every row."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = []
    for i in range(count):
        picture(seed=i).save(folder / f"{i}.png")
        left = 64 * (i % 5) // 8
        answer = {"box": [left, 8, left + 21, 32]}
        row = {"id": f"row-{i}", "task": "gui", "image": f"{i}.png", "question": "the red box", "answer": answer}
        rows.append({**row, **keys})
    return rows


def write_rows(path: Path, rows: list[Any]) -> Path:
    """The rows as a JSONL file; a string stands for itself."""
    path.write_text("".join(f"{row if isinstance(row, str) else json.dumps(row)}\n" for row in rows))
    return path
