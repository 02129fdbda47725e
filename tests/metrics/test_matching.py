import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from vlrl.metrics.matching import best_pairs, greedy_pairs, ordered_pairs
from vlrl.metrics.point_match import closeness, distances, mean_distance
from vlrl.metrics.polygon import inside_polygon
from vlrl.metrics.temporal import mean_frame_iou, span_iou

MATRICES = arrays(float, st.tuples(st.integers(1, 6), st.integers(1, 6)), elements=st.sampled_from([0.0, 0.3, 0.5, 0.7, 1.0]))


def total(matrix, pairs) -> float:
    return sum(matrix[pair] for pair in pairs)


@given(MATRICES)
def test_every_matching_is_one_to_one_and_the_hungarian_one_is_the_best(matrix) -> None:
    found = {
        "best": best_pairs(matrix),
        "greedy": greedy_pairs(matrix, 0.3),
        "ordered": ordered_pairs(matrix, 0.0),
    }
    for pairs in found.values():
        assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
        assert total(matrix, pairs) <= total(matrix, found["best"]) + 1e-9


def test_the_hungarian_matching_gives_up_the_best_pair_for_a_better_sum() -> None:
    matrix = np.array([[0.9, 0.8], [0.8, 0.0]])
    assert best_pairs(matrix) == [(0, 1), (1, 0)]
    assert greedy_pairs(matrix, 0.5) == ordered_pairs(matrix, 0.5) == [(0, 0)]


def test_thresholds() -> None:
    assert greedy_pairs(np.array([[0.5]]), 0.5) == [(0, 0)]
    assert ordered_pairs(np.array([[0.5]]), 0.5) == []


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [((0, 10), (0, 10), 1.0), ((0, 10), (5, 15), 1 / 3), ((0, 5), (5, 10), 0.0), ((0, 1), (8, 9), 0.0), ((5, 5), (0, 10), 0.0)],
)
def test_span_iou(a, b, value) -> None:
    assert span_iou(a, b) == span_iou(b, a) == pytest.approx(value)


def test_missing_and_extra_frames() -> None:
    gold = {"0": (0, 0, 2, 2), "1": (0, 0, 2, 2)}
    assert mean_frame_iou({}, gold) == 0
    assert mean_frame_iou({"0": (0, 0, 2, 2), "7": (0, 0, 2, 2)}, gold) == 0.5


def test_point_distances_do_not_depend_on_the_resolution() -> None:
    small = distances([(10, 10)], [(20, 30)], (100, 200))
    assert small == pytest.approx(distances([(100, 100)], [(200, 300)], (1000, 2000)))
    assert small == pytest.approx(np.hypot(100, 100))
    assert mean_distance(small) == pytest.approx(np.hypot(100, 100))
    assert float(closeness(0.0, 50)) == 1


def test_polygon_with_a_notch() -> None:
    notch = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (5.0, 5.0), (0.0, 10.0)]
    assert inside_polygon((5, 4), notch)
    assert not inside_polygon((5, 8), notch)
    assert not inside_polygon((11, 5), notch)
