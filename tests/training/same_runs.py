"""Two runs of one configuration, by one process and by several, that must be the same."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from vlrl.logs import RunFolder


def assert_same_metrics(one: RunFolder, two: RunFolder) -> None:
    """To 1e-5, times left out."""
    expected, found = (folder.metrics() for folder in (one, two))
    assert len(expected) == len(found)
    for theirs, ours in zip(expected, found, strict=True):
        assert _comparable(ours) == pytest.approx(_comparable(theirs), rel=1e-5, abs=1e-7)


def _comparable(row: dict[str, Any]) -> dict[str, Any]:
    """Without the times, and without the difference between sampling and training, which is nothing but rounding here."""
    assert row["sampling/logp_difference"] < 1e-5
    return {name: value for name, value in row.items() if not name.startswith(("time/", "sampling/"))}


def assert_same_rollouts(one: RunFolder, two: RunFolder, steps: range) -> None:
    """Group by group, in the order of the draws; the log-probabilities to rounding."""
    for step in steps:
        for expected, found in zip(one.groups(step), two.groups(step), strict=True):
            assert found.sample.id == expected.sample.id
            assert found.prompt == expected.prompt
            for theirs, ours in zip(expected.rollouts, found.rollouts, strict=True):
                assert ours.completion.token_ids == theirs.completion.token_ids
                assert ours.completion.logprobs == pytest.approx(theirs.completion.logprobs, rel=1e-4, abs=1e-5)
                assert ours.score == theirs.score
                assert ours.advantage == pytest.approx(theirs.advantage, rel=1e-4, abs=1e-5)


def assert_same_evaluations(one: RunFolder, two: RunFolder, *steps: int) -> None:
    for step in steps:
        expected, found = ([{**row, "sample": row["sample"]["id"]} for row in folder.eval_rows(step)] for folder in (one, two))
        assert found == expected
    assert two.evals() == one.evals()


def assert_same_weights(one: RunFolder, two: RunFolder, step: int) -> None:
    """Of the model folders in the checkpoints, which hold whole tensors whatever the training split; to 1e-4 of their norm."""
    (expected, found) = (_weights(folder, step) for folder in (one, two))
    assert found.keys() == expected.keys()
    for name, tensor in expected.items():
        assert found[name].shape == tensor.shape
        assert torch.linalg.vector_norm(found[name] - tensor) <= 1e-4 * torch.linalg.vector_norm(tensor), name


def _weights(folder: RunFolder, step: int) -> dict[str, torch.Tensor]:
    (file,) = (folder.checkpoint_dir(step) / "model").glob("*.safetensors")
    return load_file(file)
