"""Numbers with units: conversion and comparison within a tolerance (stdlib only)."""

from __future__ import annotations

import math
import re

SLACK = 1e-12
"""Relative slack for decimal fractions that binary cannot hold: 0.63 is within 5 % of 0.6."""

_TABLE = {
    "length": {"nm nanometer": 1e-9, "um µm μm micron micrometer": 1e-6, "mm millimeter": 1e-3, "cm centimeter": 1e-2,
               "dm decimeter": 0.1, "m meter": 1.0, "km kilometer": 1e3, "in inch inche": 0.0254, "ft foot feet": 0.3048,
               "yd yard": 0.9144, "mi mile": 1609.344},
    "area": {"mm2": 1e-6, "cm2": 1e-4, "m2": 1.0, "km2": 1e6},
    "volume": {"ul µl μl microliter": 1e-6, "ml milliliter cc cm3": 1e-3, "dl deciliter": 0.1, "l liter": 1.0, "m3": 1e3},
    "mass": {"ug µg μg mcg microgram": 1e-6, "mg milligram": 1e-3, "g gram": 1.0, "kg kilogram": 1e3, "t ton tonne": 1e6,
             "lb lbs pound": 453.59237, "oz ounce": 28.349523125},
    "time": {"ms millisecond": 1e-3, "s sec second": 1.0, "min minute": 60.0, "h hr hour": 3600.0, "d day": 86400.0,
             "wk week": 604800.0, "yr year": 31557600.0},
    "speed": {"m/s": 1.0, "km/h kph kmh": 1 / 3.6, "mph": 0.44704},
    "angle": {"° deg degree": 1.0, "rad radian": 57.29577951308232},
    "ratio": {"% percent pct": 0.01},
    "dollar": {"$ usd dollar": 1.0, "cent": 0.01},
    "euro": {"€ eur euro": 1.0},
    "sterling": {"£ gbp": 1.0},
}  # fmt: skip
UNITS = {name: (kind, factor) for kind, units in _TABLE.items() for names, factor in units.items() for name in names.split()}
_SPELLING = re.compile(r"[\s^{}]|metre|litre")


def known_unit(text: str) -> tuple[str, float] | None:
    """(what it measures, how many of the base unit), or None for a unit that is not in the table.

    >>> known_unit("cm^2"), known_unit("Millimetres"), known_unit("apples")
    (('area', 0.0001), ('length', 0.001), None)
    """
    name = text.strip().lower().replace("²", "2").replace("³", "3").replace("square ", "").rstrip(".")
    name = _SPELLING.sub(lambda found: {"metre": "meter", "litre": "liter"}.get(found[0], ""), name)
    return UNITS.get(name) or UNITS.get(name.removesuffix("s"))


def in_unit(value: float, unit: str, gold_unit: str) -> tuple[float, ...]:
    """What a number with a unit can mean in the gold's unit; empty when it measures something else or
    is too large for a float.

    A missing unit on either side is taken for granted, except that percent is a number: 50 % is 0.5. A bare number against a
    percentage may be either. Units outside the table are taken for the gold's.

    >>> in_unit(5, "mm", "cm"), in_unit(5, "kg", "cm"), in_unit(5, "", "cm"), in_unit(50, "%", ""), in_unit(0.5, "", "%")
    ((0.5,), (), (5,), (0.5,), (0.5, 50.0))
    """
    ours, gold = known_unit(unit), known_unit(gold_unit)
    percent = UNITS["%"]
    if ours == percent and not gold_unit:
        return (value * percent[1],)
    if gold == percent and not unit:
        return tuple(meant for meant in (value, value / percent[1]) if math.isfinite(meant))
    if ours is None or gold is None:
        return (value,)
    converted = value * (ours[1] / gold[1])
    return (converted,) if ours[0] == gold[0] and math.isfinite(converted) else ()


def close(value: float, gold: float, tolerance: float) -> bool:
    """|value - gold| <= tolerance * |gold|, the edge included.

    >>> close(0.63, 0.6, 0.05), close(21.01, 20, 0.05), close(0, 0, 0.05), close(0.04, 0, 0.05)
    (True, False, True, False)
    """
    return abs(value - gold) <= tolerance * abs(gold) + SLACK * max(abs(value), abs(gold))
