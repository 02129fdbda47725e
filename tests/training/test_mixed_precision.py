"""`accelerate launch --mixed_precision bf16`: bfloat16 matrix products around float32 weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from toy_runs import launch, save_toy, toy_config

from vlrl.logs import RunFolder
from vlrl.training.grpo import train


def bf16_on_cpu() -> bool:
    with torch.autocast("cpu", torch.bfloat16):
        return torch.ones(2, 2).matmul(torch.ones(2, 2)).dtype is torch.bfloat16


@pytest.mark.skipif(not bf16_on_cpu(), reason="this torch has no bfloat16 autocast on the CPU")
def test_bf16_step(tmp_path: Path) -> None:
    """Near the float32 run, but not it; rollouts, policy and reference compute alike, so the first KL is still 0."""
    checkpoint = save_toy(tmp_path / "toy")
    overrides = {"max_steps": 1, "grpo.beta": 0.1, "grpo.aggregation": "token_mean"}
    exact, mixed = (toy_config(tmp_path / name, checkpoint, overrides) for name in ("exact", "mixed"))
    launch(mixed, tmp_path, "--num_processes", "1", "--mixed_precision", "bf16")
    train(exact)

    (expected,), (found,) = (RunFolder(config.output_dir).metrics() for config in (exact, mixed))
    assert found["kl"] == expected["kl"] == 0
    assert found["entropy"] == pytest.approx(expected["entropy"], rel=0.02)
    assert found["entropy"] != pytest.approx(expected["entropy"], rel=1e-6)
    assert found["sampling/logp_difference"] < 0.1
    assert found["grad_norm"] > 0
    weights = load_file(RunFolder(mixed.output_dir).checkpoint_dir(1) / "model" / "model.safetensors")
    assert {tensor.dtype for tensor in weights.values()} == {torch.float32}
    assert all(tensor.isfinite().all() for tensor in weights.values())
