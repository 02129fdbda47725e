"""The cost model of an update: floating-point operations of forward and backward from shapes alone.

Conventions of torch's FlopCounterMode: a product of [m, k] and [k, n] is 2 m k n; attention is counted as if nothing were masked,
2 products forward and 5 backward. Norms, rotations and activations are left out. docs/packed-update.md says it in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel, Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

from vlrl.models.head import CHUNK

FORWARD, BACKWARD = 2, 4
"""Operations for each weight and token: the output; the gradients of input and weight."""
ATTENTION = 4, 10
"""Operations for each layer, channel, query and key: forward, backward."""


@dataclass(frozen=True)
class Sizes:
    """What the model does with each token. Weights are those of linear layers, in all layers together; a channel is one of
    `heads * head_dim`, times layers. `patches` are those of the prompt's images, `windowed_keys` what a patch attends to in
    windowed layers.
    """

    text_weights: int
    text_channels: int
    head_weights: int
    patch_weights: int
    merge_weights: int
    embed_weights: int
    vision_channels_full: int
    vision_channels_windowed: int
    windowed_keys: int
    merge: int


def sizes(model: PreTrainedModel) -> Sizes:
    """Those of a Qwen2.5-VL whose image sides are multiples of its windows."""
    core: Any = model.model
    text, vision = core.language_model.config, core.visual.config
    full = len(vision.fullatt_block_indexes)
    window = (vision.window_size // vision.patch_size) ** 2
    return Sizes(
        text_weights=_linear(core.language_model.layers),
        text_channels=text.num_hidden_layers * text.num_attention_heads * core.language_model.layers[0].self_attn.head_dim,
        head_weights=text.hidden_size * text.vocab_size,
        patch_weights=_linear(core.visual.blocks),
        merge_weights=_linear(core.visual.merger),
        embed_weights=core.visual.patch_embed.proj.weight.numel(),
        vision_channels_full=full * vision.hidden_size,
        vision_channels_windowed=(vision.depth - full) * vision.hidden_size,
        windowed_keys=window,
        merge=vision.spatial_merge_size**2,
    )


CHECKPOINTS = {
    "Qwen2.5-VL-3B": ({"hidden_size": 2048, "intermediate_size": 11008, "num_hidden_layers": 36}, 16, 2, 151936),
    "Qwen2.5-VL-7B": ({"hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28}, 28, 4, 152064),
}
"""Public configurations: shape, attention heads, key/value heads, vocabulary."""
TASKS = {"GUI click": (2950, 80), "grounding": (1500, 150), "chart to code": (1450, 900)}
"""P and C of usual tasks; all but 60 tokens of the prompt are the image's."""


def checkpoint(name: str) -> Sizes:
    """Those of a published model, by its configuration alone."""
    shape, heads, key_heads, vocabulary = CHECKPOINTS[name]
    text = {**shape, "num_attention_heads": heads, "num_key_value_heads": key_heads, "vocab_size": vocabulary}
    vision = {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "num_heads": 16, "window_size": 112}
    vision |= {"out_hidden_size": shape["hidden_size"], "patch_size": 14, "spatial_merge_size": 2}
    config = Qwen2_5_VLConfig(text_config=text, vision_config={**vision, "fullatt_block_indexes": [7, 15, 23, 31]})
    with torch.device("meta"):
        return sizes(Qwen2_5_VLForConditionalGeneration(config))


def expected(group: int = 8) -> list[list[str]]:
    """What the model says of the published checkpoints: FLOPs of one row each over the shared prefix's, as lines of a table."""
    lines = [["", *(f"{task}, P {p}, C {c}" for task, (p, c) in TASKS.items())]]
    for name in CHECKPOINTS:
        size = checkpoint(name)
        for frozen in (False, True):
            works = [Work(group, p, c, p - 60, frozen) for p, c in TASKS.values()]
            ratios = [f"{rows(size, work) / packed(size, work):.1f}" for work in works]
            lines.append([f"{name}, {'frozen tower' if frozen else 'all trained'}", *ratios])
    return lines


def _linear(module: nn.Module) -> int:
    return sum(part.weight.numel() for part in module.modules() if isinstance(part, nn.Linear))


@dataclass(frozen=True)
class Work:
    """An update: G completions of C tokens on a prompt of P tokens, of which `image` are an image's."""

    group: int
    prompt: int
    completion: int
    image: int
    frozen_vision: bool = False


def packed(size: Sizes, work: Work) -> int:
    """Prompt and image once; a branch is a completion without its last token."""
    branch = work.completion - 1
    tokens = work.prompt + work.group * branch
    pairs = work.prompt**2 + work.group * branch * (work.prompt + branch)
    positions = work.group * work.completion
    again = FORWARD if positions > CHUNK else 0  # the logits are computed anew in the backward pass
    return (
        _text(size, tokens, pairs)
        + vision(size, work.image, work.frozen_vision)
        + size.head_weights * positions * (FORWARD + BACKWARD + again)
    )


def rows(size: Sizes, work: Work) -> int:
    """One row for each completion, our naive path: prompt and image G times."""
    length = work.prompt + work.completion
    positions = work.group * work.completion
    again = FORWARD if positions > CHUNK else 0
    return (
        _text(size, work.group * length, work.group * length**2)
        + work.group * vision(size, work.image, work.frozen_vision)
        + size.head_weights * positions * (FORWARD + BACKWARD + again)
    )


def trl(size: Sizes, work: Work, whole_head: bool) -> int:
    """The same rows in TRL 1.16, which always computes logits twice. `whole_head`: prompts go through the head too, as they do
    where there is no Triton.
    """
    length = work.prompt + work.completion
    positions = work.group * (length - 1 if whole_head else work.completion)
    return (
        _text(size, work.group * length, work.group * length**2)
        + work.group * vision(size, work.image, work.frozen_vision)
        + size.head_weights * positions * (2 * FORWARD + BACKWARD)
    )


def _text(size: Sizes, tokens: int, pairs: int) -> int:
    return size.text_weights * tokens * (FORWARD + BACKWARD) + size.text_channels * pairs * sum(ATTENTION)


def vision(size: Sizes, tokens: int, frozen: bool) -> int:
    """The tower over the patches of `tokens` image tokens; the first layer's input needs no gradient."""
    patches = tokens * size.merge
    linear = patches * size.patch_weights + tokens * size.merge_weights
    pairs = size.vision_channels_full * patches**2 + size.vision_channels_windowed * patches * size.windowed_keys
    embed = patches * size.embed_weights
    if frozen:
        return FORWARD * (linear + embed) + ATTENTION[0] * pairs
    return (FORWARD + BACKWARD) * linear + 2 * FORWARD * embed + sum(ATTENTION) * pairs
