"""The shared-prefix update equals the naive one in log-probabilities, entropies and gradients, family by family."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from packed_cases import (
    DEEP,
    INPUTS,
    SETTINGS,
    TEMPERATURE,
    VIDEO_FAMILIES,
    Outcome,
    assert_equal,
    both,
    checkpointed_lora,
    frozen_tower,
    full,
    lora,
    packed,
    rows_of,
    toy,
    trained_vision,
)
from torch import nn
from toy_runs import save_toy, toy_run
from toys import FAMILIES, toy_vlm
from transformers import Qwen3_5Config, Qwen3_5ForConditionalGeneration

from vlrl.models import shared_prefix
from vlrl.models.vlm import VLM
from vlrl.training.grpo import grpo_step
from vlrl.training.packing import micro_batches
from vlrl.training.policy import Policy
from vlrl.training.setup import _enable_shared_prefixes


def cases() -> list[Any]:
    """One family under all settings with all inputs; the others with all inputs, and under all settings with the mixture."""
    chosen = [("qwen3_vl", setting, kind) for setting in SETTINGS for kind in INPUTS]
    for family in FAMILIES:
        if family != "qwen3_vl":
            kinds = [kind for kind in INPUTS if "video" not in kind or family in VIDEO_FAMILIES]
            chosen += [(family, full, kind) for kind in kinds]
            chosen += [(family, setting, "mixture") for setting in SETTINGS[1:]]
    return [pytest.param(*case, id=f"{case[0]}-{case[1].__name__}-{case[2]}") for case in chosen]


@pytest.mark.parametrize(("family", "setting", "kind"), cases())
def test_packed_equals_naive(family: str, setting: Callable[[VLM], None], kind: str) -> None:
    vlm = toy(family, setting)
    slow, fast = both(vlm, rows_of(vlm, INPUTS[kind]))
    assert_equal(slow, fast)
    assert len(slow.gradients) > 5
    assert trained_vision(vlm, fast.gradients) == (kind != "text" and setting not in (frozen_tower, lora, checkpointed_lora))


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("max_tokens", [1, 50])
def test_split_groups_equal_whole_ones(family: str, max_tokens: int) -> None:
    """At one token every completion has a stream of its own; at 50 the large group of a short prompt is cut."""
    vlm = toy(family)
    rows = rows_of(vlm, INPUTS["mixture"])
    parts = micro_batches(rows, max_tokens)
    assert sum(len({id(row.prompt) for row in part}) for part in parts) > len(INPUTS["mixture"])  # a prompt stands in two
    assert (len(parts) == len(rows)) == (max_tokens == 1)
    assert_equal(*both(vlm, rows, max_tokens))


@pytest.mark.parametrize("family", FAMILIES)
def test_bf16_is_as_near_to_fp32_as_the_naive_path(family: str) -> None:
    """Measured on these models: mean error of a log-probability 0.005 to 0.007, of the gradients 1 % to 3 %, on both paths."""
    vlm = toy_vlm(family, DEEP)
    _enable_shared_prefixes(vlm, speak=True)
    rows = rows_of(vlm, INPUTS["mixture"])
    exact, _ = both(vlm, rows)
    vlm.model.to(torch.bfloat16)
    slow, fast = both(vlm, rows)
    slow_error, fast_error = ((found.logprobs_N - exact.logprobs_N).abs().mean() for found in (slow, fast))
    assert fast_error < min(1.5 * slow_error, 0.02)
    assert gradient_error(fast, exact) < min(1.5 * gradient_error(slow, exact), 0.06)


def gradient_error(found: Outcome, exact: Outcome) -> float:
    """Relative, of all gradients as one vector."""
    names = exact.gradients
    difference = torch.stack([(found.gradients[n].float() - names[n]).norm() for n in names]).norm()
    return float(difference / torch.stack([g.norm() for g in names.values()]).norm())


@pytest.mark.parametrize("family", FAMILIES)
def test_a_completion_changes_nothing_in_the_others(family: str) -> None:
    vlm = toy(family)
    rows = rows_of(vlm, INPUTS["mixture"])
    policy = Policy(vlm, TEMPERATURE)
    with torch.no_grad():
        before = policy(packed(vlm, rows)[0]).logprobs_BT
        changed = 2
        rows[changed] = rows[changed]._replace(token_ids=rows[changed].token_ids[::-1])
        after = policy(packed(vlm, rows)[0]).logprobs_BT
    others = [b for b in range(len(rows)) if b != changed]
    assert (after[changed] - before[changed]).abs().max() > 1e-2
    torch.testing.assert_close(after[others], before[others], atol=1e-6, rtol=0)


def test_a_step_calls_a_frozen_tower_once_per_prompt(tmp_path: Path) -> None:
    """Rollouts, old and reference log-probabilities and two iterations of two updates each, in micro-batches."""
    keys = {"model.freeze_vision_tower": True, "grpo.num_iterations": 2, "grpo.steps_per_generation": 2, "grpo.beta": 0.1}
    run = toy_run(tmp_path, save_toy(tmp_path / "toy"), keys | {"optim.max_tokens_per_micro_batch": 100})
    grpo_step(run)  # which checks the packed path against the naive one
    assert run.shares_prefixes
    assert run.reference is not None
    calls: list[nn.Module] = []
    for vlm in (run.vlm, run.reference.vlm):
        vlm.base.model.visual.register_forward_hook(lambda module, *_: calls.append(module))
    for _ in range(2):
        calls.clear()
        _, groups = grpo_step(run)
        assert len(calls) == sum(bool(group.sample.media) for group in groups) > 1


# models that cannot share


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"layer_types": ["full_attention", "linear_attention"]}, "its layers of type linear_attention are not attention over"),
        ({"layer_types": ["chunked_attention", "full_attention"]}, "its layers of type chunked_attention are not attention over"),
        ({"attn_logit_softcapping": 30.0}, "its attention caps its logits"),
        ({"_attn_implementation": "eager"}, "attn_implementation is eager, not sdpa"),
    ],
    ids=str,
)
def test_settings_that_cannot_share_fall_back_with_one_line(
    change: dict[str, Any], why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    vlm = toy_vlm("qwen3_vl")
    for key, value in change.items():
        setattr(vlm.base.config.text_config, key, value)
    assert not _enable_shared_prefixes(vlm, speak=True)
    line = capsys.readouterr().out
    assert line.startswith(f"Qwen3VLForConditionalGeneration cannot share prefixes: {why}")
    assert line.endswith("Every completion gets a row of its own\n")
    assert line.count("\n") == 1
    assert not _enable_shared_prefixes(vlm, speak=False)
    assert capsys.readouterr().out == ""


def test_a_hybrid_of_linear_attention_cannot_share() -> None:
    """Qwen3.5 carries a state from token to token: one branch's would leak into the next."""
    config = Qwen3_5Config()
    config.text_config.num_hidden_layers, config.vision_config.depth = 4, 1
    config.text_config.layer_types = config.text_config.layer_types[:4]
    with torch.device("meta"):
        model = Qwen3_5ForConditionalGeneration(config)
    assert shared_prefix.why_not(model) == "its layers of type linear_attention are not attention over all tokens"
