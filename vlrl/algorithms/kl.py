"""KL divergence of the policy from the reference, estimated at the sampled tokens.

Shapes: B rows, T completion tokens.
"""

from torch import Tensor


def k3(logprobs_BT: Tensor, ref_logprobs_BT: Tensor) -> Tensor:
    """exp(x) - x - 1 with x = ref_logprobs - logprobs: never negative, unbiased on tokens that the policy sampled.

    Schulman's third estimator, GRPO's KL term (2402.03300). As a loss its gradient is not that of KL(policy || reference).

    >>> import torch
    >>> k3(torch.tensor([[-1.0]]), torch.tensor([[-1.5]]))
    tensor([[0.1065]])
    """
    x_BT = ref_logprobs_BT - logprobs_BT
    return x_BT.exp() - x_BT - 1


def importance_corrected_k3(logprobs_BT: Tensor, old_logprobs_BT: Tensor, ref_logprobs_BT: Tensor) -> Tensor:
    """The ratio times k3, ratio = exp(logprobs - old_logprobs): unbiased on tokens that the *old* policy sampled.

    DeepSeek-V3.2 (2512.02556); TRL's default (`use_bias_correction_kl`). The ratio carries gradient, so that the expected
    gradient is that of KL(policy || reference) on-policy too, where the ratio is 1: per token (logprobs - ref) * grad logprobs.

    >>> import torch
    >>> importance_corrected_k3(torch.tensor([[-1.0]]), torch.tensor([[-1.6931]]), torch.tensor([[-1.5]]))
    tensor([[0.2131]])
    """
    ratio_BT = (logprobs_BT - old_logprobs_BT).exp()
    return ratio_BT * k3(logprobs_BT, ref_logprobs_BT)
