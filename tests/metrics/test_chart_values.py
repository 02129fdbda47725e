import numpy as np
import pytest
from charts import chart, grid, line, panel, rows

from vlrl.metrics.chart import read_chart
from vlrl.metrics.chart_facts import chart_parts


def data(predicted: dict, gold: dict, **more: object) -> float:
    return chart_parts(*(read_chart(chart(panel(element, **more))) for element in (predicted, gold)))["data"]


BARS = rows("bar", (0, 40, 0, 0.8), (1, 35, 0, 0.8), (2, 25, 0, 0.8))


@pytest.mark.parametrize(
    ("predicted", "share"),
    [
        (rows("bar", (0, 42, 0, 0.8), (1, 33.25, 0, 0.8), (2, 26.25, 0, 0.8)), 1),  # 5 % off
        (rows("bar", (0, 42.1, 0, 0.8), (1, 35, 0, 0.8), (2, 25, 0, 0.8)), 2 / 3),
        (rows("bar", (1, 40, 0, 0.8), (0, 35, 0, 0.8), (2, 25, 0, 0.8)), 1 / 3),  # two swapped
        (rows("bar", (0, 40, 0, 0.8), (1, 35, 0, 0.8)), 2 * 2 / 5),
        (rows("bar", *((i, v, 0, 0.8) for i in range(3) for v in (40, 35, 25))), 2 * 3 / 12),  # every value at every place
        (rows("bar", (0, 40, 5, 0.8), (1, 35, 0, 0.8), (2, 25, 0, 0.8)), 2.5 / 3),  # one floats: half
        (rows("barh", (0, 40, 0, 0.8), (1, 35, 0, 0.8), (2, 25, 0, 0.8)), 0),
        (rows("bar", (0, 40), (1, 35)), 0),  # forged rows
    ],
)
def test_bars(predicted: dict, share: float) -> None:
    assert data(predicted, BARS, spans=(3, 42)) == pytest.approx(share)


def test_years_within_5_percent_are_other_years() -> None:
    """ChartQA's relaxed accuracy takes 2008 for 2010: here a value may be off by a twentieth of the visible axis at most."""
    gold = rows("scatter", (2010, 5), (2012, 6))
    assert data(rows("scatter", (2010, 5), (2012, 6)), gold, spans=(10, 10)) == 1
    assert data(rows("scatter", (2008, 5), (2014, 6)), gold, spans=(10, 10)) == 0


def test_near_zero_half_a_percent_of_the_axis_is_allowed() -> None:
    assert data(line((0, 0.04), (10, 0.04)), line((0, 0), (10, 0))) == 1
    assert data(line((0, 0.06), (10, 0.06)), line((0, 0), (10, 0))) == 0


def test_on_a_logarithmic_axis_5_percent_is_5_percent_everywhere() -> None:
    log = {"log": [False, True], "spans": (3, 1e6)}
    gold = rows("scatter", (0, 1), (1, 1e3), (2, 1e6))
    assert data(rows("scatter", (0, 1.04), (1, 1.04e3), (2, 1.04e6)), gold, **log) == 1
    assert data(rows("scatter", (0, 1.1), (1, 1.1e3), (2, 1e6)), gold, **log) == pytest.approx(1 / 3)


def test_pie_slices_stand_in_order() -> None:
    gold = rows("pie", (0, 0.4), (1, 0.35), (2, 0.25))
    assert data(rows("pie", (0, 0.41), (1, 0.34), (2, 0.25)), gold) == 1
    assert data(rows("pie", (0, 0.25), (1, 0.35), (2, 0.4)), gold) == pytest.approx(1 / 3)


def test_a_box_counts_by_its_five_numbers_once_the_median_is_right() -> None:
    gold = rows("box", (1, 5, 1, 3, 7, 9))
    assert data(rows("box", (1, 5, 1, 3, 7, 8)), gold) == pytest.approx(4 / 5)
    assert data(rows("box", (1, 6, 1, 3, 7, 9)), gold) == 0


def sampled(f: object, count: int, noise: float = 0.0, seed: int = 0) -> dict:
    x = np.linspace(0, 10, count)
    y = f(x) + noise * np.random.default_rng(seed).standard_normal(count)
    return line(*zip(x.tolist(), y.tolist(), strict=True))


def test_a_curve_does_not_depend_on_how_it_was_sampled() -> None:
    assert data(sampled(np.sin, 300), sampled(np.sin, 117), spans=(10, 2.2)) > 0.99
    assert data(sampled(np.cos, 300), sampled(np.sin, 300), spans=(10, 2.2)) < 0.15


def test_noise_over_the_whole_plane_does_not_lie_on_other_noise() -> None:
    """Distance to the nearest segment would pay 0.9 here: a dense zigzag comes near every point."""
    flat = np.zeros_like
    assert data(sampled(flat, 300, 2.0, 1), sampled(flat, 300, 2.0, 2), spans=(10, 10)) < 0.15
    outlines = [
        line(*[(i / 30, v) for i, v in enumerate(np.random.default_rng(s).random(300) * 9)], (10, 0), (0, 0), kind="area")
        for s in (1, 2)
    ]
    assert data(*outlines) < 0.15


def test_a_zigzag_through_the_right_points_is_another_curve() -> None:
    gold = [(float(i), float(i % 4)) for i in range(11)]
    shuffled = [gold[i] for i in (0, 7, 2, 9, 4, 1, 8, 3, 10, 5, 6)]
    assert data(line(*shuffled), line(*gold)) < 0.2


def test_a_part_of_a_curve_earns_a_part() -> None:
    gold = [(float(i), float(i % 3)) for i in range(11)]
    assert 0.6 < data(line(*gold[:6]), line(*gold)) < 0.7
    wrong = [*gold[:10], (10.0, 9.0)]
    assert 0.85 < data(line(*wrong), line(*gold)) < 1


def test_upright_profiles_steps_and_outlines() -> None:
    profile = [(float((i * 7) % 5), float(i)) for i in range(11)]  # read across
    steps = [(0, 1), (2, 1), (2, 4), (5, 4), (5, 2), (9, 2)]
    spiral = [(5 + t / 8 * np.cos(t), 5 + t / 8 * np.sin(t)) for t in np.linspace(0, 30, 150)]
    for points in (profile, steps, spiral):
        assert data(line(*points), line(*points)) == 1
        assert data(line(*[(y, x) for x, y in points]), line(*points)) < 0.75
    assert data(line(*spiral[::-1]), line(*spiral)) > 0.99


def test_heat_maps_compare_cell_by_cell() -> None:
    gold = grid((0, 50, 100), (20, None, 70))
    assert data(grid((0.4, 52, 100), (20, None, 70)), gold) == 1
    assert data(grid((0, 50, 100), (20, 30, 70)), gold) == pytest.approx(5 / 6)
    assert data(grid((0, 50), (100, 20)), gold) == 0


def test_series_are_matched_one_to_one() -> None:
    low, high = line((0, 1), (10, 2)), line((0, 8), (10, 9), color="#ff7f0e")
    gold = read_chart(chart(panel(low, high)))
    assert chart_parts(read_chart(chart(panel(high, low))), gold)["data"] == 1
    assert chart_parts(read_chart(chart(panel(low))), gold)["data"] == pytest.approx(2 / 3)
    assert chart_parts(read_chart(chart(panel(low, low, low, high))), gold)["data"] == pytest.approx(4 / 6)


def test_a_crowd_of_points_is_not_near_every_other_crowd() -> None:
    a, b = (rows("scatter", *np.random.default_rng(s).random((1000, 2)).tolist()) for s in (1, 2))
    assert data(a, b, spans=(1, 1)) < 0.25
