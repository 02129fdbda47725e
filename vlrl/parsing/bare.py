"""An answer without its wrapping: boxes, markdown, quotes and phrases such as "the answer is" (stdlib only)."""

from __future__ import annotations

import re

from vlrl.parsing.words import plain_quotes

BOXED = "\\boxed{"
MAX_LAYERS = 4

_LEAD = re.compile(
    r"\*{0,2}(?:(?:so|thus|therefore|hence)\b,?+\s*+)?+(?:(?:the|my)\s++)?+(?:(?:final|correct|best|right)\s++)?+answer\b\*{0,2}\s*+(?:is\b\s*+:?+|[:=])\*{0,2}\s*+",
    re.IGNORECASE,
)
_WRAPPERS = (("**", "**"), ('"', '"'), ("'", "'"), ("`", "`"), ("$", "$"), ("\\(", "\\)"), ("\\text{", "}"))


def bare_answer(text: str) -> str:
    r"""The answer itself: the inside of the last `\boxed{}` if there is one; without markdown stars, a lead ("The answer
    is", "Answer:"), wrapping quotes or dollars, and without a final stop.

    >>> bare_answer("**Answer**: B."), bare_answer(r"so \boxed{\frac{1}{2}}"), bare_answer('The answer is "light blue".')
    ('B', '\\frac{1}{2}', 'light blue')
    """
    plain = plain_quotes(_boxed(text)).strip()
    for _ in range(MAX_LAYERS):
        inner = _unwrapped(plain)
        if inner == plain:
            break
        plain = inner
    return plain


def _unwrapped(text: str) -> str:
    led = _LEAD.match(text)
    text = (text[led.end() :] if led else text).strip()
    if text.endswith(".") and not text.endswith(".."):
        text = text[:-1].rstrip()
    for left, right in _WRAPPERS:
        if len(text) > len(left) + len(right) and text.startswith(left) and text.endswith(right):
            inside = text[len(left) : -len(right)]
            if left not in inside and right not in inside:
                return inside.strip()
    return text


def _boxed(text: str) -> str:
    start = text.rfind(BOXED)
    if start < 0:
        return text
    depth = 1
    for index in range(start + len(BOXED), len(text)):
        depth += {"{": 1, "}": -1}.get(text[index], 0)
        if depth == 0:
            return text[start + len(BOXED) : index]
    return text
