"""One file per kind of model: what the wrapper must know of a family, and no more.

To add a family, write `families/<name>.py` with `FAMILIES = {model_type: Family(...)}`: the folder is the registry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

from vlrl.geometry import CoordSpace
from vlrl.types import UserError


@dataclass(frozen=True)
class Family:
    """What differs between model families.

    | field | meaning |
    |---|---|
    | `space` | the coordinate space the family answers in |
    | `vision_modules` | names of the submodules that `freeze_vision_tower` freezes, from the model's root |
    | `placeholders` | tokens that stand for pixels: never sampled, and masked in training's log-probabilities alike |
    | `media_keys` | the processor's outputs that hold pixels and their layout; batches concatenate them, and fill up with zeros |
    | `position_ids` | `(model, features) -> [axes, P]` positions of one prompt's tokens |
    | `processed_sizes` | `(processor, features, sizes) -> [(width, height), ...]` of each image as the model saw it, in pixels |
    | `token_types_key` | what the model's forward calls the token types (1 image, 2 video, 0 text); None: it takes none |
    | `images_see_ahead` | the tokens of one image attend to each other both ways |
    | `feature_counts` | `(processor, media) -> (images', videos')` placeholder tokens that these pixels fill |
    | `video_markup` | what the chat template writes for a video, and what is to stand there when the processor expands it |

    A family that reads video has `pixel_values_videos` among its `media_keys`.
    """

    space: CoordSpace
    vision_modules: tuple[str, ...]
    placeholders: tuple[str, ...]
    media_keys: tuple[str, ...]
    position_ids: Callable[[PreTrainedModel, dict[str, Tensor]], Tensor]
    processed_sizes: Callable[[Any, dict[str, Tensor], Sequence[tuple[int, int]]], list[tuple[int, int]]]
    token_types_key: str | None = "mm_token_type_ids"
    images_see_ahead: bool = False
    feature_counts: Callable[[object, dict[str, Tensor]], tuple[int, int]] | None = None
    video_markup: tuple[str, str] | None = None

    @property
    def reads_video(self) -> bool:
        return "pixel_values_videos" in self.media_keys


def count_up(model: PreTrainedModel, features: dict[str, Tensor]) -> Tensor:
    """Positions 0, 1, 2, ... of one prompt's tokens on a single axis, [1, P]."""
    return torch.arange(features["input_ids"].shape[1])[None]


def _all() -> dict[str, Family]:
    modules = [importlib.import_module(f"{__name__}.{info.name}") for info in pkgutil.iter_modules(__path__)]
    return {model_type: family for module in modules for model_type, family in module.FAMILIES.items()}


def load(model_type: str) -> Family:
    """The family of a checkpoint's `config.model_type`. Raises UserError for one that is not known."""
    known = _all()
    if model_type not in known:
        raise UserError(
            f"model type {model_type!r} has no family in vlrl/models/families (known: {', '.join(sorted(known))}); "
            "add a file there that declares its coordinate space, positions and placeholders"
        )
    return known[model_type]
