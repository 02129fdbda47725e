"""Checks of gold answers that are text, shared by the rewards. A malformed gold answer raises ValueError naming its key."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from vlrl.parsing.choice import LETTERS, without_label
from vlrl.parsing.words import normalise, squeeze
from vlrl.types import Answer

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def gold_texts(answer: Answer) -> list[str]:
    """The answer's `answer` as a list of texts: a text, a number, or a list of them of which any one is right.

    >>> gold_texts({"answer": "two"}), gold_texts({"answer": [2, "two"]})
    (['two'], ['2', 'two'])
    """
    if "answer" not in answer:
        raise ValueError("answer has no 'answer'")
    values = answer["answer"] if isinstance(answer["answer"], (list, tuple)) else [answer["answer"]]
    texts = [str(value) for value in values if isinstance(value, (str, int, float)) and not isinstance(value, bool)]
    if not values or len(texts) != len(values) or not all(text.strip() for text in texts):
        raise ValueError(f"answer 'answer' is a text, a number or a list of them, not {answer['answer']!r}")
    return texts


def gold_text(answer: Answer) -> str:
    """The answer's `answer` where there must be exactly one."""
    texts = gold_texts(answer)
    if len(texts) > 1:
        raise ValueError(f"answer 'answer' is one text here, not {texts!r}")
    return texts[0]


def gold_kind(answer: Answer, kinds: Collection[str]) -> str:
    """The answer's `kind`, one of `kinds`.

    >>> gold_kind({"kind": "open"}, ["open", "closed"])
    'open'
    """
    if "kind" not in answer:
        raise ValueError("answer has no 'kind'")
    if answer["kind"] not in kinds:
        raise ValueError(f"answer 'kind' is one of {', '.join(kinds)}, not {answer['kind']!r}")
    return str(answer["kind"])


def gold_number(answer: Answer, key: str, default: float) -> float:
    """An optional number of at least 0, such as `tolerance`."""
    value = answer.get(key, default)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        raise ValueError(f"answer {key!r} is a number of at least 0, not {value!r}")
    return float(value)


def gold_choices(answer: Answer) -> dict[str, str] | None:
    """The answer's `choices` as letter -> text, None when it has none: a list of texts, labelled or not, or such a mapping.

    >>> gold_choices({"choices": ["A. heart", "B. lung"]}), gold_choices({"choices": {"a": "heart"}})
    ({'A': 'heart', 'B': 'lung'}, {'A': 'heart'})
    """
    choices = answer.get("choices")
    if choices is None:
        return None
    if isinstance(choices, Mapping):
        pairs = [(str(letter).upper(), text) for letter, text in choices.items()]
    elif isinstance(choices, (list, tuple)):
        pairs = list(zip(ALPHABET, choices, strict=False))
    else:
        pairs = []
    well_formed = all(isinstance(text, (str, int, float)) and letter in set(ALPHABET) for letter, text in pairs)
    if not pairs or len(pairs) != len(choices) or not well_formed:
        raise ValueError(f"answer 'choices' is a list of texts or maps capital letters to texts, not {choices!r}")
    return {letter: without_label(str(text), letter) for letter, text in pairs}


def gold_letter(answer: Answer, choices: Mapping[str, str] | None) -> str:
    """The letter of the right option: `answer` is the letter, in brackets or not, or the option's text.

    >>> gold_letter({"answer": "(b)"}, None), gold_letter({"answer": "lung"}, {"A": "heart", "B": "lung"})
    ('B', 'B')
    """
    text = gold_text(answer)
    options = choices if choices is not None else dict.fromkeys(LETTERS, "")
    letter = text.strip(" ()[].:").upper()
    if letter in options and len(letter) == 1:
        return letter
    same = [key for key, option in options.items() if squeeze(option) == squeeze(text)]
    same = same or [key for key, option in options.items() if normalise(option) and normalise(option) == normalise(text)]
    if len(same) != 1:
        raise ValueError(f"answer 'answer' is the letter or the text of one option, not {text!r}")
    return same[0]
