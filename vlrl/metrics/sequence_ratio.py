"""difflib's similarity ratio, with a bound on its quadratic work."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import accumulate

MAX_STEPS = 2_000_000
"""Inner steps of difflib over all searches for a longest match; about half a second. Usual programs need a tenth."""


def sequence_ratio(text: str, gold: str) -> float:
    """2 * M / (|text| + |gold|), M the characters in difflib's matching blocks, `SequenceMatcher(None, text, gold).ratio()`.

    The blocks are found in difflib's order, by size of the region. When `MAX_STEPS` are spent, what is left counts as different:
    the ratio is then a lower bound. Two empty texts are alike.

    >>> sequence_ratio("abcd", "bcde"), SequenceMatcher(None, "abcd", "bcde").ratio()
    (0.75, 0.75)
    """
    if text == gold:
        return 1.0
    return 2 * _matched(text, gold) / (len(text) + len(gold))


def _matched(text: str, gold: str) -> int:
    matcher = SequenceMatcher(None, text, gold)
    places: dict[str, list[int]] = matcher.b2j  # type: ignore[attr-defined]
    steps = [0, *accumulate(1 + len(places.get(char, ())) for char in text)]
    regions, matched, left = [(0, len(text), 0, len(gold))], 0, MAX_STEPS
    while regions:
        a_low, a_high, b_low, b_high = regions.pop()
        left -= steps[a_high] - steps[a_low]
        if left < 0:
            break
        a, b, size = matcher.find_longest_match(a_low, a_high, b_low, b_high)
        if size:
            matched += size
            regions += [
                region
                for region in ((a_low, a, b_low, b), (a + size, a_high, b + size, b_high))
                if region[0] < region[1] and region[2] < region[3]
            ]
    return matched
