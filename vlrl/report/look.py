"""What all pictures of completions share, on the screen of the inspector and on paper: colours, order, strokes, words."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from vlrl.types import Rollout, RolloutGroup

PALETTE = ("#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7", "#9C8ADE")
"""Okabe and Ito's colour-blind-safe colours, black replaced by a lavender."""
ENCOURAGED, DISCOURAGED = "#0072b2", "#d55e00"
RINGS = (("halo", 5.0), ("line", 5.0), ("dot", 1.5))
"""The circles that mark a point, with their radii in screen pixels."""
TAG_RADIUS = 8.0

_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Ink:
    """A completion's colour, and the one that stands out from it."""

    own: str
    against: str


def ink(rank: int) -> Ink:
    """Of a completion by its rank, 1 = best of its group.

    >>> ink(1), ink(5).against
    (Ink(own='#E69F00', against='#1b1b1b'), '#fff')
    """
    own = PALETTE[(rank - 1) % len(PALETTE)]
    red, green, blue = (int(own[i : i + 2], 16) for i in (1, 3, 5))
    light = 0.3 * red + 0.59 * green + 0.11 * blue > 130
    return Ink(own, "#1b1b1b" if light else "#fff")


def best_first(group: RolloutGroup) -> list[tuple[int, Rollout]]:
    """The completions with their places in the record, highest reward first; those without one come last."""
    indexed = enumerate(group.rollouts)
    return sorted(indexed, key=lambda item: math.inf if item[1].score.value is None else -item[1].score.value)


def largest_advantage(group: RolloutGroup) -> float:
    """The scale of a group's advantage bars."""
    return max((abs(r.advantage) for r in group.rollouts if math.isfinite(r.advantage)), default=0.0) or 1.0


def visible(text: str) -> str:
    """Text in which nothing hides: control characters, direction marks and lone surrogates are written as escapes.

    >>> print(visible("\\x1b[31mred \\u202e"))
    \\x1b[31mred \\u202e
    """
    return _HIDDEN.sub(lambda match: ascii(match[0])[1:-1], text)


def number(value: float | None, signed: bool = False) -> str:
    """A number for reading: three significant digits, no more.

    >>> number(0.123456), number(12345.6), number(None), number(0.5, signed=True)
    ('0.123', '12,346', '-', '+0.5')
    """
    if value is None or not math.isfinite(value):
        return "-" if value is None or math.isnan(value) else f"{value}"
    if value == 0 or 1e-4 <= abs(value) < 1000:
        return f"{value:{'+' if signed and value else ''}.3g}"
    return f"{value:{'+' if signed else ''},.0f}" if 1000 <= abs(value) < 1e9 else f"{value:.3g}"


def tag_place(
    kind: str, values: tuple[float, ...] | list[float], rank: int, total: int, unit: float
) -> tuple[float, float, bool]:
    """Where a completion's number stands, and whether a line leads to it from its first point: on its first box's upper edge, or
    beside its first point. Each rank has its own place on the edge or its own direction, so that equal answers stay readable.
    `unit` is the length of a screen pixel in the picture's own pixels.

    >>> tag_place("box", (0, 10, 80, 90), 1, 2, 1.0)
    (20.0, 10, False)
    """
    if kind == "box":
        left, right = sorted((values[0], values[2]))
        return left + (right - left) * (rank - 0.5) / max(total, rank), min(values[1], values[3]), False
    angle, away = 2 * math.pi * (rank - 1) / total, max(16, 3.4 * total) * unit
    return values[0] + away * math.cos(angle), values[1] + away * math.sin(angle), True
