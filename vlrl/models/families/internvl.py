"""InternVL, in transformers' own format (checkpoints named `-hf`).

Coordinate space: thousandths, `<box>[[x1, y1, x2, y2]]</box>` (OpenGVLab/InternVL, `eval/refcoco/evaluate_grounding.py`).

An image is resized to the grid of square tiles nearest to its shape and cut; a thumbnail follows where there are several tiles.
Each tile is `image_seq_length` tokens.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor
from transformers.models.got_ocr2.image_processing_got_ocr2 import get_optimal_tiled_canvas

from vlrl.models.families import Family, count_up


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels of the grid of tiles that each image becomes."""
    images = processor.image_processor
    tile = (images.size["height"], images.size["width"])
    grids = (get_optimal_tiled_canvas((height, width), tile, images.min_patches, images.max_patches) for width, height in sizes)
    return [(columns * tile[1], rows * tile[0]) for columns, rows in grids]


FAMILIES = {
    "internvl": Family(
        space="thousandths",
        vision_modules=("model.vision_tower", "model.multi_modal_projector"),
        placeholders=("<IMG_CONTEXT>", "<img>", "</img>", "<video>"),
        media_keys=("pixel_values",),
        position_ids=count_up,
        processed_sizes=processed_sizes,
        token_types_key=None,
    )
}
