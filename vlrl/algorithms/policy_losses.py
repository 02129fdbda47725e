"""Policy losses: advantages and log-probabilities to a loss per token.

Shapes: B rows, T completion tokens. Padding is not treated here: `aggregation` applies the mask.
"""

from typing import NamedTuple

import torch
from torch import Tensor


class PolicyLoss(NamedTuple):
    """A loss per token, and which tokens the clip holds back (their ratio has left the range in the direction of A)."""

    per_token_BT: Tensor
    clipped_low_BT: Tensor
    clipped_high_BT: Tensor


def clipped(
    logprobs_BT: Tensor, old_logprobs_BT: Tensor, advantages_B: Tensor, epsilon: float, epsilon_high: float
) -> PolicyLoss:
    """-min(ratio * A, clip(ratio, 1 - epsilon, 1 + epsilon_high) * A), ratio = exp(logprobs - old_logprobs).

    PPO (1707.06347), used by GRPO (2402.03300); epsilon_high > epsilon is DAPO's clip-higher (2503.14476).
    A token counts as clipped low where ratio < 1 - epsilon and A < 0, clipped high where ratio > 1 + epsilon_high and A > 0;
    its gradient is then 0.

    >>> loss = clipped(torch.tensor([[1.5, 0.5]]).log(), torch.zeros(1, 2), torch.tensor([2.0]), 0.2, 0.28)
    >>> loss.per_token_BT, loss.clipped_high_BT.tolist()
    (tensor([[-2.5600, -1.0000]]), [[True, False]])
    """
    ratio_BT = (logprobs_BT - old_logprobs_BT).exp()
    advantages_B1 = advantages_B.unsqueeze(1)
    clipped_ratio_BT = ratio_BT.clamp(1 - epsilon, 1 + epsilon_high)
    return PolicyLoss(
        per_token_BT=-torch.minimum(ratio_BT * advantages_B1, clipped_ratio_BT * advantages_B1),
        clipped_low_BT=(ratio_BT < 1 - epsilon) & (advantages_B1 < 0),
        clipped_high_BT=(ratio_BT > 1 + epsilon_high) & (advantages_B1 > 0),
    )
