"""Cutting a step into micro-batches changes nothing; cutting it into passes and minibatches keeps the old log-probabilities."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from toy_runs import record_gradients, save_toy, toy_run, worst_relative

from vlrl.training import grpo
from vlrl.training.grpo import grpo_step
from vlrl.training.objective import Row
from vlrl.training.policy import TokenStats

CUTS = [
    {"optim.shared_prefix": False, "optim.per_device_train_batch_size": 2},
    {"optim.shared_prefix": False, "optim.per_device_train_batch_size": 3},
    {"optim.max_tokens_per_micro_batch": 100},
]
AGGREGATIONS = ("sequence_mean", "token_mean", "constant_length")


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"), "qwen3_vl")


def step_metrics(
    folder: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, overrides: dict[str, Any]
) -> tuple[dict[str, float], list[dict[str, Tensor]]]:
    """The metrics of a first step, timings left out, and the gradients of its updates."""
    run = toy_run(folder, checkpoint, overrides)
    gradients = record_gradients(run, monkeypatch)
    run.step = 1
    metrics, _ = grpo_step(run)
    return {name: value for name, value in metrics.items() if not name.startswith("time/")}, gradients


@pytest.mark.parametrize("aggregation", AGGREGATIONS)
@pytest.mark.parametrize("cut", CUTS, ids=lambda cut: "-".join(map(str, cut.values())))
def test_micro_batches_change_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, aggregation: str, cut: dict[str, Any]
) -> None:
    """16 rows by 2, by 3 with one left over, and streams of 100 tokens, against all at once; two passes: ratios are not 1."""
    overrides = {"grpo.aggregation": aggregation, "grpo.num_iterations": 2, "optim.learning_rate": 1e-2}
    found, gradients = step_metrics(tmp_path / "parts", checkpoint, monkeypatch, {**overrides, **cut})
    expected, whole = step_metrics(tmp_path / "whole", checkpoint, monkeypatch, overrides)
    assert expected["completions/mean_length"] % 1  # ragged, so that the aggregations differ
    assert expected["clip_ratio/region_mean"] > 0
    assert expected["kl"] > 1e-3
    assert found == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert worst_relative(gradients[0], whole[0]) < 1e-5
    assert worst_relative(gradients[1], whole[1]) < 1e-3  # Adam has amplified the rounding once


def test_aggregations_differ(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = [step_metrics(tmp_path / a, checkpoint, monkeypatch, {"grpo.aggregation": a}) for a in AGGREGATIONS]
    norms = sorted(metrics["grad_norm"] for metrics, _ in found)
    assert norms[1] > 1.01 * norms[0]
    assert norms[2] > 1.01 * norms[1]
    assert norms[0] > 0


class LossSpy:
    """Stands in for `loss_share` and keeps each call's rows and log-probabilities."""

    def __init__(self) -> None:
        self.real = grpo.loss_share
        self.calls: list[tuple[list[Row], list[Tensor]]] = []

    def __call__(self, algorithm: Any, bias: bool, rows: list[Row], stats: TokenStats, *rest: Any) -> Any:
        logprobs = stats.logprobs_BT.detach()
        self.calls.append((rows, [logprobs[b, : len(row.token_ids)].clone() for b, row in enumerate(rows)]))
        return self.real(algorithm, bias, rows, stats, *rest)

    def drift(self, call: int) -> float:
        """The largest |log ratio| of a call."""
        rows, logprobs = self.calls[call]
        return max(float((lp - row.old_logprobs_T).abs().max()) for row, lp in zip(rows, logprobs, strict=True))


@pytest.mark.parametrize(("iterations", "minibatches"), [(2, 1), (1, 2), (2, 2)])
def test_old_logprobs_stay_fixed(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, iterations: int, minibatches: int
) -> None:
    """Only the first update works with the weights that sampled; the old log-probabilities are theirs throughout."""
    spy = LossSpy()
    monkeypatch.setattr(grpo, "loss_share", spy)
    run = toy_run(
        tmp_path,
        checkpoint,
        {"grpo.num_iterations": iterations, "grpo.steps_per_generation": minibatches, "optim.learning_rate": 1e-2},
    )
    run.step = 1
    metrics, groups = grpo_step(run)

    assert len(spy.calls) == iterations * minibatches == run.scheduler.last_epoch
    assert spy.drift(0) < 1e-5
    assert all(spy.drift(i) > 1e-2 for i in range(1, len(spy.calls)))
    sampling = [torch.tensor(rollout.completion.logprobs) for group in groups for rollout in group.rollouts]
    for i in range(0, len(spy.calls), minibatches):  # one pass over the batch
        rows = [row for call in spy.calls[i : i + minibatches] for row in call[0]]
        assert len(rows) == 16
        for row, sampling_T in zip(rows, sampling, strict=True):
            torch.testing.assert_close(row.old_logprobs_T, sampling_T, atol=1e-5, rtol=0)
    assert metrics["sampling/logp_difference"] < 1e-5
    assert metrics["clip_ratio/region_mean"] > 0


def test_on_policy_needs_no_old_logprobs(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spy = LossSpy()
    monkeypatch.setattr(grpo, "loss_share", spy)
    run = toy_run(tmp_path, checkpoint, {})
    run.step = 1
    metrics, _ = grpo_step(run)
    assert all(row.old_logprobs_T is None for rows, _ in spy.calls for row in rows)
    assert metrics["clip_ratio/region_mean"] == 0
    assert metrics["kl"] == 0
