"""Inverse transform sampling: the token is the one in whose share of [0, 1) the uniform number falls."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st

from vlrl.rollout.sampling import draw, uniforms

LOGITS = st.lists(st.floats(-30, 30), min_size=2, max_size=40)


@given(LOGITS, st.floats(0, 1, exclude_max=True), st.floats(0.1, 5))
def test_it_is_numpys_inverse_of_the_distribution_function(logits: list[float], uniform: float, temperature: float) -> None:
    scaled = np.array(logits, dtype=np.float32) / np.float32(temperature)
    probabilities = np.exp(scaled - scaled.max(), dtype=np.float64)
    probabilities /= probabilities.sum()
    token, logprob = draw(torch.tensor([logits]), temperature, [], torch.tensor([uniform], dtype=torch.float64))
    upper = np.cumsum(probabilities)
    lower = upper - probabilities
    assert lower[token] - 1e-5 <= uniform <= upper[token] + 1e-5
    assert np.isclose(float(logprob), np.log(probabilities[int(token)]), atol=1e-4)


@given(LOGITS, st.floats(0, 1), st.data())
def test_banned_tokens_are_never_drawn(logits: list[float], uniform: float, data: st.DataObject) -> None:
    banned = data.draw(st.lists(st.integers(0, len(logits) - 1), max_size=len(logits) - 1, unique=True))
    allowed = set(range(len(logits))) - set(banned)
    for number in (uniform, 0.0, 1.0):
        for temperature in (1.0, 0.0):
            token, logprob = draw(torch.tensor([logits]), temperature, banned, torch.tensor([number], dtype=torch.float64))
            assert int(token) in allowed
            assert float(logprob) <= 0


def test_rows_of_a_prompt_depend_on_its_seed_alone() -> None:
    both, alone = uniforms([3, 8], 4, 6), uniforms([8], 4, 6)
    assert both.shape == (8, 6)
    assert torch.equal(both[4:], alone)
    assert torch.equal(uniforms([8], 4, 6), alone)
    assert len(both.unique()) == 48


def test_rare_tokens_of_a_large_vocabulary_keep_their_share() -> None:
    """A hundred thousand tokens, the first half of them 1e-9 each: float32 sums would lose them."""
    probabilities = torch.full((100_000,), 1e-9, dtype=torch.float64)
    probabilities[50_000:] = (1 - 5e-5) / 50_000
    logits = probabilities.log().float()[None]
    at = torch.tensor([2.5e-5], dtype=torch.float64)
    assert abs(int(draw(logits, 1.0, [], at)[0]) - 25_000) < 20
