"""The first step of a run compares shared prefixes with rows of their own, and falls back on these where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from toy_runs import save_toy, toy_run

from vlrl.models.shared_prefix import Layout
from vlrl.training import packing, self_check
from vlrl.training.config import LoraConfig
from vlrl.training.grpo import grpo_step


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_toy(tmp_path_factory.mktemp("toy"), "qwen3_vl")


class OneBranch:
    """A layout whose branches see each other."""

    @staticmethod
    def of(shapes: Sequence[tuple[int, Sequence[int]]], *blocks: Any) -> Layout:
        return Layout.of([(prefix, [sum(branches)]) for prefix, branches in shapes], *blocks)


def test_a_broken_layout_is_left(
    checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one line, and the step is that of a run without shared prefixes."""
    monkeypatch.setattr(packing, "Layout", OneBranch)
    found, expected = toy_run(tmp_path / "a", checkpoint), toy_run(tmp_path / "b", checkpoint, {"optim.shared_prefix": False})
    capsys.readouterr()
    metrics = [{k: v for k, v in grpo_step(run)[0].items() if not k.startswith("time/")} for run in (found, expected)]
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == 1
    assert printed[0].startswith("Qwen3VLForConditionalGeneration: shared prefixes change its log-probabilities by ")
    assert not found.shares_prefixes
    assert metrics[0] == pytest.approx(metrics[1], rel=1e-6)


@pytest.mark.parametrize("overrides", [{}, {"model.lora": LoraConfig(dropout=0.5)}, {"model.gradient_checkpointing": True}])
def test_a_right_one_is_kept(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], overrides: dict[str, Any]
) -> None:
    """Dropout, which would make the two differ, is off while they are compared."""
    run = toy_run(tmp_path, checkpoint, overrides)
    capsys.readouterr()
    grpo_step(run)
    assert (run.shares_prefixes, run.checked) == (True, True)
    assert capsys.readouterr().out == ""


def test_it_looks_once(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, calls = toy_run(tmp_path, checkpoint), []
    monkeypatch.setattr(self_check, "collate", lambda *args: calls.append(args) or packing.pack(*args))
    grpo_step(run)
    grpo_step(run)
    assert len(calls) == 1


def test_a_nan_is_a_difference(checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = toy_run(tmp_path, checkpoint)
    monkeypatch.setattr(self_check, "LIMITS", {torch.float32: float("nan"), torch.bfloat16: float("nan")})
    grpo_step(run)
    assert not run.shares_prefixes
