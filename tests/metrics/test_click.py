import pytest

from vlrl.metrics.click import inside


@pytest.mark.parametrize("point", [(100, 100), (200, 200), (100, 200), (150, 100), (150, 150)])
def test_gui_r1_leaves_the_edges_out_but_they_are_inside(point: tuple[float, float]) -> None:
    assert inside(point, (100, 100, 200, 200))


@pytest.mark.parametrize("point", [(99.9, 150), (200.1, 150), (150, 99.9), (150, 200.1), (0, 0), (float("nan"), 150)])
def test_outside(point: tuple[float, float]) -> None:
    assert not inside(point, (100, 100, 200, 200))
