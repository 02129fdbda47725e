"""Multiple choice: options in the prompt, and the option that a response plainly picks where a scorer's own reading fails."""

from __future__ import annotations

import re

from vlrl import tasks
from vlrl.benchmarks import Prompt
from vlrl.parsing.choice import parse_choices
from vlrl.parsing.json_text import json_value
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.parsing.words import fold_full_width
from vlrl.rewards.text_gold import ALPHABET, gold_choices
from vlrl.types import Answer, Sample

MAX_LENGTH = 20_000
"""Longer text picks nothing plainly."""

_POINTS_AT = re.compile(
    r"\b(?:suggests?|indicates?|supports?|favou?rs?|means|gives|yields|(?:points?|leads?) to|likely|probably|clearly)\s"
    r"([A-Z])(?![\w'-])"
)
_CONCLUDES = re.compile(r"\b(?:so|thus|therefore|hence)\b[ ,:]{1,3}(?:it is |the answer is )?\(?([A-Z])[).*\s]{0,4}$")
_AFTERTHOUGHT = re.compile(r"\b(?:because|since|rather than|instead of|as opposed to)\b|,\s?not\b", re.IGNORECASE)


def with_options(sample: Sample) -> str:
    """The question, then one line for each option of `answer["choices"]`; without options the question alone.

    >>> with_options(Sample("0", "mmmu", "Which organ?", {"choices": ["heart", "lung"]}))
    'Which organ?\\nA. heart\\nB. lung'
    """
    choices = gold_choices(sample.answer) or {}
    return "\n".join([sample.question, *(f"{letter}. {text}" for letter, text in choices.items())])


def choice_prompt(task: str) -> Prompt:
    """The prompt of a task of `vlrl.tasks`, around the question and its options."""
    return lambda sample, mode, space: tasks.load(task).prompt(with_options(sample), mode, space)


def plain_letter(text: str, answer: Answer) -> str | None:
    """The letter of the one option that a response plainly picks, None when it picks none or several.

    Think and answer tags are read, so is a JSON object's `answer`, full-width letters are folded, and options read as in
    `vlrl.parsing.choice`. Where the whole names several, what stands before "because", "since", "rather than" or ", not"
    decides, or the letter of a conclusion ("so (C)") at the end; a letter that the response points at ("this suggests C")
    counts where nothing else does.

    >>> gold = {"choices": ["iron", "copper", "gold"]}
    >>> plain_letter("<think>A?</think><answer>B</answer>", gold), plain_letter("It is copper, not the gold", gold)
    ('B', 'B')
    >>> plain_letter("The answer is B because A man holds it", gold), plain_letter("I am not sure", gold)
    ('B', None)
    """
    body = answer_text(with_answer_end(text))
    if body is None or len(body) > MAX_LENGTH:
        return None
    folded, choices = fold_full_width(_json_answer(body)), gold_choices(answer)
    for said in (_AFTERTHOUGHT.split(folded, maxsplit=1)[0], folded):
        picked = parse_choices(said, choices)
        if len(picked) == 1:
            return picked[0]
    pattern = _CONCLUDES if picked else _POINTS_AT
    pointed = set(pattern.findall(folded)) & set(choices or ALPHABET)
    return pointed.pop() if len(pointed) == 1 else None


def _json_answer(body: str) -> str:
    """What stands under `answer` in a JSON object, fenced or not; any other text as it is."""
    is_json, value = json_value(body) if body.rstrip("`\n ").endswith("}") else (False, None)
    said = value.get("answer") if is_json and isinstance(value, dict) else None
    return said if isinstance(said, str) else body
