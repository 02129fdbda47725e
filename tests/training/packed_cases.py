"""Prompts, groups and settings on which the shared-prefix update is compared with the naive one, and the comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from toy_runs import picture, worst_relative
from toys import SHAPE, toy_vlm

from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.training.config import LoraConfig
from vlrl.training.packing import micro_batches, pack
from vlrl.training.policy import Policy, RowBatch, TokenStats, collate
from vlrl.training.setup import _enable_shared_prefixes, _with_lora
from vlrl.video import Video

DEEP = replace(SHAPE, vision_layers=2, deepstack=(0,))
TEMPERATURE = 0.8
LIMIT = 12
"""The longest completion."""
WHOLE = 1 << 30
"""Tokens of a micro-batch that holds everything."""
VIDEO_FAMILIES = ("qwen2_vl", "qwen2_5_vl", "qwen3_vl", "qwen3_vl_moe")


def video(frames: int, width: int, height: int, seed: int) -> Video:
    pixels = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    return Video(pixels, tuple(range(0, 12 * frames, 12)), 24.0, 12 * frames, (width, height))


Turn = tuple[str, list[Any]]
IMAGE: list[Turn] = [("Find it.", [picture(64, 64, 1)]), ("Where is the small red cat?", [picture(48, 80, 2)])]
IMAGES: list[Turn] = [
    ("Which one?", [picture(64, 32, 3), picture(48, 80, 4)]),
    ("What is new here?", [picture(32, 32, 5), picture(96, 48, 6), picture(32, 64, 7)]),
]
VIDEO: list[Turn] = [("What moves?", [video(4, 32, 48, 0)]), ("When?", [video(2, 48, 32, 1), picture(32, 32, 8)])]
TEXT: list[Turn] = [("Say yes.", []), ("How many legs has a spider?", [])]
INPUTS = {"image": IMAGE, "images": IMAGES, "video": VIDEO, "text": TEXT, "mixture": [TEXT[0], IMAGE[1], IMAGES[0], TEXT[1]]}
INPUTS["mixture with video"] = [VIDEO[1], TEXT[0], IMAGE[1], VIDEO[0]]
LENGTHS = (5, 1, LIMIT, 0, 3), (LIMIT, 2), (1, 1, 1), (4,) * 16
"""Of the completions of the first, second, third and fourth prompt: ragged, with an empty one; G = 5, 2, 3 and 16."""


class Row(NamedTuple):
    prompt: EncodedPrompt
    token_ids: list[int]


def rows_of(vlm: VLM, turns: Sequence[Turn]) -> list[Row]:
    """The groups of these turns."""
    generator = torch.Generator().manual_seed(3)
    allowed = [t for t in range(len(vlm.processor.tokenizer)) if t not in vlm.banned_ids]
    rows = []
    for (text, media), lengths in zip(turns, cycle(LENGTHS), strict=False):
        prompt = vlm.encode(text, media)
        draws = [torch.randint(0, len(allowed), (length,), generator=generator).tolist() for length in lengths]
        rows += [Row(prompt, [allowed[i] for i in draw]) for draw in draws]
    return rows


class Outcome(NamedTuple):
    """What an update sees of the rows: their values, one row after the other, and the gradients that are not zero."""

    logprobs_N: Tensor
    entropies_N: Tensor
    gradients: dict[str, Tensor]


def outcome(policy: Policy, batches: Sequence[Any]) -> Outcome:
    """Of a loss in which every token has a weight of its own, whatever batch it is in."""
    policy.zero_grad()
    values: list[tuple[Tensor, Tensor]] = []
    seen = 0
    for batch in batches:
        stats: TokenStats = policy(batch)
        wanted = batch.mask_BT.bool()
        logprobs_N = stats.logprobs_BT[wanted]
        weights_N = torch.sin(seen + torch.arange(1.0, len(logprobs_N) + 1))
        if logprobs_N.requires_grad:
            (logprobs_N * weights_N).sum().backward()
        values.append((logprobs_N.detach(), stats.entropies_BT[wanted]))
        seen += len(logprobs_N)
        assert not stats.logprobs_BT[~wanted].any()
    gradients = {n: p.grad.clone() for n, p in policy.named_parameters() if p.grad is not None and p.grad.any()}
    return Outcome(torch.cat([v for v, _ in values]), torch.cat([e for _, e in values]), gradients)


def naive(vlm: VLM, rows: Sequence[Row]) -> list[RowBatch]:
    return [collate(vlm, [row.prompt for row in rows], [row.token_ids for row in rows])]


def packed(vlm: VLM, rows: Sequence[Row], max_tokens: int = WHOLE) -> list[Any]:
    parts = micro_batches(rows, max_tokens)
    return [pack(vlm, [row.prompt for row in part], [row.token_ids for row in part]) for part in parts]


def both(vlm: VLM, rows: Sequence[Row], max_tokens: int = WHOLE) -> tuple[Outcome, Outcome]:
    """What the naive and the packed path make of the rows; the packed one keeps the features of a frozen tower."""
    slow = outcome(Policy(vlm, TEMPERATURE), naive(vlm, rows))
    return slow, outcome(Policy(vlm, TEMPERATURE, VisionEncoder(vlm, 1 << 30)), packed(vlm, rows, max_tokens))


def assert_equal(slow: Outcome, fast: Outcome) -> None:
    torch.testing.assert_close(fast.logprobs_N, slow.logprobs_N, atol=1e-5, rtol=0)
    torch.testing.assert_close(fast.entropies_N, slow.entropies_N, atol=1e-5, rtol=0)
    assert worst_relative(fast.gradients, slow.gradients) < 1e-4


def trained_vision(vlm: VLM, gradients: dict[str, Tensor]) -> bool:
    return any(part in name for name in gradients for part in vlm.family.vision_modules)


# settings: each changes a fresh model


def full(vlm: VLM) -> None:
    """All weights are trained."""


def frozen_tower(vlm: VLM) -> None:
    vlm.freeze_vision_tower()


def lora(vlm: VLM) -> None:
    """Adapters with a second matrix that is not zero, so that both have gradients."""
    vlm.model = _with_lora(vlm, LoraConfig(r=4))
    with torch.no_grad():
        for name, parameter in vlm.model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.1, generator=torch.Generator().manual_seed(len(name)))


def lora_everywhere(vlm: VLM) -> None:
    """Adapters in the vision tower too."""
    vlm.model = _with_lora(vlm, LoraConfig(r=4, target_modules="all-linear"))


def checkpointing(vlm: VLM) -> None:
    vlm.model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    vlm.model.train()


def checkpointed_lora(vlm: VLM) -> None:
    checkpointing(vlm)
    lora(vlm)


SETTINGS: list[Callable[[VLM], None]] = [full, frozen_tower, lora, lora_everywhere, checkpointing, checkpointed_lora]


@cache
def toy(family: str, setting: Callable[[VLM], None] = full) -> VLM:
    vlm = toy_vlm(family, DEEP)
    assert _enable_shared_prefixes(vlm, speak=True)
    setting(vlm)
    return vlm
