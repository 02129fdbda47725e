"""From hidden states to log-probabilities and entropies, in chunks: the full [tokens, vocabulary] matrix never exists.

Shapes: N predicting positions, H hidden size, V vocabulary.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

CHUNK = 1024
"""Positions that go through the head together: at 152,064 tokens of vocabulary, 0.6 GB in float32 for each copy of the logits."""


def count_chunks(positions: int) -> int:
    """How many chunks they make, at least one.

    >>> count_chunks(0), count_chunks(1024), count_chunks(1025)
    (1, 1, 2)
    """
    return max(1, math.ceil(positions / CHUNK))


def token_logprobs(
    hidden_NH: Tensor, head: nn.Module, targets_N: Tensor, temperature: float, banned: list[int], chunks: int
) -> tuple[Tensor, Tensor]:
    """Log-probability of each target token and entropy of its distribution (no gradient), both [N] in float32, nats.

    softmax(logits / temperature) with the `banned` tokens at -inf, as in sampling, so that sampling and training agree. With
    more than one of the `chunks` the backward pass computes each one's logits again instead of keeping them.
    """
    if chunks == 1:
        return _chunk(hidden_NH, head, targets_N, temperature, banned)
    pieces = zip(hidden_NH.tensor_split(chunks), targets_N.tensor_split(chunks), strict=True)
    parts = [checkpoint(_chunk, h, head, t, temperature, banned, use_reentrant=False) for h, t in pieces]
    logprobs, entropies = zip(*parts, strict=True)
    return torch.cat(logprobs), torch.cat(entropies)


def _chunk(hidden_NH: Tensor, head: nn.Module, targets_N: Tensor, temperature: float, banned: list[int]) -> tuple[Tensor, Tensor]:
    logits_NV = head(hidden_NH).float() / temperature
    logits_NV[:, banned] = float("-inf")
    logprobs_NV = logits_NV.log_softmax(-1)
    target_logprobs_N = logprobs_NV.gather(1, targets_N[:, None])[:, 0]
    entropies_N = torch.special.entr(logprobs_NV.detach().exp()).sum(-1)
    return target_logprobs_N, entropies_N
