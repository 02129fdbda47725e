"""Gemma 3.

Coordinate space: thousandths. The authors publish none for Gemma 3; the prompt states it, and Gemini, of the same house, uses it.

The tokens of one image attend to each other both ways, within the window in layers that have one (transformers,
`create_masks_for_vision_model`). Every image is one square, whatever its shape.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vlrl.models.families import Family, count_up


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels of the square that each image becomes."""
    size = processor.image_processor.size
    return [(size["width"], size["height"])] * len(sizes)


FAMILIES = {
    "gemma3": Family(
        space="thousandths",
        vision_modules=("model.vision_tower", "model.multi_modal_projector"),
        placeholders=("<image_soft_token>", "<start_of_image>", "<end_of_image>"),
        media_keys=("pixel_values",),
        position_ids=count_up,
        processed_sizes=processed_sizes,
        token_types_key="token_type_ids",
        images_see_ahead=True,
    )
}
