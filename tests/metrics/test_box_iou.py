import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlrl.geometry import Box
from vlrl.metrics.box_iou import iou

EDGES = st.floats(-1e9, 1e9)


def _boxes() -> st.SearchStrategy[Box]:
    return st.tuples(EDGES, EDGES, EDGES, EDGES).map(
        lambda e: (min(e[0], e[2]), min(e[1], e[3]), max(e[0], e[2]), max(e[1], e[3]))
    )


@pytest.mark.parametrize(
    ("a", "b", "value"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1.0),
        ((0, 0, 10, 10), (0, 0, 10, 5), 0.5),
        ((0, 0, 10, 10), (5, 5, 15, 15), 25 / 175),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0.0),
        ((0, 0, 10, 10), (50, 50, 60, 60), 0.0),
        ((5, 5, 5, 5), (0, 0, 10, 10), 0.0),
        ((5, 5, 5, 5), (5, 5, 5, 5), 0.0),
        ((0, 3, 10, 3), (0, 0, 10, 10), 0.0),
    ],
)
def test_by_hand(a: Box, b: Box, value: float) -> None:
    assert iou(a, b) == iou(b, a) == pytest.approx(value, abs=1e-12)


def test_vlm_r1_bug_8_an_overlap_of_one_pixel_counts() -> None:
    assert iou((0, 0, 10, 10), (9, 0, 19, 10)) == pytest.approx(10 / 190)
    assert iou((50, 10, 51, 410), (50, 10, 51, 410)) == 1.0


def test_areas_that_overflow_score_nothing() -> None:
    huge = (0.0, 0.0, 1e200, 1e200)
    assert iou(huge, huge) == iou((0, 0, 1, 1), huge) == 0.0


@given(_boxes(), _boxes())
def test_it_is_symmetric_and_in_range(a: Box, b: Box) -> None:
    value = iou(a, b)
    assert 0 <= value <= 1
    assert value == iou(b, a)
    assert math.isfinite(value)


@given(st.tuples(*[st.integers(0, 1000)] * 4), st.tuples(*[st.integers(1, 1000)] * 4))
def test_it_equals_counting_unit_squares(corners: tuple[int, ...], sizes: tuple[int, ...]) -> None:
    a = (corners[0], corners[1], corners[0] + sizes[0], corners[1] + sizes[1])
    b = (corners[2], corners[3], corners[2] + sizes[2], corners[3] + sizes[3])
    overlap = len(range(max(a[0], b[0]), min(a[2], b[2]))) * len(range(max(a[1], b[1]), min(a[3], b[3])))
    assert iou(a, b) == pytest.approx(overlap / (sizes[0] * sizes[1] + sizes[2] * sizes[3] - overlap))
