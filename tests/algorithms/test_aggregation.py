import pytest
import torch

from vlrl.algorithms.aggregation import AGGREGATIONS, Denominators

LOSS = torch.tensor([[1.0, 3.0, 99.0], [5.0, 99.0, 99.0], [2.0, 4.0, 6.0], [99.0, 99.0, 99.0]])
MASK = torch.tensor([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]])
DENOMINATORS = Denominators(rows=4, tokens=6, max_completion_length=5)


@pytest.mark.parametrize(
    ("name", "expected"),
    [("sequence_mean", (2 + 5 + 4 + 0) / 4), ("token_mean", 21 / 6), ("constant_length", 21 / (4 * 5))],
)
def test_by_hand_with_an_empty_row(name: str, expected: float) -> None:
    assert AGGREGATIONS[name](LOSS, MASK, DENOMINATORS).item() == pytest.approx(expected)


@pytest.mark.parametrize("name", list(AGGREGATIONS))
@pytest.mark.parametrize("split", [[4], [1, 1, 1, 1], [3, 1]])
def test_any_split_gives_the_same_loss_and_gradient(name: str, split: list[int]) -> None:
    whole = LOSS.clone().requires_grad_()
    AGGREGATIONS[name](whole**2, MASK, DENOMINATORS).backward()

    parts = LOSS.clone().requires_grad_()
    total = 0.0
    for loss, mask in zip((parts**2).split(split), MASK.split(split), strict=True):
        share = AGGREGATIONS[name](loss, mask, DENOMINATORS)
        share.backward(retain_graph=True)
        total += share.item()

    assert total == pytest.approx(AGGREGATIONS[name](LOSS**2, MASK, DENOMINATORS).item())
    torch.testing.assert_close(parts.grad, whole.grad)


@pytest.mark.parametrize("name", list(AGGREGATIONS))
def test_a_step_without_any_token_has_loss_zero(name: str) -> None:
    empty = Denominators(rows=4, tokens=0, max_completion_length=5)
    assert AGGREGATIONS[name](LOSS, torch.zeros_like(MASK), empty).item() == 0.0
