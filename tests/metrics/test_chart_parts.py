import copy
import json

import pytest
from charts import chart, charts, elements, grid, line, panel, rows, title
from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl.metrics.chart import Chart, read_chart
from vlrl.metrics.chart_facts import chart_parts, matched_panels, string_similarity, text_f1

PARTS = {"text", "ticks", "layout", "type", "colour", "data"}


def parts(predicted: dict, gold: dict) -> dict[str, float]:
    return chart_parts(read_chart(predicted), read_chart(gold))


# ---- properties ----------------------------------------------------------------------------------------------------------


@settings(max_examples=300, deadline=None)
@given(charts())
def test_a_chart_is_exactly_itself(facts: dict) -> None:
    assert set(parts(facts, facts).values()) <= {1.0}


@settings(max_examples=200, deadline=None)
@given(charts(), charts())
def test_parts_lie_between_0_and_1_and_are_symmetric_but_for_the_data_whose_tolerance_is_the_golds(a: dict, b: dict) -> None:
    there, back = parts(a, b), parts(b, a)
    assert set(there) == set(back) <= PARTS
    assert all(0 <= value <= 1 for value in there.values())
    for part in ("layout", "type"):
        assert there.get(part) == pytest.approx(back.get(part))


@settings(max_examples=200, deadline=None)
@given(charts(), charts(), st.integers(1, 5))
def test_junk_texts_never_raise_the_score(predicted: dict, gold: dict, count: int) -> None:
    padded = copy.deepcopy(predicted)
    padded["texts"] += [title("\u2603" * (3 + i), 0, "note") for i in range(count)]
    before, after = parts(predicted, gold).get("text", 1.0), parts(padded, gold)["text"]
    assert after <= before
    assert after < before or before == 0


@settings(max_examples=200, deadline=None)
@given(charts(), charts())
def test_junk_elements_never_raise_the_score(predicted: dict, gold: dict) -> None:
    padded = copy.deepcopy(predicted)
    padded["axes"][0]["elements"].append({"type": "junk", "colors": ["#123456"], "paths": [[[0, 0], [1, 1]]]})
    before, after = ({"type": 1.0, "colour": 1.0, "data": 1.0} | parts(facts, gold) for facts in (predicted, padded))
    assert matched_panels(read_chart(predicted), read_chart(gold)) != matched_panels(read_chart(padded), read_chart(gold)) or all(
        after[name] <= before[name] for name in ("type", "colour", "data")
    )


@settings(max_examples=100, deadline=None)
@given(charts(), st.integers(1, 3))
def test_extra_panels_lower_the_layout_of_a_perfect_copy_and_raise_nothing(gold: dict, count: int) -> None:
    padded = copy.deepcopy(gold)
    padded["axes"] += [panel(rect=(i + 1, 0, i + 2, 1)) for i in range(count)]
    after = parts(padded, gold)
    assert after["layout"] < 1
    assert all(value <= 1 for value in after.values())


@settings(max_examples=100, deadline=None)
@given(charts(), st.data())
def test_the_order_of_elements_and_texts_does_not_matter(gold: dict, data: st.DataObject) -> None:
    shuffled = copy.deepcopy(gold)
    shuffled["texts"] = data.draw(st.permutations(gold["texts"]))
    for entry in shuffled["axes"]:
        entry["elements"] = data.draw(st.permutations(entry["elements"]))
    assert set(parts(shuffled, gold).values()) <= {1.0}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["axes", "rows", "paths", "grid", "type"]), inner)
    ),
    max_leaves=8,
)


@settings(max_examples=400, deadline=None)
@given(charts(), charts(), st.data())
def test_forged_facts_raise_value_error_or_are_scored(forged: dict, gold: dict, data: st.DataObject) -> None:
    """Any value anywhere in the facts is replaced by any JSON value."""
    place: object = forged
    for _ in range(data.draw(st.integers(0, 5))):
        keys = list(place) if isinstance(place, dict) else list(range(len(place))) if isinstance(place, list) else []
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if data.draw(st.booleans()) or not isinstance(place[key], (dict, list)):
            place[key] = data.draw(JSON | elements())
            break
        place = place[key]
    try:
        read = read_chart(forged)
    except ValueError:
        return
    assert all(0 <= value <= 1 for value in chart_parts(read, read_chart(gold)).values())


@pytest.mark.parametrize(
    "facts",
    [
        None,
        [],
        {},
        {"axes": {}, "texts": [], "ticks": []},
        chart(panel(rows("bar", (1, 2, 3, float("nan"))))),
        chart(panel(rows("bar", (1, 2, 3, 1e308)))),
        chart(panel(rows("bar", (0, 3, 0, 1)), rows("bar", (0, 3, 0, 1)))),  # one type, one element: a flood of them costs time
        chart(panel(line((1, 2)), spans=(0, 1))),
        chart(panel(line((1, 2)), spans=(1, 1, 1))),
        chart(panel({"type": "bar", "colors": ["red"], "rows": [[1, 2, 3, 4]]})),
        chart(panel(rows("scatter", *[(1, 2)] * 1001))),
        chart(panel(*[line((1, 2))] * 61)),
        chart(*[panel()] * 41),
        chart(texts=(title("a", axes=0),)),
        chart(panel(), texts=(title("a" * 201),)),
        chart(panel(), texts=(title("a", axes=-1),)),
        chart(panel(rect=(0, 0, 1))),
        chart(panel(rows("bar", (1, 2), (1, 2, 3)))),
    ],
    ids=str,
)
def test_facts_that_collect_cannot_have_written_are_refused(facts: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_chart(facts)


# ---- values by hand ------------------------------------------------------------------------------------------------------


def test_text_f1_by_hand() -> None:
    """Equal + 5/6 of a title + half of a label in the wrong place + a wrong number: 2 * (1 + 5/6 + 1/2) / (4 + 4)."""
    gold = chart(
        panel(), texts=(title("North", role="legend"), title("Stocks"), title("Boxes", role="ylabel"), title("35%", role="note"))
    )
    predicted = chart(
        panel(), texts=(title("North", role="legend"), title("Stock"), title("Boxes", role="xlabel"), title("36%", role="note"))
    )
    assert parts(predicted, gold)["text"] == pytest.approx(2 * (1 + 5 / 6 + 1 / 2) / 8)


def test_texts_in_another_panel_are_worth_half_and_a_figures_own_title_is_a_title() -> None:
    two = (panel(line((0, 1), (1, 1)), rect=(0, 0, 0.5, 1)), panel(rows("bar", (0, 1, 0, 1)), rect=(0.5, 0, 1, 1)))
    gold = chart(*two, texts=(title("Left", 0, "xlabel"), title("Right", 1, "xlabel")))
    swapped = chart(*two, texts=(title("Left", 1, "xlabel"), title("Right", 0, "xlabel")))
    assert parts(swapped, gold)["text"] == 0.5
    assert parts(chart(panel(), texts=(title("A", None),)), chart(panel(), texts=(title("A"),)))["text"] == 1


def test_an_empty_text_side_earns_nothing_and_two_empty_ones_have_no_such_part() -> None:
    bare, titled = chart(panel()), chart(panel(), texts=(title("Sales"),))
    assert parts(bare, titled)["text"] == parts(titled, bare)["text"] == 0
    assert "text" not in parts(bare, bare)


@pytest.mark.parametrize(
    ("a", "b", "similarity"),
    [("Sales", "Sales", 1), ("Sales", "Sale", 0.8), ("Sales", "Wind speed", 0), ("35%", "36%", 0), ("", "a", 0), ("ab", "cd", 0)],
)
def test_string_similarity(a: str, b: str, similarity: float) -> None:
    assert string_similarity(a, b) == pytest.approx(similarity)


def test_a_thousand_texts_take_no_second_each() -> None:
    many = Chart((), tuple(read_chart(chart(texts=(title(f"text number {i}", None),))).texts[0] for i in range(600)), ())
    other = Chart((), tuple(text.moved(None) for text in many.texts[::-1]), ())
    assert text_f1(other, many, {}) == 1


def test_type_f1_counts_each_type_once_per_panel() -> None:
    """ChartMimic multidiff_2: six panels of lines for four, 2 * 4 / (6 + 4)."""
    lines = [panel(line((0, 1), (1, 2)), line((0, 2), (1, 3)), rect=(i, 0, i + 1, 1)) for i in range(6)]
    assert parts(chart(*lines), chart(*lines[:4]))["type"] == 0.8
    assert parts(chart(panel(rows("barh", (0, 1, 0, 1)))), chart(panel(rows("bar", (0, 1, 0, 1)))))["type"] == 0


def test_polar_types_are_others() -> None:
    bars = rows("bar", (0, 1, 0, 1))
    assert parts(chart(panel(bars)), chart(panel(bars, projection="polar")))["type"] == 0


def test_layout_f1_compares_cells() -> None:
    side_by_side = chart(panel(rect=(0, 0, 0.5, 1)), panel(rect=(0.5, 0, 1, 1)))
    stacked = chart(panel(rect=(0, 0, 1, 0.5)), panel(rect=(0, 0.5, 1, 1)))
    assert parts(stacked, side_by_side)["layout"] == 0
    assert parts(chart(panel(rect=(0, 0, 0.5, 1))), side_by_side)["layout"] == pytest.approx(2 / 3)


def test_colours_by_hand() -> None:
    """tab:blue and steelblue are 4.92 apart: 1 - 4.92 / 30. All bars are one type; colours of other types do not count."""
    gold = chart(panel(rows("bar", (0, 1, 0, 1), colors=("#1f77b4",))))
    assert parts(chart(panel(rows("bar", (0, 1, 0, 1), colors=("#4682b4",)))), gold)["colour"] == pytest.approx(
        1 - 4.92 / 30, abs=1e-3
    )
    assert parts(chart(panel(rows("barh", (0, 1, 0, 1), colors=("#1f77b4",)))), gold)["colour"] == 1
    assert parts(chart(panel(rows("scatter", (0, 1), colors=("#1f77b4",)))), gold)["colour"] == 0


def test_a_flood_of_colours_is_punished() -> None:
    gold = chart(panel(rows("bar", (0, 1, 0, 1), colors=("#1f77b4",))))
    flood = tuple(f"#{value:06x}" for value in [0x1F77B4, *range(0, 0x1000000, 0x111111)])
    assert parts(chart(panel(rows("bar", (0, 1, 0, 1), colors=flood))), gold)["colour"] == pytest.approx(2 / (1 + len(flood)))


def test_facts_survive_json() -> None:
    facts = chart(panel(grid((1, None), (3, 4))), texts=(title("Sales"),))
    assert set(parts(json.loads(json.dumps(facts)), facts).values()) == {1.0}
