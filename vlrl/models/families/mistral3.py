"""Mistral 3 (Mistral Small 3.1 and later, Ministral 3 with a vision tower).

Coordinate space: thousandths. The authors publish none; the prompt states it.

An image keeps its shape: it is resized to whole tokens below the processor's `longest_edge`, and a row of tokens ends in
`[IMG_BREAK]`, the last in `[IMG_END]`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from vlrl.models.families import Family, count_up


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels of each image after resizing, as the processor tells them."""
    return [(int(width), int(height)) for height, width in features.get("image_sizes", [])]


FAMILIES = {
    "mistral3": Family(
        space="thousandths",
        vision_modules=("model.vision_tower", "model.multi_modal_projector"),
        placeholders=("[IMG]", "[IMG_BREAK]", "[IMG_END]"),
        media_keys=("pixel_values", "image_sizes"),
        position_ids=count_up,
        processed_sizes=processed_sizes,
        token_types_key=None,
    )
}
