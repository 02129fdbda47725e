"""One completion as a card: reward, advantage, text, failure, parts, what was extracted."""

from __future__ import annotations

import json
import math
from typing import Any

from demo.drawing import colours
from demo.text import number, plural, safe, text_block
from vlrl.parsing.tags import answer_text, thought_text
from vlrl.types import Completion, Rollout, Score

LONGEST_THOUGHT = 160
"""Characters of a thought that a card shows before its fold."""


def card(rank: int, place: int, rollout: Rollout, largest: float, href: str, below: str = "") -> str:
    """A card; `href` leads to the completion's own page, `below` is HTML that a task adds."""
    score, completion = rollout.score, rollout.completion
    return (
        f'<article class="card" data-i="{rank}" tabindex="0" style="{colours(rank)}" title="rollouts[{place}]">'
        f'<div class="line"><a class="tag" {href} title="open this completion">{rank}</a>'
        f'<span class="part">reward <b class="value">{reward_words(score)}</b></span>'
        f"{advantage_bar(rollout.advantage, largest)}</div>"
        f'{text_parts(completion.text)}{below}<div class="line facts">{facts(score, completion)}</div></article>'
    )


def text_parts(text: str, first: int = 500) -> str:
    """A completion's text, its thought set apart when an answer stands beside it."""
    thought, answer = thought_text(text), answer_text(text)
    if thought is None or answer is None:
        return text_block(text, first)
    return (
        f'<div class="thought">{text_block(thought, LONGEST_THOUGHT)}</div><div class="answer">{text_block(answer, first)}</div>'
    )


def reward_words(score: Score) -> str:
    """The reward, or that there is none."""
    return "not scored" if score.value is None else number(score.value)


def advantage_bar(value: float, largest: float) -> str:
    """A bar that grows from the middle: right and blue when the completion is encouraged, left and orange when discouraged."""
    share = 50 * min(abs(value) / largest, 1.0) if math.isfinite(value) else 0.0
    left = 50.0 if value >= 0 else 50.0 - share
    bar = f'<i class="{"plus" if value >= 0 else "minus"}" style="left:{left:.1f}%;width:{share:.1f}%"></i>'
    return f'<span class="advantage">advantage <b>{number(value, signed=True)}</b><i class="meter">{bar}</i></span>'


def facts(score: Score, completion: Completion) -> str:
    """Failure, correctness, parts, length and what was extracted, as one line."""
    marks = [f'<span class="badge bad">{safe(score.failure)}</span>'] if score.failure else []
    if score.correct is not None:
        marks.append('<span class="badge good">correct</span>' if score.correct else '<span class="badge">wrong</span>')
    if completion.finish_reason == "length":
        marks.append('<span class="badge bad">cut at the length limit</span>')
    marks += [f'<span class="part">{safe(name)} <b>{number(value)}</b></span>' for name, value in score.parts.items()]
    marks.append(f"<span>{plural(len(completion.token_ids), 'token')}</span>")
    if score.extracted is not None and not _is_told(score.extracted, completion.text):
        marks.append(f'<code title="extracted, in original pixels">{safe(compact(score.extracted))}</code>')
    return "".join(marks)


def _is_told(extracted: Any, text: str) -> bool:
    """Whether a text that was extracted is on the card already: a program, or the words as they stand there."""
    return isinstance(extracted, str) and (len(extracted) > 300 or "\n" in extracted or extracted in text)


def compact(extracted: Any) -> str:
    """What was extracted on one line, numbers with five digits.

    >>> compact([1.0, 2.123456]), compact({"point": [1.5, 2.0]})
    ('[1, 2.1235]', '{"point": [1.5, 2]}')
    """
    return (
        json.dumps(_rounded(extracted), ensure_ascii=False, default=str)[:400]
        if not isinstance(extracted, str)
        else extracted[:400]
    )


def _rounded(value: Any) -> Any:
    if isinstance(value, float) and math.isfinite(value):
        short = float(f"{value:.5g}")
        return int(short) if short.is_integer() and abs(short) < 1e15 else short
    if isinstance(value, (list, tuple)):
        return [_rounded(item) for item in value[:100]]
    return {key: _rounded(item) for key, item in value.items()} if isinstance(value, dict) else value
