"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL.

Coordinate spaces: Qwen2-VL and Qwen3-VL answer in thousandths of the image, Qwen2.5-VL in pixels of the resized image
(Qwen3-VL issues 676, 957 and 1485, by the models' authors).

Time: Qwen2-VL counts a video's frame pairs, Qwen2.5-VL spaces their positions by seconds, Qwen3-VL writes `<1.2 seconds>` before
each. Positions and prompts are those of the models' authors (QwenLM/Qwen3-VL, `rope2d.py`; the processor of transformers 4.57),
from which transformers 5.23 departs for videos: it goes on after a video at the largest row or column instead of the largest
position, so that text overlaps a long video's time, and it leaves Qwen3-VL's frames inside a second pair of `<|vision_start|>`,
`<|vision_end|>`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import groupby
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from vlrl.geometry import CoordSpace
from vlrl.models.families import Family

TEXT, IMAGE, VIDEO = 0, 1, 2
"""Token types."""


def position_ids(model: PreTrainedModel, features: dict[str, Tensor], frames_apart: bool) -> Tensor:
    """The three M-RoPE axes (time, height, width) of one prompt, [3, P] (Qwen2-VL, arXiv 2409.12191, section 2.1).

    Text advances all three together; every image and video starts at one more than the largest position before it. The time of a
    video advances by 1 per frame pair, or, where the processor gives the seconds of a pair (Qwen2.5-VL, arXiv 2502.13923), by
    these times `tokens_per_second`, rounded down. `frames_apart`: text stands between frame pairs, each is as an image.
    """
    merge = model.config.vision_config.spatial_merge_size
    images = _grids(features.get("image_grid_thw"), merge, False)
    grids = {IMAGE: images, VIDEO: _grids(features.get("video_grid_thw"), merge, frames_apart)}
    seconds = iter(features.get("second_per_grid_ts", ()))
    parts: list[Tensor] = []
    start = 0
    for kind, run in groupby(features["mm_token_type_ids"][0].tolist()):
        if kind == TEXT:
            part = torch.arange(sum(1 for _ in run)).expand(3, -1)
        else:
            part = torch.stack(torch.meshgrid(*next(grids[kind]), indexing="ij")).flatten(1)
        if kind == VIDEO and "second_per_grid_ts" in features:
            part[0] = (part[0] * next(seconds) * model.config.vision_config.tokens_per_second).long()
        parts.append(start + part)
        start = int(parts[-1].max()) + 1
    return torch.cat(parts, dim=1)


def _grids(grids_N3: Tensor | None, merge: int, frames_apart: bool) -> Iterator[list[Tensor]]:
    """The times, rows and columns of each image or video in tokens, or of each frame pair."""
    for time, height, width in [] if grids_N3 is None else grids_N3.tolist():
        for _ in range(time if frames_apart else 1):
            yield [torch.arange(size) for size in (1 if frames_apart else time, height // merge, width // merge)]


def processed_sizes(processor: Any, features: dict[str, Tensor], sizes: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """(width, height) in pixels of every image after smart-resize: its grid times the patch size."""
    patch = processor.image_processor.patch_size
    return [(int(width) * patch, int(height) * patch) for _, height, width in features.get("image_grid_thw", [])]


def feature_counts(processor: object, media: dict[str, Tensor]) -> tuple[int, int]:
    """Tokens of the images and of the videos: `merge_size` x `merge_size` patches make one."""
    patches_per_token = processor.image_processor.merge_size**2  # type: ignore[attr-defined]
    images, videos = (int(media[key].prod(-1).sum()) if key in media else 0 for key in ("image_grid_thw", "video_grid_thw"))
    return images // patches_per_token, videos // patches_per_token


def _family(space: CoordSpace, frames_apart: bool = False) -> Family:
    return Family(
        space=space,
        vision_modules=("model.visual",),
        placeholders=("<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"),
        media_keys=("pixel_values", "image_grid_thw", "pixel_values_videos", "video_grid_thw"),
        position_ids=partial(position_ids, frames_apart=frames_apart),
        processed_sizes=processed_sizes,
        feature_counts=feature_counts,
        video_markup=("<|vision_start|><|video_pad|><|vision_end|>", "<|video_pad|>") if frames_apart else None,
    )


FAMILIES = {
    "qwen2_vl": _family("thousandths"),
    "qwen2_5_vl": _family("processed"),
    "qwen3_vl": _family("thousandths", frames_apart=True),
    "qwen3_vl_moe": _family("thousandths", frames_apart=True),
}
