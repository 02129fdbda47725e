"""A step holds and encodes its pictures once, however many completions each of them has."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_runs import save_toy, toy_run

from vlrl.training.grpo import grpo_step

PIXELS_OF_A_PATCH = 3 * 2 * 8 * 8
"""Colours x frames x height x width: the second dimension of the pixel tensors, and of nothing else in the toy model."""


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"), "qwen2_5_vl")


def held_bytes() -> int:
    """Bytes of all pixel tensors that are alive, shared memory counted once."""
    tensors = [found for found in gc.get_objects() if type(found) is torch.Tensor and found.dim() == 2]
    pixels = [tensor.untyped_storage() for tensor in tensors if tensor.shape[1] == PIXELS_OF_A_PATCH]
    return sum({storage.data_ptr(): storage.nbytes() for storage in pixels}.values())


def step(folder: Path, checkpoint: Path, group: int, overrides: dict[str, Any]) -> tuple[int, int]:
    """The most bytes of pixels alive when the vision tower or the optimiser begins, and the patches that the tower encodes."""
    sizes = {"rollout.num_generations": group, "rollout.generation_batch_size": 4 * group, "rollout.max_completion_length": 4}
    run = toy_run(folder, checkpoint, {**sizes, "optim.per_device_train_batch_size": 128, **overrides})
    run.checked = True
    held, patches = [], []
    before = held_bytes()

    def look(module: torch.nn.Module, args: tuple[torch.Tensor, ...], kwargs: dict[str, Any]) -> None:
        held.append(held_bytes() - before)
        patches.append(len(args[0] if args else kwargs["hidden_states"]))

    run.vlm.base.model.visual.register_forward_pre_hook(look, with_kwargs=True)
    run.optimizer.optimizer.register_step_pre_hook(lambda *_: held.append(held_bytes() - before))
    grpo_step(run)
    return max(held), sum(patches)


@pytest.mark.parametrize("overrides", [{}, {"model.freeze_vision_tower": True, "grpo.beta": 0.1, "grpo.num_iterations": 2}])
def test_pictures_do_not_grow_with_the_group(checkpoint: Path, tmp_path: Path, overrides: dict[str, Any]) -> None:
    small, large = (step(tmp_path / str(group), checkpoint, group, overrides) for group in (4, 32))
    assert small == large
    assert small[0] > 0


def test_rows_of_their_own_do(checkpoint: Path, tmp_path: Path) -> None:
    """The measure sees what it should: without shared prefixes each completion brings its picture."""
    small, large = (step(tmp_path / str(group), checkpoint, group, {"optim.shared_prefix": False}) for group in (4, 32))
    assert large[0] > 4 * small[0]
    assert large[1] > 4 * small[1]
