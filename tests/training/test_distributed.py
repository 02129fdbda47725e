"""Two processes do what one does: the same prompts, rollouts, metrics, evaluations and weights, whatever each of them has."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ranks import ranks
from same_runs import assert_same_evaluations, assert_same_metrics, assert_same_rollouts, assert_same_weights
from toy_runs import launch, mixed_rows, save_toy, toy_config

from vlrl.evaluation.prepare import prepare
from vlrl.logs import RunFolder
from vlrl.models import vlm as models
from vlrl.models.vlm import EncodedPrompt
from vlrl.training.config import LoraConfig, TrainConfig
from vlrl.training.grpo import train
from vlrl.training.packing import micro_batches

COMMON = {"optim.per_device_train_batch_size": 3, "grpo.beta": 0.1, "optim.max_grad_norm": 0.5}
MAX_TOKENS = 120
KINDS: dict[str, dict[str, Any]] = {
    "full": {**COMMON, "grpo.num_iterations": 2, "grpo.steps_per_generation": 2},
    "rows": {**COMMON, "optim.shared_prefix": False},
    "lora": {
        **COMMON,
        "model.lora": LoraConfig(r=4, alpha=8),
        "model.gradient_checkpointing": True,
        "grpo.aggregation": "token_mean",
        "optim.learning_rate": 1e-2,
    },
    "mixed": {
        **COMMON,
        "rollout.generation_batch_size": 8,
        "optim.max_tokens_per_micro_batch": MAX_TOKENS,
        "max_steps": 4,
        "grpo.num_iterations": 2,
    },
}
"""`mixed`: one prompt a step on each process, of different media or none."""


def kind_config(folder: Path, checkpoint: Path, kind: str) -> TrainConfig:
    config = toy_config(folder, checkpoint, KINDS[kind])
    return replace(config, data=[mixed_rows(folder)]) if kind == "mixed" else config


@pytest.fixture(scope="module", params=list(KINDS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    """The run of one process and that of two, of the same configuration.

    `full` goes through `accelerate launch`; `mixed` is stopped half way, and goes on in the same launch.
    """
    root = tmp_path_factory.mktemp(request.param)
    checkpoint = save_toy(root / "toy", "qwen3_vl")
    alone, together = (kind_config(root / processes, checkpoint, request.param) for processes in ("one", "two"))
    if request.param == "full":
        launch(together, root, "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
    else:
        half = [replace(together, max_steps=2)] if request.param == "mixed" else []
        ranks().train(root, "ddp", *half, replace(together, resume=bool(half)))
    train(alone)
    return RunFolder(alone.output_dir), RunFolder(together.output_dir)


def test_there_were_two_processes(pair: tuple[RunFolder, RunFolder]) -> None:
    random_states = [list(folder.checkpoint_dir(2).glob("state/random_states_*.pkl")) for folder in pair]
    assert [len(states) for states in random_states] == [1, 2]


def test_the_runs_are_the_same(pair: tuple[RunFolder, RunFolder]) -> None:
    one, two = pair
    rows = one.metrics()
    assert_same_metrics(one, two)
    assert_same_rollouts(one, two, range(1, len(rows) + 1))
    assert_same_evaluations(one, two, 0, len(rows))
    assert_same_weights(one, two, len(rows))
    assert one.summary()["metrics"] == two.summary()["metrics"]


def test_the_runs_are_no_trivial_ones(pair: tuple[RunFolder, RunFolder]) -> None:
    one = pair[0]
    rows = one.metrics()
    assert all(row["grad_norm"] > 0.1 for row in rows)
    assert rows[-1]["kl"] > 1e-3
    assert len({group.sample.id for group in one.groups(1)}) == len(one.groups(1)) > 1
    assert len(one.eval_rows(0)) == 5
    assert one.eval_rows(0) != one.eval_rows(len(rows))


class PromptTokens(NamedTuple):
    prompt: EncodedPrompt
    token_ids: list[int]


def test_the_processes_cut_differently(tmp_path: Path) -> None:
    """In `mixed` they have other numbers of micro-batches before they agree on one, and text only beside pictures."""
    config = kind_config(tmp_path, save_toy(tmp_path / "toy", "qwen3_vl"), "mixed")
    train(config)
    vlm = models.load(config.model.name_or_path, video_limits=config.model.video)
    cuts, media = [], []
    for step in range(1, 5):
        groups = RunFolder(config.output_dir).groups(step)
        prompts = [prepare(group.sample, vlm, "direct", 512).encoded for group in groups]
        rows = [[PromptTokens(p, r.completion.token_ids) for r in g.rollouts] for p, g in zip(prompts, groups, strict=True)]
        cuts.append([len(micro_batches(mine, MAX_TOKENS)) for mine in rows])
        media.append([len(group.sample.media) for group in groups])
    assert any(first != second for first, second in cuts)
    assert any((first == 0) != (second == 0) for first, second in media)
