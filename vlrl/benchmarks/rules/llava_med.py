"""LLaVA-Med's scorer of medical questions (arXiv 2306.00890): closed by yes or no, open by token recall.

microsoft/LLaVA-Med at b9a98a7, the last tree that carries it: `llava/eval/run_eval.py`, `eval_metrics/`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from vlrl.benchmarks import Metric, Protocol, own_prompt
from vlrl.metrics.score_table import ScoreTable
from vlrl.metrics.text_match import token_scores
from vlrl.parsing.tags import answer_text, with_answer_end
from vlrl.parsing.words import ARTICLES, NUMBER_WORDS, squeeze
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_kind, gold_text
from vlrl.rewards.vqa import yes_no
from vlrl.types import Answer, Score

PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
MAX_STOPS = 32
"""The scorer removes no more full stops than this: it hands a flag to `re.sub` where the count stands."""

_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_STOP = re.compile(r"\.(?!\d)")


def llava_med_words(text: str) -> list[str]:
    """The words that the scorer compares: lower case, no articles, number words as digits, punctuation gone or a blank.

    A mark that has a blank beside it anywhere, and every mark where a comma stands between digits, goes; others part words.

    >>> llava_med_words("The left-sided lung, upper."), llava_med_words("1,000 ml; none")
    (['left', 'sided', 'lung', 'upper'], ['1000', 'ml', '0'])
    """
    once = " ".join(_words_once(text.lower()))
    return _words_once(once)  # the scorer does it twice


def _words_once(text: str) -> list[str]:
    plain, glued = text, bool(_COMMA_IN_NUMBER.search(text))
    for mark in PUNCTUATION:
        plain = plain.replace(mark, "" if glued or f"{mark} " in text or f" {mark}" in text else " ")
    words = _STOP.sub("", plain, count=MAX_STOPS).split()
    return [NUMBER_WORDS.get(word, word) for word in words if NUMBER_WORDS.get(word, word) not in ARTICLES]


def score(text: str, answer: Answer) -> Score:
    """`closed` or `open_answer`, by the row's `kind`."""
    return {"closed": closed, "open": open_answer}[gold_kind(answer, ("closed", "open"))](with_answer_end(text), answer)


def closed(text: str, answer: Answer) -> Score:
    """1 when the answer says the gold's yes or no as a word and not the other; for other golds, when it holds its words in a row.

    >>> closed("Yes, it is.", {"answer": "Yes"}).value, closed("The liver is normal.", {"answer": "No"}).value
    (1.0, 0.0)
    """
    gold = gold_text(answer)
    if squeeze(gold).strip(" .") in ("yes", "no"):
        return yes_no(text, answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = " ".join(llava_med_words(body))
    return right_or_wrong(f" {' '.join(llava_med_words(gold))} " in f" {said} ", said)


def open_answer(text: str, answer: Answer) -> Score:
    """The share of the gold's words that the answer has, each as often as both have it.

    >>> open_answer("upper upper lobe", {"answer": "left upper lobe"}).value
    0.6666666666666666
    """
    gold = llava_med_words(gold_text(answer))
    if not gold:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = llava_med_words(body)
    scores = token_scores(said, gold)
    exact = sum(word in said for word in set(gold)) / len(said) if said else 0.0
    parts = {"exact": exact, **scores._asdict()}
    return Score(scores.recall, parts, correct=scores.recall == 1, extracted=" ".join(said))


def metrics(table: ScoreTable) -> Mapping[str, Metric]:
    """The scorer's table in percent: open questions by four measures, closed ones by accuracy; and both by number of rows."""
    kinds = table.by("answer_type")
    opened, shut = kinds.get("OPEN"), kinds.get("CLOSED")
    measured: dict[str, Metric] = {"overall": table.mean().percent()}
    if opened:
        names = {"exact": "exact match score", "f1": "f1 score", "precision": "precision", "recall": "recall"}
        measured |= {name: opened.mean(part).percent() for part, name in names.items()}
    if shut:
        measured["yes/no accuracy"] = shut.mean().percent()
    return measured


def protocol() -> Protocol:
    """The protocol `llava-med`, the same for every set; a row's `kind` is `closed` or `open`."""
    return Protocol(
        "llava-med",
        score,
        own_prompt("{question}"),
        "overall",
        metrics,
        oracle="microsoft/LLaVA-Med b9a98a7 llava/eval/run_eval.py, executed",
        differences=(
            "Yes and no are words: the `no` of `normal`, `not` and `abnormality` says nothing, and `yes or no` is neither.",
            "A closed gold that is not yes or no is right when its words stand in the answer; there it scores by accident only.",
            "A repeated word counts as often as the gold has it; there repetition raises recall.",
            "What stands in a closed thought or outside an answer tag is no part of the answer.",
            "`open accuracy` needs a list of candidates that was never published, and is left out; so are the BLEU scores.",
        ),
        generation={"max_completion_length": 1024},
    )
