import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vlrl.metrics.box_iou import giou, iou, iou_matrix

NUMBERS = st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1e300, -1e300])
BOXES = st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS)


@given(st.lists(BOXES, max_size=5), st.lists(BOXES, max_size=5))
def test_the_matrix_holds_what_the_pair_gives(a, b) -> None:
    matrix = iou_matrix(a, b)
    assert matrix.shape == (len(a), len(b))
    expected = [iou(one, other) if one[0] <= one[2] and one[1] <= one[3] else 0.0 for one in a for other in b]
    ordered = [other[0] <= other[2] and other[1] <= other[3] for one in a for other in b]
    for ours, theirs, real in zip(matrix.ravel(), expected, ordered, strict=True):
        assert 0 <= ours <= 1 + 1e-9
        assert not real or ours == pytest.approx(theirs)


def test_reversed_boxes_overlap_nothing() -> None:
    assert iou_matrix([(10, 10, 0, 0)], [(0, 0, 10, 10)]).tolist() == [[0.0]]


@pytest.mark.parametrize(
    ("box", "value"),
    [
        ((0, 0, 10, 10), 1.0),
        ((0, 0, 10, 5), 0.5),
        ((10, 0, 20, 10), 0.0),
        ((20, 0, 30, 10), -1 / 3),
        ((5, 5, 15, 15), 25 / 175 - 50 / 225),
        ((5, 5, 5, 5), 0.0),
    ],
)
def test_giou(box, value) -> None:
    assert giou(box, (0, 0, 10, 10)) == pytest.approx(value)
    assert giou((0, 0, 10, 10), box) == pytest.approx(value)


def test_giou_of_boxes_without_any_area() -> None:
    assert giou((1, 1, 1, 1), (1, 1, 1, 1)) == -1
    assert giou((0, 0, 1e300, 1e300), (0, 0, 1, 1)) == -1


def test_no_warning_for_huge_boxes() -> None:
    with np.errstate(all="raise"):
        assert iou_matrix([(0, 0, 1e200, 1e200)], [(0, 0, 1e200, 1e200)]).tolist() == [[0.0]]
    assert math.isfinite(giou((0, 0, 1e200, 1e200), (0, 0, 1, 1)))
