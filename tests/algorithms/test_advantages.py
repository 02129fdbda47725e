import pytest
import torch

from vlrl.algorithms.advantages import group_advantages, group_stats, leave_one_out

NAN = float("nan")
REWARDS = torch.tensor([1, 0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0], dtype=torch.float32)
GROUP = torch.arange(3).repeat_interleave(4)


def spread(good_1: float, bad_1: float, good_2: float, bad_2: float) -> torch.Tensor:
    """The advantages of REWARDS, given those of a right and of a wrong answer in its first two groups."""
    return torch.tensor([good_1, bad_1, bad_1, good_1, good_2, good_2, good_2, bad_2, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("scale", "expected"),
    [
        ("none", spread(0.5, -0.5, 0.25, -0.75)),
        ("group", spread(0.866024, -0.866024, 0.499999, -1.499997)),
        ("batch", spread(0.971006, -0.971006, 0.485503, -1.456510)),
    ],
)
def test_scales(scale: str, expected: torch.Tensor) -> None:
    advantages = group_advantages(REWARDS, GROUP, scale, eps=1e-6)
    torch.testing.assert_close(advantages, expected, atol=1e-6, rtol=0)


def test_eps_is_trls() -> None:
    advantages = group_advantages(torch.tensor([1.0, 0.0]), torch.zeros(2, dtype=torch.long), "group")
    torch.testing.assert_close(advantages, torch.tensor([0.5, -0.5]) / (0.5**0.5 + 1e-4))


def test_leave_one_out() -> None:
    torch.testing.assert_close(leave_one_out(REWARDS, GROUP), spread(2 / 3, -2 / 3, 1 / 3, -1.0))


def test_groups_may_be_ragged_and_interleaved() -> None:
    rewards, group = torch.tensor([1.0, 9.0, 2.0, 3.0, 5.0]), torch.tensor([8, 2, 8, 8, 2])
    torch.testing.assert_close(group_advantages(rewards, group, "none"), torch.tensor([-1.0, 2.0, 0.0, 1.0, -2.0]))
    torch.testing.assert_close(leave_one_out(rewards, group), torch.tensor([-1.5, 4.0, 0.0, 1.5, -4.0]))


@pytest.mark.parametrize("scale", ["group", "batch", "none"])
def test_unscorable_rows_leave_the_others_unchanged(scale: str) -> None:
    with_nan, group = torch.tensor([1.0, NAN, 0.0, 3.0, 5.0]), torch.tensor([0, 0, 0, 1, 1])
    without = torch.tensor([0, 2, 3, 4])
    advantages = group_advantages(with_nan, group, scale)
    assert advantages[1] == 0
    torch.testing.assert_close(advantages[without], group_advantages(with_nan[without], group[without], scale))
    assert leave_one_out(with_nan, group).tolist() == [1.0, 0.0, -1.0, -2.0, 2.0]


@pytest.mark.parametrize("rewards", [[1.0, NAN], [NAN, NAN], [0.3, 0.3]])
def test_groups_that_teach_nothing(rewards: list[float]) -> None:
    group = torch.zeros(2, dtype=torch.long)
    for scale in ("group", "batch", "none"):
        assert group_advantages(torch.tensor(rewards), group, scale).tolist() == [0.0, 0.0]
    assert leave_one_out(torch.tensor(rewards), group).tolist() == [0.0, 0.0]


def test_group_of_one() -> None:
    assert group_advantages(torch.tensor([7.0]), torch.tensor([3]), "group").tolist() == [0.0]
    assert leave_one_out(torch.tensor([7.0]), torch.tensor([3])).tolist() == [0.0]


def test_equal_rewards_that_have_no_exact_binary_form() -> None:
    rewards, group = torch.full((7,), 0.1), torch.zeros(7, dtype=torch.long)
    assert group_stats(rewards, group).zero_std_P.tolist() == [True]
    assert group_advantages(rewards, group, "group").abs().max() < 1e-9


def test_group_stats() -> None:
    stats = group_stats(torch.tensor([1.0, 2.0, 4.0, 4.0, NAN, 5.0]), torch.tensor([1, 1, 0, 0, 0, 2]))
    assert stats.ids_P.tolist() == [0, 1, 2]
    assert stats.count_P.tolist() == [2, 2, 1]
    assert stats.mean_P.tolist() == [4.0, 1.5, 5.0]
    assert stats.std_P.tolist() == pytest.approx([0.0, 0.5**0.5, 0.0])
    assert stats.zero_std_P.tolist() == [True, False, False]


def test_unknown_scale_is_refused() -> None:
    with pytest.raises(ValueError, match="not 'groups'"):
        group_advantages(REWARDS, GROUP, "groups")
