"""LLaVA-NeXT (LLaVA 1.6) and LLaVA-OneVision.

Coordinate space: shares of the image from 0 to 1, as in LLaVA's instruction data (haotian-liu/LLaVA issues 606, 822; in part of
that data the shares are of the padded square).

A single image is resized into the best of the `image_grid_pinpoints` without changing its shape, padded and cut into tiles; the
whole at one tile's size comes first. What was padding is taken out of the features. To LLaVA-OneVision several images are one
padded square each.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers.image_processing_utils import select_best_resolution

from vlrl.models.families import Family, count_up


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels that each image is resized to, without the padding."""
    images = processor.image_processor
    tile = features["pixel_values"].shape[-1] if sizes else 0
    tiled = len(sizes) == 1 or "batch_num_images" not in features
    canvases = images.image_grid_pinpoints if tiled else [(tile, tile)]
    return [_fit(size, select_best_resolution((size[1], size[0]), canvases)) for size in sizes]


def _fit(size: tuple[int, int], canvas: tuple[int, int]) -> tuple[int, int]:
    """The (width, height) of an image of `size` that fills `canvas` (height, width) in one direction."""
    scale = min(canvas[1] / size[0], canvas[0] / size[1])
    return min(math.ceil(size[0] * scale), canvas[1]), min(math.ceil(size[1] * scale), canvas[0])


def _family(*media_keys: str) -> Family:
    return Family(
        space="unit",
        vision_modules=("model.vision_tower", "model.multi_modal_projector", "model.image_newline"),
        placeholders=("<image>", "<video>"),
        media_keys=("pixel_values", "image_sizes", *media_keys),
        position_ids=count_up,
        processed_sizes=processed_sizes,
        token_types_key=None,
    )


FAMILIES = {"llava_next": _family(), "llava_onevision": _family("batch_num_images")}
