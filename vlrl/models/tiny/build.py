"""Toy checkpoints of the real model classes, made offline: random weights, tokenizer, processor and chat template.

`scripts/build_tiny_model.py` warm-starts one of them into the built-in model; tests use all families.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn
from transformers import (
    PreTrainedModel,
    PreTrainedTokenizerFast,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2_5_VLForConditionalGeneration,
    Qwen2_5_VLProcessor,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Qwen3VLConfig,
    Qwen3VLForConditionalGeneration,
    Qwen3VLMoeConfig,
    Qwen3VLMoeForConditionalGeneration,
    Qwen3VLProcessor,
    Qwen3VLVideoProcessor,
)

from vlrl.models.tiny.tokenizer import build_tokenizer, number_tokens


@dataclass(frozen=True)
class ToyShape:
    """The size of a toy model. `image_side` is the side in pixels of the square images it is meant for."""

    hidden_size: int = 64
    text_layers: int = 3
    vision_layers: int = 1
    num_heads: int = 4
    patch_size: int = 16
    spatial_merge_size: int = 1
    image_side: int = 128
    deepstack: tuple[int, ...] = ()
    initializer_range: float = 0.1


def build_toy(
    family: str, words: Iterable[str] = (), phrases: Iterable[str] = (), shape: ToyShape | None = None, seed: int = 0
) -> tuple[PreTrainedModel, ProcessorMixin]:
    """A random toy model of `family`, one of `FAMILIES`, and its processor.

    `words` and `phrases` become single tokens (`build_tokenizer`). `save_pretrained` of both into one folder gives an ordinary
    checkpoint.
    Raises KeyError for a family that has no toy.
    """
    config_class, model_class, processor_class, video_class, vision_config = _FAMILIES[family]
    shape = shape or ToyShape()
    tokenizer = build_tokenizer(words, phrases)
    config = config_class(
        text_config=_text_config(family, shape, tokenizer), vision_config=vision_config(shape), **_token_ids(tokenizer)
    )
    config.tie_word_embeddings = True
    torch.manual_seed(seed)
    model = model_class(config)
    _scale_patches(model)
    _spread_positions(model, shape)
    _spread_numbers(model, tokenizer)
    model.generation_config.eos_token_id = tokenizer.eos_token_id
    model.generation_config.pad_token_id = tokenizer.pad_token_id
    return model.eval(), _processor(processor_class, video_class, tokenizer, shape)


def _text_config(family: str, shape: ToyShape, tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    head_dim = shape.hidden_size // shape.num_heads
    quarter = head_dim // 8
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": shape.hidden_size,
        "intermediate_size": 3 * shape.hidden_size,
        "num_hidden_layers": shape.text_layers,
        "num_attention_heads": shape.num_heads,
        "num_key_value_heads": shape.num_heads,
        "head_dim": head_dim,
        "max_position_embeddings": 8192,
        "initializer_range": shape.initializer_range,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 10000.0,
            "mrope_section": [head_dim // 2 - 2 * quarter, quarter, quarter],
            **({"mrope_interleaved": True} if family.startswith("qwen3_vl") else {}),
        },
        **(_EXPERTS if family == "qwen3_vl_moe" else {}),
    }


_EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16}


def _vision(shape: ToyShape) -> dict[str, Any]:
    """What the vision configurations of all families hold."""
    return {
        "depth": shape.vision_layers,
        "hidden_size": shape.hidden_size,
        "num_heads": shape.num_heads,
        "patch_size": shape.patch_size,
        "spatial_merge_size": shape.spatial_merge_size,
        "temporal_patch_size": 2,
        "initializer_range": shape.initializer_range,
    }


def _qwen3_vision(shape: ToyShape) -> dict[str, Any]:
    return _vision(shape) | {
        "intermediate_size": 2 * shape.hidden_size,
        "out_hidden_size": shape.hidden_size,
        "num_position_embeddings": (shape.image_side // shape.patch_size) ** 2,
        "deepstack_visual_indexes": list(shape.deepstack),
    }


def _qwen2_5_vision(shape: ToyShape) -> dict[str, Any]:
    return _vision(shape) | {
        "intermediate_size": 2 * shape.hidden_size,
        "out_hidden_size": shape.hidden_size,
        "spatial_patch_size": shape.patch_size,
        "window_size": 4 * shape.patch_size * shape.spatial_merge_size,
        "fullatt_block_indexes": [shape.vision_layers - 1],
    }


def _qwen2_vision(shape: ToyShape) -> dict[str, Any]:
    return _vision(shape) | {"embed_dim": shape.hidden_size, "mlp_ratio": 2}


_FAMILIES: dict[str, tuple[Any, ...]] = {
    "qwen2_vl": (Qwen2VLConfig, Qwen2VLForConditionalGeneration, Qwen2VLProcessor, Qwen2VLVideoProcessor, _qwen2_vision),
    "qwen2_5_vl": (
        Qwen2_5_VLConfig,
        Qwen2_5_VLForConditionalGeneration,
        Qwen2_5_VLProcessor,
        Qwen2VLVideoProcessor,
        _qwen2_5_vision,
    ),
    "qwen3_vl": (Qwen3VLConfig, Qwen3VLForConditionalGeneration, Qwen3VLProcessor, Qwen3VLVideoProcessor, _qwen3_vision),
    "qwen3_vl_moe": (
        Qwen3VLMoeConfig,
        Qwen3VLMoeForConditionalGeneration,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
        _qwen3_vision,
    ),
}
FAMILIES = tuple(_FAMILIES)


def _token_ids(tokenizer: PreTrainedTokenizerFast) -> dict[str, Any]:
    names = {"image_token_id": "<|image_pad|>", "video_token_id": "<|video_pad|>"}
    names |= {"vision_start_token_id": "<|vision_start|>", "vision_end_token_id": "<|vision_end|>"}
    return {key: tokenizer.convert_tokens_to_ids(token) for key, token in names.items()}


def _processor(processor_class: Any, video_class: Any, tokenizer: PreTrainedTokenizerFast, shape: ToyShape) -> ProcessorMixin:
    factor = shape.patch_size * shape.spatial_merge_size
    grid: dict[str, Any] = {"patch_size": shape.patch_size, "merge_size": shape.spatial_merge_size, "temporal_patch_size": 2}
    size = {"shortest_edge": factor * factor, "longest_edge": (4 * shape.image_side) ** 2}
    return processor_class(
        image_processor=Qwen2VLImageProcessor(**grid, size=size),
        tokenizer=tokenizer,
        video_processor=video_class(**grid, size=size),
        chat_template=tokenizer.chat_template,
    )


def sinusoid(positions_N: torch.Tensor, width: int) -> torch.Tensor:
    """Sines and cosines of `positions_N` (in [0, 1]) at geometric frequencies, [N, width], root mean square 1."""
    frequencies_F = math.pi * torch.logspace(0, 5, width // 2, base=2.0)
    angles_NF = positions_N[:, None] * frequencies_F
    return math.sqrt(2) * torch.cat([angles_NF.sin(), angles_NF.cos()], dim=1)


@torch.no_grad()
def _scale_patches(model: Any) -> None:
    """Patch embeddings start at unit scale whatever the patch size, so that they do not drown the positions."""
    weight = model.model.visual.patch_embed.proj.weight
    nn.init.normal_(weight, std=1 / math.sqrt(weight[0].numel()))


@torch.no_grad()
def _spread_positions(model: Any, shape: ToyShape) -> None:
    """Learned absolute positions (Qwen3-VL's vision tower) start as a 2-D sinusoid; random ones take far longer to order."""
    table = getattr(model.model.visual, "pos_embed", None)
    if table is None:
        return
    side = shape.image_side // shape.patch_size
    axis_S = (torch.arange(side) + 0.5) / side
    half_SH = sinusoid(axis_S, table.embedding_dim // 2)
    grid = torch.cat([half_SH[:, None].expand(side, side, -1), half_SH[None].expand(side, side, -1)], dim=-1)
    table.weight.copy_(grid.reshape(side * side, -1))


@torch.no_grad()
def _spread_numbers(model: Any, tokenizer: PreTrainedTokenizerFast) -> None:
    """Number tokens start as a sinusoid of their value plus their random vector, so that neighbours are alike."""
    tokens = number_tokens()
    ids_N = torch.tensor(tokenizer.convert_tokens_to_ids(tokens))
    values_N = torch.tensor([float(t.strip("[], ")) / 1000 for t in tokens])
    table = model.get_input_embeddings().weight
    table[ids_N] += 0.1 * sinusoid(values_N, table.shape[1])
