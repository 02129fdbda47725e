"""Does the model think in the language that it is asked in?"""

from __future__ import annotations

import unicodedata
from collections import Counter
from functools import cache

from vlrl.parsing.tags import ANSWER, ANSWER_END, thought_text
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score

SCRIPTS = {
    **dict.fromkeys(("cs", "da", "de", "en", "es", "fi", "fr", "id", "it"), ("LATIN",)),
    **dict.fromkeys(("nl", "no", "pl", "pt", "ro", "sv", "tr", "vi"), ("LATIN",)),
    **dict.fromkeys(("bg", "ru", "uk"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ur"), ("ARABIC",)),
    "el": ("GREEK",),
    "he": ("HEBREW",),
    "hi": ("DEVANAGARI",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "ko": ("HANGUL",),
    "th": ("THAI",),
    "zh": ("CJK",),
}
"""Language code -> the scripts it is written in, as the first word of their letters' Unicode names."""


def script(text: str, answer: Answer) -> Score:
    """Share of the letters that belong to the script of `answer["language"]`; 1 for text without letters, such as a bare box.

    Counted in the thought when there is one, else in all the text without answer tags. Languages of one script are not told
    apart. Source: inspired by the language consistency reward of DeepSeek-R1 (arXiv 2501.12948), which counts words of the
    target language in the thought. Range 0..1. Failures: `no_text` (nothing but white space), `wrong_script` (no letter
    belongs). Raises ValueError for a `language` that is missing or none of `SCRIPTS`.

    Nine letters, five of them Latin:

    >>> round(script("<think>Ein Ki \u043a\u043e\u0442\u044b</think><answer>A</answer>", {"language": "de"}).value, 3)
    0.556
    """
    language = answer.get("language")
    if language not in SCRIPTS:
        raise ValueError(f"answer 'language' is one of {', '.join(sorted(SCRIPTS))}, not {language!r}")
    told = thought_text(text) or text.replace(ANSWER, " ").replace(ANSWER_END, " ")
    if not told.strip():
        return Score(0.0, failure="no_text")
    letters = Counter({char: count for char, count in Counter(told).items() if char.isalpha()})
    if not letters:
        return Score(1.0)
    share = sum(count for char, count in letters.items() if _script(char) in SCRIPTS[language]) / letters.total()
    return Score(share, failure=None if share else "wrong_script")


@cache
def _script(char: str) -> str:
    words = unicodedata.name(char, "?").removeprefix("FULLWIDTH ").removeprefix("HALFWIDTH ").split()
    return words[0]


REWARDS = {
    "script": Reward(
        script,
        failures=("no_text", "wrong_script"),
        needs=("language",),
        example=Example("<think>The cup is red.</think><answer>[1, 2]</answer>", {"language": "en"}),
    )
}
