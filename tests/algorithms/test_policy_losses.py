import torch

from vlrl.algorithms.policy_losses import clipped


def test_clip_by_hand() -> None:
    """Ratios .5, 1, 1.25, 1.5 under A = 2 and A = -2, range [0.8, 1.28]."""
    logprobs = torch.tensor([[0.5, 1.0, 1.25, 1.5]]).log().repeat(2, 1).requires_grad_()
    loss = clipped(logprobs, torch.zeros(2, 4), torch.tensor([2.0, -2.0]), epsilon=0.2, epsilon_high=0.28)
    torch.testing.assert_close(loss.per_token_BT, torch.tensor([[-1.0, -2.0, -2.5, -2.56], [1.6, 2.0, 2.5, 3.0]]))
    assert loss.clipped_low_BT.tolist() == [[False] * 4, [True, False, False, False]]
    assert loss.clipped_high_BT.tolist() == [[False, False, False, True], [False] * 4]
    loss.per_token_BT.sum().backward()
    # d ratio / d logprob = ratio, so the gradient is -A * ratio where the clip does not hold.
    torch.testing.assert_close(logprobs.grad, torch.tensor([[-1.0, -2.0, -2.5, 0.0], [0.0, 2.0, 2.5, 3.0]]))


def test_on_policy_gradient_is_reinforce() -> None:
    logprobs = torch.tensor([[-1.0, -2.0]], requires_grad=True)
    loss = clipped(logprobs, logprobs.detach(), torch.tensor([0.7]), epsilon=0.2, epsilon_high=0.2)
    loss.per_token_BT.sum().backward()
    torch.testing.assert_close(logprobs.grad, torch.tensor([[-0.7, -0.7]]))


def test_zero_advantage_is_never_counted_as_clipped() -> None:
    loss = clipped(torch.tensor([[2.0, -2.0]]), torch.zeros(1, 2), torch.zeros(1), epsilon=0.2, epsilon_high=0.2)
    assert not (loss.clipped_low_BT | loss.clipped_high_BT).any()
