"""Weights split over processes: FSDP2 and DeepSpeed ZeRO-2 / ZeRO-3, through accelerate.

Three things differ from one copy of the model on each process:
1. Every forward of the policy is a collective: all processes run equally many, and call the vision tower and the head equally
   often in each (`Sharding.fillers`, `Sharding.most`). Under FSDP2 a frozen tower stays whole on every process.
2. Sampling, evaluation and saving have the whole weights, gathered for the time being (`Sharding.whole_weights`). Processes may
   then decode different numbers of tokens, and no token waits for weights from elsewhere; the price is one copy of the model.
3. Gradients are summed over the processes after each micro-batch, so that nowhere all of them lie at once.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from accelerate import Accelerator, PartialState
from accelerate.utils import DistributedType, gather_object
from PIL import Image
from torch import Tensor, nn
from torch.distributed.fsdp import MixedPrecisionPolicy
from torch.distributed.tensor import DTensor
from transformers.integrations import unset_hf_deepspeed_config

from vlrl.models.vision import PIXELS
from vlrl.models.vlm import VLM, EncodedPrompt
from vlrl.types import UserError
from vlrl.video import FRAME_FACTOR, Video


def is_sharded(accelerator: Accelerator) -> bool:
    """Whether accelerate splits the training over processes by FSDP or DeepSpeed."""
    return accelerator.distributed_type in (DistributedType.FSDP, DistributedType.DEEPSPEED)


def split_by(accelerator: Accelerator) -> str | None:
    """`FSDP` or `DEEPSPEED` where weights, gradients or the optimiser's state are split; None where they are whole."""
    return accelerator.distributed_type.value if is_sharded(accelerator) else None


def accumulation(accelerator: Accelerator, policy: nn.Module, last: bool) -> AbstractContextManager[None]:
    """The context of a micro-batch's forward and backward; the processes' gradients meet at the `last` of a step.

    Where they are split they meet at each: none of the processes could hold them whole.
    """
    accelerator.sync_gradients = last  # where DeepSpeed's backward takes the optimiser's step
    return nullcontext() if last or is_sharded(accelerator) else accelerator.no_sync(policy)


@dataclass
class Sharding:
    """What a run needs to know of its split weights; the defaults are those of a run without any."""

    skeleton: nn.Module | None = None
    """The model with shapes in place of weights; None when every process holds all weights."""
    dtype: torch.dtype | None = None
    """What split weights are computed in where it is not their own; also the dtype of whole copies of them."""
    blanks: dict[str, EncodedPrompt] = field(default_factory=dict)
    """For each kind of pixel tensor a small prompt that holds it; empty when processes call the vision tower as they like."""
    gathers_by_module: bool = False
    """ZeRO-3: a module gathers its own weights whenever it is called; FSDP2 does so for whole blocks."""
    kinds: frozenset[str] = frozenset()
    """The kinds of pixel tensors that any process has in this step."""

    def look_at(self, prompts: Sequence[EncodedPrompt]) -> None:
        """At the start of a step: which kinds of pixel tensors do the processes have? All of them call it together."""
        if self.blanks:
            mine = {key for prompt in prompts for key in self.blanks if key in prompt.media}
            self.kinds = frozenset(gather_object(sorted(mine)))

    def fillers(self, prompts: Sequence[EncodedPrompt]) -> list[EncodedPrompt]:
        """The prompts to add to a micro-batch of `prompts`, so that the vision tower runs on this process when it does elsewhere.

        They have no completions: nothing is predicted from them, and the gradients that they give are 0.
        """
        return [blank for key, blank in self.blanks.items() if key in self.kinds and not any(key in p.media for p in prompts)]

    def most(self, count: int) -> int:
        """The largest `count` of all processes, which call it together, where each call of a module gathers its weights."""
        if not self.gathers_by_module:
            return count
        largest = torch.tensor(count, device=PartialState().device)
        torch.distributed.all_reduce(largest, torch.distributed.ReduceOp.MAX)
        return int(largest)

    @contextmanager
    def whole_weights(self, vlm: VLM, dtype: torch.dtype | None = None) -> Iterator[None]:
        """Inside, `vlm.model` is a copy with all weights, those that FSDP2 splits in `dtype`; all processes enter together.

        Nothing happens where the weights are not split.
        """
        if self.skeleton is None:
            yield
            return
        split = vlm.model
        pairs = zip(self.skeleton.parameters(), split.parameters(), strict=True)
        memo: dict[int, Any] = {id(empty): _whole(part, dtype) for empty, part in pairs}
        vlm.model = copy.deepcopy(self.skeleton, memo).to(split.device)  # type: ignore[assignment]
        try:
            yield
        finally:
            vlm.model = split


FSDP_BF16 = MixedPrecisionPolicy(param_dtype=torch.bfloat16, reduce_dtype=torch.float32, cast_forward_inputs=False)
"""Weights alone are rounded; accelerate would round gradients before their sum, the positions that go into each block, and the
log-probabilities that leave the model."""


def configure(accelerator: Accelerator, max_grad_norm: float) -> None:
    """Before the model is loaded: tell accelerate's FSDP or DeepSpeed what its own configuration cannot know.

    Each process loads all weights, and keeps its part of them in `Accelerator.prepare`.
    Raises UserError, with the mend, for a configuration of accelerate that does not work.
    """
    if is_sharded(accelerator) and accelerator.mixed_precision not in ("no", "bf16"):
        raise UserError(f"mixed_precision is {accelerator.mixed_precision}; FSDP and DeepSpeed run in bf16 or no")
    if accelerator.distributed_type == DistributedType.FSDP:
        plugin = accelerator.state.fsdp_plugin
        if plugin.fsdp_version != 2:
            raise UserError("fsdp_version is 1; set it to 2, as configs/accelerate/fsdp2.yaml does")
        if plugin.cpu_ram_efficient_loading:
            raise UserError("fsdp_cpu_ram_efficient_loading is true; set it to false")
        if accelerator.mixed_precision == "bf16":
            plugin.mixed_precision_policy = FSDP_BF16
    if accelerator.distributed_type == DistributedType.DEEPSPEED:
        unset_hf_deepspeed_config()  # or transformers splits the weights while it loads them
        settings = accelerator.state.deepspeed_plugin.deepspeed_config
        settings["gradient_clipping"] = max_grad_norm if math.isfinite(max_grad_norm) else 0.0  # 0: never
        settings["train_micro_batch_size_per_gpu"] = 1  # a word that DeepSpeed wants and nothing depends on


def prepare(accelerator: Accelerator, vlm: VLM) -> Sharding:
    """Between loading and splitting: keep what is needed of the whole model, and choose what is split."""
    if not is_sharded(accelerator):
        return Sharding()
    fsdp = accelerator.distributed_type == DistributedType.FSDP
    zero3 = not fsdp and accelerator.state.deepspeed_plugin.zero_stage == 3
    if fsdp:
        _choose_blocks(accelerator.state.fsdp_plugin, accelerator.device, vlm)
    return Sharding(
        skeleton=_skeleton(vlm.model) if fsdp or zero3 else None,
        dtype=torch.bfloat16 if accelerator.mixed_precision == "bf16" else None,
        blanks=_blank_prompts(vlm) if zero3 or vlm.vision_is_trained() else {},
        gathers_by_module=zero3,
    )


def _choose_blocks(plugin: Any, device: torch.device, vlm: VLM) -> None:
    """FSDP2 gathers the weights of one of the model's blocks at a time, and leaves a frozen vision tower alone."""
    frozen = [] if vlm.vision_is_trained() else vlm.vision_parameters()
    plugin.ignored_modules = [nn.ParameterList(frozen).to(device)]
    whole = set(map(id, frozen))
    split = {type(module).__name__ for module in vlm.base.modules() if not whole.issuperset(map(id, module.parameters()))}
    plugin.transformer_cls_names_to_wrap = sorted(split & set(vlm.base._no_split_modules or ()))


def _skeleton(model: nn.Module) -> nn.Module:
    """A copy of `model`, its buffers too, whose parameters are shapes without values."""
    memo: dict[int, Any] = {
        id(p): nn.Parameter(torch.empty_like(p, device="meta"), requires_grad=p.requires_grad) for p in model.parameters()
    }
    return copy.deepcopy(model, memo)


def _whole(part: nn.Parameter, dtype: torch.dtype | None) -> nn.Parameter:
    """All of a parameter of which this process may hold a part."""
    return nn.Parameter(_gather(part, dtype), part.requires_grad)


@torch.no_grad()
def _gather(part: nn.Parameter, dtype: torch.dtype | None) -> Tensor:
    if isinstance(part, DTensor):
        return cast(DTensor, part.to(dtype)).full_tensor()
    if hasattr(part, "ds_id"):
        import deepspeed

        with deepspeed.zero.GatheredParameters([part]):
            return part.data.clone()
    return part.data


def _blank_prompts(vlm: VLM) -> dict[str, EncodedPrompt]:
    blanks = {PIXELS["image"]: vlm.encode("", [Image.new("RGB", (32, 32))])}
    if vlm.family.reads_video:
        size = vlm.frame_factor, vlm.frame_factor
        frames = np.zeros((FRAME_FACTOR, *size, 3), dtype=np.uint8)
        blanks[PIXELS["video"]] = vlm.encode("", [Video(frames, tuple(range(FRAME_FACTOR)), 1.0, FRAME_FACTOR, size)])
    return blanks
