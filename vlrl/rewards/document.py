"""Questions about documents: ANLS, exact, and DocThinker's four parts."""

from __future__ import annotations

from statistics import fmean

from vlrl.geometry import answer_pixels, as_box
from vlrl.metrics.box_iou import iou
from vlrl.metrics.text_match import anls as similarity
from vlrl.metrics.text_match import token_scores
from vlrl.parsing.blocks import block_text, is_block_sequence
from vlrl.parsing.boxes import parse_box
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import squeeze, words
from vlrl.rewards import Example, Reward
from vlrl.rewards.gold import gold_box
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_texts
from vlrl.types import Answer, Score

BLOCKS = ("think", "rephrase", "bbox", "answer")


def anls(text: str, answer: Answer) -> Score:
    """1 - edit distance / length of the longer text, 0 where that is below 0.5, the best over the gold texts.

    Case and runs of white space do not count. Source: the average normalised Levenshtein similarity of ST-VQA (arXiv
    1905.13648) as DocVQA's script computes it, which keeps exactly 0.5; but that divides by the raw length, so that padding
    with blanks raises the value. Range 0..1. Failures: `no_answer`. Correct when 1. Raises ValueError for a malformed 'answer'.

    >>> anls("Annual Reprt", {"answer": ["annual report", "report"]}).value, anls("axy", {"answer": "abcd"}).value
    (0.9230769230769231, 0.0)
    """
    golds = gold_texts(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    value = _anls(body, golds)
    return Score(value, correct=value == 1, extracted=body)


def exact(text: str, answer: Answer) -> Score:
    """1 when the answer equals a gold text but for case and runs of white space, else 0.

    Source: the exact match of document questions, DocVQA (arXiv 2007.00398). Range 0..1. Failures: `no_answer`. Raises
    ValueError for a malformed 'answer'.

    >>> exact(" INV-2041", {"answer": "inv-2041"}).value, exact("INV-2041.", {"answer": "inv-2041"}).value
    (1.0, 0.0)
    """
    golds = gold_texts(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    return right_or_wrong(squeeze(body) in map(squeeze, golds), body)


def docthinker(text: str, answer: Answer) -> Score:
    """The mean of four parts: format, answer, region and question.

    format: 1 for exactly the blocks `<think>`, `<rephrase>`, `<bbox>`, `<answer>`, in that order; answer: ANLS as in
    `document.anls`; region: IoU of the box with `answer["box"]`; question: token F1 of the rephrased question with
    `answer["question"]`. Inspired by the four rewards of DocThinker, whose weights and formulas are not published: the blocks,
    the measures and the equal weights are this project's. Range 0..1. Failures: `no_answer` (no answer block). Correct when
    the answer is. Raises ValueError for a malformed 'answer', 'question' or 'box' (`vlrl.rewards.gold.gold_box`).

    >>> said = "<think>Top.</think><rephrase>What is the total?</rephrase><bbox>[0, 0, 10, 5]</bbox><answer>7</answer>"
    >>> docthinker(said, {"answer": "7", "question": "What is the total?", "box": [0, 0, 10, 10]}).value
    0.875
    """
    golds, box, question = gold_texts(answer), gold_box(answer), _gold_question(answer)
    body = block_text(text, "answer")
    if body is None:
        return failed("no_answer")
    parts = {
        "format": float(is_block_sequence(text, BLOCKS)),
        "answer": _anls(body, golds),
        "region": _region(block_text(text, "bbox") or "", box, answer),
        "question": token_scores(words(block_text(text, "rephrase") or ""), words(question)).f1,
    }
    return Score(fmean(parts.values()), parts, correct=parts["answer"] == 1, extracted=body)


def _anls(body: str, golds: list[str]) -> float:
    return max(similarity(squeeze(body), squeeze(gold)) for gold in golds)


def _region(body: str, gold: tuple[float, float, float, float], answer: Answer) -> float:
    written = parse_box(body)
    try:
        return iou(as_box(answer_pixels(written, answer)), gold) if written else 0.0
    except ValueError:
        return 0.0


def _gold_question(answer: Answer) -> str:
    if "question" not in answer:
        raise ValueError("answer has no 'question'")
    question = answer["question"]
    if not isinstance(question, str) or not words(question):
        raise ValueError(f"answer 'question' is a text, not {question!r}")
    return question


_INVOICE = Example("INV-2041", {"answer": ["INV-2041"]})

REWARDS = {
    "anls": Reward(anls, failures=("no_answer",), needs=("answer",), example=_INVOICE),
    "exact": Reward(exact, failures=("no_answer",), needs=("answer",), example=_INVOICE),
    "docthinker": Reward(
        docthinker,
        failures=("no_answer",),
        needs=("answer", "question", "box"),
        example=Example(
            "<think>Top right.</think><rephrase>What is the total?</rephrase><bbox>[4, 8, 20, 12]</bbox><answer>7</answer>",
            {"answer": "7", "question": "What is the total?", "box": [4, 8, 20, 12], "image_size": [640, 480]},
        ),
    ),
}
