"""Weights split over two processes (FSDP2, DeepSpeed ZeRO-2 and ZeRO-3) train as one process does that holds them all.

The two processes never have the same media: in the first step one has a question without any and the other a picture, in the
second a video and two pictures. Where only one of them ran the vision tower, they would wait for each other for ever.
"""

from __future__ import annotations

import json
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ranks import ranks
from same_runs import assert_same_evaluations, assert_same_metrics, assert_same_rollouts, assert_same_weights
from toy_runs import mixed_rows, save_toy, toy_config

from vlrl.logs import RunFolder
from vlrl.models import head
from vlrl.training.config import LoraConfig, TrainConfig
from vlrl.training.grpo import train
from vlrl.types import UserError

NEEDS_DEEPSPEED = pytest.mark.skipif(find_spec("deepspeed") is None, reason="deepspeed is not installed")
KINDS: dict[str, dict[str, Any]] = {
    "full": {"grpo.beta": 0.1, "grpo.num_iterations": 2, "max_steps": 4},
    "rows": {"optim.shared_prefix": False, "optim.per_device_train_batch_size": 3},
    "frozen": {"model.freeze_vision_tower": True, "grpo.beta": 0.1},
    "lora": {
        "model.lora": LoraConfig(r=4, alpha=8),
        "model.gradient_checkpointing": True,
        "grpo.beta": 0.1,
        "optim.learning_rate": 1e-2,
    },
}


CASES = [
    *[pytest.param("fsdp2", kind) for kind in KINDS],
    *[pytest.param("zero2", kind, marks=NEEDS_DEEPSPEED) for kind in ("full", "lora")],
    *[pytest.param("zero3", kind, marks=NEEDS_DEEPSPEED) for kind in KINDS],
]


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"), "qwen3_vl")


@pytest.fixture(scope="module")
def alone(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunFolder]:
    """The runs of one process, by kind."""
    runs = {}
    for kind in KINDS:
        config = mixed_config(tmp_path_factory.mktemp(kind), checkpoint, kind)
        train(config)
        runs[kind] = RunFolder(config.output_dir)
    return runs


def mixed_config(folder: Path, checkpoint: Path, kind: str) -> TrainConfig:
    """One prompt a step on each of two processes, of different media; a stream holds little more than a prompt."""
    common = {
        "data": [mixed_rows(folder)],
        "rollout.generation_batch_size": 8,
        "optim.max_tokens_per_micro_batch": 120,
        "optim.max_grad_norm": 0.5,
        "seed": 5,
    }
    return toy_config(folder, checkpoint, {**common, **KINDS[kind]})


@pytest.mark.parametrize(("mode", "kind"), CASES)
def test_equals_one_process(mode: str, kind: str, alone: dict[str, RunFolder], checkpoint: Path, tmp_path: Path) -> None:
    """With full weights the run is stopped half way and goes on from its checkpoint; calls of the head are many and uneven."""
    config = mixed_config(tmp_path, checkpoint, kind)
    half = [replace(config, max_steps=2)] if kind == "full" else []
    ranks().train(tmp_path, mode, *half, replace(config, resume=bool(half)), chunk=4 if half else head.CHUNK)
    found = RunFolder(config.output_dir)
    assert_same_metrics(alone[kind], found)
    assert_same_rollouts(alone[kind], found, range(1, config.max_steps + 1))
    assert_same_evaluations(alone[kind], found, 0, config.max_steps)
    assert_same_weights(alone[kind], found, config.max_steps)


def test_the_processes_have_different_media(alone: dict[str, RunFolder]) -> None:
    """What makes the test above one."""
    steps = [[[media.kind for media in group.sample.media] for group in alone["full"].groups(step)] for step in (1, 2)]
    assert steps == [[[], ["image"]], [["video"], ["image", "image"]]]


def test_a_checkpoint_split_otherwise_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    config = mixed_config(tmp_path, checkpoint, "rows")
    train(config)
    state = RunFolder(config.output_dir).checkpoint_dir(2) / "trainer_state.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "split_by": "FSDP"}))
    with pytest.raises(UserError, match="split by FSDP, those of this launch are whole; launch as it was written"):
        train(replace(config, resume=True))
