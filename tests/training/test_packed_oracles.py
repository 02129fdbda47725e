"""The shared-prefix attention against oracles that share no code with it, and the chunked LM head."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from packed_cases import (
    INPUTS,
    TEMPERATURE,
    assert_equal,
    outcome,
    packed,
    rows_of,
    toy,
)
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from toys import FAMILIES

from vlrl.models import head, shared_prefix
from vlrl.models.shared_prefix import Layout
from vlrl.training.policy import Policy


def who_sees_whom(layout: Layout, window: int | None, blocks: Sequence[int] | None) -> Tensor:
    """Boolean [S, S], pair by pair: each branch after its prefix as in a row of its own."""
    size = layout.groups[-1].end
    seen = torch.zeros(size, size, dtype=torch.bool)
    for group in layout.groups:
        prefix, at = list(range(group.start, group.start + group.prefix)), group.start + group.prefix
        for length in (0, *group.branches):
            row = [*prefix, *range(at, at + length)]
            at += length
            for i, query in enumerate(row):
                for j, key in enumerate(row):
                    together = blocks is not None and blocks[query] == blocks[key] >= 0
                    seen[query, key] |= (j <= i or together) and (window is None or i - j < window)
    return seen


def images_of(types: Sequence[int]) -> list[int]:
    """The number of the image that each token belongs to, -1 for text."""
    numbers, last = [], -1
    for previous, current in pairwise([0, *types]):
        last += current == 1 and previous != 1
        numbers.append(last if current == 1 else -1)
    return numbers


@pytest.mark.parametrize("family", FAMILIES)
def test_hidden_states_equal_those_under_a_dense_mask(family: str) -> None:
    vlm = toy(family)
    rows = rows_of(vlm, INPUTS["mixture"])
    rows = [row._replace(token_ids=row.token_ids[:6]) for row in rows[:10]]
    (batch,) = packed(vlm, rows)
    policy = Policy(vlm, TEMPERATURE)
    images = images_of(batch.token_types_S.tolist()) if vlm.family.images_see_ahead else None
    text = vlm.base.config.get_text_config()
    masks = {"full_attention": who_sees_whom(batch.layout, None, images)[None, None]}
    if family == "gemma3":
        masks["sliding_attention"] = who_sees_whom(batch.layout, text.sliding_window, images)[None, None]
        assert not torch.equal(masks["sliding_attention"], masks["full_attention"])
    with torch.no_grad():
        fast = policy._stream(batch)
        dense = vlm.base.model(
            **vlm.text_inputs(batch.input_ids_S[None], batch.position_ids_AS[:, None]),
            attention_mask=masks if family == "gemma3" else masks["full_attention"],
            mm_encoder_outputs=policy.vision.features(batch.prompts),
        ).last_hidden_state
    torch.testing.assert_close(fast, dense, atol=2e-5, rtol=0)


@st.composite
def streams(draw: st.DrawFn) -> tuple[Layout, int | None, list[int] | None]:
    """A layout of one to three groups, a window or none, images in the prefixes or none."""
    lengths = st.lists(st.integers(0, 5), max_size=4)
    shapes = draw(st.lists(st.tuples(st.integers(1, 8), lengths), min_size=1, max_size=3))
    layout = Layout.of(shapes)
    blocks = None
    if draw(st.booleans()):
        types = []
        for prefix, branches in shapes:
            types += [0, *draw(st.lists(st.integers(0, 1), min_size=prefix - 1, max_size=prefix - 1)), *[0] * sum(branches)]
        blocks = images_of(types)
        layout = Layout.of(shapes, torch.tensor(blocks))
    return layout, draw(st.none() | st.integers(1, 10)), blocks


@settings(max_examples=60, deadline=None)
@given(streams(), st.sampled_from([(2, 2), (4, 2), (3, 1)]))
def test_attention_equals_a_softmax_over_the_tokens_seen(
    stream: tuple[Layout, int | None, list[int] | None], heads: tuple[int, int]
) -> None:
    layout, window, blocks = stream
    size, shapes = layout.groups[-1].end, [(heads[0], 4), (heads[1], 4), (heads[1], 3)]
    generator = torch.Generator().manual_seed(size)
    operands = [torch.randn(1, n, size, d, dtype=torch.double, generator=generator, requires_grad=True) for n, d in shapes]
    fast = shared_prefix.attention(*operands, layout, scaling=0.7, sliding_window=window)

    query, key, value = operands
    key, value = (x.repeat_interleave(heads[0] // heads[1], dim=1) for x in (key, value))
    scores = (0.7 * query @ key.transpose(-1, -2)).masked_fill(~who_sees_whom(layout, window, blocks), float("-inf"))
    slow = (scores.softmax(-1) @ value).transpose(1, 2)

    torch.testing.assert_close(fast, slow, atol=1e-12, rtol=0)
    weights = torch.randn(fast.shape, dtype=torch.double, generator=generator)
    gradients = [torch.autograd.grad((out * weights).sum(), operands) for out in (fast, slow)]
    torch.testing.assert_close(*gradients, atol=1e-11, rtol=0)


# the chunked head


class LargestLogits(TorchDispatchMode):
    """The most rows that any tensor of `vocabulary` columns has while it is on."""

    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.vocabulary, self.rows = vocabulary, 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for tensor in out if isinstance(out, tuple) else (out,):
            if isinstance(tensor, Tensor) and tensor.ndim and tensor.shape[-1] == self.vocabulary:
                self.rows = max(self.rows, tensor.numel() // self.vocabulary)
        return out


def test_the_head_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    vlm = toy("qwen3_vl")
    rows = rows_of(vlm, INPUTS["mixture"])
    vocabulary = vlm.base.config.get_text_config().vocab_size
    with LargestLogits(vocabulary) as whole:
        expected = outcome(Policy(vlm, TEMPERATURE), packed(vlm, rows))
    assert whole.rows == len(expected.logprobs_N) == sum(len(row.token_ids) for row in rows)
    monkeypatch.setattr(head, "CHUNK", 40)
    with LargestLogits(vocabulary) as chunked:
        found = outcome(Policy(vlm, TEMPERATURE), packed(vlm, rows))
    assert 32 < chunked.rows <= 40  # more than the 32 rows of the head's weights
    assert_equal(expected, found)
