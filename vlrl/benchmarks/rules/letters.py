"""Letters of options as lmms-eval reads them in its video tasks, without those that are no answer: articles, parts of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from vlrl.benchmarks.rules.choices import MAX_LENGTH, plain_letter
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.choice import FUNCTION_WORDS
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.parsing.words import fold_full_width, normalise
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_letter
from vlrl.types import Answer, Score

Read = Callable[[str, str], str | None]
"""(answer, letters of the options) -> the letter that a scorer's own rule finds."""

DIFFERENCES = (
    "Tags: only the answer behind a closed thought is read; an unclosed thought has none.",
    "The whole text of an option is that option, and a full-width letter is a letter.",
    "An article, a letter inside a word or right after an apostrophe is no answer; there each may be one.",
    "Empty answers stay in the denominator.",
)

_FREE = re.compile(r"(?<![^\W_])(?<!['\u2019])([A-Za-z])(?![^\W_])")
_WORD = re.compile(r" ([a-z]{1,20})")


def letter_score(text: str, answer: Answer, read: Read) -> Score:
    """1 when the response names the right option, else 0. Failures: `no_answer`, `no_choice`.

    In this order: the whole text of an option, one letter in the place of an answer (`choices.plain_letter`), and what `read`
    makes of the rest.

    >>> gold = {"answer": "up", "choices": ["down", "up"]}
    >>> [letter_score(said, gold, first_letter).value for said in ("(b)", "Up.", "A or B", "a cat")]
    [1.0, 1.0, 0.0, 0.0]
    """
    choices = gold_choices(answer)
    letter = gold_letter(answer, choices)
    body = answer_text(with_answer_end(text))
    if body is None:
        return failed("no_answer")
    said = named_option(text, fold_full_width(body[:MAX_LENGTH]), choices or {}, read)
    return right_or_wrong(said == letter, said) if said else failed("no_choice")


def named_option(text: str, body: str, choices: Mapping[str, str], read: Read) -> str | None:
    """The letter of the option that `text` names; `body` is its answer. None when it names none.

    Where options are letters themselves, a letter means the option that is called so.

    >>> named_option("c", "c", {"A": "c", "B": "l", "C": "e"}, first_letter)
    'C'
    """
    words = normalise(bare_answer(body))
    same = [letter for letter, option in choices.items() if words and normalise(option) == words]
    if len(same) == 1 and words.upper() not in choices:
        return same[0]
    return plain_letter(text, {"choices": dict.fromkeys(choices, "")}) or read(body, "".join(choices))


def free_letters(body: str, letters: str) -> Iterator[str]:
    """The letters that stand alone, of either case, in capitals; an `a` before a noun is an article.

    >>> list(free_letters("a cat, so B/C; I'd say D's", "ABCD"))
    ['B', 'C', 'D']
    """
    for match in _FREE.finditer(body):
        letter, after = match[1].upper(), _WORD.match(body, match.end())
        if letter in letters and not (letter == "A" and after and after[1] not in FUNCTION_WORDS):
            yield letter


def first_letter(body: str, letters: str) -> str | None:
    """The first of `free_letters` (lmms-eval's MVBench)."""
    return next(free_letters(body, letters), None)
