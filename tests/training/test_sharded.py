"""Weights split over two processes (FSDP2, DeepSpeed ZeRO-2 and ZeRO-3) train as one process does that holds them all.

The two processes never have the same media: in one step the first has a picture and the second a question without any, in the
next a video and two pictures. Where only one of them ran the vision tower, they would wait for each other for ever.
"""

from __future__ import annotations

from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from ranks import ranks
from same_runs import assert_same_evaluations, assert_same_metrics, assert_same_rollouts, assert_same_weights
from toy_runs import mixed_rows, save_toy, toy_config

from vlrl.logs import RunFolder
from vlrl.training.config import LoraConfig, TrainConfig
from vlrl.training.grpo import train

NEEDS_DEEPSPEED = pytest.mark.skipif(find_spec("deepspeed") is None, reason="deepspeed is not installed")
MODES = ["fsdp2", pytest.param("zero2", marks=NEEDS_DEEPSPEED), pytest.param("zero3", marks=NEEDS_DEEPSPEED)]
STEPS = 4
KINDS: dict[str, dict[str, Any]] = {
    "full": {"grpo.beta": 0.1, "grpo.num_iterations": 2},
    "rows": {"optim.shared_prefix": False, "optim.per_device_train_batch_size": 3},
    "frozen": {"model.freeze_vision_tower": True, "grpo.beta": 0.1},
    "lora": {
        "model.lora": LoraConfig(r=4, alpha=8),
        "model.gradient_checkpointing": True,
        "grpo.beta": 0.1,
        "optim.learning_rate": 1e-2,
    },
}


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
        "max_steps": STEPS,
    }
    return toy_config(folder, checkpoint, {**common, **KINDS[kind]})


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mode", MODES)
def test_equals_one_process(mode: str, kind: str, alone: dict[str, RunFolder], checkpoint: Path, tmp_path: Path) -> None:
    """With full weights the run is stopped half way and goes on from its checkpoint."""
    config = mixed_config(tmp_path, checkpoint, kind)
    half = [replace(config, max_steps=STEPS // 2)] if kind == "full" else []
    ranks().train(tmp_path, mode, *half, replace(config, resume=bool(half)))
    found = RunFolder(config.output_dir)
    assert_same_metrics(alone[kind], found)
    assert_same_rollouts(alone[kind], found, range(1, STEPS + 1))
    assert_same_evaluations(alone[kind], found, 0, STEPS)
    assert_same_weights(alone[kind], found, STEPS)


def test_the_processes_have_different_media(alone: dict[str, RunFolder]) -> None:
    """What makes the test above one: a step with a picture beside no media, and one with a video beside none of that kind."""
    pairs = [[{m.kind for m in group.sample.media} for group in alone["full"].groups(step)] for step in range(1, STEPS + 1)]
    assert any(sorted(map(len, pair)) == [0, 1] for pair in pairs)
    assert any(("video" in pair[0]) != ("video" in pair[1]) for pair in pairs)
