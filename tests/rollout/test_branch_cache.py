"""Attention over [prompt; own branch], the prompt kept once, equals torch's attention over G whole rows."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor
from transformers import DynamicCache

from vlrl.models.branch_cache import CAPACITY, BranchCache

KEY_HEADS, QUERY_HEADS, DIM = 2, 6, 8


@dataclass
class Oracle:
    """Every row's keys and values, [heads, tokens, dim], one beside the other."""

    rows: list[tuple[Tensor, Tensor]] = field(default_factory=list)

    def attend(self, query: Tensor, window: int | None, scaling: float | None) -> Tensor:
        outputs = []
        for row, (keys, values) in enumerate(self.rows):
            keys, values = (x if window is None else x[:, -window:] for x in (keys, values))
            outputs.append(F.scaled_dot_product_attention(query[row], keys, values, scale=scaling, enable_gqa=True))
        return torch.stack(outputs).transpose(1, 2)


def states(rows: int, heads: int, tokens: int, dtype: torch.dtype = torch.float32) -> Tensor:
    return torch.randn(rows, heads, tokens, DIM).to(dtype)


def fresh(lengths: list[int], width: int, dtype: torch.dtype = torch.float32) -> tuple[BranchCache, Oracle]:
    """Prompts of these lengths, run in two forwards in reverse order, and `width` rows of each."""
    cache, oracle = BranchCache(lengths, width, torch.device("cpu")), Oracle()
    longest = max(lengths)
    keys, values = (states(len(lengths), KEY_HEADS, longest, dtype) for _ in range(2))
    cut = len(lengths) // 2
    for part in ([*range(cut, len(lengths))], [*range(cut)]):
        if part:
            prefill = DynamicCache()
            prefill.update(
                keys[part][:, :, : max(lengths[i] for i in part)], values[part][:, :, : max(lengths[i] for i in part)], 0
            )
            cache.put(prefill, list(range(len(part))), part)
    oracle.rows = [(keys[p, :, :n], values[p, :, :n]) for p, n in enumerate(lengths) for _ in range(width)]
    return cache, oracle


def step(cache: BranchCache, oracle: Oracle, window: int | None = None, scaling: float | None = None) -> tuple[Tensor, Tensor]:
    """One token of every row; what the cache and what the oracle say."""
    dtype = oracle.rows[0][0].dtype
    query, key, value = (states(len(oracle.rows), heads, 1, dtype) for heads in (QUERY_HEADS, KEY_HEADS, KEY_HEADS))
    cache.advance()
    cache.update(key, value, 0)
    oracle.rows = [(torch.cat([k, key[i]], 1), torch.cat([v, value[i]], 1)) for i, (k, v) in enumerate(oracle.rows)]
    return cache.attend(0, query, scaling, sliding_window=window), oracle.attend(query, window, scaling)


def drop(cache: BranchCache, oracle: Oracle, kept: list[int]) -> None:
    cache.keep(torch.tensor(kept))
    oracle.rows = [oracle.rows[row] for row in kept]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(1, 9), min_size=1, max_size=4),
    width=st.integers(1, 4),
    window=st.none() | st.integers(1, 12),
    seed=st.integers(0, 1000),
    data=st.data(),
)
def test_every_step_equals_attention_over_whole_rows(
    lengths: list[int], width: int, window: int | None, seed: int, data: st.DataObject
) -> None:
    torch.manual_seed(seed)
    cache, oracle = fresh(lengths, width)
    for _ in range(3):
        for _ in range(3):
            torch.testing.assert_close(*step(cache, oracle, window, 0.3), atol=1e-5, rtol=0)
        kept = data.draw(st.sets(st.sampled_from(range(len(oracle.rows))), min_size=1))
        drop(cache, oracle, sorted(kept))
    torch.testing.assert_close(*step(cache, oracle, window), atol=1e-5, rtol=0)


def test_branches_longer_than_the_room_there_was_at_first() -> None:
    torch.manual_seed(0)
    cache, oracle = fresh([5, 3], 2)
    for count in range(2 * CAPACITY + 3):
        found, expected = step(cache, oracle)
        if count == CAPACITY + 1:
            drop(cache, oracle, [0, 1, 3])
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)


def test_16_bit_scores_are_not_rounded() -> None:
    """At large scores: fused attention in bfloat16 keeps them in float32, and so must this."""
    torch.manual_seed(0)
    cache, oracle = fresh([200], 4, torch.bfloat16)
    found, expected = step(cache, oracle, scaling=4.0)
    assert found.dtype == torch.bfloat16
    torch.testing.assert_close(found, expected, atol=0.02, rtol=0.01)


def test_under_autocast_scores_are_not_rounded_either() -> None:
    torch.manual_seed(0)
    cache, oracle = fresh([50], 4)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = step(cache, oracle, scaling=4.0)
    cache_again, oracle_again = (torch.manual_seed(0), fresh([50], 4))[1]
    torch.testing.assert_close(found, step(cache_again, oracle_again, scaling=4.0)[1], atol=1e-4, rtol=0)


def test_the_prompt_is_kept_once() -> None:
    cache, _ = fresh([7, 9], 5)
    assert [tuple(keys.shape) for keys, _ in cache._prompts] == [(2, KEY_HEADS, 9, DIM)]
    cache.keep(torch.tensor([6, 8]))
    assert [tuple(keys.shape) for keys, _ in cache._prompts] == [(1, KEY_HEADS, 9, DIM)]
    assert cache.get_seq_length() == 9
