"""Which drawing functions a program calls, and what came of them: for scores that look at the calls and not at the figure.

Runs inside a job, like everything that reports on it; what it tells is a claim of the code's (docs/sandbox.md). Only outermost
calls count: `barh` calls `bar`, which is not counted then. Calls and colours have watched functions of their own.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from functools import wraps
from importlib import import_module
from typing import Any

from vlrl.sandbox.trace_colors import RULES, Late, hex_color

MAX_TEXTS, MAX_TEXT_LENGTH, MAX_COLORS, MAX_AXES = 4000, 500, 2000, 500
POINTS_PER_INCH = 72
"""Resolution at which vector formats lay out a figure."""

AXES, SOLID, GRAPH = "matplotlib.axes:Axes", "mpl_toolkits.mplot3d:Axes3D", "networkx.drawing.nx_pylab"
FLAT_KINDS = (
    *("bar", "barh", "plot", "axhline", "axvline", "axvspan", "axhspan", "hlines", "vlines", "errorbar", "boxplot", "violinplot"),
    *("violin", "hist", "fill_between", "fill_betweenx", "scatter", "quiver", "pie", "fill", "imshow", "pcolor", "contour"),
    *("contourf", "broken_barh", "tripcolor"),
)
GRAPH_KINDS = ("draw_networkx_nodes", "draw_networkx_edges", "draw_networkx_labels")
CALLS = {
    **{(AXES, name): name for name in FLAT_KINDS},
    **{(SOLID, name): name for name in ("scatter", "plot_surface", "bar3d", "bar", "add_collection3d")},
    (SOLID, "plot"): "plot_3d",
    **{(owner, name): name for name in GRAPH_KINDS for owner in (GRAPH, "networkx")},
    ("squarify", "plot"): "squarify",
    ("matplotlib.image:NonUniformImage", "__init__"): "NonUniformImage",
    ("matplotlib.patches:Ellipse", "__init__"): "Ellipse",
    ("matplotlib.patches:Circle", "__init__"): "Ellipse",
    ("matplotlib_venn._common:VennDiagram", "__init__"): "VennDiagram",
}
"""(owner, function) -> the kind of chart that a call counts for; `plot` on polar axes is `plot_polar`."""


class Trace:
    """The watch over one program: `install` before it, `uninstall` after it, `report` at the end.

    `lenient`: an error of the program's does not hide what it did before.
    """

    lenient = True

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self._late: dict[tuple[str, str], Late] = {}
        self._counting = self._colouring = False
        self._originals: list[tuple[Any, str, Any]] = []

    def install(self) -> None:
        """Watch the functions of `CALLS` and of `trace_colors.RULES`. Libraries that are not installed are left out."""
        for owner_name, name in dict.fromkeys([*CALLS, *RULES]):
            owner = _found(owner_name)
            if owner is not None and hasattr(owner, name):
                key = (owner_name, name)
                self._replace(owner, name, self._watched(getattr(owner, name), CALLS.get(key), RULES.get(key)))

    def uninstall(self) -> None:
        """Put the functions back."""
        for owner, name, original in reversed(self._originals):
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)

    def _replace(self, owner: Any, name: str, watched: Any) -> None:
        self._originals.append((owner, name, vars(owner).get(name)))
        setattr(owner, name, watched)

    def _watched(self, function: Any, kind: str | None, rule: Any) -> Any:
        @wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            counts, colours = kind is not None and not self._counting, rule is not None and not self._colouring
            if not counts and not colours:
                return function(*args, **kwargs)
            before = self._counting, self._colouring
            self._counting, self._colouring = self._counting or counts, self._colouring or colours
            if counts:
                self.calls[_kind(kind, args)] += 1
            try:
                result = function(*args, **kwargs)
                if colours:
                    self._note_colours(rule, result, args, kwargs)
            finally:
                self._counting, self._colouring = before
            return result

        return watched

    def _note_colours(self, rule: Any, result: Any, args: Any, kwargs: Any) -> None:
        """Remember the artists by kind and present colour; a later one of the same colour takes the place of an earlier one."""
        with contextlib.suppress(Exception):  # artists of a form that the rule does not know have no colour
            for kind, late in rule(result, args, kwargs):
                colours = [hex_color(colour) for colour in late()]
                if colours:
                    self._late[kind, colours[-1]] = late

    def report(self) -> dict[str, Any]:
        """Calls by kind; texts drawn without ticks and cells of the subplot grid of the current figure; final colours by kind."""
        figure = current_figure()
        texts = drawn_texts(figure) if figure is not None else []
        cells = grid_cells(figure) if figure is not None else []
        return {"calls": dict(self.calls), "texts": texts, "layout": cells, "colors": self._colours()}

    def _colours(self) -> dict[str, list[str]]:
        found: dict[str, set[str]] = {}
        for (kind, _), late in list(self._late.items())[:MAX_COLORS]:
            with contextlib.suppress(Exception):
                found.setdefault(kind, set()).update(hex_color(colour) for colour in late())
        return {kind: sorted(colours)[:MAX_COLORS] for kind, colours in found.items()}


def _kind(kind: str | None, args: Any) -> str:
    from matplotlib.projections.polar import PolarAxes

    return "plot_polar" if kind == "plot" and args and type(args[0]) is PolarAxes else str(kind)


def _found(owner: str) -> Any:
    module, _, name = owner.partition(":")
    try:
        loaded = import_module(module)
    except ImportError:
        return None
    return getattr(loaded, name, None) if name else loaded


def current_figure() -> Any:
    """The figure that the program works on; None without one."""
    from matplotlib._pylab_helpers import Gcf

    manager = Gcf.get_active()
    return manager.canvas.figure if manager is not None else None


def drawn_texts(figure: Any) -> list[str]:
    """The texts, one a line, that a vector format would draw, in order, after the ticks of x and y are taken away.

    Text that is drawn as outlines (path effects) is none.
    """
    from matplotlib.backends.backend_agg import RendererAgg

    for axes in figure.get_axes():
        axes.set_xticks([])
        axes.set_yticks([])
    figure.set_dpi(POINTS_PER_INCH)
    width, height = figure.get_size_inches() * POINTS_PER_INCH
    renderer = RendererAgg(int(width), int(height), POINTS_PER_INCH)
    texts: list[str] = []
    renderer.draw_text = lambda gc, x, y, s, *rest, **named: texts.append(str(s)[:MAX_TEXT_LENGTH])  # type: ignore[method-assign]
    figure.draw(renderer)
    return texts[:MAX_TEXTS]


def grid_cells(figure: Any) -> list[list[int]]:
    """`[rows, columns, first row, last row, first column, last column]` of each panel of a grid."""
    cells = []
    for axes in figure.axes[:MAX_AXES]:
        spec = axes.get_subplotspec()
        if spec is not None:
            rows, columns = spec.get_gridspec().get_geometry()
            span = (spec.rowspan.start, spec.rowspan.stop - 1, spec.colspan.start, spec.colspan.stop - 1)
            cells.append([int(number) for number in (rows, columns, *span)])
    return cells
