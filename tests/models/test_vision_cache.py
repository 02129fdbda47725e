"""A frozen vision tower is called once per prompt for all passes; behind trained weights features are always new."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor
from toys import FAMILIES, picture, toy_vlm

from vlrl.models import shared_prefix
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.rollout.transformers_engine import TransformersEngine
from vlrl.training.config import LoraConfig
from vlrl.training.packing import pack
from vlrl.training.policy import Policy, collate
from vlrl.training.setup import _frozen_copy, _with_lora

PLENTY = 1 << 30
COMPLETIONS = ([3, 4, 5], [6], [7, 8])


@pytest.fixture(params=FAMILIES)
def vlm(request: pytest.FixtureRequest) -> VLM:
    vlm = toy_vlm(request.param)
    shared_prefix.enable(vlm.base)
    return vlm


def prompts_of(vlm: VLM) -> list[EncodedPrompt]:
    """Three prompts with images, one without."""
    turns: list[Any] = [
        ("One", [picture(seed=1)]),
        ("Two", [picture(64, 32), picture(32, 64)]),
        ("None", []),
        ("Four", [picture(48, 64)]),
    ]
    return [vlm.encode(text, images) for text, images in turns]


def count_calls(vlm: VLM) -> list[int]:
    """A list that grows by the number of pixel values of every call of the tower."""
    calls: list[int] = []
    core: Any = vlm.base.model
    encode = core.get_image_features

    @functools.wraps(encode)
    def counting(*args: Any, **kwargs: Any) -> Any:
        calls.append((args[0] if args else kwargs["pixel_values"]).numel())
        return encode(*args, **kwargs)

    core.get_image_features = counting
    return calls


def batch(vlm: VLM, prompts: Sequence[EncodedPrompt]) -> Any:
    return pack(vlm, [prompt for prompt in prompts for _ in COMPLETIONS], [c for _ in prompts for c in COMPLETIONS])


def test_once_per_prompt_over_all_passes(vlm: VLM) -> None:
    """Rollout, old log-probabilities, reference, and two iterations of two micro-batches."""
    vlm.freeze_vision_tower()
    calls, prompts = count_calls(vlm), prompts_of(vlm)
    vision = VisionEncoder(vlm, PLENTY)
    policy = Policy(vlm, 1.0, vision)
    reference = _frozen_copy(policy)
    assert reference.vision is vision
    TransformersEngine(vlm, 3, vision).generate(prompts, 2, 1.0, range(4))
    with torch.no_grad():
        policy(batch(vlm, prompts))
        reference(batch(vlm, prompts))
    for _ in range(2):
        policy(batch(vlm, prompts[:2])).logprobs_BT.sum().backward()
        policy(batch(vlm, prompts[2:])).logprobs_BT.sum().backward()
    assert len(calls) == 3
    assert sorted(calls) == sorted(prompt.media["pixel_values"].numel() for prompt in prompts if prompt.media)
    vision.forget()
    with torch.no_grad():
        policy(batch(vlm, prompts))
    assert len(calls) == 6


def test_kept_features_are_those_of_the_tower(vlm: VLM) -> None:
    vlm.freeze_vision_tower()
    prompts = prompts_of(vlm)
    vision = VisionEncoder(vlm, PLENTY)
    with torch.no_grad():
        first, second = (Policy(vlm, 1.0, vision)(batch(vlm, prompts)).logprobs_BT for _ in range(2))
        shuffled = Policy(vlm, 1.0, vision)(batch(vlm, prompts[::-1])).logprobs_BT
        naive = Policy(vlm, 1.0)(collate(vlm, [p for p in prompts for _ in COMPLETIONS], [*COMPLETIONS] * 4)).logprobs_BT
    assert torch.equal(first, second)
    torch.testing.assert_close(first, naive, atol=1e-5, rtol=0)
    torch.testing.assert_close(shuffled.view(4, 3, -1).flip(0).flatten(0, 1), first, atol=1e-5, rtol=0)


def test_what_is_kept_is_bounded_and_the_longest_unused_goes_first() -> None:
    vlm = toy_vlm("internvl")
    vlm.freeze_vision_tower()
    calls = count_calls(vlm)
    prompts = [vlm.encode(str(seed), [picture(32, 32, seed)]) for seed in range(4)]
    size = 4 * 32 * 4  # tokens, hidden size, bytes
    vision = VisionEncoder(vlm, 3 * size)
    for prompt in (0, 1, 2, 0, 3, 0, 2, 1):  # 3 sends 1 away, 1 sends 3 away
        vision.features([prompts[prompt]])
        assert vision._bytes == sum(size for _ in vision._kept) <= 3 * size
    assert len(calls) == 5
    vision.forget()
    assert vision._bytes == 0
    nothing = VisionEncoder(vlm, size - 1)
    first, second = (nothing.features([prompts[0]])["image"].pooler_output for _ in range(2))
    assert torch.equal(first, second)
    assert len(calls) == 7
    assert not nothing._kept


def projector(vlm: VLM) -> None:
    """The last of the family's vision parts alone is trained."""
    vlm.freeze_vision_tower()
    last = [name for name, _ in vlm.base.named_parameters() if name.startswith(vlm.family.vision_modules)][-1]
    vlm.base.get_parameter(last).requires_grad_(True)


def lora_in_the_tower(vlm: VLM) -> None:
    vlm.model = _with_lora(vlm, LoraConfig(r=2, target_modules="all-linear"))
    with torch.no_grad():
        for name, parameter in vlm.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1, generator=torch.Generator().manual_seed(len(name)))


def everything(vlm: VLM) -> None:
    """All weights are trained."""


@pytest.mark.parametrize("trained", [projector, lora_in_the_tower, everything])
def test_nothing_is_kept_behind_trained_weights(vlm: VLM, trained: Callable[[VLM], None]) -> None:
    trained(vlm)
    calls, prompts = count_calls(vlm), prompts_of(vlm)
    vision = VisionEncoder(vlm, PLENTY)
    policy = Policy(vlm, 1.0, vision)
    with torch.no_grad():
        policy(batch(vlm, prompts))
    fast = gradients(policy, batch(vlm, prompts))
    assert len(calls) == 2  # one call of all prompts for each pass
    assert not vision._kept
    slow = gradients(Policy(vlm, 1.0), collate(vlm, [p for p in prompts for _ in COMPLETIONS], [*COMPLETIONS] * 4))
    assert fast.keys() == slow.keys()
    assert any(part in name for name in fast for part in vlm.family.vision_modules)
    total = torch.stack([g.norm() for g in slow.values()]).norm()
    for name, gradient in slow.items():
        assert (fast[name] - gradient).norm() < 1e-4 * max(gradient.norm(), 1e-4 * total), name


def gradients(policy: Policy, rows: Any) -> dict[str, Tensor]:
    policy.zero_grad()
    logprobs_BT = policy(rows).logprobs_BT
    (logprobs_BT * torch.sin(torch.arange(1.0, logprobs_BT.numel() + 1)).view_as(logprobs_BT)).sum().backward()
    return {name: p.grad.clone() for name, p in policy.named_parameters() if p.grad is not None and p.grad.any()}
