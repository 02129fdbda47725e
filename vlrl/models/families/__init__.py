"""One file per kind of model: what the wrapper must know of a family, and no more.

To add a family, write `families/<name>.py` with `FAMILIES = {model_type: Family(...)}`: the folder is the registry.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass

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
    | `media_keys` | the processor's outputs that hold pixels and their layout; batches concatenate them along dimension 0 |
    | `position_ids` | `(model, features) -> [axes, P]` positions of one prompt's tokens |
    | `processed_sizes` | `(processor, features) -> [(width, height), ...]` pixels of each image as the model saw it |
    """

    space: CoordSpace
    vision_modules: tuple[str, ...]
    placeholders: tuple[str, ...]
    media_keys: tuple[str, ...]
    position_ids: Callable[[PreTrainedModel, dict[str, Tensor]], Tensor]
    processed_sizes: Callable[[object, dict[str, Tensor]], list[tuple[int, int]]]


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
