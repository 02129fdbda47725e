"""The model's forward as decoding calls it: prompts in, then one token of every row at a time, hidden states out.

`Branches` keeps each prompt once (any model that shares prefixes), `Rows` gives every row a cache of its own (any other model).

Shapes: P prompts, A living rows, L tokens of the longest prompt, H hidden size.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import torch
from torch import Tensor
from transformers import DynamicCache

from vlrl.models.branch_cache import BranchCache
from vlrl.models.shared_prefix import LAYOUT
from vlrl.models.vision import VisionEncoder
from vlrl.models.vlm import VLM, EncodedPrompt

PREFILL_TOKENS = 16384
"""Tokens, padding included, that one forward over prompts takes at most; a longer prompt has one of its own."""
NEAR = 0.8
"""Prompts share a forward when the shortest has at least this share of the longest's tokens: little of it is padding."""


class Forward(Protocol):
    """What decodes: hidden states [P, H] of the prompts' ends, [A, H] of each row's last token."""

    def prefill(self, prompts: Sequence[EncodedPrompt], rows: Sequence[int], width: int) -> Tensor:
        """Run the distinct `prompts`, then stand ready for `width` rows of each of `prompts[rows[i]]`."""
        ...

    def step(self, tokens_A: Tensor, positions_A: Tensor) -> Tensor:
        """Append one token to every living row."""
        ...

    def keep(self, rows_A: Tensor) -> None:
        """Go on with these living rows only."""
        ...


class Branches:
    """Prompts of similar lengths share a forward, padded at their ends where no attention looks; then `BranchCache`."""

    def __init__(self, vlm: VLM, vision: VisionEncoder) -> None:
        self.vlm, self.vision = vlm, vision
        self.cache: BranchCache

    def prefill(self, prompts: Sequence[EncodedPrompt], rows: Sequence[int], width: int) -> Tensor:
        self.axes = len(prompts[0].position_ids_AP)
        self.cache = BranchCache([len(prompts[row]) for row in rows], width, self.vlm.device)
        self.seen = torch.ones(1, 1, 1, 1, dtype=torch.bool, device=self.vlm.device)
        ends: dict[int, Tensor] = {}
        for chunk in _chunks(prompts):
            prefill = DynamicCache()
            hidden_CLH = self._forward([prompts[index] for index in chunk], prefill)
            ends |= {index: hidden_CLH[place, len(prompts[index]) - 1] for place, index in enumerate(chunk)}
            places = {index: place for place, index in enumerate(chunk)}
            wanted = [at for at, index in enumerate(rows) if index in places]
            self.cache.put(prefill, [places[rows[at]] for at in wanted], wanted)
        return torch.stack([ends[row] for row in rows])

    def _forward(self, prompts: Sequence[EncodedPrompt], cache: DynamicCache) -> Tensor:
        inputs, _ = _padded(self.vlm, prompts, left=False)
        features = self.vision.features(prompts)
        output = self.vlm.base.model(**inputs, past_key_values=cache, use_cache=True, mm_encoder_outputs=features)
        return output.last_hidden_state

    def step(self, tokens_A: Tensor, positions_A: Tensor) -> Tensor:
        self.cache.advance()
        inputs = self.vlm.text_inputs(tokens_A[:, None], positions_A.expand(self.axes, -1)[..., None])
        shared: dict[str, Any] = {"past_key_values": self.cache, LAYOUT: self.cache}
        return self.vlm.base.model(**inputs, **shared, use_cache=True, attention_mask=self.seen).last_hidden_state[:, 0]

    def keep(self, rows_A: Tensor) -> None:
        self.cache.keep(rows_A)


class Rows:
    """What transformers' `generate` does: prompts padded at their beginnings, a mask, a growing cache of every row."""

    def __init__(self, vlm: VLM) -> None:
        self.vlm = vlm
        self.cache: DynamicCache

    def prefill(self, prompts: Sequence[EncodedPrompt], rows: Sequence[int], width: int) -> Tensor:
        self.axes = len(prompts[0].position_ids_AP)
        inputs, mask_PL = _padded(self.vlm, prompts, left=True)
        self.cache = DynamicCache(config=self.vlm.base.config.get_text_config())
        media = self.vlm.media_batch(prompts)
        output = self.vlm.base.model(**inputs, **media, attention_mask=mask_PL, past_key_values=self.cache, use_cache=True)
        expanded = torch.tensor(rows, device=self.vlm.device).repeat_interleave(width)
        self.cache.batch_select_indices(expanded)
        self.mask_AL = mask_PL[expanded]
        return output.last_hidden_state[rows, -1]

    def step(self, tokens_A: Tensor, positions_A: Tensor) -> Tensor:
        self.mask_AL = torch.cat([self.mask_AL, self.mask_AL.new_ones(len(tokens_A), 1)], 1)
        inputs = self.vlm.text_inputs(tokens_A[:, None], positions_A.expand(self.axes, -1)[..., None])
        cached: dict[str, Any] = {"past_key_values": self.cache, "use_cache": True}
        return self.vlm.base.model(**inputs, **cached, attention_mask=self.mask_AL).last_hidden_state[:, 0]

    def keep(self, rows_A: Tensor) -> None:
        self.cache.batch_select_indices(rows_A)
        self.mask_AL = self.mask_AL[rows_A]


def _chunks(prompts: Sequence[EncodedPrompt]) -> Iterator[list[int]]:
    """Places of prompts that go through one forward, the longest first."""
    order = sorted(range(len(prompts)), key=lambda index: -len(prompts[index]))
    while order:
        longest = len(prompts[order[0]])
        near = [index for index in order if len(prompts[index]) >= NEAR * longest]
        chunk = near[: max(1, PREFILL_TOKENS // longest)]
        yield chunk
        order = order[len(chunk) :]


def _padded(vlm: VLM, prompts: Sequence[EncodedPrompt], left: bool) -> tuple[dict[str, Tensor], Tensor]:
    """The prompts as one batch, as the model's forward takes them, and its mask [P, L], 1 on tokens."""
    longest = max(map(len, prompts))
    starts = [longest - len(prompt) if left else 0 for prompt in prompts]
    input_ids = torch.full((len(prompts), longest), vlm.pad_id)
    position_ids = torch.zeros(len(prompts[0].position_ids_AP), len(prompts), longest, dtype=torch.long)
    types, mask = torch.zeros_like(input_ids), torch.zeros_like(input_ids)
    for row, (start, prompt) in enumerate(zip(starts, prompts, strict=True)):
        at = slice(start, start + len(prompt))
        input_ids[row, at], position_ids[:, row, at] = prompt.input_ids_P, prompt.position_ids_AP
        types[row, at], mask[row, at] = prompt.token_types_P, 1
    moved = [tensor.to(vlm.device) for tensor in (input_ids, position_ids, types, mask)]
    return vlm.text_inputs(*moved[:3]), moved[3]
