"""Advantages: how much better a completion is than the others of its prompt.

Shapes: P prompts, B rows (completions of all prompts). `group_B` holds the prompt id of each row, so groups may differ in size.
A NaN reward marks a row that cannot be scored: it enters no statistic and gets advantage 0, and so does every row of a group
with fewer than two scorable rows. Rewards must hold whole groups: gather them over processes first.
"""

from typing import Literal, NamedTuple

from torch import Tensor

Scale = Literal["group", "batch", "none"]


class GroupStats(NamedTuple):
    """Statistics of the scorable rewards of each group, groups in ascending order of their id."""

    ids_P: Tensor
    count_P: Tensor
    mean_P: Tensor
    std_P: Tensor
    zero_std_P: Tensor


def group_advantages(rewards_B: Tensor, group_B: Tensor, scale: Scale, eps: float = 1e-4) -> Tensor:
    """A_i = (r_i - mean of the group) / (std + eps), with the unbiased standard deviation (n - 1).

    `scale` says whose standard deviation divides: "group" is GRPO (2402.03300); "batch", the rewards of all rows, is
    Lite PPO (2508.08221); "none" divides by nothing, which is Dr.GRPO (2503.20783).

    >>> import torch
    >>> group_advantages(torch.tensor([1.0, 0.0, 0.0, 1.0]), torch.zeros(4, dtype=torch.long), "none")
    tensor([ 0.5000, -0.5000, -0.5000,  0.5000])
    """
    centred_B, _, std_B = _centre(rewards_B, group_B)
    if scale == "none":
        advantages_B = centred_B
    elif scale == "group":
        advantages_B = centred_B / (std_B + eps)
    elif scale == "batch":
        advantages_B = centred_B / (_std(rewards_B.double()) + eps)
    else:
        raise ValueError(f"scale must be 'group', 'batch' or 'none', not {scale!r}")
    return advantages_B.to(rewards_B.dtype)


def leave_one_out(rewards_B: Tensor, group_B: Tensor) -> Tensor:
    """A_i = r_i - mean of the other rewards of the group = n / (n - 1) * (r_i - mean of the group). RLOO (2402.14740).

    >>> import torch
    >>> leave_one_out(torch.tensor([1.0, 1.0, 1.0, 0.0]), torch.zeros(4, dtype=torch.long))
    tensor([ 0.3333,  0.3333,  0.3333, -1.0000])
    """
    centred_B, count_B, _ = _centre(rewards_B, group_B)
    return (centred_B * count_B / (count_B - 1).clamp(min=1)).to(rewards_B.dtype)


def group_stats(rewards_B: Tensor, group_B: Tensor) -> GroupStats:
    """Count, mean and unbiased standard deviation of each group's scorable rewards (mean and std 0 where undefined).

    `zero_std_P` marks groups whose two or more scorable rewards are all equal: they teach nothing.

    >>> import torch
    >>> stats = group_stats(torch.tensor([1.0, 0.0, 2.0, 2.0]), torch.tensor([7, 7, 3, 3]))
    >>> stats.ids_P.tolist(), stats.mean_P.tolist(), stats.zero_std_P.tolist()
    ([3, 7], [2.0, 0.5], [True, False])
    """
    ids_P, row_B = group_B.unique(return_inverse=True)
    scorable_B = ~rewards_B.isnan()
    count_P = _sum_by_group(scorable_B.double(), row_B, len(ids_P))
    # In float64 the rounding of equal rewards stays far below eps and below the threshold of zero_std_P.
    mean_P = _sum_by_group(rewards_B.double().nan_to_num(), row_B, len(ids_P)) / count_P.clamp(min=1)
    deviation_B = (rewards_B.double() - mean_P[row_B]).nan_to_num()
    std_P = (_sum_by_group(deviation_B.square(), row_B, len(ids_P)) / (count_P - 1).clamp(min=1)).sqrt()
    return GroupStats(ids_P, count_P.long(), mean_P, std_P, zero_std_P=(count_P >= 2) & (std_P < 1e-8))


def _centre(rewards_B: Tensor, group_B: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Reward minus its group's mean (0 where not scorable), and each row's group count and std; in float64."""
    stats = group_stats(rewards_B, group_B)
    _, row_B = group_B.unique(return_inverse=True)
    centred_B = (rewards_B.double() - stats.mean_P[row_B]).nan_to_num()
    return centred_B, stats.count_P[row_B], stats.std_P[row_B]


def _std(rewards_B: Tensor) -> Tensor:
    scorable_N = rewards_B[~rewards_B.isnan()]
    if len(scorable_N) < 2:
        return rewards_B.new_zeros(())
    return scorable_N.std()


def _sum_by_group(values_B: Tensor, row_B: Tensor, groups: int) -> Tensor:
    return values_B.new_zeros(groups).index_add(0, row_B, values_B)
