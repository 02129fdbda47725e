"""Charts as facts, for tests: built by hand and by hypothesis."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Facts = dict[str, Any]


def panel(*elements: Facts, rect: tuple[float, ...] = (0, 0, 1, 1), spans: tuple[float, ...] = (10, 10), **more: Any) -> Facts:
    return {
        "rect": list(rect),
        "projection": "rectilinear",
        "spans": list(spans),
        "log": [False] * len(spans),
        "elements": list(elements),
        **more,
    }


def rows(kind: str, *values: tuple[float, ...], colors: tuple[str, ...] = ("#1f77b4",)) -> Facts:
    return {"type": kind, "colors": list(colors), "rows": [list(row) for row in values]}


def line(*points: tuple[float, float], color: str = "#1f77b4", kind: str = "line") -> Facts:
    return {"type": kind, "colors": [color], "paths": [[list(point) for point in points]]}


def grid(*values: tuple[float | None, ...]) -> Facts:
    return {"type": "heatmap", "colors": ["#440154", "#fde725"], "grid": [list(row) for row in values]}


def title(text: str, axes: int | None = 0, role: str = "title") -> Facts:
    return {"axes": axes, "role": role, "text": text}


def chart(*panels: Facts, texts: tuple[Facts, ...] = (), ticks: tuple[Facts, ...] = ()) -> Facts:
    return {"axes": list(panels), "texts": list(texts), "ticks": list(ticks)}


NUMBERS = st.floats(-1e6, 1e6, allow_nan=False).map(lambda value: round(value, 3))
COLORS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")
COLUMN_COUNTS = {"bar": 4, "barh": 4, "scatter": 2, "pie": 2, "box": 6, "stem": 2, "quiver": 4, "hexbin": 3, "segments": 4}


@st.composite
def elements(draw: st.DrawFn) -> Facts:
    kind = draw(st.sampled_from([*COLUMN_COUNTS, "line", "area", "contour", "heatmap", "image"]))
    element: Facts = {"type": kind, "colors": sorted(draw(st.sets(COLORS, min_size=1, max_size=4)))}
    if kind in COLUMN_COUNTS:
        row = st.lists(NUMBERS, min_size=COLUMN_COUNTS[kind], max_size=COLUMN_COUNTS[kind])
        element["rows"] = draw(st.lists(row, min_size=1, max_size=6))
    elif kind == "heatmap":
        width = draw(st.integers(1, 4))
        element["grid"] = draw(st.lists(st.lists(NUMBERS | st.none(), min_size=width, max_size=width), min_size=1, max_size=4))
    elif kind != "image":
        path = st.lists(st.lists(NUMBERS, min_size=2, max_size=2), min_size=1, max_size=8)
        element["paths"] = draw(st.lists(path, min_size=1, max_size=1 if kind == "line" else 3))
    return element


@st.composite
def charts(draw: st.DrawFn) -> Facts:
    count = draw(st.integers(1, 3))
    found = []
    for index in range(count):
        inside = draw(st.lists(elements(), max_size=4, unique_by=lambda element: element["type"]))
        spans = draw(st.tuples(st.floats(0.1, 1e4), st.floats(0.1, 1e4)))
        log = draw(st.lists(st.booleans(), min_size=2, max_size=2))
        found.append(panel(*inside, rect=(index / count, 0, (index + 1) / count, 1), spans=spans, log=log))
    text = st.fixed_dictionaries(
        {
            "axes": st.none() | st.integers(0, count - 1),
            "role": st.sampled_from(["title", "xlabel", "legend", "note", "xtick"]),
            "text": st.text(min_size=1, max_size=8) | st.sampled_from(["Sales", "Sale", "20%", "North"]),
        }
    )
    return chart(*found, texts=tuple(draw(st.lists(text, max_size=6))), ticks=tuple(draw(st.lists(text, max_size=6))))
