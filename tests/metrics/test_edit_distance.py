from difflib import SequenceMatcher

from hypothesis import given, settings
from hypothesis import strategies as st

from vlrl.metrics.edit_distance import edit_distance, indel_similarity, lcs_length
from vlrl.metrics.sequence_ratio import sequence_ratio

TEXTS = st.text("abc", max_size=80)


def table(a: str, b: str, substitution: int) -> int:
    """Edit distance by the textbook table."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        before, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + substitution * (x != y))
    return row[-1]


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_bit_parallel_equals_the_table(a: str, b: str) -> None:
    assert edit_distance(a, b) == table(a, b, 1)
    assert 2 * lcs_length(a, b) == len(a) + len(b) - table(a, b, 2)


@settings(deadline=None)
@given(TEXTS, TEXTS)
def test_the_sequence_ratio_is_difflib_s(a: str, b: str) -> None:
    assert sequence_ratio(a, b) == SequenceMatcher(None, a, b).ratio()


def test_long_sides_are_compared_in_part() -> None:
    assert indel_similarity("a" * 100_000, "a" * 10) == 20 / 100_010
    assert indel_similarity("b" * 30_000 + "a", "a") == 0
