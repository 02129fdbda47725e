"""MMMU's reading of answers (MMMU-Benchmark/MMMU bb0b95a, mmmu/utils/eval_utils.py), with nothing left to chance.

Where the authors find no letter they draw one at random. Here what a response plainly picks comes first, their rule second,
and a response that picks nothing is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

from vlrl.benchmarks import Metric
from vlrl.benchmarks.rules.choices import MAX_LENGTH, plain_letter, with_options
from vlrl.benchmarks.rules.python_values import python_float
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.text_match import holds_phrase
from vlrl.parsing.number import parse_quantity
from vlrl.parsing.tags import answer_text
from vlrl.rewards.math import two_decimals
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_kind, gold_letter, gold_texts
from vlrl.rewards.vqa import choice, exact
from vlrl.tasks import PROMPT_MODES
from vlrl.types import Answer, Sample, Score

KINDS = ("choice", "open")
INDICATORS = ("could be ", "so ", "is ", "thus ", "therefore ", "final ", "answer ", "result ")
"""Behind the last of one of these an open answer stands; in the last line behind "=" too."""
OFFICIAL_PLACES = ("({})", " {} ")
LMMS_PLACES = ("({})", "{} ", "{}.")
"""In what surroundings a letter is looked for, best first."""
MAX_WORDS_ALONE = 5
"""Option texts are looked for in responses of more words than this."""

_COMMAS = re.compile(r"-?(?<!\d)\b\d{1,3}(?:,\d{3})++\b")
_SCIENTIFIC = re.compile(r"-?(?<!\d)\d++(?:\.\d++)?[eE][+-]?\d++")
_SIMPLE = re.compile(r"-?(?:(?<!\d)\d++\.\d++|\.\d++|(?<!\d)\d++\b)(?![eE][+-]?\d)(?![,\d])")
_ANY_NUMBER = re.compile(r"(?<!\d)\d++(?:\.\d++)?")

Places = Collection[str]


def reading(places: Places) -> Callable[[str, Answer], Score]:
    """The rule with the given surroundings of letters: the authors' (`OFFICIAL_PLACES`) or lmms-eval's (`LMMS_PLACES`).

    >>> rule, gold = reading(OFFICIAL_PLACES), {"kind": "choice", "answer": "B", "choices": ["iron", "copper"]}
    >>> rule("The answer is B", gold).value, rule("copper", gold).value, rule("I am not sure", gold).failure
    (1.0, 1.0, 'no_choice')
    >>> rule("x = 3 + 4 = 7", {"kind": "open", "answer": ["7"]}).value
    1.0
    """

    def score(text: str, answer: Answer) -> Score:
        if gold_kind(answer, KINDS) == "open":
            return _open_answer(text, gold_texts(answer))
        choices = gold_choices(answer)
        if choices is None:
            raise ValueError("answer has no 'choices'")
        letter = plain_letter(text, answer) or last_letter(text, choices, places)
        return right_or_wrong(letter == gold_letter(answer, choices), letter) if letter else failed("no_choice")

    return score


def last_letter(text: str, choices: Mapping[str, str], places: Places) -> str | None:
    """The letter, or in a longer response the option text, that stands last; None where the authors draw by lot.

    >>> last_letter("(A) no, (B) no, so (C)", {"A": "", "B": "", "C": ""}, OFFICIAL_PLACES)
    'C'
    """
    for char in ",.!?;:'":
        text = text.strip(char)
    padded = f" {text} "
    for place in places:
        found = [letter for letter in choices if place.format(letter) in padded]
        if found:
            between = "({})" if place == "({})" else " {} "
            return max(found, key=lambda letter: padded.rfind(between.format(letter)))
    lower = padded.lower()
    found = [letter for letter, option in choices.items() if option.lower() in lower]
    if len(padded.split()) <= MAX_WORDS_ALONE or not found:
        return None
    return max(found, key=lambda letter: lower.rfind(choices[letter].lower()))


def _open_answer(text: str, golds: list[str]) -> Score:
    body = answer_text(text)
    if body is None or len(body) > MAX_LENGTH:
        return failed("no_answer" if body is None else "too_long")
    keys = key_responses(body)
    return right_or_wrong(any(_says(key, gold) for key in keys for gold in golds), keys)


def key_responses(text: str) -> list[str]:
    """The tails of the lines that hold an indicator, the shortest of each; all of the text where no line does.

    >>> key_responses("First 3.\\nSo the answer is 7.")
    ['7']
    """
    lower = text.strip().strip(".").lower()
    lines, found = lower.split("\n"), []
    for number, line in enumerate(lines):
        indicators = (*INDICATORS, "=") if number == len(lines) - 1 else INDICATORS
        tails = [line.rpartition(indicator)[2].strip() for indicator in indicators if indicator in line]
        tail = min(filter(None, tails), key=len, default="")
        if tail and tail not in ",.!?;:'":
            found.append(tail)
    return found or [lower]


def _says(key: str, gold: str) -> bool:
    """Whether a key response holds the gold's words as words, or its number and no other to choose from."""
    target = python_float(gold.replace(",", ""))
    if target is None:
        return holds_phrase(key, gold.strip().lower())
    if holds_phrase(key, "or") and len(set(_ANY_NUMBER.findall(key))) > 1:
        return False
    numbers = [key, *_COMMAS.findall(key), *_SCIENTIFIC.findall(key), *_SIMPLE.findall(key)]
    values = [python_float(number.replace(",", "")) for number in numbers]
    return any(value is not None and round(value, 2) == round(target, 2) for value in values)


def strict(text: str, answer: Answer) -> Score:
    """The one option that is picked; for open questions the gold's words and no others, or its number to two decimals.

    >>> strict("6, 7 or 8", {"kind": "open", "answer": ["7"]}).value, strict("7.004", {"kind": "open", "answer": ["7"]}).value
    (0.0, 1.0)
    """
    if gold_kind(answer, KINDS) == "choice":
        return choice(text, answer)
    golds = gold_texts(answer)
    numbers = [two_decimals(text, {"answer": gold}) for gold in golds if parse_quantity(gold)]
    return max([*numbers, exact(text, {"answer": golds})], key=lambda score: score.value or 0.0)


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """`acc` over all rows, by subject, and by discipline."""
    subjects = {f"acc_{label}": rows.mean() for label, rows in table.by("subject").items()}
    domains = {f"Overall-{label}": rows.mean() for label, rows in table.by("domain").items()}
    return {"acc": table.mean(), **subjects, **domains}


def prompt(sample: Sample, mode: str, space: str) -> str:
    """The kits' prompt: the question, its options, and what to answer with."""
    multiple = sample.answer["kind"] == "choice"
    letter = "Answer with the option's letter from the given choices directly."
    asked = letter if multiple else "Answer the question using a single word or phrase."
    return f"{PROMPT_MODES[mode]}{with_options(sample)}\n\n{asked}"


DIFFERENCES = (
    "What a response plainly picks counts: `B) copper`, `b`, `**C**`, a box, an answer tag, an option's text alone, a full-width "
    "letter; and the answer before a reason (`B because A man holds it`). There only letters between blanks or in brackets do.",
    "A response that picks nothing is wrong; there a letter is drawn at random.",
    "An open answer holds the gold as words (`normal` does not say `no`), and a choice of numbers (`6, 7 or 8`) says none.",
)
