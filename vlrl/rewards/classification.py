"""Is it the right class? One class per answer: naming several earns nothing."""

from __future__ import annotations

from vlrl.parsing.class_name import class_name, is_negated, mentioned_classes
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.types import Answer, Score


def exact(text: str, answer: Answer) -> Score:
    """1 when the answer is the class `answer["answer"]` and nothing else, after normalisation; else 0.

    Normalisation (`vlrl.parsing.class_name`): lower case, `_` and `-` as blanks; quotes, markdown, "The answer is" and a final
    stop are dropped, articles are not. Two classes, a part of the name, or a sentence are not the class. Source: the
    accuracy reward of CLS-RL (arXiv 2503.16188), which takes underscores and stops as they are. Range 0..1. Failures:
    `no_answer` (no closed answer); another class is wrong, but no failure. Raises ValueError when `answer` is no text or empty.

    >>> gold = {"answer": "Bull_Terrier"}
    >>> [exact(text, gold).value for text in ("bull terrier", "terrier", "bull terrier or boxer", "")]
    [1.0, 0.0, 0.0, 0.0]
    """
    gold = _gold_class(answer)
    body = answer_text(text)
    if body is None:
        return Score(0.0, correct=False, failure="no_answer")
    name = class_name(body)
    return Score(float(name == gold), correct=name == gold, extracted=name)


def mention(text: str, answer: Answer) -> Score:
    """1 when the answer, a sentence perhaps, mentions `answer["answer"]` and no other class of `answer["choices"]`; else 0.

    Whole words count, and at each place the longest name: "caterpillar" mentions no cat. An answer with a negation ("not a
    boxer") names nothing. Source: the accuracy reward of Visual-RFT (arXiv 2503.01785), where one text inside the other is
    enough, so that an empty answer, one letter, and a list of all classes earn 1. Range 0..1. Failures: `no_answer` (no closed
    answer), `no_class` (no choice is mentioned, or it is negated), `many_classes` (two or more are). Raises ValueError when
    `answer` is no text, or `choices` is no list of texts that holds it.

    >>> gold = {"answer": "boxer", "choices": ["boxer", "pug"]}
    >>> mention("The dog is a boxer.", gold).value, mention("boxer or pug", gold).failure
    (1.0, 'many_classes')
    """
    gold, names = _gold_class(answer), _choices(answer)
    body = answer_text(text)
    if body is None:
        return Score(0.0, correct=False, failure="no_answer")
    found = sorted(mentioned_classes(body, names))
    if not found or is_negated(body):
        return Score(0.0, correct=False, failure="no_class")
    if len(found) > 1:
        return Score(0.0, correct=False, extracted=found, failure="many_classes")
    return Score(float(found == [gold]), correct=found == [gold], extracted=found[0])


def _gold_class(answer: Answer) -> str:
    name = answer.get("answer")
    if not isinstance(name, str) or not class_name(name):
        raise ValueError(f"answer 'answer' is the name of a class, not {name!r}")
    return class_name(name)


def _choices(answer: Answer) -> list[str]:
    choices = answer.get("choices")
    if not isinstance(choices, list) or not all(isinstance(choice, str) and class_name(choice) for choice in choices):
        raise ValueError(f"answer 'choices' is a list of class names, not {choices!r}")
    names = [class_name(choice) for choice in choices]
    if _gold_class(answer) not in names:
        raise ValueError(f"answer 'choices' does not hold the gold {answer['answer']!r}")
    return names


REWARDS = {
    "exact": Reward(
        exact, failures=("no_answer",), needs=("answer",), example=Example("bull terrier", {"answer": "bull_terrier"})
    ),
    "mention": Reward(
        mention,
        failures=("no_answer", "no_class", "many_classes"),
        needs=("answer", "choices"),
        example=Example("The dog is a boxer.", {"answer": "boxer", "choices": ["boxer", "pug", "bull_terrier"]}),
    ),
}
