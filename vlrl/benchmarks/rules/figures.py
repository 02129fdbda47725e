"""Figures as objects: what two programs draw, read in the sandbox (`vlrl.sandbox.artists`) and put into checked form."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, TypeVar

from vlrl import sandbox
from vlrl.geometry import Box, as_box

SECONDS = 60.0
"""Wall time of a program."""
GOLD_FIGURES = 64

Told = TypeVar("Told")
Value = float | str | frozenset[float] | frozenset[str] | None
"""A property of an artist: a number, a text, the different numbers or texts of a list, or nothing."""


@dataclass(frozen=True)
class Figure:
    """What a figure consists of."""

    colors: Mapping[str, Mapping[str, str]]
    grids: tuple[tuple[bool, bool], ...]
    layout: tuple[tuple[int, ...], ...]
    legends: tuple[tuple[str, Box], ...]
    elements: tuple[Mapping[str, Value], ...]
    texts: Mapping[str, tuple[str, ...]]
    types: frozenset[str]


def told(program: str, reader: str, parse: Callable[[Mapping[str, Any]], Told]) -> Told | str:
    """What a reader of the sandbox tells of a program, as `parse` makes of it, or a failure code.

    A `parse` that raises for what it gets is a `bad_result`: facts are claims of the program's. Raises SandboxError when the
    machine cannot run any code.
    """
    result = sandbox.shared().run(program.encode("utf-8", "replace").decode(), SECONDS, reader=reader)
    if result.failure == "sandbox_error":
        raise sandbox.SandboxError(result.message)
    if result.failure is not None:
        return result.failure
    try:
        return parse(result.facts["read"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return "bad_result"


def of_gold(found: Told | str) -> Told:
    """What was told of gold code. Raises ValueError when it does not run here."""
    if isinstance(found, str):
        raise ValueError(f"the gold code does not run here ({found})")
    return found


def drawn(program: str) -> Figure | str:
    """The figure of a program, or a failure code."""
    return told(program, "artists", _figure)


@lru_cache(GOLD_FIGURES)
def gold_drawn(program: str) -> Figure:
    """The figure of gold code. Raises ValueError when it draws none here."""
    return of_gold(drawn(program))


def _figure(facts: Mapping[str, Any]) -> Figure:
    """The facts in checked form: they are claims of the program's."""
    colors: dict[str, dict[str, str]] = {}
    for role, key, color in facts["colors"]:
        if len(bytes.fromhex(color[1:])) != 3:
            raise ValueError("a colour is #RRGGBB")
        colors.setdefault(str(role), {})[str(key)] = str(color)
    return Figure(
        colors,
        tuple((bool(x), bool(y)) for x, y in facts["grids"]),
        tuple(tuple(int(number) for number in cell) for cell in facts["layout"]),
        tuple((str(text), as_box(box)) for text, *box in facts["legends"]),
        tuple({str(name): _value(value) for name, value in element.items()} for element in facts["elements"]),
        _by_role(facts["texts"]),
        frozenset(map(str, facts["types"])),
    )


def _by_role(texts: Iterable[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for role, text in texts:
        found[str(role)] = (*found.get(str(role), ()), str(text))
    return found


def _value(value: Any) -> Value:
    if isinstance(value, Mapping):
        if "words" in value:
            return frozenset(map(str, value["words"]))
        return frozenset(float(number) for number in value.get("numbers", ()))
    return value if value is None or isinstance(value, str) else float(value)
