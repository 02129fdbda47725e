"""The `<think>` and `<answer>` tags of a completion (stdlib only).

Plain string searches, no backtracking patterns: a megabyte of tags takes milliseconds.
"""

from __future__ import annotations

THINK, THINK_END = "<think>", "</think>"
ANSWER, ANSWER_END = "<answer>", "</answer>"


def answer_text(text: str) -> str | None:
    """The part of a completion that is the answer, or None when there is none.

    Closed think blocks are dropped, and so is everything up to a `</think>` whose opening tag stood in the prompt. A think
    block that never closes leaves no answer: truncated thinking is not an answer. Where an answer tag is opened, the answer
    is the inside of the last closed one, and None when none is closed; else it is all the remaining text.

    >>> answer_text("<think>hm</think><answer> [1, 2] </answer>")
    '[1, 2]'
    >>> answer_text("[1, 2]")
    '[1, 2]'
    >>> answer_text("<think>[1, 2]") is None
    True
    """
    rest = _without_thought(text)
    if rest is None:
        return None
    if ANSWER in rest:
        before, _, _ = rest.rpartition(ANSWER_END)
        _, opened, rest = before.rpartition(ANSWER)
        if not opened:
            return None
    return rest.strip() or None


def with_answer_end(text: str) -> str:
    """The text with its answer tag closed at the end where none is, as for scorers that read an answer cut short.

    >>> with_answer_end("<answer>B"), with_answer_end("<answer>B</answer>."), with_answer_end("B")
    ('<answer>B</answer>', '<answer>B</answer>.', 'B')
    """
    return text + ANSWER_END if ANSWER in text and ANSWER_END not in text else text


def _without_thought(text: str) -> str | None:
    kept, position = [], 0
    while (start := text.find(THINK, position)) >= 0:
        end = text.find(THINK_END, start)
        if end < 0:
            return None
        kept.append(text[position:start])
        position = end + len(THINK_END)
    return "".join([*kept, text[position:]]).rpartition(THINK_END)[2]


def first_answer(text: str) -> str | None:
    """The inside of the first closed answer tag, thoughts or not, as published scorers take it; None where none is closed.

    >>> first_answer("<answer> 5 </answer> or <answer>6</answer>"), first_answer("5")
    ('5', None)
    """
    _, opened, rest = text.partition(ANSWER)
    inside, closed, _ = rest.partition(ANSWER_END)
    return inside.strip() if opened and closed else None


def thought_text(text: str) -> str | None:
    """The part of a completion that is the thought, or None: up to the last `</think>`, or all after an unclosed `<think>`.

    >>> thought_text("<think> hm </think>5"), thought_text("hm</think>5"), thought_text("<think>hm"), thought_text("5")
    ('hm', 'hm', 'hm', None)
    """
    before, closed, _ = text.rpartition(THINK_END)
    if not closed:
        before = text.partition(THINK)[2]
    return before.replace(THINK_END, " ").replace(THINK, " ").strip() or None


def has_block(text: str, opening: str, closing: str) -> bool:
    """True when `opening` stands in the text with a `closing` somewhere after it.

    >>> has_block("<think>hm</think>", THINK, THINK_END), has_block("</think><think>", THINK, THINK_END)
    (True, False)
    """
    start = text.find(opening)
    return start >= 0 and text.find(closing, start) >= 0


def is_think_answer(text: str) -> bool:
    """True for exactly one non-empty think block, then exactly one non-empty answer block, and only white space around them.

    >>> is_think_answer("<think>hm</think> <answer>5</answer>"), is_think_answer("<think></think><answer>5</answer>")
    (True, False)
    """
    if any(text.count(tag) != 1 for tag in (THINK, THINK_END, ANSWER, ANSWER_END)):
        return False
    thought, _, answer = text.partition(THINK_END)
    return _fills_block(thought + THINK_END, THINK, THINK_END) and _fills_block(answer, ANSWER, ANSWER_END)


def is_answer_only(text: str) -> bool:
    """True for non-empty text without think tags that holds no answer tag, or is exactly one non-empty answer block.

    >>> is_answer_only("[1, 2]"), is_answer_only("<answer>[1, 2]</answer>"), is_answer_only("I say <answer>[1, 2]</answer>")
    (True, True, False)
    """
    if THINK in text or THINK_END in text:
        return False
    if ANSWER not in text and ANSWER_END not in text:
        return bool(text.strip())
    return text.count(ANSWER) == text.count(ANSWER_END) == 1 and _fills_block(text, ANSWER, ANSWER_END)


def _fills_block(text: str, opening: str, closing: str) -> bool:
    stripped = text.strip()
    inside = stripped.removeprefix(opening).removesuffix(closing)
    return len(stripped) == len(opening) + len(inside) + len(closing) and bool(inside.strip())
