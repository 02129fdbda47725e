import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reward_vectors import expected, rows

from vlrl.rewards import load

ITEMS, NGRAMS = load("repetition.items"), load("repetition.ngrams")


@pytest.mark.parametrize("row", rows("vlm-r1_repetition"), ids=lambda row: row["note"])
def test_golden_vectors_of_vlm_r1(row: dict) -> None:
    assert ITEMS(row["text"], {}).value == pytest.approx(expected(row), abs=1e-12)


@settings(deadline=None)
@given(st.lists(st.sampled_from(["a", "b", "c"]), max_size=30))
def test_ngrams_are_trls_over_words(words: list[str]) -> None:
    theirs = pytest.importorskip("trl.rewards").get_repetition_penalty_reward(3, -1.0)
    assert NGRAMS(" ".join(words), {}).value == pytest.approx(theirs([[ord(word) for word in words]])[0], abs=1e-12)


def test_case_does_not_make_words_new() -> None:
    assert NGRAMS("a b c A B C", {}).value == NGRAMS("a b c a b c", {}).value == -0.25


def test_a_running_number_or_other_spacing_does_not_make_a_box_new() -> None:
    boxes = '{"id": 1, "bbox_2d": [1, 2, 3, 4], "label": "a"} {"id": 2, "label": "a", "bbox_2d": [1.0,2.0,3,4]}'
    assert ITEMS(boxes, {}).value == -0.5


@pytest.mark.parametrize("text", ["", " ", "one two", "{}", "{}{}{}"])
def test_little_text_repeats_nothing(text: str) -> None:
    assert (str(ITEMS(text, {}).value), str(NGRAMS(text, {}).value)) == ("0.0", "0.0")
