"""Small runs for the tests of training: a toy checkpoint, some rows with pictures and some without, and a `Run` of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import asdict, replace
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image
from torch import Tensor

from vlrl.models.tiny.build import ToyShape, build_toy
from vlrl.training import setup
from vlrl.training.config import DatasetConfig, EvaluationConfig, ModelConfig, OptimConfig, RolloutConfig, TrainConfig
from vlrl.training.setup import Run

ROOT = Path(__file__).parents[2]
QUICKSTART = ROOT / "data_recipes" / "quickstart"
SHAPE = ToyShape(hidden_size=32, text_layers=2, vision_layers=2, patch_size=8, spatial_merge_size=2, image_side=64)


def save_toy(folder: Path, family: str = "qwen2_5_vl", words: tuple[str, ...] = ()) -> Path:
    """Write a random toy checkpoint: far from uniform, every sixth token an end token, so that completions are ragged."""
    model, processor = build_toy(family, words, shape=replace(SHAPE, deepstack=(0,) if family == "qwen3_vl" else ()))
    with torch.no_grad():
        model.model.language_model.norm.weight *= 3
    model.generation_config.eos_token_id = [processor.tokenizer.eos_token_id, *range(0, len(processor.tokenizer), 6)]
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def toy_config(folder: Path, checkpoint: Path, overrides: dict[str, Any] | None = None) -> TrainConfig:
    """Two steps on 16 completions of four prompts, one of them without a picture; `overrides` are keyed `grpo.beta`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = TrainConfig(
        data=[DatasetConfig(str(_write_rows(folder, "train", 12)), "toy_task:TASK")],
        output_dir=str(folder / "run"),
        max_steps=2,
        save_every=2,
        model=ModelConfig(str(checkpoint), dtype="float32"),
        rollout=RolloutConfig(num_generations=4, generation_batch_size=16, max_prompt_length=512, max_completion_length=8),
        optim=OptimConfig(learning_rate=1e-3, warmup_steps=0, per_device_train_batch_size=16),
        evaluation=EvaluationConfig([DatasetConfig(str(_write_rows(folder, "heldout", 5)), "toy_task:TASK")], every=2),
    )
    for key, value in (overrides or {}).items():
        *path, name = key.split(".")
        owner = reduce(getattr, path, config)
        assert hasattr(owner, name), key
        setattr(owner, name, value)
    return config


def mixed_rows(folder: Path) -> DatasetConfig:
    """Eight rows: a picture, no media, a video, two pictures, and so on."""
    lines = (QUICKSTART / "gui_train.jsonl").read_text().splitlines()[:28:7]
    pictures = [str(QUICKSTART / json.loads(line)["image"]) for line in lines]
    media: list[dict[str, Any]] = [{"image": pictures[0]}, {}, {"video": pictures, "video_fps": 2}, {"images": pictures[:2]}]
    rows = [{"question": f"now {i}", "answer": {"box": [0, 0, 1, 1]}, **media[i % 4]} for i in range(8)]
    path = folder / "mixed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return DatasetConfig(str(path), "toy_task:TASK")


def toy_run(folder: Path, checkpoint: Path, overrides: dict[str, Any] | None = None) -> Run:
    """What `train` works on, built by the code that builds every run."""
    return setup.build(toy_config(folder, checkpoint, overrides))


def launch(config: TrainConfig, folder: Path, *flags: str) -> None:
    """Train under `accelerate launch` on the CPU.

    `--cpu --num_processes 2` would quietly start a single process (it wants mpirun), so `--multi_gpu` and an environment variable
    stand for it: torchrun starts the processes, and they talk over gloo.
    """
    path = folder / "config.yaml"
    path.write_text(yaml.safe_dump(asdict(config)))
    always = ["--num_machines", "1", "--dynamo_backend", "no"]
    script = ROOT / "scripts" / "train_grpo.py"
    command = [Path(sys.executable).parent / "accelerate", "launch", *always, *flags, script, "--config", path]
    modules = os.pathsep.join([str(ROOT), str(Path(__file__).parent)])
    own = {"PYTHONPATH": modules, "ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    done = subprocess.run(command, env={**os.environ, **own}, timeout=300, **output)  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout[-4000:]


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Noise: no two patches are alike."""
    pixels = torch.randint(0, 256, (height, width, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))
    return Image.fromarray(pixels.numpy())


def record_gradients(run: Run, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Tensor]]:
    """A list that grows by every optimiser step's gradients, as the optimiser sees them."""
    steps: list[dict[str, Tensor]] = []
    step = run.optimizer.step

    def recording_step() -> None:
        named = run.vlm.model.named_parameters()
        steps.append({name: parameter.grad.clone() for name, parameter in named if parameter.grad is not None})
        step()

    monkeypatch.setattr(run.optimizer, "step", recording_step)
    return steps


def relative(value: Tensor, expected: Tensor, floor: float = 0.0) -> float:
    """|value - expected| / max(|expected|, floor), in Euclidean norms."""
    return float((value - expected).norm() / expected.norm().clamp(min=floor))


def worst_relative(gradients: dict[str, Tensor], expected: dict[str, Tensor]) -> float:
    """The largest relative difference of a parameter's gradient; below 1e-4 of the total norm a gradient counts as that much."""
    assert gradients.keys() == expected.keys()
    total = float(torch.stack([gradient.norm() for gradient in expected.values()]).norm())
    return max(relative(gradients[name], gradient, 1e-4 * total) for name, gradient in expected.items())


def _write_rows(folder: Path, split: str, count: int) -> Path:
    """Rows of the quickstart's GUI data, of different pictures; every fourth keeps its question only."""
    lines = (QUICKSTART / f"gui_{split}.jsonl").read_text().splitlines()[: 7 * count : 7]
    path = folder / f"{split}.jsonl"
    path.write_text("".join(json.dumps(_row(json.loads(line), i % 4 == 3)) + "\n" for i, line in enumerate(lines)))
    return path


def _row(row: dict[str, Any], text_only: bool) -> dict[str, Any]:
    row = {**row, "image": str(QUICKSTART / row["image"])}
    dropped = {"task", "image"} if text_only else {"task"}
    return {key: value for key, value in row.items() if key not in dropped}
