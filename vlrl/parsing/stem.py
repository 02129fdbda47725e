"""The stems of English words: Porter (1980), "An algorithm for suffix stripping", with the amendments of NLTK (stdlib only).

ROUGE as the field computes it compares stems, so that "sits" is "sit".
"""

from __future__ import annotations

import itertools
from functools import lru_cache

VOWELS = frozenset("aeiou")
LONGEST = 60
"""Longer runs of letters are no words and stay as they are."""

IRREGULAR = {
    form: stem
    for stem, forms in {
        "sky": "sky skies", "die": "dying", "lie": "lying", "tie": "tying", "news": "news", "inning": "innings inning",
        "outing": "outings outing", "canning": "cannings canning", "howe": "howe", "proceed": "proceed", "exceed": "exceed",
        "succeed": "succeed",
    }.items()
    for form in forms.split()
}  # fmt: skip

_STEP_2 = dict(
    pair.split(":")
    for pair in [
        "ational:ate",
        "tional:tion",
        "enci:ence",
        "anci:ance",
        "izer:ize",
        "bli:ble",
        "alli:al",
        "entli:ent",
        "eli:e",
        "ousli:ous",
        "ization:ize",
        "ation:ate",
        "ator:ate",
        "alism:al",
        "iveness:ive",
        "fulness:ful",
        "ousness:ous",
        "aliti:al",
        "iviti:ive",
        "biliti:ble",
        "fulli:ful",
        "logi:log",
    ]
)
_STEP_3 = {"icate": "ic", "ative": "", "alize": "al", "iciti": "ic", "ical": "ic", "ful": "", "ness": ""}
_STEP_4 = (
    "al",
    "ance",
    "ence",
    "er",
    "ic",
    "able",
    "ible",
    "ant",
    "ement",
    "ment",
    "ent",
    "ion",
    "ou",
    "ism",
    "ate",
    "iti",
    "ous",
    "ive",
    "ize",
)


@lru_cache(maxsize=65536)
def stem(word: str) -> str:
    """The stem of a lower-case word; words of up to three letters and very long ones stay, as in the `rouge-score` package.

    >>> [stem(word) for word in ("sits", "running", "generalizations", "cat", "skies")]
    ['sit', 'run', 'gener', 'cat', 'sky']
    """
    if not 3 < len(word) <= LONGEST:
        return word
    if word in IRREGULAR:
        return IRREGULAR[word]
    word = _without_y(_without_ed_ing(_without_s(word)))
    for suffixes in (_STEP_2, _STEP_3):
        word = _replaced(word, suffixes)
    return _without_e(_without_ending(word))


def _consonants(word: str) -> list[bool]:
    found: list[bool] = []
    for index, char in enumerate(word):
        found.append(char not in VOWELS and (char != "y" or index == 0 or not found[-1]))
    return found


def _measure(word: str) -> int:
    """How often a consonant follows a vowel."""
    kinds = _consonants(word)
    return sum(after and not before for before, after in itertools.pairwise(kinds))


def _ends_short(word: str) -> bool:
    """Consonant, vowel, consonant other than w, x or y; or vowel, consonant alone."""
    kinds = _consonants(word)
    if len(word) == 2:
        return kinds == [False, True]
    return kinds[-3:] == [True, False, True] and word[-1] not in "wxy"


def _without_s(word: str) -> str:
    if word.endswith("ies"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("sses"):
        return word[:-2]
    return word if word.endswith("ss") else word.removesuffix("s")


def _without_ed_ing(word: str) -> str:
    if word.endswith("ied"):
        return word[:-1] if len(word) == 4 else word[:-2]
    if word.endswith("eed"):
        return word[:-1] if _measure(word[:-3]) else word
    base = next(
        (word[: -len(end)] for end in ("ed", "ing") if word.endswith(end) and not all(_consonants(word[: -len(end)]))), None
    )
    if base is None:
        return word
    if base.endswith(("at", "bl", "iz")):
        return base + "e"
    if len(base) > 1 and base[-1] == base[-2] and _consonants(base)[-1]:
        return base if base[-1] in "lsz" else base[:-1]
    return base + "e" if _measure(base) == 1 and _ends_short(base) else base


def _without_y(word: str) -> str:
    return word[:-1] + "i" if word.endswith("y") and len(word) > 2 and _consonants(word)[-2] else word


def _replaced(word: str, suffixes: dict[str, str]) -> str:
    if word.endswith("alli") and suffixes is _STEP_2 and _measure(word[:-4]):
        return _replaced(word[:-2], suffixes)
    suffix = next((suffix for suffix in suffixes if word.endswith(suffix)), None)
    if suffix is None:
        return word
    counted = word[:-3] if suffix == "logi" else word[: -len(suffix)]
    return word[: -len(suffix)] + suffixes[suffix] if _measure(counted) else word


def _without_ending(word: str) -> str:
    suffix = next((suffix for suffix in _STEP_4 if word.endswith(suffix)), None)
    if suffix is None:
        return word
    base = word[: -len(suffix)]
    return base if _measure(base) > 1 and (suffix != "ion" or base.endswith(("s", "t"))) else word


def _without_e(word: str) -> str:
    base = word[:-1]
    if word.endswith("e") and (_measure(base) > 1 or (_measure(base) == 1 and not _ends_short(base))):
        word = base
    return word[:-1] if word.endswith("ll") and _measure(word[:-1]) > 1 else word
