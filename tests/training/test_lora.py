"""LoRA runs: which weights move, what the reference is, what a checkpoint holds; gradient checkpointing changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from toy_runs import record_gradients, save_toy, toy_config, toy_run, worst_relative

from vlrl.models import vlm as models
from vlrl.training import grpo
from vlrl.training.config import LoraConfig
from vlrl.training.grpo import grpo_step, train
from vlrl.training.objective import Row
from vlrl.training.policy import Policy, collate
from vlrl.training.setup import Run

LORA = {"model.lora": LoraConfig(r=4, alpha=8), "optim.learning_rate": 1e-2}
FAMILIES = ("qwen2_5_vl", "qwen3_vl")


@pytest.fixture(scope="module", params=FAMILIES)
def checkpoint(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"), request.param)


def weights(run: Run) -> dict[str, Tensor]:
    return {name: parameter.detach().clone() for name, parameter in run.vlm.model.named_parameters()}


def test_only_adapters_move(checkpoint: Path, tmp_path: Path) -> None:
    run = toy_run(tmp_path, checkpoint, LORA)
    before = weights(run)
    for run.step in (1, 2):
        grpo_step(run)
    moved = {name for name, tensor in weights(run).items() if not torch.equal(tensor, before[name])}
    assert moved == {name for name in before if "lora_" in name}
    assert all("language_model" in name for name in moved)
    assert len(moved) == 2 * 7 * 2  # A and B of seven projections in two layers


def test_reference_is_the_policy_without_its_adapters(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """KL 0 while the adapters are; and later the reference's log-probabilities are those of the checkpoint one began with."""
    kept: list[Row] = []
    real = grpo.with_fixed_logprobs

    def keep(run: Run, rows: list[Row]) -> list[Row]:
        kept[:] = real(run, rows)
        return kept

    monkeypatch.setattr(grpo, "with_fixed_logprobs", keep)
    run = toy_run(tmp_path, checkpoint, {**LORA, "grpo.beta": 0.1})
    assert run.reference is None
    run.step = 1
    first, _ = grpo_step(run)
    run.step = 2
    second, _ = grpo_step(run)
    assert first["kl"] == 0
    assert second["kl"] > 1e-3

    base = Policy(models.load(str(checkpoint), "float32"), temperature=1.0)
    with torch.no_grad():
        stats = base(collate(base.vlm, [row.prompt for row in kept], [row.token_ids for row in kept]))
    for b, row in enumerate(kept):
        torch.testing.assert_close(row.ref_logprobs_T, stats.logprobs_BT[b, : len(row.token_ids)], atol=1e-5, rtol=0)


def test_checkpoint_holds_the_adapter(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs: list[Run] = []
    build = grpo.build
    monkeypatch.setattr(grpo, "build", lambda config: runs.append(build(config)) or runs[0])
    train(toy_config(tmp_path, checkpoint, LORA))

    folder = tmp_path / "run" / "checkpoints" / "000002" / "model"
    assert (folder / "adapter_config.json").is_file()
    assert not list(folder.glob("model*.safetensors"))
    trained, loaded, base = runs[0].vlm, models.load(str(folder), "float32"), models.load(str(checkpoint), "float32")
    prompts = [prompt.encoded for prompt in runs[0].stream.take(4)[0]]
    completions = [[3, 4, 5], [6], [7, 8], [9, 10, 11, 12]]
    trained.model.eval()
    with torch.no_grad():
        found, expected, start = (
            Policy(vlm, 1.0)(collate(vlm, prompts, completions)).logprobs_BT for vlm in (loaded, trained, base)
        )
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=0)
    assert (found - start).abs().max() > 0.1


def two_updates(
    folder: Path, checkpoint: Path, monkeypatch: pytest.MonkeyPatch, overrides: dict[str, Any]
) -> tuple[list[dict[str, Tensor]], int]:
    """Their gradients, and how often the first decoder layer ran forward with the model in training mode."""
    run = toy_run(folder, checkpoint, {**overrides, "grpo.num_iterations": 2})
    gradients, forwards = record_gradients(run, monkeypatch), []
    layer: nn.Module = run.vlm.base.model.language_model.layers[0].self_attn.q_proj
    layer.register_forward_hook(lambda module, *_: forwards.append(module.training))
    run.step = 1
    grpo_step(run)
    return gradients, sum(forwards)


@pytest.mark.parametrize("lora", [False, True], ids=["full weights", "LoRA"])
@pytest.mark.parametrize("frozen", [False, True], ids=["all", "vision tower frozen"])
def test_gradient_checkpointing_changes_nothing(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lora: bool, frozen: bool
) -> None:
    overrides = {**(LORA if lora else {}), "model.freeze_vision_tower": frozen}
    expected, forwards = two_updates(tmp_path / "without", checkpoint, monkeypatch, overrides)
    overrides["model.gradient_checkpointing"] = True
    found, more_forwards = two_updates(tmp_path / "with", checkpoint, monkeypatch, overrides)
    assert more_forwards == 2 * forwards == 4  # it really is switched on
    for mine, theirs in zip(found, expected, strict=True):
        assert worst_relative(mine, theirs) < 1e-5
    assert any(gradient.any() for gradient in found[0].values())
