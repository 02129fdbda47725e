"""`accelerate launch --mixed_precision bf16`: bfloat16 matrix products around float32 weights."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from accelerate.utils import DistributedType, FullyShardedDataParallelPlugin
from ranks import ranks
from safetensors.torch import load_file
from toy_runs import launch, save_toy, toy_config

from vlrl.logs import RunFolder
from vlrl.training import sharding
from vlrl.training.grpo import train
from vlrl.types import UserError


def bf16_on_cpu() -> bool:
    with torch.autocast("cpu", torch.bfloat16):
        return torch.ones(2, 2).matmul(torch.ones(2, 2)).dtype is torch.bfloat16


needs_bf16 = pytest.mark.skipif(not bf16_on_cpu(), reason="this torch has no bfloat16 autocast on the CPU")
needs_deepspeed = pytest.mark.skipif(find_spec("deepspeed") is None, reason="deepspeed is not installed")
ONE_STEP = {"max_steps": 1, "grpo.beta": 0.1, "grpo.aggregation": "token_mean"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="module")
def exact(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The metrics of the step in float32, by one process."""
    config = toy_config(tmp_path_factory.mktemp("exact"), checkpoint, ONE_STEP)
    train(config)
    return RunFolder(config.output_dir).metrics()[0]


@needs_bf16
@pytest.mark.parametrize("shared_prefix", [True, False])
def test_bf16_step(shared_prefix: bool, checkpoint: Path, exact: dict[str, Any], tmp_path: Path) -> None:
    """Near the float32 run, but not it; rollouts, policy and reference compute alike, so the first KL is still 0."""
    config = toy_config(tmp_path, checkpoint, {**ONE_STEP, "optim.shared_prefix": shared_prefix})
    if shared_prefix:
        printed = ranks().train(tmp_path, "ddp", config, processes=1, precision="bf16")
        assert "row of its own" not in printed  # the first step found rounding, and nothing else
    else:
        launch(config, tmp_path, "--num_processes", "1", "--mixed_precision", "bf16")
    found = assert_near(config.output_dir, exact)
    assert found["entropy"] != pytest.approx(exact["entropy"], rel=1e-6)
    assert {tensor.dtype for tensor in weights(config.output_dir)} == {torch.float32}


@needs_bf16
@pytest.mark.parametrize(
    ("mode", "dtype"),
    [("fsdp2", torch.float32), pytest.param("zero3", torch.bfloat16, marks=needs_deepspeed)],
)
def test_bf16_step_of_split_weights(
    mode: str, dtype: torch.dtype, checkpoint: Path, exact: dict[str, Any], tmp_path: Path
) -> None:
    """FSDP2 keeps float32 weights and computes in bfloat16; DeepSpeed's weights are bfloat16, float32 in the optimiser only."""
    config = toy_config(tmp_path, checkpoint, ONE_STEP)
    printed = ranks().train(tmp_path, mode, config, precision="bf16")
    assert "row of its own" not in printed
    assert_near(config.output_dir, exact)
    assert {tensor.dtype for tensor in weights(config.output_dir)} == {dtype}


def assert_near(run: str, exact: dict[str, Any]) -> dict[str, Any]:
    (found,) = RunFolder(run).metrics()
    assert found["kl"] == 0
    assert found["entropy"] == pytest.approx(exact["entropy"], rel=0.1)
    assert found["sampling/logp_difference"] < 0.03
    assert found["grad_norm"] > 0
    assert all(tensor.isfinite().all() for tensor in weights(run))
    return found


def weights(run: str) -> list[torch.Tensor]:
    return list(load_file(RunFolder(run).checkpoint_dir(1) / "model" / "model.safetensors").values())


def fsdp(**settings: Any) -> Any:
    plugin = FullyShardedDataParallelPlugin(**{"fsdp_version": 2, **settings})
    plugin.set_mixed_precision("bf16")
    return SimpleNamespace(
        distributed_type=DistributedType.FSDP, mixed_precision="bf16", state=SimpleNamespace(fsdp_plugin=plugin)
    )


def test_log_probabilities_are_not_rounded() -> None:
    """Accelerate lets FSDP2 round what leaves the model, and sum gradients in bfloat16; `configure` undoes both."""
    accelerator = fsdp()
    assert accelerator.state.fsdp_plugin.mixed_precision_policy.output_dtype is torch.bfloat16
    sharding.configure(accelerator, 1.0)
    policy = accelerator.state.fsdp_plugin.mixed_precision_policy
    assert (policy.param_dtype, policy.reduce_dtype, policy.output_dtype) == (torch.bfloat16, torch.float32, None)
    assert not policy.cast_forward_inputs


def test_what_does_not_work_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FSDP_CPU_RAM_EFFICIENT_LOADING", "false")
    with pytest.raises(UserError, match="mixed_precision is fp16; FSDP and DeepSpeed run in bf16 or no"):
        sharding.configure(SimpleNamespace(distributed_type=DistributedType.DEEPSPEED, mixed_precision="fp16"), 1.0)
    with pytest.raises(UserError, match="fsdp_version is 1; set it to 2"):
        sharding.configure(fsdp(fsdp_version=1), 1.0)
    with pytest.raises(UserError, match="fsdp_cpu_ram_efficient_loading is true; set it to false"):
        sharding.configure(fsdp(cpu_ram_efficient_loading=True), 1.0)
