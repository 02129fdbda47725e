"""Attention over streams `[prefix | branch 1 | ... | branch G]`: each branch sees its group's prefix and itself, nothing else.

Registered through transformers' `AttentionInterface`; the language model's own attention runs whenever no layout is handed over,
so rollouts, evaluation and the naive path are untouched. Peers that rely on position ids instead let branches see each other
without a word: transformers cuts a packed stream where positions fall back to 0, and a branch's fall back to P.

Exact: the log-probabilities equal those of G separate rows (tests/training/test_packed_exact.py). The prefix costs
P^2 / 2 once instead of G times; a branch of C tokens costs C (P + C / 2), as in a row of its own.

Shapes: S stream tokens, P prefix tokens, G branches, C tokens of the longest branch, N heads, D head dimension.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AttentionInterface, AttentionMaskInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv, sdpa_attention_forward
from transformers.masking_utils import sdpa_mask

from vlrl.models import varlen
from vlrl.models.branch_cache import BranchCache

LAYOUT = "shared_prefix"
"""The keyword argument of the model's forward that carries the layout (or, in rollouts, the cache) to every attention layer."""


class Group(NamedTuple):
    """One prefix and its branches: where the prefix starts in the stream, its length P, and the branches' lengths."""

    start: int
    prefix: int
    branches: tuple[int, ...]

    @property
    def end(self) -> int:
        """One past the group's last token in the stream."""
        return self.start + self.prefix + sum(self.branches)


@dataclass(frozen=True, eq=False)
class Layout:
    """How a stream is cut. `blocks_S` numbers the images whose tokens see each other both ways, -1 elsewhere; None: causal."""

    groups: tuple[Group, ...]
    blocks_S: Tensor | None = None

    @classmethod
    def of(cls, shapes: Sequence[tuple[int, Sequence[int]]], blocks_S: Tensor | None = None) -> Layout:
        """The layout of groups `(P, branch lengths)` that follow each other without a gap.

        >>> Layout.of([(4, [2, 1]), (3, [])]).groups
        (Group(start=0, prefix=4, branches=(2, 1)), Group(start=7, prefix=3, branches=()))
        """
        groups: list[Group] = []
        for prefix, branches in shapes:
            groups.append(Group(groups[-1].end if groups else 0, prefix, tuple(branches)))
        return cls(tuple(groups), blocks_S)


def why_not(model: PreTrainedModel) -> str | None:
    """What keeps `model` from sharing prefixes, as half a sentence; None when nothing does.

    A layer that carries a state from token to token (linear attention, state spaces) would leak one branch into the next.
    """
    text = model.config.get_text_config()
    other = set(getattr(text, "layer_types", None) or ()) - SERVED_LAYERS
    if other:
        return f"its layers of type {', '.join(sorted(other))} are not attention over all tokens"
    if getattr(text, "attn_logit_softcapping", None):
        return "its attention caps its logits"
    if text._attn_implementation not in ("sdpa", NAME):
        return f"attn_implementation is {text._attn_implementation}, not sdpa"
    if "mm_encoder_outputs" not in inspect.signature(model.model.forward).parameters:
        return "its forward takes no ready-made image features"
    return None


SERVED_LAYERS = {"full_attention", "sliding_attention"}
NAME = "shared_prefix"
"""The attention implementation: shared prefixes where there is a layout, else transformers' `sdpa`."""


def enable(model: PreTrainedModel) -> None:
    """Let the language model of `model` take layouts; its `sdpa` attention goes on serving calls without one."""
    AttentionInterface.register(NAME, _forward)
    AttentionMaskInterface.register(NAME, sdpa_mask)
    text = model.config.get_text_config()
    subs = model.config.sub_configs
    model.set_attn_implementation({key: NAME for key in subs if getattr(model.config, key) is text})


def _forward(module: nn.Module, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any, **kwargs: Any) -> Any:
    layout = kwargs.pop(LAYOUT, None)
    if layout is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, **kwargs)
    if isinstance(layout, BranchCache):
        return layout.attend(module.layer_idx, query, **kwargs), None  # type: ignore[arg-type]
    return attention(query, key, value, layout, **kwargs), None


def attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    layout: Layout,
    scaling: float | None = None,
    dropout: float = 0.0,
    sliding_window: int | None = None,
    **_: Any,
) -> Tensor:
    """The attention's output [1, S, N, D] for `query` [1, N, S, D] and `key`, `value` [1, N_kv, S, D].

    By FlashAttention where it serves (`vlrl.models.varlen`), else by `scaled_dot_product_attention`.
    """
    # Under autocast rotary embeddings leave query and key in float32, which FlashAttention does not take.
    query, key = query.to(value.dtype), key.to(value.dtype)
    if varlen.serves(query, layout, dropout):
        query_SND, key_SKD, value_SKD = (states[0].transpose(0, 1) for states in (query, key, value))
        return varlen.attention(query_SND, key_SKD, value_SKD, layout, scaling, sliding_window)[None]
    repeats = query.shape[1] // key.shape[1]
    key, value = repeat_kv(key, repeats), repeat_kv(value, repeats)
    call = _Call(query[0], key[0], value[0], scaling, dropout, sliding_window)
    parts = []
    for group in layout.groups:
        blocks_S = layout.blocks_S
        parts.append(_prefix(call, group, None if blocks_S is None else blocks_S[group.start : group.start + group.prefix]))
        if any(group.branches):
            parts.append(_branches(call, group))
    return torch.cat(parts, dim=1).transpose(0, 1)[None]


class _Call(NamedTuple):
    """One attention layer's operands [N, S, D] and settings."""

    query: Tensor
    key: Tensor
    value: Tensor
    scaling: float | None
    dropout: float
    window: int | None

    def sdpa(self, query: Tensor, key: Tensor, value: Tensor, mask: Any, causal: bool = False) -> Tensor:
        return F.scaled_dot_product_attention(query, key, value, mask, self.dropout, causal, scale=self.scaling)


def _prefix(call: _Call, group: Group, blocks_P: Tensor | None) -> Tensor:
    """The prefix attends to itself, [N, P, D]."""
    at = slice(group.start, group.start + group.prefix)
    operands = call.query[None, :, at], call.key[None, :, at], call.value[None, :, at]
    windowed = call.window is not None and call.window < group.prefix
    if blocks_P is None and not windowed:
        return call.sdpa(*operands, None, causal=True)[0]
    return call.sdpa(*operands, _seen(group.prefix, group.prefix, call.window, call.query.device, blocks_P))[0]


def _branches(call: _Call, group: Group) -> Tensor:
    """Every branch attends to [prefix; itself], all of them in one call; [N, sum of lengths, D].

    Shorter branches are padded behind their end: their queries see up to their own place only, so no mask has to tell them from
    padding, and what the padding computes is dropped.
    """
    count, longest = len(group.branches), max(group.branches)
    middle = group.start + group.prefix
    keys_GNLD, values_GNLD = (_with_prefix(x, group) for x in (call.key, call.value))
    queries_GNCD = _spread(call.query[:, middle : group.end], group.branches)
    total = group.prefix + longest
    mask_CL = _seen(longest, total, call.window, call.query.device)
    out_GNCD = call.sdpa(queries_GNCD, keys_GNLD, values_GNLD, mask_CL)
    if group.branches == (longest,) * count:
        return out_GNCD.transpose(0, 1).flatten(1, 2)
    return torch.cat([out_GNCD[g, :, :length] for g, length in enumerate(group.branches)], dim=1)


def _with_prefix(states_NSD: Tensor, group: Group) -> Tensor:
    """[G, N, P + C, D]: the prefix before each branch."""
    middle = group.start + group.prefix
    prefix_GNPD = states_NSD[:, group.start : middle].expand(len(group.branches), -1, -1, -1)
    return torch.cat([prefix_GNPD, _spread(states_NSD[:, middle : group.end], group.branches)], dim=2)


def _spread(states_NXD: Tensor, lengths: Sequence[int]) -> Tensor:
    """Concatenated branches [N, sum of lengths, D] one below the other, [G, N, C, D], zeros behind the shorter ones."""
    longest = max(lengths)
    if all(length == longest for length in lengths):
        return states_NXD.unflatten(1, (len(lengths), longest)).transpose(0, 1)
    rows = [F.pad(row, (0, 0, 0, longest - row.shape[1])) for row in states_NXD.split(list(lengths), dim=1)]
    return torch.stack(rows)


def _seen(queries: int, keys: int, window: int | None, device: torch.device, blocks_P: Tensor | None = None) -> Tensor:
    """Boolean [queries, keys], True where seen: causal, or of one image; with a window, not `window` or more places behind.

    The last query is the last key. `blocks_P` numbers the images, for a prefix alone (queries = keys = P).
    """
    query_at = torch.arange(keys - queries, keys, device=device)[:, None]
    key_at = torch.arange(keys, device=device)
    seen = key_at <= query_at
    if blocks_P is not None:
        seen = seen | ((blocks_P[:, None] == blocks_P) & (blocks_P >= 0))
    return seen if window is None else seen & (key_at > query_at - window)
