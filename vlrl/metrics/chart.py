"""A chart as facts: checked records of what `vlrl.sandbox.figure_facts.collect` says of a figure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from vlrl.geometry import Box, as_box

MAX_PANELS = 40
MAX_TEXTS = 600
MAX_TEXT_LENGTH = 200
MAX_ELEMENTS = 60
MAX_ROWS = 1000
MAX_COLORS = 32
MAX_POINTS = 400
MAX_NUMBER = 1e100

Array = NDArray[np.float64]
Item = TypeVar("Item")


@dataclass(frozen=True, slots=True, eq=False)
class Element:
    """Something drawn in a panel: its type, its colours, and its data in one of three forms."""

    type: str
    colors: tuple[str, ...]
    rows: Array | None = None
    paths: tuple[Array, ...] = ()
    grid: Array | None = None

    @property
    def has_data(self) -> bool:
        return self.rows is not None or self.grid is not None or bool(self.paths)


@dataclass(frozen=True, slots=True)
class Panel:
    """A subplot: its cells of the grid, its axes (visible length and whether logarithmic), its elements."""

    rect: Box
    projection: str
    spans: tuple[float, ...]
    log: tuple[bool, ...]
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """A text of a chart. `panel` is None for the figure's own texts."""

    panel: int | None
    role: str
    text: str

    def moved(self, panel: int | None) -> Text:
        return replace(self, panel=panel)


@dataclass(frozen=True, slots=True)
class Chart:
    """Panels, texts, and tick labels that are mere numbers."""

    panels: tuple[Panel, ...]
    texts: tuple[Text, ...]
    ticks: tuple[Text, ...]

    @property
    def is_blank(self) -> bool:
        """True when nothing is drawn but axes and texts."""
        return not any(panel.elements for panel in self.panels)


def read_chart(facts: Any) -> Chart:
    """The chart of some facts. Raises ValueError for facts that `collect` cannot have written: forged or damaged ones.

    >>> read_chart({"axes": [], "texts": [{"axes": None, "role": "title", "text": "Sales"}], "ticks": []}).texts[0].text
    'Sales'
    """
    try:
        panels = tuple(_panel(entry) for entry in _list(facts["axes"], MAX_PANELS))
        texts, ticks = (tuple(_text(entry, len(panels)) for entry in _list(facts[key], MAX_TEXTS)) for key in ("texts", "ticks"))
        return Chart(panels, texts, ticks)
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError) as error:
        raise ValueError(f"malformed facts: {error!r}") from error


def _list(value: Any, limit: int) -> list[Any]:
    if not isinstance(value, list) or len(value) > limit:
        raise ValueError(f"a list of at most {limit} was expected")
    return value


def _string(value: Any) -> str:
    if not isinstance(value, str) or len(value) > MAX_TEXT_LENGTH:
        raise ValueError(f"a text of at most {MAX_TEXT_LENGTH} characters was expected")
    return value


def _array(value: Any, dimensions: int, limit: int) -> Array:
    array = np.array(_list(value, limit), dtype=float)
    if array.ndim != dimensions or array.size == 0 or array.shape[-1] > MAX_POINTS:
        raise ValueError(f"an array of {dimensions} dimensions was expected")
    if np.isinf(array).any() or (np.abs(array) > MAX_NUMBER).any():
        raise ValueError("numbers are finite")
    return array


def _whole(array: Array) -> Array:
    if np.isnan(array).any():
        raise ValueError("numbers are finite")
    return array


def _panel(entry: Any) -> Panel:
    spans, log = (_list(entry[key], 3) for key in ("spans", "log"))
    if len(spans) < 2 or len(spans) != len(log) or not all(1 / MAX_NUMBER <= float(span) <= MAX_NUMBER for span in spans):
        raise ValueError("a panel has two or three axes of some length")
    elements = tuple(_element(item, len(spans)) for item in _list(entry["elements"], MAX_ELEMENTS))
    marks = [element.type for element in elements if element.rows is not None]
    if len(marks) != len(set(marks)):
        raise ValueError("marks of one type are one element")
    return Panel(as_box(entry["rect"]), _string(entry["projection"]), tuple(map(float, spans)), tuple(map(bool, log)), elements)


def _element(entry: Any, dimensions: int) -> Element:
    colors = tuple(_string(color) for color in _list(entry["colors"], MAX_COLORS))
    if not all(len(color) == 7 and color[0] == "#" and set(color[1:]) <= set("0123456789abcdef") for color in colors):
        raise ValueError("colours are written #rrggbb")
    paths = tuple(_whole(_array(path, 2, MAX_POINTS)) for path in _list(entry.get("paths", []), MAX_POINTS))
    if any(path.shape[1] != dimensions for path in paths) or sum(map(len, paths)) > MAX_POINTS:
        raise ValueError("paths have one coordinate per axis")
    rows = _optional(entry.get("rows"), lambda value: _whole(_array(value, 2, MAX_ROWS)))
    grid = _optional(entry.get("grid"), lambda value: _array(value, 2, MAX_POINTS))
    return Element(_string(entry["type"]), colors, rows, paths, grid)


def _optional(value: Any, read: Callable[[Any], Item]) -> Item | None:
    return None if value is None else read(value)


def _text(entry: Any, panels: int) -> Text:
    panel = entry["axes"]
    if panel is not None and not (isinstance(panel, int) and 0 <= panel < panels):
        raise ValueError("a text stands in a panel or in none")
    return Text(panel, _string(entry["role"]), " ".join(_string(entry["text"]).replace("\u2212", "-").split()))
