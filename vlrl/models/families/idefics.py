"""Idefics3 and SmolVLM (SmolVLM2 too).

Coordinate space: shares of the image from 0 to 1. The checkpoints were taught no coordinates; this is what SmolVLM2 learned best
(Smol2Operator, huggingface.co/blog/smol2operator: 1,152 px and shares beat pixels).

An image is resized to a grid of square tiles and cut; the whole at one tile's size follows. Each tile is `image_seq_len` tokens.
In a batch the tiles of prompts that have fewer are zeros, which the model leaves out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vlrl.models.families import Family, count_up


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels of the grid of tiles that each image becomes; an image of a single tile is squared."""
    images = processor.image_processor
    tile = images.max_image_size["longest_edge"]
    grids = (images.get_number_of_image_patches(height, width, {}) for width, height in sizes)
    return [(max(1, columns) * tile, max(1, rows) * tile) for _, rows, columns in grids]


FAMILY = Family(
    space="unit",
    vision_modules=("model.vision_model", "model.connector"),
    placeholders=("<image>", "<fake_token_around_image>", "<global-img>"),
    media_keys=("pixel_values", "pixel_attention_mask"),
    position_ids=count_up,
    processed_sizes=processed_sizes,
    token_types_key=None,
)
FAMILIES = {"idefics3": FAMILY, "smolvlm": FAMILY}
