"""Two processes do what one does: the same prompts, rollouts, metrics and evaluations, for full weights and for LoRA."""

from __future__ import annotations

from typing import Any

import pytest
from toy_runs import launch, save_toy, toy_config

from vlrl.logs import RunFolder
from vlrl.training.config import LoraConfig
from vlrl.training.grpo import train

COMMON = {"optim.per_device_train_batch_size": 3, "grpo.beta": 0.1, "optim.max_grad_norm": 0.5}
KINDS: dict[str, dict[str, Any]] = {
    "full": {**COMMON, "grpo.num_iterations": 2, "grpo.steps_per_generation": 2},
    "lora": {
        **COMMON,
        "model.lora": LoraConfig(r=4, alpha=8),
        "model.gradient_checkpointing": True,
        "grpo.aggregation": "token_mean",
        "optim.learning_rate": 1e-2,
    },
}


@pytest.fixture(scope="module", params=list(KINDS))
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunFolder, RunFolder]:
    """The run of one process and that of two, of the same configuration."""
    root = tmp_path_factory.mktemp(request.param)
    checkpoint = save_toy(root / "toy", "qwen3_vl")
    alone, together = (toy_config(root / processes, checkpoint, KINDS[request.param]) for processes in ("one", "two"))
    launch(together, root, "--multi_gpu", "--num_processes", "2", "--main_process_port", "0")
    train(alone)
    return RunFolder(alone.output_dir), RunFolder(together.output_dir)


def test_there_were_two_processes(pair: tuple[RunFolder, RunFolder]) -> None:
    random_states = [list(folder.checkpoint_dir(2).glob("state/random_states_*.pkl")) for folder in pair]
    assert [len(states) for states in random_states] == [1, 2]


def test_metrics_are_the_same(pair: tuple[RunFolder, RunFolder]) -> None:
    one, two = ([_comparable(row) for row in folder.metrics()] for folder in pair)
    assert len(one) == 2
    for expected, found in zip(one, two, strict=True):
        assert found == pytest.approx(expected, rel=1e-5, abs=1e-7)
        assert expected["grad_norm"] > 0.1
    assert one[1]["kl"] > 1e-3


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """Without the times, and without the difference between sampling and training, which is nothing but rounding here."""
    assert row["sampling/logp_difference"] < 1e-5
    return {name: value for name, value in row.items() if not name.startswith(("time/", "sampling/"))}


def test_rollouts_are_the_same(pair: tuple[RunFolder, RunFolder]) -> None:
    """Group by group, in the order of the draws; the log-probabilities to rounding."""
    for step in (1, 2):
        one, two = (folder.groups(step) for folder in pair)
        assert len({group.sample.id for group in one}) == 4
        for expected, found in zip(one, two, strict=True):
            assert found.sample.id == expected.sample.id
            assert found.prompt == expected.prompt
            for theirs, ours in zip(expected.rollouts, found.rollouts, strict=True):
                assert ours.completion.token_ids == theirs.completion.token_ids
                assert ours.completion.logprobs == pytest.approx(theirs.completion.logprobs, rel=1e-4, abs=1e-5)
                assert ours.score == theirs.score
                assert ours.advantage == pytest.approx(theirs.advantage, rel=1e-4, abs=1e-5)


def test_evaluations_are_the_same(pair: tuple[RunFolder, RunFolder]) -> None:
    one, two = pair
    for step in (0, 2):
        rows, others = ([{**row, "sample": row["sample"]["id"]} for row in folder.eval_rows(step)] for folder in (one, two))
        assert len(rows) == 5
        assert rows == others
    assert one.evals() == two.evals()
    assert one.summary()["metrics"] == two.summary()["metrics"]
    assert one.eval_rows(0) != one.eval_rows(2)
