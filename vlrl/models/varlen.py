"""The shared-prefix attention as one call of FlashAttention: no padding, no mask, no copies of key and value heads.

The stream's queries stay as they are. Every branch gets keys and values of its own, `[prefix; branch]`. FlashAttention aligns the
causal triangle at the bottom right of each pair of lengths: a branch's first query sees the whole prefix. The kernel comes from
`torch.nn.attention.varlen`, whose cuDNN backend aligns at the top left and turns down unequal lengths by itself. It runs on CUDA
in 16 bits; elsewhere, and where images see ahead, `vlrl.models.shared_prefix` does without it.

Not yet run on hardware: tests/models/test_varlen.py puts a slow reference in the kernel's place, and has PyTorch check the call.

Shapes: S stream tokens, T tokens of all keys, M segments (prefixes, branches), N query heads, K key and value heads, D head size.
"""

from __future__ import annotations

import inspect
from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

try:
    from torch.nn.attention import varlen

    varlen_attn: Any = varlen.varlen_attn
except ImportError:  # torch before 2.10
    varlen_attn = None

if TYPE_CHECKING:
    from vlrl.models.shared_prefix import Layout

INSTALLED = varlen_attn is not None and {"enable_gqa", "window_size"} <= set(inspect.signature(varlen_attn).parameters)


def serves(query: Tensor, layout: Layout, dropout: float) -> bool:
    """Whether the kernel computes this call: on CUDA from compute capability 8.0 on, in 16 bits, causal, without dropout."""
    plain = layout.blocks_S is None and not dropout
    fits = query.dtype in (torch.float16, torch.bfloat16) and query.shape[-1] <= 256 and query.shape[-1] % 8 == 0
    return INSTALLED and plain and fits and query.is_cuda and torch.cuda.get_device_capability(query.device) >= (8, 0)


def attention(
    query_SND: Tensor, key_SKD: Tensor, value_SKD: Tensor, layout: Layout, scale: float | None, window: int | None
) -> Tensor:
    """The attention's output [S, N, D]; `window` counts the tokens that a query sees, itself included."""
    cuts = _cuts(layout, query_SND.device)
    return varlen_attn(
        query_SND,
        _Gather.apply(key_SKD, cuts.keys_T),
        _Gather.apply(value_SKD, cuts.keys_T),
        cuts.query_ends,
        cuts.key_ends,
        cuts.longest_query,
        cuts.longest_keys,
        scale=scale,
        window_size=(-1 if window is None else window - 1, 0),
        enable_gqa=True,
    )


class _Cuts(NamedTuple):
    """Which tokens of the stream are keys, segment after segment, and where the segments end, from 0 on [M + 1]."""

    keys_T: Tensor
    query_ends: Tensor
    key_ends: Tensor
    longest_query: int
    longest_keys: int


@lru_cache(maxsize=2)
def _cuts(layout: Layout, device: torch.device) -> _Cuts:
    """Made once for all layers of a pass."""
    keys: list[range] = []
    queries: list[int] = []
    lengths: list[int] = []
    for group in layout.groups:
        prefix, at = range(group.start, group.start + group.prefix), group.start + group.prefix
        keys.append(prefix)
        queries.append(group.prefix)
        lengths.append(group.prefix)
        for branch in filter(None, group.branches):
            keys += [prefix, range(at, at + branch)]
            queries.append(branch)
            lengths.append(group.prefix + branch)
            at += branch
    keys_T = torch.cat([torch.arange(part.start, part.stop) for part in keys]).to(device)
    ends = [torch.tensor([0, *accumulate(sizes)], dtype=torch.int32, device=device) for sizes in (queries, lengths)]
    return _Cuts(keys_T, ends[0], ends[1], max(queries), max(lengths))


class _Gather(torch.autograd.Function):
    """`states_SKD[index_T]`. The gradient of a prefix token, a sum over G branches, is summed in float32."""

    @staticmethod
    def forward(ctx: Any, states_SKD: Tensor, index_T: Tensor) -> Tensor:
        ctx.save_for_backward(index_T)
        ctx.size = states_SKD.shape[0]
        return states_SKD[index_T]

    @staticmethod
    def backward(ctx: Any, gradient_TKD: Tensor) -> tuple[Tensor, None]:
        (index_T,) = ctx.saved_tensors
        dtype = torch.promote_types(gradient_TKD.dtype, torch.float32)
        total_SKD = gradient_TKD.new_zeros(ctx.size, *gradient_TKD.shape[1:], dtype=dtype)
        return total_SKD.index_add_(0, index_T, gradient_TKD.to(dtype)).to(gradient_TKD.dtype), None
