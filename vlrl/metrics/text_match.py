"""How alike two answers are. Words and strings come normalised: the rules are in `vlrl.parsing.words`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import NamedTuple

from vlrl.metrics.edit_distance import edit_distance, lcs_length

ANLS_THRESHOLD = 0.5
SCRIPTS_WITHOUT_BLANKS = "\u2e80"
"""From this letter on, words are not parted by blanks."""


class TokenScores(NamedTuple):
    """Precision, recall and their harmonic mean over a multiset of words."""

    precision: float
    recall: float
    f1: float


def token_scores(answer: Sequence[Hashable], gold: Sequence[Hashable]) -> TokenScores:
    """Shared words, each counted as often as both have it, over the answer's words, over the gold's, and the F1 of both.

    The token F1 of SQuAD (arXiv 1606.05250): saying a word thrice earns once. Two empty sides are alike, one empty side is not.

    >>> token_scores(["upper", "upper", "left"], ["upper", "left", "lobe"])
    TokenScores(precision=0.6666666666666666, recall=0.6666666666666666, f1=0.6666666666666666)
    """
    if not answer or not gold:
        same = float(not answer and not gold)
        return TokenScores(same, same, same)
    return f_score((Counter(answer) & Counter(gold)).total(), len(answer), len(gold))


def f_score(shared: int, n_answer: int, n_gold: int) -> TokenScores:
    """Precision, recall and F1 from a number of shared items.

    >>> f_score(1, 2, 4)
    TokenScores(precision=0.5, recall=0.25, f1=0.3333333333333333)
    """
    if not shared:
        return TokenScores(0.0, 0.0, 0.0)
    return TokenScores(shared / n_answer, shared / n_gold, 2 * shared / (n_answer + n_gold))


def bleu1(answer: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Clipped unigram precision times the brevity penalty exp(min(0, 1 - |gold| / |answer|)) (Papineni et al. 2002).

    >>> round(bleu1(["cancer"], ["lung", "cancer"]), 4)
    0.3679
    """
    if not answer or not gold:
        return 0.0
    return token_scores(answer, gold).precision * math.exp(min(0.0, 1 - len(gold) / len(answer)))


def anls(answer: str, gold: str, threshold: float = ANLS_THRESHOLD) -> float:
    """1 - edit distance / length of the longer text, or 0 where that is below the threshold (ST-VQA, arXiv 1905.13648).

    A similarity of exactly the threshold is kept, as the official script of DocVQA does.

    >>> anls("annual reprt", "annual report"), anls("abxy", "abcd"), anls("axy", "abcd")
    (0.9230769230769231, 0.5, 0.0)
    """
    longer = max(len(answer), len(gold))
    if not longer:
        return 1.0
    if abs(len(answer) - len(gold)) > (1 - threshold) * longer:
        return 0.0
    similarity = 1 - edit_distance(answer, gold) / longer
    return similarity if similarity >= threshold else 0.0


def error_rate(answer: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """Edit distance / length of the gold, at most 1: the word error rate of word lists, the character error rate of strings.

    >>> error_rate("hello big world".split(), "hello world".split()), error_rate("abcdef", "x")
    (0.5, 1.0)
    """
    if not gold:
        return float(bool(answer))
    if len(answer) >= 2 * len(gold):
        return 1.0
    return min(1.0, edit_distance(answer, gold) / len(gold))


def rouge_n(answer: Sequence[Hashable], gold: Sequence[Hashable], n: int) -> float:
    """The F1 over runs of n words (ROUGE-N, Lin 2004); 0 where a side has none.

    >>> rouge_n("the cat sat".split(), "a cat sat".split(), 2)
    0.5
    """
    ours, theirs = (list(zip(*(side[i:] for i in range(n)), strict=False)) for side in (answer, gold))
    return token_scores(ours, theirs).f1 if ours and theirs else 0.0


def rouge_l(answer: Sequence[Hashable], gold: Sequence[Hashable]) -> float:
    """The F1 over the longest common subsequence of words (ROUGE-L, Lin 2004); 0 where a side has none.

    >>> rouge_l("the cat sat".split(), "the sat".split())
    0.8
    """
    return f_score(lcs_length(answer, gold), len(answer), len(gold)).f1


def vqa_soft(matches: int, humans: int) -> float:
    """VQA accuracy: the mean over the leave-one-out sets of `humans` answers of min(1, matches among them / 3).

    The formula of the VQA challenge (arXiv 1505.00468).

    >>> vqa_soft(3, 10), vqa_soft(4, 10), vqa_soft(0, 10)
    (0.9, 1.0, 0.0)
    """
    without_a_match, without_another = min(1.0, (matches - 1) / 3), min(1.0, matches / 3)
    return max(0.0, (matches * without_a_match + (humans - matches) * without_another) / humans)


def holds_phrase(text: str, phrase: str) -> bool:
    """True when a phrase stands in a text and neither its first nor its last word or number goes on beyond it.

    >>> holds_phrase("total 35", "35"), holds_phrase("10735", "35"), holds_phrase("35.5", "35"), holds_phrase("normal", "no")
    (True, False, False, False)
    """
    start = text.find(phrase) if phrase else -1
    while start >= 0:
        if not _goes_on(text, start - 1, phrase[0], -1) and not _goes_on(text, start + len(phrase), phrase[-1], 1):
            return True
        start = text.find(phrase, start + 1)
    return False


def _goes_on(text: str, index: int, edge: str, step: int) -> bool:
    """Whether the character at the index continues the word, or the number, whose outer character is `edge`."""
    if not _in_word(edge) or not 0 <= index < len(text):
        return False
    beyond = text[index + step : index + step + 1] if index + step >= 0 else ""
    return _in_word(text[index]) or (text[index] in ".," and edge.isdigit() and beyond.isdigit())


def _in_word(char: str) -> bool:
    return char.isalnum() and char < SCRIPTS_WITHOUT_BLANKS
