"""The FlashAttention backend against the SDPA one: a slow reference stands for the kernel, which no CPU has."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from toys import picture, toy_vlm

from vlrl.models import shared_prefix, varlen
from vlrl.models.shared_prefix import Layout
from vlrl.training.packing import pack
from vlrl.training.policy import Policy


def slow_varlen(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    cu_seq_q: Tensor,
    cu_seq_k: Tensor,
    max_q: int,
    max_k: int,
    *,
    scale: float | None,
    window_size: tuple[int, int],
    enable_gqa: bool,
) -> Tensor:
    """`torch.nn.attention.varlen.varlen_attn` by its documentation: (W, 0) sees W tokens back, aligned at the bottom right."""
    assert cu_seq_q is not cu_seq_k  # the same object would let cuDNN in, which aligns at the top left
    assert cu_seq_q.dtype == cu_seq_k.dtype == torch.int32
    assert enable_gqa
    queries, keys = ([b - a for a, b in pairwise(ends.tolist())] for ends in (cu_seq_q, cu_seq_k))
    assert (max(queries), max(keys)) == (max_q, max_k)
    repeats = query.shape[1] // key.shape[1]
    left, right = window_size
    assert right == 0
    parts = zip(query.split(queries), key.split(keys), value.split(keys), strict=True)
    return torch.cat(
        [_segment(q, k.repeat_interleave(repeats, 1), v.repeat_interleave(repeats, 1), scale, left) for q, k, v in parts]
    )


def _segment(query: Tensor, key: Tensor, value: Tensor, scale: float | None, left: int) -> Tensor:
    place = torch.arange(len(key))
    back = place[-len(query) :, None] - place  # how far behind the query each key lies
    hidden = (back < 0) | ((back > left) if left >= 0 else False)
    scores = torch.einsum("qnd,knd->nqk", query, key) * (query.shape[-1] ** -0.5 if scale is None else scale)
    return torch.einsum("nqk,knd->qnd", scores.masked_fill(hidden, float("-inf")).softmax(-1), value)


@pytest.fixture
def on_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(varlen, "varlen_attn", slow_varlen)
    monkeypatch.setattr(varlen, "serves", lambda query, layout, dropout: layout.blocks_S is None)


groups = st.lists(st.tuples(st.integers(1, 8), st.lists(st.integers(0, 5), max_size=5)), min_size=1, max_size=3)


@settings(max_examples=80, deadline=None)
@given(groups, st.none() | st.integers(1, 9), st.sampled_from([(2, 2), (4, 2)]), st.sampled_from([None, 0.3]))
def test_it_equals_sdpa(
    shapes: list[tuple[int, list[int]]], window: int | None, heads: tuple[int, int], scale: float | None
) -> None:
    layout = Layout.of(shapes)
    generator = torch.Generator().manual_seed(1)
    size = layout.groups[-1].end
    operands = [
        torch.randn(1, n, size, 8, dtype=torch.double, generator=generator, requires_grad=True)
        for n in (heads[0], heads[1], heads[1])
    ]
    slow = shared_prefix.attention(*operands, layout, scaling=scale, sliding_window=window)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(varlen, "varlen_attn", slow_varlen)
        patch.setattr(varlen, "serves", lambda query, layout, dropout: True)
        fast = shared_prefix.attention(*operands, layout, scaling=scale, sliding_window=window)
    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=0)
    weights = torch.randn(slow.shape, dtype=torch.double, generator=generator)
    gradients = [torch.autograd.grad((out * weights).sum(), operands) for out in (fast, slow)]
    torch.testing.assert_close(*gradients, atol=1e-11, rtol=0)


@pytest.mark.usefixtures("on_this_machine")
@pytest.mark.parametrize("family", ["qwen3_vl", "internvl"])
def test_a_whole_model(family: str) -> None:
    """Two layers share the cuts of one layout; the gradients pass through checkpoints."""
    vlm = toy_vlm(family)
    shared_prefix.enable(vlm.base)
    prompts = [vlm.encode("One", [picture()])] * 3 + [vlm.encode("Two", [])] * 2
    batch = pack(vlm, prompts, [[3, 4, 5], [6], [7, 8], [9, 10, 11, 12], [13]])
    outcomes: list[tuple[Tensor, list[Tensor]]] = []
    for on in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            if not on:
                patch.setattr(varlen, "serves", lambda *_: False)
            vlm.model.zero_grad()
            logprobs_BT = Policy(vlm, 1.0)(batch).logprobs_BT
            (logprobs_BT * torch.sin(torch.arange(1.0, 1 + logprobs_BT.numel())).view_as(logprobs_BT)).sum().backward()
            outcomes.append((logprobs_BT.detach(), [p.grad.clone() for p in vlm.model.parameters() if p.grad is not None]))
    torch.testing.assert_close(*outcomes, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("window", [None, 4])
def test_pytorch_takes_the_call(window: int | None) -> None:
    """The real operator on tensors without data: arguments and shapes, forward and backward; no values."""
    layout = Layout.of([(6, [3, 0, 2]), (4, [5])])
    like: dict[str, Any] = {"device": "meta", "dtype": torch.bfloat16, "requires_grad": True}
    query, key, value = (torch.empty(20, heads, 16, **like) for heads in (4, 2, 2))
    out = varlen.attention(query, key, value, layout, 0.3, window)
    assert (out.shape, out.dtype) == (query.shape, torch.bfloat16)
    out.sum().backward()
    assert all(states.grad is not None and states.grad.shape == states.shape for states in (query, key, value))


class SumTypes(TorchDispatchMode):
    """The types in which `index_add_` has added while it is on."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: set[torch.dtype] = set()

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if "index_add" in str(func):
            self.seen.add(args[0].dtype)
        return func(*args, **(kwargs or {}))


def test_prefix_gradients_are_summed_in_float32() -> None:
    """256 branches add 1 each to a prefix token's gradient of 1: bfloat16 alone would stop at 256 (on CUDA; a CPU is kinder)."""
    states = torch.ones(1, 1, 1, dtype=torch.bfloat16, requires_grad=True)
    gathered = varlen._Gather.apply(states, torch.zeros(300, dtype=torch.long))
    with SumTypes() as sums:
        gathered.sum().backward()
    assert sums.seen == {torch.float32}
    assert states.grad is not None
    assert states.grad.dtype == torch.bfloat16
    assert float(states.grad) == 300


def test_it_serves_only_what_the_kernel_can(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnCuda:
        """What `serves` reads of a tensor on a GPU."""

        is_cuda, device = True, "cuda"

        def __init__(self, dtype: torch.dtype, dim: int) -> None:
            self.dtype, self.shape = dtype, (1, 2, 3, dim)

    def serves(dtype: torch.dtype = torch.bfloat16, dim: int = 64, layout: Layout | None = None, dropout: float = 0.0) -> bool:
        query: Any = OnCuda(dtype, dim)
        return varlen.serves(query, layout or Layout.of([(2, [1])]), dropout)

    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (9, 0))
    assert varlen.INSTALLED
    assert serves()
    assert serves(torch.float16)
    assert not serves(torch.float32)
    assert not serves(dim=264)
    assert not serves(dim=20)
    assert not serves(dropout=0.1)
    assert not serves(layout=Layout.of([(2, [1])], torch.tensor([0, -1, -1])))
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: (7, 5))
    assert not serves()
    assert not varlen.serves(torch.zeros(1, 2, 3, 64, dtype=torch.bfloat16), Layout.of([(2, [1])]), 0.0)
