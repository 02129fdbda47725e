"""Short answers about pictures: exact, relaxed, soft, multiple choice, yes or no, and the mixtures of VLM-R1 and Video-R1."""

from __future__ import annotations

from vlrl.metrics.edit_distance import indel_similarity
from vlrl.metrics.math_equal import parse_expression
from vlrl.metrics.text_match import vqa_soft
from vlrl.metrics.units import close
from vlrl.parsing.bare import bare_answer
from vlrl.parsing.choice import parse_choices, parse_yes_no
from vlrl.parsing.number import parse_plain_number, parse_quantity
from vlrl.parsing.tags import answer_text
from vlrl.parsing.words import normalise, squeeze
from vlrl.rewards import Example, Reward, ocr
from vlrl.rewards import math as math_rewards
from vlrl.rewards import text as text_rewards
from vlrl.rewards.outcome import failed, right_or_wrong
from vlrl.rewards.text_gold import gold_choices, gold_kind, gold_letter, gold_number, gold_text, gold_texts
from vlrl.types import Answer, Score

RELAXED_TOLERANCE = 0.05


def exact(text: str, answer: Answer) -> Score:
    """1 when the answer's words equal those of a gold answer, else 0.

    The words are compared after VQA's normalisation (`vlrl.parsing.words`): case, punctuation, articles, number words. Source:
    the exact match of the VQA scorers (arXiv 1505.00468). `answer` is a text or a list of which any is right. Range 0..1; None
    when the gold has no word. Failures: `no_answer` (no closed answer). Raises ValueError for a malformed 'answer'.

    >>> exact("<answer>The red car.</answer>", {"answer": "red car"}).value, exact("blue", {"answer": "red car"}).value
    (1.0, 0.0)
    """
    golds = [words for words in map(normalise, gold_texts(answer)) if words]
    body = answer_text(text)
    if not golds:
        return Score(None)
    if body is None:
        return failed("no_answer")
    said = normalise(bare_answer(body))
    return right_or_wrong(said in golds, said)


def relaxed(text: str, answer: Answer) -> Score:
    """1 when answer and gold are numbers that differ by at most 5 % of the gold, or texts that are equal but for case; else 0.

    |p - g| <= tolerance * |g|. Source: the relaxed accuracy of ChartQA (arXiv 2203.10244) as its scorers compute it: a number
    is the whole answer without separators or units, a percent sign divides by 100, and years count as numbers. Unlike there,
    the edge is exact in decimals, a gold of 0 takes any zero, NaN is no number, and digits are ASCII. `tolerance` sets
    another share; 0 asks for the exact year. Range 0..1. Failures: `no_answer`. Raises ValueError for a malformed 'answer'
    or 'tolerance'.

    >>> relaxed("21", {"answer": "20"}).value, relaxed("21.01", {"answer": "20"}).value, relaxed("5%", {"answer": "0.05"}).value
    (1.0, 0.0, 1.0)
    """
    golds, tolerance = gold_texts(answer), gold_number(answer, "tolerance", RELAXED_TOLERANCE)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    return right_or_wrong(any(_relaxed_match(body, gold, tolerance) for gold in golds), body)


def _relaxed_match(body: str, gold: str, tolerance: float) -> bool:
    value, target = parse_plain_number(body), parse_plain_number(gold)
    if value is None or target is None:
        return squeeze(body) == squeeze(gold)
    return close(value, target, tolerance)


def soft(text: str, answer: Answer) -> Score:
    """VQA accuracy: the mean, over all sets that leave one human answer out, of min(1, matching answers in the set / 3).

    Source: the VQA challenge (arXiv 1505.00468). `answer` lists the humans' answers, usually ten; words are compared as in
    `vqa.exact`. Correct from three matches on. Range 0..1. Failures: `no_answer`. Raises ValueError for a malformed 'answer'.

    >>> soft("red", {"answer": ["red"] * 3 + ["blue"] * 7}).value
    0.9
    """
    golds = [normalise(gold) for gold in gold_texts(answer)]
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = normalise(bare_answer(body))
    matches = golds.count(said) if said else 0
    return Score(vqa_soft(matches, len(golds)), correct=matches >= 3, extracted=said)


def choice(text: str, answer: Answer) -> Score:
    """1 when the answer picks the right option and no other, else 0.

    Source: the multiple-choice rewards of VLM-R1 (arXiv 2504.07615) and Video-R1 (2503.21776), which do not read `(B)` or
    `B) dog`; here the option may also be given by its text (`vlrl.parsing.choice`), and picking several earns nothing.
    `answer` is the letter or the text of the right option; `choices` (optional when it is a letter) the options' texts. Range
    0..1. Failures: `no_answer`, `no_choice`, `several_choices`. Raises ValueError for a malformed 'answer' or 'choices'.

    >>> gold = {"answer": "B", "choices": ["cat", "dog"]}
    >>> [choice(said, gold).value for said in ("(B)", "B) dog", "a dog", "A", "A or B")]
    [1.0, 1.0, 1.0, 0.0, 0.0]
    """
    choices = gold_choices(answer)
    letter = gold_letter(answer, choices)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    picked = parse_choices(body, choices)
    if len(picked) != 1:
        return failed("several_choices" if picked else "no_choice")
    return right_or_wrong(picked == [letter], picked[0])


def yes_no(text: str, answer: Answer) -> Score:
    """1 when the answer says the gold's yes or no, and not both; else 0.

    Source: the yes/no reward of VLM-R1 (arXiv 2504.07615), with words instead of letters: "nothing" and "know" say nothing,
    "there is no car" says no (`vlrl.parsing.choice.parse_yes_no`). Range 0..1. Failures: `no_answer`, `no_yes_no` (neither or
    both). Raises ValueError when 'answer' is not yes or no.

    >>> [yes_no(said, {"answer": "yes"}).value for said in ("Yes, it is.", "no", "yes and no")]
    [1.0, 0.0, 0.0]
    """
    gold = squeeze(gold_text(answer)).strip(" .")
    if gold not in ("yes", "no"):
        raise ValueError(f"answer 'answer' is yes or no, not {gold!r}")
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said = parse_yes_no(body)
    return right_or_wrong(said == gold, said) if said else failed("no_yes_no")


def default(text: str, answer: Answer) -> Score:
    """Equality for numbers, expressions and letters; for other golds the edit similarity of the texts.

    2 * LCS / (length of both) over squeezed lower-case characters for a gold without digits that is no letter; else 1 or 0: a
    letter by `vqa.choice`, a number with or without its unit or an expression by `math.verify`, other text with digits by
    equality. Source: VLM-R1's `default` (arXiv 2504.07615), which pays edit similarity for wrong numbers with units.
    Range 0..1. Failures: `no_answer`. Correct when 1. Raises ValueError for a malformed 'answer'.

    >>> default("red cat", {"answer": "red car"}).value, default("8 cm", {"answer": "7 cm"}).value
    (0.8571428571428571, 0.0)
    """
    gold = gold_text(answer)
    body = answer_text(text)
    if body is None:
        return failed("no_answer")
    said, target = squeeze(bare_answer(body)), squeeze(bare_answer(gold))
    if said == target:
        return right_or_wrong(True, said)
    if len(target) == 1 and target.isalpha():
        return right_or_wrong(parse_choices(body) == [target.upper()], said)
    if any(char in "0123456789\\^=" for char in target):
        comparable = parse_quantity(gold) or parse_expression(bare_answer(gold))
        return right_or_wrong(bool(comparable and math_rewards.verify(text, {"answer": gold}).correct), said)
    return Score(indel_similarity(said, target), correct=False, extracted=said)


KINDS = {
    "choice": choice,
    "yes_no": yes_no,
    "exact": exact,
    "relaxed": relaxed,
    "number": math_rewards.two_decimals,
    "regression": math_rewards.regression,
    "math": math_rewards.verify,
    "ocr": ocr.wer,
    "open": text_rewards.rouge,
}
FAILURES = ("no_answer", "no_choice", "several_choices", "no_yes_no", "no_number", "wrong_unit", "not_math")


def by_kind(text: str, answer: Answer) -> Score:
    """The reward that the row's `kind` names, for mixed data.

    `choice`, `yes_no`, `exact` and `relaxed` of this family, `number` (`math.two_decimals`), `regression` (`math.regression`),
    `math` (`math.verify`), `ocr` (`ocr.wer`), `open` (`text.rouge`). Source: the accuracy reward of Video-R1 (arXiv 2503.21776),
    which takes the kind of a batch's first row for all; here each row has its own, separators and decimals do not matter in
    numbers, and a bare answer needs no tag. Range 0..1. Failures: those of the named reward. Raises ValueError for an
    unknown 'kind', and where the named reward does.

    >>> by_kind("(B)", {"kind": "choice", "answer": "B"}).value, by_kind("7.0", {"kind": "number", "answer": "7"}).value
    (1.0, 1.0)
    """
    return KINDS[gold_kind(answer, KINDS)](text, answer)


_PICK = Example("(B)", {"answer": "B", "choices": ["cat", "dog"]})

REWARDS = {
    "exact": Reward(exact, failures=("no_answer",), needs=("answer",), example=Example("The red car.", {"answer": "red car"})),
    "relaxed": Reward(relaxed, failures=("no_answer",), needs=("answer",), example=Example("20.5", {"answer": "20"})),
    "soft": Reward(soft, failures=("no_answer",), needs=("answer",), example=Example("red", {"answer": ["red"] * 9 + ["blue"]})),
    "choice": Reward(choice, failures=("no_answer", "no_choice", "several_choices"), needs=("answer",), example=_PICK),
    "yes_no": Reward(
        yes_no, failures=("no_answer", "no_yes_no"), needs=("answer",), example=Example("Yes, it is.", {"answer": "yes"})
    ),
    "default": Reward(default, failures=("no_answer",), needs=("answer",), example=Example("red car", {"answer": "red car"})),
    "by_kind": Reward(
        by_kind, failures=FAILURES, needs=("answer", "kind"), example=Example("(B)", {**_PICK.answer, "kind": "choice"})
    ),
}
