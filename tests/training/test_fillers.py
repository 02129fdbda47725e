"""The prompts that keep a vision tower running on a process without media change no log-probability there and give gradient 0."""

from __future__ import annotations

import pytest
import torch

from vlrl.models import families, shared_prefix
from vlrl.models.tiny import build, toys_1d
from vlrl.models.vlm import VLM
from vlrl.training.packing import pack
from vlrl.training.policy import Policy, collate
from vlrl.training.sharding import _blank_prompts

MAKERS = {**dict.fromkeys(build.FAMILIES, build.build_toy), **dict.fromkeys(toys_1d.FAMILIES, toys_1d.build_toy)}
COMPLETIONS = [[5, 6, 7], [8]]


@pytest.mark.parametrize("family", MAKERS)
@pytest.mark.parametrize("lay_out", [pack, collate])
def test_fillers_change_nothing(family: str, lay_out: type) -> None:
    model, processor = MAKERS[family](family)
    vlm = VLM(model, processor, families.load(model.config.model_type))
    assert shared_prefix.why_not(vlm.base) is None
    shared_prefix.enable(vlm.base)
    blanks = _blank_prompts(vlm)
    assert len(blanks) == 1 + vlm.family.reads_video
    policy, prompts = Policy(vlm, 1.0), [vlm.encode("hello", [])] * 2
    expected = policy(lay_out(vlm, prompts, COMPLETIONS)).logprobs_BT
    found = policy(lay_out(vlm, prompts, COMPLETIONS, list(blanks.values()))).logprobs_BT
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-5)
    found.sum().backward()
    reached = [p.grad for p in vlm.vision_parameters() if p.grad is not None]
    assert reached  # every process sums these over all processes, so they must be there
    assert not any(grad.any() for grad in reached)
