"""How an answer's words are made comparable: the project's one set of normalisation rules (stdlib only)."""

from __future__ import annotations

import re

TYPOGRAPHIC = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u201c": '"', "\u201d": '"', "\u2010": "-", "\u2011": "-", "\u2012": "-", "\u2013": "-",
     "\u2014": "-", "\u2212": "-", "\u00a0": " ", "\u202f": " "}
)  # fmt: skip
_FULL_WIDTH = str.maketrans({code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: " "})
ARTICLES = frozenset({"a", "an", "the"})
NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))
} | {"none": "0"}

_WORD = re.compile(r"(?:(?<![\w.)])-)?[0-9]++(?:\.[0-9]++)?+%?|[^\W\d_][^\W_]*+")
_THOUSANDS = re.compile(r"(?<=[0-9]),(?=[0-9]{3}(?![0-9]))")
_ROUGE_WORD = re.compile(r"[a-z0-9]++")


def plain_quotes(text: str) -> str:
    """The text with typographic quotes, dashes, minus signs and blanks as their ASCII kin.

    >>> plain_quotes("\u2212 3\u2019s")
    "- 3's"
    """
    return text.translate(TYPOGRAPHIC)


def fold_full_width(text: str) -> str:
    """The text with full-width letters, digits and signs, as East Asian keyboards write them, as their ASCII kin.

    >>> fold_full_width("\uff22\uff0c\uff11")
    'B,1'
    """
    return text.translate(_FULL_WIDTH)


def squeeze(text: str) -> str:
    """Lower case, white space at the ends gone and every run of it one blank.

    >>> squeeze(" Anselm   Poe ")
    'anselm poe'
    """
    return " ".join(text.lower().split())


def words(text: str) -> list[str]:
    """The words of an answer as VQA scorers compare them (Antol et al., arXiv 1505.00468).

    Lower case; punctuation and apostrophes gone; articles gone; `none` and `zero` to `ten` as digits; `1,000` is `1000`; a
    number keeps its sign, its decimals and its percent sign, and parts from a unit that is glued to it. Digits are ASCII.

    >>> words("The patient's left lung: two lesions, -1,000.5mm (T12-L1).")
    ['patients', 'left', 'lung', '2', 'lesions', '-1000.5', 'mm', 't12', 'l1']
    """
    plain = _THOUSANDS.sub("", plain_quotes(text).lower()).replace("'", "")
    return [NUMBER_WORDS.get(word, word) for word in _WORD.findall(plain) if word not in ARTICLES]


def normalise(text: str) -> str:
    """The `words` of a text, joined by blanks.

    >>> normalise("A Chest X-ray.")
    'chest x ray'
    """
    return " ".join(words(text))


def rouge_words(text: str) -> list[str]:
    """The words that ROUGE counts: lower case, runs of ASCII letters and digits.

    >>> rouge_words("The cat's mat.")
    ['the', 'cat', 's', 'mat']
    """
    return _ROUGE_WORD.findall(text.lower())
