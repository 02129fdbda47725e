"""Which option, or which of yes and no, an answer picks (stdlib only)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain

from vlrl.parsing.bare import bare_answer
from vlrl.parsing.words import normalise, plain_quotes

LETTERS = "ABCDEFGHIJ"
"""The options of a question whose `choices` are not given."""

LEADS = frozenset(
    [
        "answer",
        "is",
        "it's",
        "its",
        "be",
        "so",
        "thus",
        "therefore",
        "hence",
        "option",
        "choice",
        "letter",
        "choose",
        "chose",
        "pick",
        "select",
        "say",
        "or",
        "and",
        "either",
        "neither",
        "nor",
        "correct",
        "with",
        "but",
        "only",
        "think",
        "guess",
        "believe",
        "probably",
        "definitely",
    ]
)
"""After these words a lone capital letter names an option."""

FUNCTION_WORDS = frozenset(
    ["or", "and", "is", "was", "but", "because", "since", "as", "nor", "seems", "looks", "would", "with", "not", "although", "if"]
)
"""Before these words an `A` is an option and no article."""

_WHOLE = re.compile(r"(?:(?:option|choice)\s*:?\s*)?[(\[{]?\s*([A-Za-z])\s*[)\]}]?\s*[.:,;!)]?", re.IGNORECASE)
_BRACKETED = re.compile(r"[(\[]\s?([A-Za-z])\s?[)\]]")
_CLOSED = re.compile(r"(?<![\w'(-])([A-Z])\)")
_NAMED = re.compile(r"\b(?:option|choice)s?+\s*+:?\s*+[(\[]?([A-Za-z])(?![\w'-])", re.IGNORECASE)
_LONE = re.compile(r"(?<![\w'.-])([A-Z])(?![\w'-])", re.ASCII)
_LETTER_BEFORE = re.compile(r"(?<![\w'-])[A-Z][^\w.]{1,4}$", re.ASCII)
_NEGATED = re.compile(r"(?:\bnot|n't|\bnever|\bexcept)\s{0,3}$", re.IGNORECASE)
_WORD_BEFORE = re.compile(r"([A-Za-z']{1,20}) ?$")
_WORD_AFTER = re.compile(r" ([a-z]{1,20})")
_LABEL = re.compile(r"\s*\(?([A-Za-z])[).:]\s*(.*)", re.DOTALL)
_YES_NO = re.compile(r"((?:\bnot|\bnever|n't) )?\b(yes|no)\b(?!')( [a-z])?")


def without_label(choice: str, letter: str) -> str:
    """An option's text without the label that the data set put before it.

    >>> without_label(" A:A heart", "A"), without_label("(B) kidney", "B"), without_label("A heart", "B")
    ('A heart', 'kidney', 'A heart')
    """
    labelled = _LABEL.fullmatch(choice)
    return labelled[2].strip() if labelled and labelled[1].upper() == letter else choice.strip()


def parse_choices(text: str, choices: Mapping[str, str] | None = None) -> list[str]:
    """The letters of all options that an answer picks, each once; empty when it picks none.

    `choices` maps letters to option texts (texts may be empty); without them the options are `LETTERS`. Read are, in this
    order: a letter alone (`B`, `(b)`, `B.`, `Option B`); an option's whole text; capitals in the place of an answer, as in
    `B) lung`, `A or B`, `so B`; at last option texts inside a sentence. Letters inside words, the article `a`, the pronoun `I`
    and names such as `vitamin B` pick nothing. A letter followed by the text of another option picks both.

    >>> parse_choices("The answer is (B)."), parse_choices("B) lung"), parse_choices("A or B"), parse_choices("A dog, so B")
    (['B'], ['B'], ['A', 'B'], ['B'])
    >>> parse_choices("The left lung.", {"A": "heart", "B": "left lung"}), parse_choices("absolutely")
    (['B'], [])
    """
    options = choices if choices is not None else dict.fromkeys(LETTERS, "")
    bare = bare_answer(text)
    whole = _WHOLE.fullmatch(bare) if len(bare) < 30 else None
    if whole and whole[1].upper() in options:
        return [whole[1].upper()]
    texts = {letter: normalise(option) for letter, option in options.items() if normalise(option)}
    said = normalise(bare)
    if not _labelled(bare, options):
        same = [letter for letter, option in texts.items() if option == said]
        if same:
            return same
    letters = list(dict.fromkeys(letter for letter, _ in _lettered(bare) if letter in options))
    return _contradicted(bare, letters, texts) if letters else _mentioned(said, texts)


def _labelled(text: str, options: Mapping[str, str]) -> bool:
    """True for `A) lung`, where the letter is no article; not for an option whose own text begins like that."""
    found = _LABEL.fullmatch(text)
    return bool(found and found[1].upper() in options) and text.strip() not in options.values()


def _lettered(text: str) -> Iterator[tuple[str, int]]:
    """Letters in the place of an answer, with where they end; not after "not"."""
    marked = (match for pattern in (_BRACKETED, _CLOSED, _NAMED) for match in pattern.finditer(text))
    lone = (match for match in _LONE.finditer(text) if _answers(text, match.start(), match.end(), match[1]))
    for match in chain(marked, lone):
        if not _NEGATED.search(text[max(0, match.start() - 12) : match.start()]):
            yield match[1].upper(), match.end()


def _answers(text: str, start: int, end: int, letter: str) -> bool:
    word_after = _WORD_AFTER.match(text, end)
    if word_after and (letter == "I" or (letter == "A" and word_after[1] not in FUNCTION_WORDS)):
        return False
    before = text[max(0, start - 24) : start]
    last = before.rstrip()[-1:]
    if not last or before.endswith("\n") or last in ".,;:!?*>" or "\u3000" <= last <= "\u9fff" or last == "\uff0c":
        return True
    word = _WORD_BEFORE.search(before)
    return bool(word and word[1].lower() in LEADS) or bool(_LETTER_BEFORE.search(before))


def _contradicted(text: str, letters: list[str], texts: Mapping[str, str]) -> list[str]:
    """With `B) liver` where liver is A: both."""
    if len(letters) > 1:
        return letters
    end = next(end for letter, end in _lettered(text) if letter == letters[0])
    rest = normalise(text[end:])
    if rest == texts.get(letters[0]):
        return letters
    return letters + [letter for letter, option in texts.items() if option == rest]


def _mentioned(said: str, texts: Mapping[str, str]) -> list[str]:
    """The options whose words stand in a sentence; one inside a longer one that is mentioned does not count."""
    found, left = [], f" {said} "
    for letter, option in sorted(texts.items(), key=lambda item: -len(item[1])):
        if f" {option} " in left:
            found.append(letter)
            left = left.replace(f" {option} ", " | ")
    return sorted(found)


def parse_yes_no(text: str) -> str | None:
    """`yes` or `no`, or None when an answer says neither or both.

    The words count as words: not inside "nothing", "abnormal" or "cannot". "No" before a noun says no ("there is no free
    air"), but leaves an earlier yes standing ("Yes, there is no fracture"). A negated word ("not yes") says nothing.

    >>> parse_yes_no("Yes, it is."), parse_yes_no("There is no free air."), parse_yes_no("Nothing abnormal")
    ('yes', 'no', None)
    >>> parse_yes_no("yes and no"), parse_yes_no("I do not know, yes"), parse_yes_no("Yes, there is no fracture")
    (None, 'yes', 'yes')
    """
    plain = " ".join(plain_quotes(bare_answer(text)).lower().split())
    answers: list[str] = []
    for match in _YES_NO.finditer(plain):
        before_a_noun = match[2] == "no" and match[3] and match.start(2) > 0
        if match[1] or (before_a_noun and answers):
            continue
        answers.append(match[2])
    return answers[0] if len(set(answers)) == 1 else None
