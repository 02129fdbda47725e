import pytest

from vlrl.metrics.text_match import anls, bleu1, error_rate, token_scores, vqa_soft
from vlrl.metrics.units import in_unit, known_unit


def test_empty_sides() -> None:
    assert token_scores([], []).f1 == 1
    assert token_scores(["a"], []).f1 == 0
    assert bleu1([], ["a"]) == 0
    assert anls("", "") == 1
    assert anls("", "a") == 0
    assert error_rate("", "") == 0
    assert error_rate("a", "") == 1


@pytest.mark.parametrize("humans", [1, 2, 3, 10])
def test_vqa_accuracy_is_the_mean_over_the_sets_that_leave_one_out(humans: int) -> None:
    for matches in range(humans + 1):
        answers = [1] * matches + [0] * (humans - matches)
        sets = [min(1.0, (matches - answer) / 3) for answer in answers]
        assert vqa_soft(matches, humans) == pytest.approx(sum(sets) / humans)


@pytest.mark.parametrize(
    ("unit", "kind"),
    [
        ("cm", "length"),
        ("Centimetres", "length"),
        ("cm^{2}", "area"),
        ("m\u00b2", "area"),
        ("km/h", "speed"),
        ("%", "ratio"),
        ("inches", "length"),
    ],
)
def test_units_are_known(unit: str, kind: str) -> None:
    found = known_unit(unit)
    assert found is not None
    assert found[0] == kind


def test_units_outside_the_table_are_taken_for_the_gold_s() -> None:
    assert in_unit(5, "apples", "pieces") == (5,)
