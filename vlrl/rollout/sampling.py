"""Drawing tokens by inverse transform: one uniform number for each row and step decides, whatever else is in the batch.

Shapes: P prompts, G completions each, B = P * G rows, T completion tokens, V vocabulary.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BELOW_1 = 1 - 2**-40
"""The largest uniform number in use: times the sum of all probabilities it stays below that sum, so that a token is found."""


def uniforms(seeds: Sequence[int], group: int, steps: int) -> Tensor:
    """Numbers in [0, 1), float64 [P * G, steps], on the CPU whatever the model runs on; prompt p's come from `seeds[p]` alone."""
    draws = [torch.rand(group, steps, dtype=torch.float64, generator=torch.Generator().manual_seed(seed)) for seed in seeds]
    return torch.cat(draws)


def entropies(logits_BV: Tensor, temperature: float, banned: list[int]) -> Tensor:
    """Entropy [B] in nats of the distribution that `draw` draws from; at temperature 0 of the one at temperature 1.

    >>> entropies(torch.zeros(1, 4), 1.0, [3]).item() == torch.tensor(3.0).log().item()
    True
    """
    logits_BV = logits_BV.float() / (temperature or 1.0)
    logits_BV[:, banned] = float("-inf")
    return torch.special.entr(logits_BV.softmax(-1)).sum(-1)


def draw(logits_BV: Tensor, temperature: float, banned: list[int], uniforms_B: Tensor) -> tuple[Tensor, Tensor]:
    """One token of each row from softmax(logits / temperature) without the `banned` tokens, and its log-probability in nats.

    The token is the first whose cumulated probability exceeds the row's uniform number. Temperature 0 takes the most likely one,
    with its log-probability at temperature 1. Logits that are no numbers give a log-probability that is none.

    >>> logits = torch.tensor([[0.5, 0.3, 0.2]]).log()
    >>> [draw(logits, 1.0, [], torch.tensor([u], dtype=torch.float64))[0].item() for u in (0.0, 0.49, 0.51, 0.99)]
    [0, 0, 1, 2]
    """
    logits_BV = logits_BV.float() / (temperature or 1.0)
    logits_BV[:, banned] = float("-inf")
    logprobs_BV = logits_BV.log_softmax(-1)
    if temperature:
        cumulated_BV = logprobs_BV.exp().cumsum(-1, dtype=torch.float64)
        reached_B = uniforms_B.clamp(max=BELOW_1) * cumulated_BV[:, -1]
        tokens_B = torch.searchsorted(cumulated_BV, reached_B[:, None], right=True)[:, 0].clamp(max=logits_BV.shape[1] - 1)
    else:
        tokens_B = logprobs_BV.argmax(-1)
    return tokens_B, logprobs_BV.gather(1, tokens_B[:, None])[:, 0]
