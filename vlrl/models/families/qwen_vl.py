"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL.

Coordinate spaces: Qwen2-VL and Qwen3-VL answer in thousandths of the image, Qwen2.5-VL in pixels of the resized image
(Qwen3-VL issues 676, 957 and 1485, by the models' authors).
"""

from __future__ import annotations

import torch
from torch import Tensor
from transformers import PreTrainedModel

from vlrl.geometry import CoordSpace
from vlrl.models.families import Family


def position_ids(model: PreTrainedModel, features: dict[str, Tensor]) -> Tensor:
    """The three M-RoPE axes (time, height, width) of one prompt, [3, P]; text advances all three together."""
    length = features["input_ids"].shape[1]
    if not features["mm_token_type_ids"].any():
        return torch.arange(length).expand(3, length)
    grids = {key: features.get(key) for key in ("image_grid_thw", "video_grid_thw")}
    positions_3BP, _ = model.model.get_rope_index(features["input_ids"], features["mm_token_type_ids"], **grids)
    return positions_3BP[:, 0]


def processed_sizes(processor: object, features: dict[str, Tensor]) -> list[tuple[int, int]]:
    """(width, height) in pixels of every image after smart-resize: its grid times the patch size."""
    patch = processor.image_processor.patch_size  # type: ignore[attr-defined]
    return [(int(width) * patch, int(height) * patch) for _, height, width in features.get("image_grid_thw", [])]


def _family(space: CoordSpace) -> Family:
    return Family(
        space=space,
        vision_modules=("model.visual",),
        placeholders=("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"),
        media_keys=("pixel_values", "image_grid_thw"),
        position_ids=position_ids,
        processed_sizes=processed_sizes,
    )


FAMILIES = {"qwen2_vl": _family("thousandths"), "qwen2_5_vl": _family("processed"), "qwen3_vl": _family("thousandths")}
