"""Figures as objects: what two programs draw, read in the sandbox (`vlrl.sandbox.artists`) and put into checked form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from vlrl import sandbox
from vlrl.geometry import Box, as_box

SECONDS = 60.0
GOLD_FIGURES = 64

Value = float | str | frozenset[float] | frozenset[str] | None
"""A property of an artist: a number, a text, the different numbers or texts of a list, or nothing."""


@dataclass(frozen=True)
class Figure:
    """What a figure consists of."""

    size: tuple[float, float]
    colors: Mapping[str, Mapping[str, str]]
    grids: tuple[tuple[bool, bool], ...]
    layout: tuple[tuple[int, ...], ...]
    legends: tuple[tuple[str, Box], ...]
    elements: tuple[Mapping[str, Value], ...]
    texts: Mapping[str, tuple[str, ...]]
    types: frozenset[str]
    placed_texts: tuple[tuple[str, float | None, float | None], ...]


def drawn(program: str) -> Figure | str:
    """The figure of a program, or a failure code of the sandbox. Raises SandboxError when the machine cannot run any code."""
    result = sandbox.shared().run(program.encode("utf-8", "replace").decode(), SECONDS, reader="artists")
    if result.failure == "sandbox_error":
        raise sandbox.SandboxError(result.message)
    if result.failure is not None:
        return result.failure
    try:
        return _figure(result.facts["read"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return "bad_result"


@lru_cache(GOLD_FIGURES)
def gold_drawn(program: str) -> Figure:
    """The figure of gold code. Raises ValueError when it draws none here."""
    figure = drawn(program)
    if isinstance(figure, str):
        raise ValueError(f"the gold code does not run here ({figure})")
    return figure


def _figure(told: Mapping[str, Any]) -> Figure:
    """The facts in checked form: they are claims of the program's."""
    width, height = (float(side) for side in told["size"])
    if not (0 < width < 1e6 and 0 < height < 1e6):
        raise ValueError("a figure has a size")
    colors: dict[str, dict[str, str]] = {}
    for role, key, color in told["colors"]:
        int(color[1:7], 16)
        colors.setdefault(str(role), {})[str(key)] = str(color)[:7]
    return Figure(
        (width, height),
        colors,
        tuple((bool(x), bool(y)) for x, y in told["grids"]),
        tuple(tuple(int(number) for number in cell) for cell in told["layout"]),
        tuple((str(text), as_box(box)) for text, *box in told["legends"]),
        tuple({str(name): _value(value) for name, value in element.items()} for element in told["elements"]),
        _by_role(told["texts"]),
        frozenset(map(str, told["types"])),
        tuple((str(text), _place(x), _place(y)) for text, x, y in told["placed_texts"]),
    )


def _by_role(texts: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for role, text in texts:
        found[str(role)] = (*found.get(str(role), ()), str(text))
    return found


def _place(value: Any) -> float | None:
    return None if value is None else float(value)


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        if "words" in value:
            return frozenset(map(str, value["words"]))
        return frozenset(float(number) for number in value.get("numbers", ()))
    return value if value is None or isinstance(value, str) else float(value)
