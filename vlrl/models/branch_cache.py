"""Keys and values of completions that decode side by side: each prompt's are kept once, whatever the size of its group.

A row attends to its prompt and to its own branch. The scores over the prompt are one matrix product for all rows of the group, so
a step reads the prompt's keys and values once and not G times; nothing is copied as branches grow.

Shapes: M prompts, W rows of a prompt, A living rows, L tokens of the longest prompt, T tokens of a branch; K key/value heads,
R query heads of each, D head dimension, X anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import Cache, DynamicCache

CAPACITY = 64
"""Tokens of a branch that there is room for at first; doubled whenever they are used up."""


class BranchCache(Cache):
    """The cache of `width` rows for each of the prompts of these lengths, in the prompts' order.

    The model's forward gets it as its cache and as its layout (`vlrl.models.shared_prefix.LAYOUT`), with one token of every row;
    call `advance` before each.
    """

    def __init__(self, lengths: Sequence[int], width: int, device: torch.device) -> None:
        super().__init__(layers=[])
        self.lengths_M = torch.tensor(lengths, device=device)
        self.width, self.rows = width, len(lengths) * width
        self.slots_A: Tensor | None = None
        """Each living row's place among the M * W; None while all of them live."""
        self.tokens, self.capacity = 0, 0
        self._places_L = torch.arange(max(lengths), device=device)
        self._padded = min(lengths) < max(lengths)
        self._prompts: list[tuple[Tensor, Tensor]] = []
        self._branches: list[tuple[Tensor, Tensor]] = []

    def put(self, prefill: DynamicCache, rows: Sequence[int], prompts: Sequence[int]) -> None:
        """Take over what a forward over prompts, padded at their ends, has left: its row `rows[i]` is the prompt `prompts[i]`."""
        for index, layer in enumerate(cast(list[Any], prefill.layers)):
            keys, values = layer.keys, layer.values
            _, heads, length, dim = values.shape
            if index == len(self._prompts):
                shape = (len(self.lengths_M), heads, len(self._places_L), dim)
                self._prompts.append((values.new_zeros(shape), values.new_zeros(shape)))
                self._branches.append((values.new_empty(self.rows, heads, 0, dim),) * 2)
            for kept, found in zip(self._prompts[index], (keys, values), strict=True):
                kept[prompts, :, :length] = found[rows].to(kept.dtype)

    def advance(self) -> None:
        """Make room for one more token of every branch."""
        if self.tokens == self.capacity:
            more = max(CAPACITY, self.capacity)
            self._branches = [(F.pad(k, (0, 0, 0, more)), F.pad(v, (0, 0, 0, more))) for k, v in self._branches]
            self.capacity += more
        self.tokens += 1

    def update(
        self, key_states: Tensor, value_states: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Append one token of every row, [A, K, 1, D]."""
        for kept, states in zip(self._branches[layer_idx], (key_states, value_states), strict=True):
            kept[:, :, self.tokens - 1] = states[:, :, 0]
        return key_states, value_states

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens before the one that `advance` made room for, in the longest row."""
        return len(self._places_L) + max(0, self.tokens - 1)

    def attend(self, layer_idx: int, query: Tensor, scaling: float | None, sliding_window: int | None = None, **_: Any) -> Tensor:
        """The attention's output [A, 1, K * R, D] for `query` [A, K * R, 1, D]. Scores and their softmax are float32."""
        (prompt_keys, prompt_values), branches = self._prompts[layer_idx], self._branches[layer_idx]
        keys_AKTD, values_AKTD = (kept[:, :, : self.tokens] for kept in branches)
        query_AKRD = query[:, :, 0].unflatten(1, (keys_AKTD.shape[1], -1)).to(keys_AKTD.dtype)
        scale = query.shape[-1] ** -0.5 if scaling is None else scaling
        with torch.autocast(query.device.type, enabled=False):
            on_prompt = _scores(self._by_prompt(query_AKRD), prompt_keys)
            on_branch_AKRT = _scores(query_AKRD, keys_AKTD)
            self._hide(on_prompt, on_branch_AKRT, sliding_window)
            scores = torch.cat([self._by_row(on_prompt), on_branch_AKRT], -1).mul_(scale)
            weights = scores.softmax(-1).to(values_AKTD.dtype)
            to_prompt, to_branch_AKRT = weights.split([len(self._places_L), self.tokens], -1)
            out_AKRD = self._by_row(self._by_prompt(to_prompt) @ prompt_values) + to_branch_AKRT @ values_AKTD
        return out_AKRD.flatten(1, 2)[:, None]

    def keep(self, rows_A: Tensor) -> None:
        """Go on with these living rows only (ascending places among them); prompts without a row go too."""
        slots_A = rows_A if self.slots_A is None else self.slots_A[rows_A]
        prompts_M, group_A = torch.unique(slots_A // self.width, return_inverse=True)
        rank_A = torch.arange(len(group_A), device=group_A.device) - torch.searchsorted(group_A, group_A)
        self.rows, self.width = len(group_A), int(rank_A.max()) + 1
        if len(prompts_M) < len(self.lengths_M):
            self.lengths_M = self.lengths_M[prompts_M]
            self._prompts = [(k[prompts_M], v[prompts_M]) for k, v in self._prompts]
        self._branches = [(k[rows_A], v[rows_A]) for k, v in self._branches]
        self.slots_A = group_A * self.width + rank_A if self.rows < len(prompts_M) * self.width else None

    def _by_prompt(self, states_AKRX: Tensor) -> Tensor:
        """[M, K, W * R, X]: the rows of a prompt together, zeros where a row has ended."""
        if self.slots_A is not None:
            all_slots = states_AKRX.new_zeros(len(self.lengths_M) * self.width, *states_AKRX.shape[1:])
            states_AKRX = all_slots.index_copy_(0, self.slots_A, states_AKRX)
        return states_AKRX.unflatten(0, (-1, self.width)).transpose(1, 2).flatten(2, 3)

    def _by_row(self, states_MKX: Tensor) -> Tensor:
        """[A, K, R, X] of [M, K, W * R, X]."""
        rows = states_MKX.unflatten(2, (self.width, -1)).transpose(1, 2).flatten(0, 1)
        return rows if self.slots_A is None else rows[self.slots_A]

    def _hide(self, on_prompt: Tensor, on_branch_AKRT: Tensor, window: int | None) -> None:
        """Put -inf, in place, on the padding of shorter prompts and on tokens more than `window` - 1 places back."""
        lengths_M1 = self.lengths_M[:, None]
        if self._padded:
            on_prompt.masked_fill_((self._places_L >= lengths_M1)[:, None, None], float("-inf"))
        if window is not None:
            gone = self.tokens - window
            on_prompt.masked_fill_((self._places_L < lengths_M1 + gone)[:, None, None], float("-inf"))
            on_branch_AKRT[..., : max(0, gone)] = float("-inf")


def _scores(query: Tensor, keys: Tensor) -> Tensor:
    """Products [..., queries, keys] in float32, of 16-bit operands too: 16 bits of a score would shift the probabilities."""
    if query.is_cuda and query.dtype != torch.float32:
        products = torch.bmm(query.flatten(0, 1), keys.flatten(0, 1).transpose(1, 2), out_dtype=torch.float32)
        return products.unflatten(0, query.shape[:2])
    return query.float() @ keys.float().transpose(-1, -2)
