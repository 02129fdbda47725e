"""What a finished figure consists of, artist by artist: for scores that compare figures as objects.

Runs inside a job, like everything that reports on it; what it tells is a claim of the code's (docs/sandbox.md). While the code
runs `plt.savefig` and `plt.show` do nothing, so that colours are those before the first drawing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from itertools import islice
from numbers import Real
from typing import Any

import numpy as np

from vlrl.sandbox.trace import current_figure, grid_cells

MAX_ELEMENTS, MAX_VALUES, MAX_TEXTS, MAX_LENGTH = 1000, 2000, 2000, 500

Facts = dict[str, Any]


class Artists:
    """The watch over one program: `install` before it, `uninstall` after it, `report` at the end."""

    lenient = False

    def install(self) -> None:
        from matplotlib import pyplot

        self._kept = pyplot.savefig, pyplot.show
        pyplot.savefig = pyplot.show = lambda *args, **kwargs: None

    def uninstall(self) -> None:
        from matplotlib import pyplot

        pyplot.savefig, pyplot.show = self._kept

    def report(self) -> Facts | None:
        """The facts of the current figure; None without one. What depends on drawing is read after it, colours before."""
        figure = current_figure()
        if figure is None:
            return None
        colors = list(_colors(figure))
        grids = [[_any_visible(axes.get_xgridlines()), _any_visible(axes.get_ygridlines())] for axes in figure.axes]
        figure.canvas.draw()
        return {
            "colors": colors[:MAX_TEXTS],
            "grids": [grid for grid in grids if any(grid)],
            "layout": grid_cells(figure),
            "legends": list(islice(_legends(figure), MAX_TEXTS)),
            "elements": list(islice(_elements(figure), MAX_ELEMENTS)),
            "texts": [[role, _short(text)] for role, text in islice(_texts(figure), MAX_TEXTS)],
            "types": sorted(_types(figure)),
        }


class PlacedTexts(Artists):
    """The same watch, which tells of the texts alone. They are read after drawing, and nothing else is asked before, because
    asking for the ticks of a hidden axis makes their labels.
    """

    def report(self) -> Facts | None:
        """`size` in inches, `texts` with their places, number of panels; of the current figure; None without one."""
        figure = current_figure()
        if figure is None:
            return None
        figure.canvas.draw()
        texts = list(islice(_placed_texts(figure), MAX_TEXTS))
        return {"size": [float(side) for side in figure.get_size_inches()], "texts": texts, "panels": len(figure.axes)}


def _short(text: Any) -> str:
    return str(text)[:MAX_LENGTH]


def _any_visible(lines: Iterable[Any]) -> bool:
    return any(line.get_visible() for line in lines)


# ---- texts ---------------------------------------------------------------------------------------------------------------


def _texts(figure: Any) -> Iterator[tuple[str, str]]:
    """(role, text) of titles, axis labels, tick labels, legends and notes."""
    if figure._suptitle is not None and figure._suptitle.get_text():
        yield "suptitle", figure._suptitle.get_text()
    for axes in figure.axes:
        legend = axes.get_legend()
        found = [("title", axes.title), ("xlabel", axes.xaxis.label), ("ylabel", axes.yaxis.label)]
        found += [("tick_label", label) for label in [*axes.get_xticklabels(), *axes.get_yticklabels()]]
        found += [("legend_text", text) for text in (legend.get_texts() if legend else [])]
        found += [("annotation", text) for text in axes.texts]
        yield from ((role, text.get_text()) for role, text in found if text.get_text())


def _placed_texts(artist: Any) -> Iterator[list[Any]]:
    """`[text, x, y]` of all visible texts below an artist, in coordinates of their own; None for a place that is no number."""
    from matplotlib.text import Text

    if isinstance(artist, Text) and artist.get_visible() and artist.get_text().strip():
        yield [_short(artist.get_text().strip().lower()), *map(_number, artist.get_position())]
    for child in artist.get_children():
        yield from _placed_texts(child)


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, Real) and math.isfinite(value) else None


def _legends(figure: Any) -> Iterator[list[Any]]:
    """`[text, x0, y0, x1, y1]` of each entry, with the box of its legend in pixels."""
    renderer = figure.canvas.get_renderer()
    for legend in {id(one): one for one in [*figure.legends, *(axes.get_legend() for axes in figure.axes)] if one}.values():
        if legend.get_visible():
            box = [float(side) for side in legend.get_window_extent(renderer).extents]
            texts = [text.get_text() for text in legend.get_texts() if text.get_visible() and text.get_text()]
            yield from ([_short(text), *box] for text in texts)


# ---- colours -------------------------------------------------------------------------------------------------------------


def _colors(figure: Any) -> Iterator[list[str]]:
    """`[role, key, #RRGGBB]`; the key is the label of what has the colour, or its number. The first of a role and key counts,
    but of edges and notes the last.
    """
    found: dict[tuple[str, str], str] = {}
    numbers: dict[str, int] = {}

    def number(role: str) -> int:
        numbers[role] = numbers.get(role, -1) + 1
        return numbers[role]

    def note(role: str, key: str, color: str | None, over: bool = False) -> None:
        if color and (over or (role, key) not in found):
            found[role, _short(key)] = color

    note("figure_bg", "figure", _hex(figure.patch.get_facecolor()))
    for place, axes in enumerate(figure.axes):
        note("axes_bg", f"axes_{place}", _hex(axes.patch.get_facecolor()))
        for role, key, color in _legend_colors(axes.get_legend()):
            note(role, key, color, over=True)
        ticks = [label.get_text() for label in axes.get_xticklabels()]
        for index, patch in enumerate(axes.patches):
            tick = ticks[index] if index < len(ticks) else ""
            face, edge = _hex(patch.get_facecolor()), _hex(patch.get_edgecolor())
            if face:
                note("patch_face", tick or f"patch_{number('patch_face')}", face)
            note("patch_edge", tick or f"patch_edge_{index}", edge, over=True)
        for line in axes.lines:
            if color := _hex(line.get_color()):
                note("line_color", _label(line) or f"line_{number('line_color')}", color)
        for collection in axes.collections:
            faces = collection.get_facecolor()
            if len({tuple(face) for face in faces}) == 1:
                note("scatter_color", _label(collection) or f"scatter_group_{number('scatter_color')}", _hex(faces[0]))
            for color in _palette(faces):
                note("scatter_palette", f"palette_color_{number('scatter_palette')}", color, over=True)
        for text in axes.texts:
            if text.get_text():
                note("text_color", text.get_text(), _hex(text.get_color()), over=True)
        for role, key, label in (
            ("title", "title", axes.title),
            ("axis_label", "xlabel", axes.xaxis.label),
            ("axis_label", "ylabel", axes.yaxis.label),
        ):
            note(role, key, _hex(label.get_color()), over=True)
    return ([role, key, color] for (role, key), color in found.items())


def _legend_colors(legend: Any) -> Iterator[tuple[str, str, str | None]]:
    from matplotlib.patches import Rectangle

    for handle, text in zip(legend.legend_handles, legend.get_texts(), strict=False) if legend else ():
        read = getattr(handle, "get_facecolor", None) or getattr(handle, "get_color", None)
        if read is not None and text.get_text():
            yield "patch_face" if isinstance(handle, Rectangle) else "line_color", text.get_text(), _hex(read())


def _palette(faces: Any) -> list[str]:
    """The different colours of an artist that has more than one."""
    different = len({tuple(face) for face in faces}) > 1
    return sorted({color for color in map(_hex, faces) if color}) if different else []


def _label(artist: Any) -> str:
    label = str(artist.get_label() or "")
    return "" if label.startswith("_") else label


def _hex(color: Any) -> str | None:
    """`#RRGGBB`; None for what is no colour, or not to be seen."""
    from matplotlib.colors import to_hex, to_rgba

    try:
        rgba = to_rgba(color)
    except (ValueError, TypeError):
        return None
    return str(to_hex(rgba)).upper() if rgba[3] > 0 else None


# ---- elements ------------------------------------------------------------------------------------------------------------


def _elements(figure: Any) -> Iterator[Facts]:
    """What is drawn, with its data and its look: lines, rectangles, polygons, collections."""
    from matplotlib.patches import Polygon, Rectangle

    for axes in figure.axes:
        for line in axes.lines:
            data = {"xdata": line.get_xdata(), "ydata": line.get_ydata()}
            look = {"linestyle": line.get_linestyle(), "linewidth": line.get_linewidth(), "marker": line.get_marker()}
            more = {"markersize": line.get_markersize(), "alpha": line.get_alpha()}
            yield _element("line", {**data, **look, **more})
        for patch in axes.patches:
            alpha = {"alpha": patch.get_alpha()}
            if isinstance(patch, Rectangle):
                sides = {"xy": patch.get_xy(), "width": patch.get_width(), "height": patch.get_height()}
                yield _element("rectangle_patch", {**alpha, **sides})
            elif isinstance(patch, Polygon):
                yield _element("polygon_patch", {**alpha, "verts": patch.get_xy()})
        for collection in axes.collections:
            data = {"offsets": collection.get_offsets()}
            sizes = {"sizes": collection.get_sizes()} if hasattr(collection, "get_sizes") else {}
            yield _element("collection", {"alpha": collection.get_alpha(), **data, **sizes})


def _element(kind: str, values: Facts) -> Facts:
    return {"type": kind, **{name: _value(value) for name, value in values.items()}}


def _value(value: Any) -> Any:
    """A number, a text or None as it is; of a list the different numbers, or the different texts; anything else is `{}`."""
    if value is None or isinstance(value, str):
        return value if value is None else _short(value)
    if isinstance(value, Real):
        return float(value) if math.isfinite(value) else str(float(value))
    items = np.array(value).tolist()
    if not isinstance(items, list):
        return {}
    try:
        numbers = np.unique(np.asarray(items, dtype=float).ravel())
        return {"numbers": [float(number) for number in numbers[np.isfinite(numbers)][:MAX_VALUES]], "empty": not items}
    except (ValueError, TypeError):
        return {"words": sorted({_short(item) for item in items})[:MAX_VALUES], "empty": not items}


# ---- chart types ---------------------------------------------------------------------------------------------------------


def _types(figure: Any) -> set[str]:
    """The types of chart that the artists tell of."""
    from matplotlib.collections import PathCollection, PolyCollection, QuadMesh
    from matplotlib.container import BarContainer
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle, Wedge

    found: set[str] = set()
    for axes in figure.axes:
        if any(isinstance(container, BarContainer) for container in axes.containers):
            words = [label.get_text().replace(".", "", 1) for label in axes.get_xticklabels()]
            found.add("histogram" if all(word.isdigit() for word in words) else "bar")
        if _has(axes.collections, QuadMesh):
            found.add("heatmap")
        if axes.lines and any(_is_violin(one) for one in axes.collections if isinstance(one, PolyCollection)):
            found.add("violin")
        if axes.lines and "violin" not in found:
            found.add("line")
        if _has(axes.collections, PathCollection):
            found.add("scatter")
        if _has(axes.patches, Wedge):
            found.add("pie")
        if _has(axes.patches, Rectangle) and not found & {"bar", "histogram"}:
            if len(axes.lines) > 2 * len(axes.patches):
                found.add("boxplot")
            elif "pie" not in found:
                found.add("bar")
        if _has(axes.images, AxesImage) and "heatmap" not in found:
            found.add("image")
    return found


def _has(artists: Iterable[Any], cls: type) -> bool:
    return any(isinstance(artist, cls) for artist in artists)


def _is_violin(collection: Any) -> bool:
    """All of the first outline is above 0, and it reaches no further right than left of 0."""
    paths = collection.get_paths()
    if not paths:
        return False
    x, y = paths[0].vertices[:, 0], paths[0].vertices[:, 1]
    return bool(np.all(y > 0) and abs(x.min()) - abs(x.max()) < 1e-6)
