"""Questions about medical images: closed, multiple choice, open, lists of findings; and the shapes of four medical projects."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial

from vlrl.metrics.text_match import bleu1, rouge_n, token_scores
from vlrl.metrics.units import close, in_unit
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.clinical import claims, clinical_words, denies, opposite_terms
from vlrl.parsing.number import parse_quantity
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import normalise, squeeze
from vlrl.rewards import Example, Reward
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_kind, gold_letter, gold_text, gold_texts
from vlrl.rewards.vqa import choice, yes_no
from vlrl.types import Answer, Score

KINDS = ("closed", "choice", "open")
NO_FINDING = "no finding"
NO_FINDING_VALUE = 0.25
NUMBER_TOLERANCE = 1e-6
SIMILARITY_FLOOR = 0.5
MAX_ANSWER = 10_000
"""Characters; a longer text is no answer to a question."""

_SEPARATOR = re.compile(r"[,;\n]|\band\b", re.IGNORECASE)

Similarity = Callable[[str, str], float]
"""How alike an answer and a gold are in meaning, 0..1: an embedding's cosine, for example."""


def by_kind(text: str, answer: Answer) -> Score:
    """The reward for the row's `kind`: `medical.closed`, `medical.choice` or `medical.open`.

    Source: this project's dispatch; MedEvalKit and LLaVA-Med (arXiv 2306.00890) score open and closed questions apart as well.
    Range 0..1. Failures: those of the three. Raises ValueError for an unknown 'kind', and where the three do.

    >>> by_kind("There is no fracture.", {"kind": "closed", "answer": "no"}).value
    1.0
    >>> by_kind("right lung", {"kind": "open", "answer": "left lung"}).failure
    'opposite'
    """
    rule = {"closed": closed, "choice": choice, "open": open_answer}[gold_kind(answer, KINDS)]
    return rule(text, answer)


def closed(text: str, answer: Answer) -> Score:
    """1 when the answer says the gold's yes or no, or is the gold's words where that is another term; else 0.

    Yes and no are words, not letters: "normal", "nothing" and "cannot" say neither, "there is no free air" says no, both at
    once say nothing (`vqa.yes_no`). Other golds ("T2", "lung") are compared word for word, synonyms included. Source: the closed
    questions of VQA-RAD and SLAKE, whose scorers (LLaVA-Med, arXiv 2306.00890; MedEvalKit) look for the letters. Range 0..1.
    Failures: `no_answer`, `no_yes_no`. Raises ValueError for a malformed 'answer'.

    >>> [closed(said, {"answer": "no"}).value for said in ("No, it does not.", "The liver is normal.", "yes or no")]
    [1.0, 0.0, 0.0]
    """
    gold = gold_text(answer)
    if squeeze(gold).strip(" .") in ("yes", "no"):
        return yes_no(text, answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = clinical_words(bare_answer(body))
    return right_or_wrong(bool(said) and said == clinical_words(gold), " ".join(said))


def open_answer(text: str, answer: Answer) -> Score:
    """Token F1 of the answer's words with the gold's, the best over the gold texts; 0 where one contradicts the other.

    Words are normalised, and synonyms and spellings made one (`vlrl.parsing.clinical`). Two numbers with units are compared as
    numbers: 1 or 0. An answer that names another side ("left" for "right", both for one), another of a pair of opposites, or
    denies what the gold affirms, earns 0 however alike the words. `exact`, `precision`, `recall`, `f1` and `bleu1` are in
    `parts`; recall alone would pay for long answers. Correct when the words are the same in any order. Source: the open
    questions of LLaVA-Med (arXiv 2306.00890), whose token recall counts repeated words; the contradictions are this project's.
    Range 0..1; None when no gold has a word. Failures: `no_answer`, `too_long`, `no_words`, `opposite`, `denied`. Raises
    ValueError for a malformed 'answer'.

    >>> gold = {"answer": "left pleural effusion"}
    >>> [round(open_answer(said, gold).value, 3) for said in ("effusion", "Right pleural effusion", "no left pleural effusion")]
    [0.5, 0.0, 0.0]
    >>> open_answer("5 mm", {"answer": "0.5 cm"}).value, open_answer("5 cm", {"answer": "5 mm"}).value
    (1.0, 0.0)
    """
    golds = [gold for gold in gold_texts(answer) if clinical_words(gold)]
    if not golds:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = bare_answer(body)
    if len(said) > MAX_ANSWER:
        return failed("too_long")
    if not clinical_words(said):
        return failed("no_words")
    return max((_compared(said, gold) for gold in golds), key=lambda score: score.value or 0.0)


def _compared(said: str, gold: str) -> Score:
    words, gold_words = clinical_words(said), clinical_words(gold)
    claim, gold_claim = claims(said), claims(gold)
    if denies(claim, gold_claim):
        return failed("denied")
    if opposite_terms(set(words) - claim.denied, set(gold_words) - gold_claim.denied):
        return failed("opposite")
    scores = token_scores(words, gold_words)
    number = _same_number(" ".join(words), " ".join(gold_words))
    value = scores.f1 if number is None else float(number)
    parts = {"exact": float(value == 1), **scores._asdict(), "bleu1": bleu1(words, gold_words)}
    return Score(value, parts, correct=value == 1, extracted=" ".join(words))


def _same_number(said: str, gold: str) -> bool | None:
    """Whether two quantities are equal, None when a side is none."""
    ours, theirs = parse_quantity(said), parse_quantity(gold)
    if ours is None or theirs is None:
        return None
    return any(close(value, theirs.value, NUMBER_TOLERANCE) for value in in_unit(*ours, theirs.unit))


def findings(text: str, answer: Answer) -> Score:
    """Named gold findings / gold findings, and 0 as soon as one named finding is false; 0.25 for a right "No finding".

    The findings are parted by commas, semicolons, lines or "and"; `answer` lists the gold's. Source: the chest label rule of
    Med-R1 (arXiv 2503.13939), which adds 1 per hit; divided by their number here, so that the range is fixed. Naming
    everything earns nothing. Correct when all are named. Range 0..1. Failures: `no_answer`. Raises ValueError for a
    malformed 'answer'.

    >>> gold = {"answer": ["Edema", "Cardiomegaly"]}
    >>> [findings(said, gold).value for said in ("edema, enlarged heart", "oedema", "edema, pneumonia")]
    [1.0, 0.5, 0.0]
    """
    gold = {term for term in map(_term, gold_texts(answer)) if term}
    if not gold:
        return Score(None)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    named = {term for term in map(_term, _SEPARATOR.split(bare_answer(body))) if term}
    value = len(named & gold) / len(gold) if named <= gold else 0.0
    most = NO_FINDING_VALUE if gold == {NO_FINDING} else 1.0
    return Score(value * most, correct=value == 1, extracted=sorted(named))


def _term(text: str) -> str:
    return " ".join(clinical_words(text)).replace("no findings", NO_FINDING)


def medvlm_r1(text: str, answer: Answer) -> Score:
    """1 when the answer is the right letter alone, 0.5 when it picks the right option with other words, else 0.

    Source: the accuracy rule of MedVLM-R1 (arXiv 2502.19634), which counts letters inside words, so that "B) lung" and
    "Option B" earn 0; here options are read as in `vqa.choice`. Range 0..1. Failures: `no_answer`, `no_choice`,
    `several_choices`. Raises ValueError for a malformed 'answer' or 'choices'.

    >>> [medvlm_r1(said, {"answer": "B"}).value for said in ("B", "B) lung", "Option B", "A or B")]
    [1.0, 0.5, 0.5, 0.0]
    """
    score = choice(text, answer)
    if not score.correct:
        return score
    alone = (answer_text(text) or "").strip(" ().[]").upper() == gold_letter(answer, gold_choices(answer))
    return Score(1.0 if alone else 0.5, correct=True, extracted=score.extracted)


def medcco(text: str, answer: Answer) -> Score:
    """1 or 0 for `kind` closed and choice; for open, (BLEU-1 + ROUGE-1) / 2, and 0 where the answer contradicts the gold.

    Inspired by MedCCO (arXiv 2505.19213), which trains on closed questions first and on open ones after; its formulas are not
    published in what we could read. The order is the sampler's matter. Range 0..1; None when an open gold has no word. Failures:
    those of `medical.answer`. Correct as there. Raises ValueError for an unknown 'kind' or a malformed 'answer'.

    >>> round(medcco("lung cancer of the left lobe", {"kind": "open", "answer": "lung cancer"}).value, 3)
    0.486
    """
    score = by_kind(text, answer)
    if answer["kind"] != "open" or score.correct or not score.value:
        return score
    rouge = max(rouge_n((score.extracted or "").split(), clinical_words(gold), 1) for gold in gold_texts(answer))
    parts = {"bleu1": score.parts["bleu1"], "rouge1": rouge}
    return Score(sum(parts.values()) / 2, parts, score.correct, score.extracted)


def armed(similarity: Similarity) -> Reward:
    """A reward for open answers that adds a similarity of meaning to the words, which is never the only evidence.

    `similarity(answer, gold)` is yours, an embedding's cosine for example; name the result in a module of your own and use its
    dotted path. Without a shared word, and for a contradiction, it is not asked.

    >>> armed(lambda answer, gold: 0.9)("cancer of lung", {"answer": "lung cancer"}).value
    0.8
    """
    return Reward(
        partial(_armed, similarity),
        failures=OPEN_FAILURES,
        needs=("answer",),
        example=Example("Cardiomegaly", {"answer": "cardiomegaly"}),
    )


def armed_trigrams(text: str, answer: Answer) -> Score:
    """(F1 + max(0, (s - 0.5) / 0.5)) / 2, s the similarity of meaning; 1 for the gold's words, 0 without a shared word.

    F1 as in `medical.open`. The rescaling spreads the similarities, which bunch near 1. s is the Dice share of character
    trigrams here; `vlrl.rewards.medical.armed` makes this reward with a similarity of your own. Inspired by ARMed (arXiv
    2508.12957), which mixes textual correctness with an adaptive semantic reward; its formula is not published in what we could
    read. Range 0..1; None when no gold has a word. Failures: those of `medical.open`. Raises ValueError for a malformed
    'answer'.

    >>> armed_trigrams("Lung cancer.", {"answer": "lung cancer"}).value, armed_trigrams("cancers", {"answer": "cancer"}).value
    (1.0, 0.0)
    """
    return _armed(_trigram_similarity, text, answer)


def _armed(similarity: Similarity, text: str, answer: Answer) -> Score:
    score = open_answer(text, answer)
    if score.correct or not score.value:
        return score
    said = normalise(bare_answer(answer_text(text) or ""))
    likeness = max(similarity(said, normalise(gold)) for gold in gold_texts(answer))
    bounded = min(1.0, likeness) if math.isfinite(likeness) else 0.0
    meaning = max(0.0, (bounded - SIMILARITY_FLOOR) / (1 - SIMILARITY_FLOOR))
    return Score((score.value + meaning) / 2, {**score.parts, "similarity": bounded}, False, score.extracted)


def _trigram_similarity(a: str, b: str) -> float:
    ours, theirs = (["".join(gram) for gram in zip(text, text[1:], text[2:], strict=False)] for text in (a, b))
    return token_scores(ours, theirs).f1


CHOICE_FAILURES = ("no_answer", "no_choice", "several_choices")
OPEN_FAILURES = ("no_answer", "too_long", "no_words", "opposite", "denied")
ALL_FAILURES = tuple(dict.fromkeys((*CHOICE_FAILURES, *OPEN_FAILURES, "no_yes_no")))

_PICK = Example("B) lung", {"answer": "B", "choices": ["liver", "lung"]})
_OPEN = Example("Enlarged heart", {"answer": "cardiomegaly"})
_KIND = Example("Enlarged heart", {"answer": "cardiomegaly", "kind": "open"})

REWARDS = {
    "answer": Reward(by_kind, failures=ALL_FAILURES, needs=("answer", "kind"), example=_KIND),
    "closed": Reward(
        closed, failures=("no_answer", "no_yes_no"), needs=("answer",), example=Example("No, it does not.", {"answer": "no"})
    ),
    "choice": Reward(choice, failures=CHOICE_FAILURES, needs=("answer",), example=_PICK),
    "open": Reward(open_answer, failures=OPEN_FAILURES, needs=("answer",), example=_OPEN),
    "findings": Reward(
        findings,
        failures=("no_answer",),
        needs=("answer",),
        example=Example("edema and enlarged heart", {"answer": ["Edema", "Cardiomegaly"]}),
    ),
    "medvlm_r1": Reward(medvlm_r1, failures=CHOICE_FAILURES, needs=("answer",), example=Example("B", _PICK.answer)),
    "medcco": Reward(medcco, failures=ALL_FAILURES, needs=("answer", "kind"), example=_KIND),
    "armed": Reward(armed_trigrams, failures=OPEN_FAILURES, needs=("answer",), example=_OPEN),
}
