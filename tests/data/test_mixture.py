"""The mixture's promises: every row once per epoch, exact proportions, draw k a function of (seed, k) alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl.data.mixture import Draw, Mixture
from vlrl.types import Sample, UserError

WEIGHTS = st.lists(st.floats(0.001, 1000) | st.integers(1, 100), min_size=1, max_size=8)


def rows(name: str, count: int) -> list[Sample]:
    return [Sample(f"{name}{i}", "gui", "q", {}) for i in range(count)]


def mixture(sizes: Sequence[int], weights: Sequence[float], seed: int = 0) -> Mixture:
    return Mixture([rows(f"{i}-", size) for i, size in enumerate(sizes)], weights, seed)


def draws(stream: Mixture, count: int) -> list[Draw]:
    return [stream.locate(k) for k in range(count)]


def test_at_gives_the_located_row() -> None:
    stream = mixture([3, 2], [1, 2])
    for k in range(20):
        draw = stream.locate(k)
        assert stream.at(k).id == f"{draw.dataset}-{draw.row}"


@settings(max_examples=40, deadline=None)
@given(sizes=st.lists(st.integers(1, 12), min_size=1, max_size=4), seed=st.integers(0, 2**32))
def test_every_row_once_per_epoch(sizes: list[int], seed: int) -> None:
    drawn = draws(mixture(sizes, [1] * len(sizes), seed), 3 * len(sizes) * max(sizes))
    for dataset, size in enumerate(sizes):
        of_dataset = [draw for draw in drawn if draw.dataset == dataset]
        assert [draw.epoch for draw in of_dataset] == [i // size for i in range(len(of_dataset))]
        for start in range(0, len(of_dataset) - size + 1, size):
            assert sorted(draw.row for draw in of_dataset[start : start + size]) == list(range(size))


@settings(max_examples=60, deadline=None)
@given(weights=WEIGHTS)
def test_no_data_set_strays_from_its_share(weights: list[float]) -> None:
    bound = max(1 - 1 / max(2 * len(weights) - 2, 1), 0)
    counts = [0] * len(weights)
    for k, draw in enumerate(draws(mixture([5] * len(weights), weights), 400), start=1):
        counts[draw.dataset] += 1
        assert all(abs(count - k * weight / sum(weights)) <= bound + 1e-6 for count, weight in zip(counts, weights, strict=True))


@settings(max_examples=40, deadline=None)
@given(share=st.floats(0.01, 0.99), length=st.integers(1, 60), start=st.integers(0, 200))
def test_of_two_data_sets_any_window_is_within_one(share: float, length: int, start: int) -> None:
    stream = mixture([5, 5], [share, 1 - share])
    window = [stream.locate(k).dataset for k in range(start, start + length)]
    assert abs(window.count(0) - length * share) <= 1 + 1e-6


def test_whole_ratios_are_exact() -> None:
    drawn = [draw.dataset for draw in draws(mixture([4, 4, 4], [0.5, 0.3, 0.2]), 1000)]
    assert Counter(drawn) == {0: 500, 1: 300, 2: 200}
    for start in range(0, 1000, 10):
        assert Counter(drawn[start : start + 10]) == {0: 5, 1: 3, 2: 2}


@settings(max_examples=30, deadline=None)
@given(order=st.permutations(range(30)), seed=st.integers(0, 1000))
def test_a_draw_depends_on_seed_and_number_alone(order: list[int], seed: int) -> None:
    expected = draws(mixture([5, 3, 2], [3, 2, 1], seed), 30)
    stream = mixture([5, 3, 2], [3, 2, 1], seed)
    assert [stream.locate(k) for k in order] == [expected[k] for k in order]
    assert mixture([5, 3, 2], [3, 2, 1], seed).locate(29) == expected[29]  # a resumed run jumps


def test_seeds_data_sets_and_epochs_differ_in_order() -> None:
    first = draws(mixture([50, 50], [1, 1], seed=0), 200)
    other = draws(mixture([50, 50], [1, 1], seed=1), 200)

    def order(drawn: list[Draw], dataset: int, epoch: int) -> list[int]:
        return [draw.row for draw in drawn if (draw.dataset, draw.epoch) == (dataset, epoch)]

    orders = [order(drawn, dataset, epoch) for drawn in (first, other) for dataset in (0, 1) for epoch in (0, 1)]
    assert len({tuple(rows) for rows in orders}) == 8


@pytest.mark.parametrize(
    ("sizes", "weights", "words"),
    [
        ([], [], "0 data sets has 0 weights"),
        ([1, 1], [1], "2 data sets has 1 weights"),
        ([1, 0], [1, 1], "data set 1 of the mixture has no rows"),
        ([1, 1], [1, 0], "data set 1 of the mixture has weight 0"),
        ([1, 1], [-1, 1], "data set 0 of the mixture has weight -1"),
        ([1], [float("nan")], "data set 0 of the mixture has weight nan"),
        ([1], [float("inf")], "data set 0 of the mixture has weight inf"),
    ],
)
def test_bad_mixtures_are_named(sizes: list[int], weights: list[float], words: str) -> None:
    with pytest.raises(UserError, match=words):
        mixture(sizes, weights)


def test_draws_are_numbered_from_zero() -> None:
    with pytest.raises(ValueError, match="numbered from 0"):
        mixture([1], [1]).at(-1)
