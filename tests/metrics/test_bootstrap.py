import tracemalloc

import numpy as np
import pytest

from vlrl.metrics.bootstrap import mean_interval, paired_difference_interval


def test_it_is_near_the_normal_interval() -> None:
    values = np.random.default_rng(1).normal(3.0, 2.0, size=2000)
    mean, low, high = mean_interval(values.tolist())
    half = 1.96 * values.std() / np.sqrt(values.size)
    assert mean == pytest.approx(values.mean())
    assert low == pytest.approx(mean - half, abs=0.15 * half)
    assert high == pytest.approx(mean + half, abs=0.15 * half)


def test_it_covers_the_truth_in_about_95_of_100_data_sets() -> None:
    rng = np.random.default_rng(2)
    hits = 0
    for _ in range(200):
        _, low, high = mean_interval((rng.random(60) < 0.4).astype(float).tolist(), resamples=400)
        hits += low <= 0.4 <= high
    assert 180 <= hits <= 198


def test_the_seed_decides() -> None:
    values = np.random.default_rng(0).random(40).tolist()
    assert mean_interval(values) == mean_interval(values)
    assert mean_interval(values, seed=1) != mean_interval(values, seed=2)


def test_one_value_has_no_spread() -> None:
    assert mean_interval([0.25]) == (0.25, 0.25, 0.25)


@pytest.mark.parametrize("values", [[], [float("nan")], [1.0, float("inf")]])
def test_no_values_or_infinite_ones_are_refused(values: list[float]) -> None:
    with pytest.raises(ValueError, match="at least one value"):
        mean_interval(values)


def test_copies_of_a_row_add_no_certainty_when_they_are_one_cluster() -> None:
    rows = (np.random.default_rng(3).random(30) < 0.5).astype(float)
    copies, labels = np.repeat(rows, 10).tolist(), np.repeat(np.arange(30), 10).tolist()
    assert mean_interval(copies, labels) == pytest.approx(mean_interval(rows.tolist()))
    _, low, high = mean_interval(copies)
    _, clustered_low, clustered_high = mean_interval(copies, labels)
    assert high - low < 0.5 * (clustered_high - clustered_low)


def test_clusters_of_different_sizes_weigh_by_their_rows() -> None:
    mean, low, high = mean_interval([1, 1, 1, 0], clusters=["a", "a", "a", "b"])
    assert mean == 0.75
    assert (low, high) == (0.0, 1.0)


def test_one_cluster_has_no_spread() -> None:
    assert mean_interval([0, 1, 1, 0], clusters=["a.png"] * 4) == (0.5, 0.5, 0.5)


def test_labels_of_one_row_each_change_nothing() -> None:
    values = [0.0, 1.0, 0.5, 0.25, 1.0]
    assert mean_interval(values, clusters=list("abcde")) == mean_interval(values)


def test_every_row_needs_a_label() -> None:
    with pytest.raises(ValueError, match="2 values, but 1 cluster labels"):
        mean_interval([0, 1], clusters=["a"])


def test_a_paired_difference_is_narrower_than_its_parts() -> None:
    rng = np.random.default_rng(4)
    before = rng.random(200)
    after = before + 0.1 + 0.01 * rng.standard_normal(200)
    difference, low, high = paired_difference_interval(before.tolist(), after.tolist())
    assert difference == pytest.approx(after.mean() - before.mean())
    assert 0.09 < low < difference < high < 0.11


def test_a_paired_difference_takes_clusters_and_equal_lengths_only() -> None:
    assert paired_difference_interval([0, 0], [1, 0], clusters=["a", "a"]) == (0.5, 0.5, 0.5)
    with pytest.raises(ValueError, match="2 before and 1 after"):
        paired_difference_interval([0, 0], [1])


def test_memory_is_bounded() -> None:
    values = np.zeros(200_000).tolist()
    tracemalloc.start()
    mean_interval(values, resamples=40)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64e6
