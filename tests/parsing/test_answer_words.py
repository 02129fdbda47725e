"""Words, bare answers, numbers, choices and clinical phrases: cases, and hostile megabytes."""

import time
from collections.abc import Callable

import pytest

from vlrl.parsing.bare import bare_answer
from vlrl.parsing.blocks import block_text, is_block_sequence
from vlrl.parsing.choice import parse_choices, parse_yes_no
from vlrl.parsing.clinical import clinical_words
from vlrl.parsing.files import parse_files
from vlrl.parsing.number import parse_plain_number, parse_quantity
from vlrl.parsing.words import normalise, rouge_words

ORGANS = {"A": "heart", "B": "left lung", "C": "lung", "D": "A"}


@pytest.mark.parametrize(
    ("text", "bare"),
    [
        ("Answer: 7.", "7"),
        ("So, the final answer is: **7**", "7"),
        ("**Answer**: 7", "7"),
        ('"7"', "7"),
        ("$7$", "7"),
        (r"\boxed{\frac{1}{2}} or so", r"\frac{1}{2}"),
        (r"\boxed{7", r"\boxed{7"),
        ("9**9", "9**9"),
        ('"a" and "b"', '"a" and "b"'),
        ("answering 7", "answering 7"),
        ("etc..", "etc.."),
    ],
)
def test_bare_answers(text: str, bare: str) -> None:
    assert bare_answer(text) == bare


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("7", 7, ""),
        ("-7.5e2 mg", -750, "mg"),
        ("\u22127", -7, ""),
        ("12,345,678", 12345678, ""),
        ("$3", 3, "$"),
        ("x = 4", 4, ""),
        ("about 12 m/s", 12, "m/s"),
        ("5 cm^2", 5, "cm^2"),
        ("1/2", 0.5, ""),
        ("2 thousand people", 2000, "people"),
    ],
)
def test_quantities(text: str, value: float, unit: str) -> None:
    assert parse_quantity(text) == (value, unit)


@pytest.mark.parametrize(
    "text", ["", "seven", "1,00", "1/0", "7 8", "7 to 8", "7, 8", "\u0667", "NaN", "-inf", "1e999", "7 of the eight here are"]
)
def test_no_quantities(text: str) -> None:
    assert parse_quantity(text) is None


@pytest.mark.parametrize("text", ["1,000", "1_000", "5 cm", "\uff15", "", "%", "1e400", "--1", "."])
def test_no_plain_numbers(text: str) -> None:
    assert parse_plain_number(text) is None


@pytest.mark.parametrize(
    ("text", "letters"),
    [
        ("left lung", ["B"]),
        ("the lung", ["C"]),
        ("It is the left lung, I think", ["B"]),
        ("left lung or lung", ["B", "C"]),
        ("D", ["D"]),
        ("E", []),
        ("(A)", ["A"]),
        ("A) heart", ["A"]),
        ("A) lung", ["A", "C"]),
        ("A is right", ["A"]),
        ("I is right", []),
        ("neither A nor B", ["A", "B"]),
        ("B\n\nbecause it is aerated", ["B"]),
        ("B, because A is smaller", ["B"]),
        ("B/C", ["B", "C"]),
        ("B & C", ["B", "C"]),
        ("A B C D", ["A", "B", "C", "D"]),
        ("not (B)", []),
        ("not (A) but (B)", ["B"]),
        ("I would go with C", ["C"]),
        ("\u9009B", ["B"]),
    ],
)
def test_choices_with_texts(text: str, letters: list[str]) -> None:
    assert parse_choices(text, ORGANS) == letters


def choice_of_organs(text: str) -> list[str]:
    return parse_choices(text, ORGANS)


def block(text: str) -> tuple[str | None, bool]:
    return block_text(text, "a"), is_block_sequence(text, ["a"])


PLAIN_PARSERS = [bare_answer, parse_quantity, parse_plain_number, parse_choices, parse_yes_no]
WORD_PARSERS = [clinical_words, parse_files, normalise, rouge_words, choice_of_organs, block]
UNITS = [
    "A. ",
    "(A",
    "option ",
    "no ",
    "not no ",
    "\\boxed{",
    "1,",
    "1,000",
    "```a.py\n",
    "<a>",
    "</a>",
    "'",
    "left ",
    "- ",
    "A\n",
]


@pytest.mark.parametrize(
    ("text", "answer"),
    [("isn't yes", None), ("yes-no", None), ("I'd say no", "no"), ("No, there is no fracture", "no"), ("**Yes**", "yes")],
)
def test_yes_and_no(text: str, answer: str | None) -> None:
    assert parse_yes_no(text) == answer


@pytest.mark.parametrize("parse", [*PLAIN_PARSERS, *WORD_PARSERS])
@pytest.mark.parametrize("unit", [*UNITS, "the answer is "])
def test_a_hostile_megabyte_of_words_is_read_in_seconds(parse: Callable[[str], object], unit: str) -> None:
    start = time.process_time()
    parse(unit * (1_000_000 // len(unit)))
    assert time.process_time() - start < 4
