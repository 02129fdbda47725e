"""Reading text: word and character error rates."""

from __future__ import annotations

from vlrl.metrics.text_match import error_rate
from vlrl.parsing.tags import answer_text
from vlrl.rewards import Example, Reward
from vlrl.rewards.outcome import failed
from vlrl.rewards.text_gold import gold_texts
from vlrl.types import Answer, Score


def wer(text: str, answer: Answer) -> Score:
    """max(0, 1 - word edit distance / number of the gold's words), the best over the gold texts.

    Words are split at white space; case and punctuation count. Source: the OCR reward of Video-R1 (arXiv 2503.21776). Range
    0..1. Failures: `no_answer`. Correct without errors. Raises ValueError for a malformed 'answer'.

    >>> wer("Hello world", {"answer": "hello world"}).value, wer("a b c d e f", {"answer": "x"}).value
    (0.5, 0.0)
    """
    golds = gold_texts(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    value = 1 - min(error_rate(body.split(), gold.split()) for gold in golds)
    return Score(value, correct=value == 1, extracted=body)


def cer(text: str, answer: Answer) -> Score:
    """max(0, 1 - character edit distance / number of the gold's characters), the best over the gold texts.

    Every run of white space is one blank; case counts. Source: the character error rate, the usual measure of handwriting
    recognition. Range 0..1. Failures: `no_answer`. Correct without errors. Raises ValueError for a malformed 'answer'.

    >>> cer("helo", {"answer": "hello"}).value
    0.8
    """
    golds = gold_texts(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = " ".join(body.split())
    value = 1 - min(error_rate(said, " ".join(gold.split())) for gold in golds)
    return Score(value, correct=value == 1, extracted=said)


_SIGN = Example("NO PARKING", {"answer": "NO PARKING"})

REWARDS = {
    "wer": Reward(wer, failures=("no_answer",), needs=("answer",), example=_SIGN),
    "cer": Reward(cer, failures=("no_answer",), needs=("answer",), example=_SIGN),
}
