"""From rollouts to a loss: rewards to advantages, and one micro-batch of rows to its share of the step's loss.

Shapes: B rows of a micro-batch, T completion tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence

from vlrl.algorithms.advantages import group_advantages, leave_one_out
from vlrl.algorithms.aggregation import AGGREGATIONS, Denominators
from vlrl.algorithms.kl import importance_corrected_k3, k3
from vlrl.algorithms.policy_losses import clipped
from vlrl.algorithms.table import Algorithm
from vlrl.models.vlm import EncodedPrompt
from vlrl.training.policy import TokenStats


@dataclass(frozen=True)
class Row:
    """One completion on its way to the loss. `old_logprobs_T` is None on-policy: the policy's own values, detached, are used."""

    prompt: EncodedPrompt
    token_ids: list[int]
    sampling_logprobs: list[float]
    advantage: float
    old_logprobs_T: Tensor | None = None
    ref_logprobs_T: Tensor | None = None


def advantages(algorithm: Algorithm, rewards_B: Tensor, group_B: Tensor) -> Tensor:
    """The advantages [B] of whole groups; NaN rewards (gold that cannot be scored) give 0."""
    if algorithm.advantage == "leave_one_out":
        return leave_one_out(rewards_B, group_B)
    return group_advantages(rewards_B, group_B, algorithm.scale)


def count(rows: Sequence[Row], max_completion_length: int, world_sum: Callable[[Tensor], Tensor]) -> Denominators:
    """What one optimiser step holds over all processes; `world_sum` adds a tensor up over them."""
    totals = world_sum(torch.tensor([len(rows), sum(len(row.token_ids) for row in rows)]))
    return Denominators(int(totals[0]), int(totals[1]), max_completion_length)


def loss_share(
    algorithm: Algorithm,
    bias_correction: bool,
    rows: Sequence[Row],
    stats: TokenStats,
    mask_BT: Tensor,
    denominators: Denominators,
) -> tuple[Tensor, dict[str, Tensor]]:
    """The micro-batch's share of the step's loss, and sums over its tokens of what the log shows as means."""
    logprobs_BT = stats.logprobs_BT
    device = logprobs_BT.device
    old_BT = logprobs_BT.detach() if rows[0].old_logprobs_T is None else _pad([row.old_logprobs_T for row in rows], device)
    advantages_B = torch.tensor([row.advantage for row in rows], device=device)
    policy = clipped(logprobs_BT, old_BT, advantages_B, algorithm.epsilon, algorithm.epsilon_high)
    per_token_BT = policy.per_token_BT
    sampling_BT = _pad([torch.tensor(row.sampling_logprobs) for row in rows], device)
    watched = {
        "entropy": stats.entropies_BT,
        "clip_ratio/low_mean": policy.clipped_low_BT,
        "clip_ratio/high_mean": policy.clipped_high_BT,
        "clip_ratio/region_mean": policy.clipped_low_BT | policy.clipped_high_BT,
        "sampling/logp_difference": (old_BT - sampling_BT).abs(),
    }
    if algorithm.beta:
        ref_BT = _pad([row.ref_logprobs_T for row in rows], device)
        kl_BT = importance_corrected_k3(logprobs_BT, old_BT, ref_BT) if bias_correction else k3(logprobs_BT, ref_BT)
        per_token_BT = per_token_BT + algorithm.beta * kl_BT
        watched["kl"] = kl_BT
    loss = AGGREGATIONS[algorithm.aggregation](per_token_BT, mask_BT, denominators)
    return loss, {name: (values_BT.detach().float() * mask_BT).sum() for name, values_BT in watched.items()}


def _pad(sequences: Sequence[Tensor | None], device: torch.device) -> Tensor:
    return pad_sequence([s for s in sequences if s is not None], batch_first=True).to(device)
