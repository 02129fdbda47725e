"""Aggregation: a loss per token to one number, over everything that one optimiser step sees.

Shapes: B rows (of this micro-batch), T completion tokens; `mask_BT` is 1 on the tokens the policy emitted.

Each function returns its micro-batch's share: the sum of the shares over the micro-batches and processes of the step is the
aggregate over the whole step, whatever the split. So the denominators are global, counted once per step and given to all.
Where the gradients of N processes are averaged (DDP, FSDP, DeepSpeed), multiply the share by N.

TRL's `loss_type="bnpo"`, a token mean over each micro-batch, is left out: its value depends on the split, and it is not the
BNPO of the paper of that name (2506.02864, a beta-normalised advantage).
"""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor


@dataclass(frozen=True)
class Denominators:
    """What one optimiser step holds, over all micro-batches and processes: rows (also empty ones) and unmasked tokens."""

    rows: int
    tokens: int
    max_completion_length: int


def sequence_mean(per_token_BT: Tensor, mask_BT: Tensor, denominators: Denominators) -> Tensor:
    """sum_i (sum_t m l / L_i) / rows, L_i = sum_t m: every row weighs the same. GRPO (2402.03300); TRL's `grpo`.

    >>> import torch
    >>> loss_BT, mask_BT = torch.tensor([[1.0, 3.0], [4.0, 9.0]]), torch.tensor([[1, 1], [1, 0]])
    >>> sequence_mean(loss_BT, mask_BT, Denominators(rows=2, tokens=3, max_completion_length=2))
    tensor(3.)
    """
    row_sums_B = (per_token_BT * mask_BT).sum(1)
    return (row_sums_B / mask_BT.sum(1).clamp(min=1)).sum() / denominators.rows


def token_mean(per_token_BT: Tensor, mask_BT: Tensor, denominators: Denominators) -> Tensor:
    """sum_{i,t} m l / tokens: every token weighs the same. DAPO (2503.14476), Lite PPO (2508.08221); TRL's `dapo`.

    >>> import torch
    >>> loss_BT, mask_BT = torch.tensor([[1.0, 3.0], [5.0, 9.0]]), torch.tensor([[1, 1], [1, 0]])
    >>> token_mean(loss_BT, mask_BT, Denominators(rows=2, tokens=3, max_completion_length=2))
    tensor(3.)
    """
    return (per_token_BT * mask_BT).sum() / max(denominators.tokens, 1)


def constant_length(per_token_BT: Tensor, mask_BT: Tensor, denominators: Denominators) -> Tensor:
    """sum_{i,t} m l / (rows * max_completion_length): no length in the denominator. Dr.GRPO (2503.20783); TRL's `dr_grpo`.

    >>> import torch
    >>> loss_BT, mask_BT = torch.tensor([[1.0, 3.0], [4.0, 9.0]]), torch.tensor([[1, 1], [1, 0]])
    >>> constant_length(loss_BT, mask_BT, Denominators(rows=2, tokens=3, max_completion_length=2))
    tensor(2.)
    """
    return (per_token_BT * mask_BT).sum() / (denominators.rows * denominators.max_completion_length)


Aggregation = Callable[[Tensor, Tensor, Denominators], Tensor]

AGGREGATIONS: dict[str, Aggregation] = {
    "sequence_mean": sequence_mean,
    "token_mean": token_mean,
    "constant_length": constant_length,
}
