import torch

from vlrl.algorithms.kl import importance_corrected_k3, k3


def test_k3_by_hand() -> None:
    logprobs, ref = torch.tensor([[-1.0, -2.0, -3.0]]), torch.tensor([[-1.5, -2.0, -2.0]])
    torch.testing.assert_close(k3(logprobs, ref), torch.tensor([[0.106531, 0.0, 0.718282]]), atol=1e-6, rtol=0)


def test_correction_multiplies_by_the_ratio() -> None:
    logprobs, ref = torch.tensor([[-1.0]]), torch.tensor([[-1.5]])
    old = logprobs - torch.tensor(3.0).log()
    torch.testing.assert_close(importance_corrected_k3(logprobs, old, ref), 3 * k3(logprobs, ref))


def gradient_over_all_tokens(corrected: bool) -> tuple[torch.Tensor, torch.Tensor]:
    """Expected gradient of an estimator under the policy, and the gradient of the exact KL(policy || reference)."""
    logits = torch.tensor([0.3, -1.0, 2.0], dtype=torch.float64, requires_grad=True)
    ref = torch.tensor([1.0, 0.5, -0.2], dtype=torch.float64).log_softmax(0)
    logprobs = logits.log_softmax(0)
    estimate = importance_corrected_k3(logprobs, logprobs.detach(), ref) if corrected else k3(logprobs, ref)
    (expected,) = torch.autograd.grad((logprobs.detach().exp() * estimate).sum(), logits, retain_graph=True)
    (exact,) = torch.autograd.grad((logprobs.exp() * (logprobs - ref)).sum(), logits)
    return expected, exact


def test_gradient_of_the_corrected_form_is_that_of_the_kl() -> None:
    torch.testing.assert_close(*gradient_over_all_tokens(corrected=True))


def test_gradient_of_the_plain_form_is_not() -> None:
    plain, exact = gradient_over_all_tokens(corrected=False)
    assert not torch.allclose(plain, exact, rtol=0.1)
