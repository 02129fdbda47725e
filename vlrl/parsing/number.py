"""Numbers in an answer's text (stdlib only). Digits are ASCII digits; a text is a number only as a whole."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from vlrl.parsing.bare import bare_answer

MAX_LENGTH = 200
"""Longer text is no number."""

MAGNITUDES = {"hundred": 1e2, "thousand": 1e3, "million": 1e6, "billion": 1e9, "trillion": 1e12}

_DIGITS = r"(?:[0-9]{1,3}+(?:,[0-9]{3})+(?![0-9])|[0-9]++)(?:\.[0-9]*+)?|\.[0-9]++"
_EXPONENT = r"(?:[eE][-+]?[0-9]++)?"
_PLAIN = re.compile(rf"[-+]?(?:[0-9]++(?:\.[0-9]*+)?|\.[0-9]++){_EXPONENT}")
_QUANTITY = re.compile(
    rf"(?:[A-Za-z]\w{{0,9}}\s*=\s*)?(?:(?:about|around|approximately|approx\.?|roughly|~|\u2248)\s*)?"
    rf"(?P<sign>[-+]?)\s*(?P<currency>[$\u20ac\u00a3\u00a5]?)\s*(?P<number>(?:{_DIGITS}){_EXPONENT})"
    rf"(?:\s*/\s*(?P<divisor>[0-9]++(?:\.[0-9]*+)?))?\s*(?P<unit>[^\W\d_].*|[%\u00b0\u00b5].*|)"
)
_UNIT = re.compile(r"(?:[^\W\d_]|[%\u00b0\u00b5])[^\W\d_]*(?:[ /*\u00b7.-]*[^\W\d_]+|\^?\{?-?[1-6]\}?|[\u00b2\u00b3])*")
_NO_UNIT = re.compile(r"\b(?:or|and|not|but|to|nor|versus|vs)\b", re.IGNORECASE)


class Quantity(NamedTuple):
    """A number as it was written, and its unit's text (empty when there is none)."""

    value: float
    unit: str


def parse_plain_number(text: str) -> float | None:
    """The text as a number when it is nothing but one: sign, digits, decimals, exponent; a percent sign divides by 100.

    The rule of ChartQA's scorer: no thousands separators, no units.

    >>> parse_plain_number("-4.2e1"), parse_plain_number("43.5 %"), parse_plain_number("1,000"), parse_plain_number("1e400")
    (-42.0, 0.435, None, None)
    """
    stripped = text.strip()
    number = stripped.removesuffix("%").rstrip()
    if len(number) > MAX_LENGTH or not _PLAIN.fullmatch(number):
        return None
    value = float(number) / (100 if stripped.endswith("%") else 1)
    return value if math.isfinite(value) else None


def parse_quantity(text: str) -> Quantity | None:
    r"""The text as one number with an optional unit, or None when it says anything else.

    Read are a box or a lead (`vlrl.parsing.bare`), `x =`, "about", a currency sign, thousands separators, exponents, simple
    fractions, "million", and a unit of at most three words. Two numbers are none; nor is NaN, infinity, or 1e400.

    >>> parse_quantity("The answer is 1,250.5 cm."), parse_quantity("x = -3/4"), parse_quantity("$2 million")
    (Quantity(value=1250.5, unit='cm'), Quantity(value=-0.75, unit=''), Quantity(value=2000000.0, unit='$'))
    >>> parse_quantity("7 or 8"), parse_quantity("about 40 %")
    (None, Quantity(value=40.0, unit='%'))
    """
    if len(text) > MAX_LENGTH:
        return None
    match = _QUANTITY.fullmatch(bare_answer(text))
    if not match:
        return None
    divisor = float(match["divisor"] or 1)
    factor, unit = _magnitude(match["unit"].strip())
    if divisor == 0 or not _is_unit(unit):
        return None
    value = float(match["sign"] + match["number"].replace(",", "")) / divisor * factor
    return Quantity(value, unit or match["currency"]) if math.isfinite(value) else None


def _magnitude(unit: str) -> tuple[float, str]:
    word, _, rest = unit.partition(" ")
    return (MAGNITUDES[word.lower()], rest.strip()) if word.lower() in MAGNITUDES else (1.0, unit)


def _is_unit(unit: str) -> bool:
    return not unit or (len(unit.split()) <= 3 and bool(_UNIT.fullmatch(unit)) and not _NO_UNIT.search(unit))
