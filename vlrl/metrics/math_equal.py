"""Are two mathematical expressions equal? math-verify decides, on text that was checked to be harmless, with a budget of calls.

math-verify bounds its time with `signal.alarm`, which works in main threads only and does not stop big-integer powers. Here the
text is checked before sympy sees it, and the calls that sympy makes are counted in the calling thread: no signals, no clock.
"""

from __future__ import annotations

import cmath
import logging
import re
import sys
from collections.abc import Callable
from functools import cache, lru_cache
from math import comb, prod
from types import FrameType
from typing import Any, TypeVar

T = TypeVar("T")

MAX_LENGTH = 200
MAX_DEPTH = 12
MAX_EXPONENT_PRODUCT = 1000
MAX_TERMS = 5000
"""Terms that multiplying everything out may give: that happens in C, out of reach of the budget."""
MAX_CALLS = 1_000_000
"""Function calls of one comparison: about a second; usual answers take a few thousand."""

POINTS = (0.6180339887, 1.3247179572, 2.2360679775)
"""Where expressions with letters are compared."""
TOLERANCE = 1e-6
"""Relative: math-verify rounds to six digits."""

COMMANDS = frozenset(
    [
        "frac",
        "dfrac",
        "tfrac",
        "sqrt",
        "pi",
        "cdot",
        "times",
        "div",
        "left",
        "right",
        "pm",
        "circ",
        "degree",
        "sin",
        "cos",
        "tan",
        "cot",
        "sec",
        "csc",
        "arcsin",
        "arccos",
        "arctan",
        "log",
        "ln",
        "alpha",
        "beta",
        "gamma",
        "theta",
        "phi",
        "lambda",
        "mu",
        "sigma",
        "omega",
        "infty",
        "cup",
        "cap",
        "le",
        "leq",
        "ge",
        "geq",
        "ne",
        "neq",
        "in",
        "emptyset",
        "text",
        "mathrm",
        "mathbf",
        "quad",
        "begin",
        "end",
        "pmatrix",
        "bmatrix",
        "overline",
    ]
)
_SYMBOLS = str.maketrans({"√": r"\sqrt", "π": r"\pi ", "\u00d7": r"\times ", "÷": r"\div ", "²": "^2", "³": "^3", "∞": r"\infty ",
                          "°": r"^\circ ", "\u2212": "-", "\u2013": "-"})  # fmt: skip
_NAMES = re.compile(r"(?<![\\A-Za-z])(pi|sqrt|sin|cos|tan|log|ln)(?![A-Za-z])")
_ROOT = re.compile(r"\\sqrt\s?\(([^()]*)\)")
_ALLOWED = re.compile(r"[A-Za-z0-9\s+\-*/^_=<>().,:;|\[\]{}\\%&]*")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_WORD = re.compile(r"(?<![\\A-Za-z])[A-Za-z]{4,}")
_LETTER = re.compile(r"(?<![\\A-Za-z])[A-Za-z]")
_TEXT = re.compile(r"\\(?:text|mathrm|mathbf|begin|end|left|right)\s?\{?[^{}]*\}?")
_POWER = re.compile(
    r"\^\s*(?P<exponent>[0-9]|[A-Za-z]|\\circ|\{\s*\\circ\s*\}"
    r"|[{(]\s*-?\s*(?:[0-9]{1,2}|[0-9]{0,2}[A-Za-z]|[0-9]{1,2}\s*/\s*[0-9]{1,2}|\\frac\{[0-9]{1,2}\}\{[0-9]{1,2}\})\s*[})])(?!\s*\^)"
)
_LONG_NUMBER = re.compile(r"[0-9]{16}|[0-9]\s*_")
_NAMED = re.compile(r"\s*[A-Za-z]\w{0,9}\s*(?:\([a-z]\)\s*)?=")


class _OutOfBudgetError(BaseException):
    """Passes through sympy's `except Exception`."""


def as_latex(text: str) -> str:
    r"""The text in the LaTeX that math-verify reads: unicode signs, `sqrt(2)`, `pi` and `**` rewritten.

    >>> as_latex("2*sqrt(3)**2 + π")
    '2*\\sqrt{3}^2 + \\pi '
    """
    named = _NAMES.sub(r"\\\1 ", text.translate(_SYMBOLS).replace("**", "^"))
    return _ROOT.sub(r"\\sqrt{\1}", named)


def is_harmless(latex: str) -> bool:
    r"""True when sympy may see the text: short, flat, known commands; no prose, factorials, sums, integrals or towers of powers.

    >>> is_harmless(r"\frac{1}{2}x^2"), is_harmless("9^9^9"), is_harmless("((9^{99})^{99})^{99}"), is_harmless("99999!")
    (True, False, False, False)
    """
    if len(latex) > MAX_LENGTH or not _ALLOWED.fullmatch(latex) or _LONG_NUMBER.search(latex):
        return False
    if not set(_COMMAND.findall(latex)) <= COMMANDS or _WORD.search(_TEXT.sub("", latex)):
        return False
    depth = max_depth = 0
    for char in latex:
        depth += (char in "([{") - (char in ")]}")
        max_depth = max(max_depth, depth)
    return max_depth <= MAX_DEPTH and _powers_are_small(latex)


def _powers_are_small(latex: str) -> bool:
    """True when no number gets long and multiplying everything out gives few terms."""
    sizes = [(latex[: power.start()].rstrip()[-1:], _size(power["exponent"])) for power in _POWER.finditer(latex)]
    brackets = sum(latex.count(bracket) for bracket in "({[") // 2
    degree = prod(size for base, size in sizes if base in ")}]") + brackets
    letters = len(set(_LETTER.findall(latex)))
    short = len(sizes) == latex.count("^") and prod(size for _, size in sizes) <= MAX_EXPONENT_PRODUCT
    return short and comb(letters + degree, letters) <= MAX_TERMS


def _size(exponent: str) -> int:
    if "circ" in exponent:
        return 1
    numbers = [int(digits) for digits in re.findall("[0-9]+", exponent)]
    return max([1, *numbers]) * (2 if _LETTER.search(exponent) else 1)


@lru_cache(maxsize=4096)
def math_equal(answer: str, gold: str) -> bool | None:
    r"""True when both texts are expressions of equal value, False when they differ, None when the answer cannot be read.

    Expressions are compared by their values, at fixed points when they hold letters, which is quick and always ends; sets,
    intervals and matrices by math-verify. Raises ValueError when the gold cannot be read.

    >>> math_equal("x^2 + 2x + 1", "(x+1)^2"), math_equal(r"\frac{1}{3}", r"\frac{2}{3}"), math_equal("9**9**9", "1")
    (True, False, None)
    """
    target = parse_expression(gold)
    if not target:
        raise ValueError(f"no expression that can be compared: {gold!r}")
    parsed = parse_expression(answer) if _is_plain(answer, gold) else ()
    return _within_budget(lambda: _equal(parsed, target)) if parsed else None


def _is_plain(answer: str, gold: str) -> bool:
    """False for `8 = 7`, whose last side would count; `x = 7` names its value."""
    return answer.count("=") <= max(1, gold.count("=")) and ("=" not in answer or "=" in gold or bool(_NAMED.match(answer)))


def _equal(parsed: tuple[Any, ...], target: tuple[Any, ...]) -> bool:
    sympy = _sympy()
    ours, gold = parsed[0], target[0]
    if isinstance(ours, sympy.logic.boolalg.Boolean) and not ours.free_symbols:
        return False
    if not isinstance(ours, sympy.Expr) or not isinstance(gold, sympy.Expr):
        return bool(_math_verify().verify(list(target), list(parsed), timeout_seconds=None))
    symbols = sorted(ours.free_symbols | gold.free_symbols, key=str)
    points = [{symbol: start + 0.37 * i for i, symbol in enumerate(symbols)} for start in (POINTS if symbols else [0.0])]
    return all(_equal_at(ours, gold, point) for point in points)


def _equal_at(ours: Any, gold: Any, point: dict[Any, float]) -> bool:
    values = [complex(expression.evalf(20, subs=point)) for expression in (ours, gold)]
    if not all(map(cmath.isfinite, values)):
        return bool(ours == gold)
    return abs(values[0] - values[1]) <= TOLERANCE * max(*map(abs, values), float(bool(point)))


@lru_cache(maxsize=1024)
def parse_expression(text: str) -> tuple[Any, ...]:
    r"""What math-verify reads in a text that is an expression as a whole; empty for anything else.

    >>> parse_expression(r"\frac{1}{2}")[0], parse_expression("the answer may be 7")
    (1/2, ())
    """
    latex = as_latex(text)
    if not latex.strip() or not is_harmless(latex):
        return ()
    library = _math_verify()
    config = [library.LatexExtractionConfig()]
    parse = lambda: library.parse(f"${latex}$", config, fallback_mode="no_fallback", parsing_timeout=None)  # noqa: E731
    return tuple(_within_budget(parse) or ())


def numeric_value(text: str) -> float | None:
    r"""The value of an expression that is a finite real number, None for anything else, and for one with letters in it.

    >>> numeric_value(r"3\sqrt{4}"), numeric_value("14/2"), numeric_value("x+1"), numeric_value("9^9^9")
    (6.0, 7.0, None, None)
    """
    parsed = parse_expression(text)
    if not parsed or not isinstance(parsed[0], _sympy().Expr) or parsed[0].free_symbols:
        return None
    value = _within_budget(lambda: complex(parsed[0].evalf(20)))
    return value.real if value is not None and cmath.isfinite(value) and not value.imag else None


def _within_budget(work: Callable[[], T]) -> T | None:
    """What `work` returns, or None when it makes more than `MAX_CALLS` calls or fails."""
    left = MAX_CALLS

    def count(frame: FrameType, event: str, arg: Any) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise _OutOfBudgetError

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return work()
    except (Exception, _OutOfBudgetError):
        return None
    finally:
        sys.setprofile(before)


@cache
def _sympy() -> Any:
    import sympy

    return sympy


@cache
def _math_verify() -> Any:
    """The library, warmed up: what it loads at the first use must not count against anybody's budget."""
    import math_verify

    logging.getLogger("math_verify").setLevel(logging.CRITICAL)
    half = math_verify.parse(r"$\frac{1}{2}x$", parsing_timeout=None)
    math_verify.verify(half, half, timeout_seconds=None)
    return math_verify
