"""What a computation costs apart from time: floating-point operations, memory, images and tokens."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedModel


@dataclass(frozen=True)
class Cost:
    """`flops` of products and attention, attention as if nothing were masked; `images` went through the vision tower, `tokens`
    through the language model.
    """

    flops: int
    images: int
    tokens: int


def cost(model: PreTrainedModel, run: Callable[[], Any]) -> Cost:
    """The cost of `run()`, a forward and backward of `model`.

    torch's counter does not know `addmm_`, by which TRL adds up the gradients of its head; here it does, for all alike.
    """
    with FlopCounterMode(display=False, custom_mapping={torch.ops.aten.addmm_: _added_product}) as flops, traffic(model) as seen:
        run()
    return Cost(flops.get_total_flops(), seen["images"], seen["tokens"])


def peak_bytes(run: Callable[[], Any]) -> int:
    """What the tensors that `run()` makes take at the worst moment, beyond what was there before."""
    with PeakMemory() as memory:
        run()
    return memory.peak


def _added_product(_: torch.Size, left: torch.Size, right: torch.Size, **__: Any) -> int:
    return 2 * left[0] * left[1] * right[1]


@contextmanager
def traffic(model: PreTrainedModel) -> Iterator[dict[str, int]]:
    """Counts, inside, what `Cost` calls `images` and `tokens`."""
    seen = {"images": 0, "tokens": 0}

    def on_vision(_: Any, args: Any, kwargs: dict[str, Tensor]) -> None:
        seen["images"] += len(kwargs["grid_thw"])

    def on_text(_: Any, args: Any, kwargs: dict[str, Tensor]) -> None:
        seen["tokens"] += kwargs["inputs_embeds"].shape[:2].numel()

    core: Any = model.model
    handles = [
        core.visual.register_forward_pre_hook(on_vision, with_kwargs=True),
        core.language_model.register_forward_pre_hook(on_text, with_kwargs=True),
    ]
    try:
        yield seen
    finally:
        for handle in handles:
            handle.remove()


class PeakMemory(TorchDispatchMode):
    """Bytes of the tensors that were made inside and live at the same time, at the worst moment.

    It counts storages, each once, from the operation that makes it until its last reference goes: the same on every machine.
    Scratch space within an operation is not seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.live, self.peak = 0, 0
        self._known: set[int] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        known = {id(storage) for storage in map(_storage, tree_leaves((args, kwargs))) if storage is not None}
        result = func(*args, **(kwargs or {}))
        for storage in map(_storage, tree_leaves(result)):
            if storage is not None and id(storage) not in known | self._known:
                self._add(storage)
        return result

    def _add(self, storage: torch.UntypedStorage) -> None:
        key, size = id(storage), storage.nbytes()
        self._known.add(key)
        self.live += size
        self.peak = max(self.peak, self.live)
        weakref.finalize(storage, self._drop, key, size)

    def _drop(self, key: int, size: int) -> None:
        self._known.discard(key)
        self.live -= size


def _storage(value: Any) -> torch.UntypedStorage | None:
    return value.untyped_storage() if isinstance(value, Tensor) else None
