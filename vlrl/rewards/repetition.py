"""Does the completion say the same again and again? Penalties, to be mixed with the reward that says whether it is right."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from vlrl.parsing.items import listed_items
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score

PHRASE = 6
"""Words of a phrase whose return VLM-R1 counts."""

NGRAM = 3
"""Words of an n-gram: the default of TRL's penalty."""


def items(text: str, answer: Answer) -> Score:
    """Distinct / all - 1 over the listed objects (box and label together); over phrases of 6 words when it lists none.

    Source: the repetition reward of VLM-R1 (arXiv 2504.07615). Objects are the flat JSON objects of the text, complete ones
    of a broken list too. Range -1..0, where -1 is only approached. Failures: none. Raises nothing.

    Two boxes, each listed twice:

    >>> items('[{"bbox_2d": [1, 2, 3, 4]}, {"bbox_2d": [5, 6, 7, 8]}, {"bbox_2d": [1,2,3,4]}, {"bbox_2d": [5,6,7,8]}]', {}).value
    -0.5
    """
    listed: Sequence[Hashable] = listed_items(text)
    return Score(_distinct(listed or _ngrams(text.split(), PHRASE)) - 1)


def ngrams(text: str, answer: Answer) -> Score:
    """Distinct / all - 1 over the sequences of 3 words, in lower case.

    Source: the repetition penalty of Demystifying Long CoT (arXiv 2502.03373, appendix C.2), as in TRL's
    `get_repetition_penalty_reward`, which counts tokens where we count words. Range -1..0, where -1 is only approached.
    Failures: none. Raises nothing.

    Five sequences, three of them distinct:

    >>> ngrams("the red cup the red cup the", {}).value
    -0.4
    """
    return Score(_distinct(_ngrams(text.lower().split(), NGRAM)) - 1)


def _ngrams(words: Sequence[str], size: int) -> list[Hashable]:
    return list(zip(*(words[start:] for start in range(size)), strict=False))


def _distinct(found: Sequence[Hashable]) -> float:
    """The share of items that did not stand there before."""
    return len(set(found)) / len(found) if found else 1.0


REWARDS = {
    "items": Reward(items, low=-1.0, high=0.0, example=Example('[{"bbox_2d": [1, 2, 3, 4], "label": "cup"}]', {})),
    "ngrams": Reward(ngrams, low=-1.0, high=0.0, example=Example("The cup stands left of the plate.", {})),
}
