"""What colour the result of each drawing function has: rules for `vlrl.sandbox.trace`.

A rule takes a function's result and arguments and gives pairs (kind, late): `late()` tells the colours of an artist, now or when
the figure is drawn. A colour map is told by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

Late = Callable[[], list[Any]]
Rule = Callable[[Any, Any, Any], Iterable[tuple[str, Late]]]


def hex_color(color: Any) -> str:
    """`#RRGGBB`; a hexadecimal text as it is, in capitals; the name of a colour map as it is.

    >>> hex_color("red"), hex_color((0, 0, 1, 0.5)), hex_color("#1f77b480"), hex_color(Map("viridis"))
    ('#FF0000', '#0000FF', '#1F77B480', 'viridis')
    """
    from matplotlib.colors import to_hex

    if isinstance(color, Map):
        return color.name
    if isinstance(color, str) and color.startswith("#") and len(color) in (7, 9):
        return color.upper()
    return str(to_hex(color)).upper()


class Map:
    """A colour map in the place of a colour."""

    def __init__(self, name: str) -> None:
        self.name = name


def _line(artist: Any) -> list[Any]:
    return [artist.get_color()]


def _face(artist: Any) -> list[Any]:
    return [artist.get_facecolor()]


def _first_face(artist: Any) -> list[Any]:
    return list(artist.get_facecolor()[:1])


def _faces(artist: Any) -> list[Any]:
    return list(artist.get_facecolor())


def _edges(artist: Any) -> list[Any]:
    return list(artist.get_edgecolor())


def _bar(artist: Any) -> list[Any]:
    return [artist._original_facecolor]


def _map(artist: Any) -> list[Any]:
    return [Map(artist.get_cmap().name)]


def _whole(kind: str, colours: Callable[[Any], list[Any]]) -> Rule:
    """The result is one artist."""
    return lambda result, args, kwargs: [(kind, partial(colours, result))]


def _each(kind: str, colours: Callable[[Any], list[Any]], items: Callable[[Any], Iterable[Any]] = list) -> Rule:
    """The result holds artists."""
    return lambda result, args, kwargs: [(kind, partial(colours, item)) for item in items(result)]


def _new(kind: str, colours: Callable[[Any], list[Any]], cls: str) -> Rule:
    """The function is `__init__`; objects of a class below are left out."""
    return lambda result, args, kwargs: [(kind, partial(colours, args[0]))] if type(args[0]).__name__ == cls else []


def _mapped(kind: str, colours: Callable[[Any], list[Any]]) -> Rule:
    """A colour map that the call names stands for all colours."""

    def rule(result: Any, args: Any, kwargs: Any) -> Iterable[tuple[str, Late]]:
        named = kwargs.get("cmap")
        if named is None:
            return [(_on(kind, args), partial(colours, result))]
        return [(_on(kind, args), lambda: [Map(getattr(named, "name", named))])]

    return rule


def _on(kind: str, args: Any) -> str:
    from matplotlib.projections.polar import PolarAxes

    return f"{kind}_polar" if args and type(args[0]) is PolarAxes else kind


def _polar_plot(result: Any, args: Any, kwargs: Any) -> Iterable[tuple[str, Late]]:
    return _each("plot_polar", _line)(result, args, kwargs) if _on("", args) else []


def _boxes(result: Any) -> list[Any]:
    from matplotlib.patches import PathPatch

    return [item for item in result["boxes"] if type(item) is PathPatch]


def _hist_patches(result: Any) -> list[Any]:
    """The patches of one data set, or of several."""
    return [patch for item in result[2] for patch in (item if hasattr(item, "__iter__") else [item])]


def _tiles(result: Any) -> list[Any]:
    return [item for container in result.containers for item in container]


def _graph_edges(result: Any) -> list[Any]:
    """Arrows, or one collection of lines."""
    return [arrow.get_facecolor() for arrow in result] if isinstance(result, list) else _edges(result)


def _patches(diagram: Any) -> list[Any]:
    return [patch.get_facecolor() for patch in diagram.patches if patch is not None]


AXES, SOLID, GRAPH = "matplotlib.axes:Axes", "mpl_toolkits.mplot3d:Axes3D", "networkx.drawing.nx_pylab"
LINES = "matplotlib.axes._base:_process_plot_var_args"
GRAPH_RULES = {
    "draw_networkx_nodes": _whole("draw_networkx_nodes", _faces),
    "draw_networkx_edges": _whole("draw_networkx_edges", _graph_edges),
    "draw_networkx_labels": _each("draw_networkx_labels", _line, lambda result: result.values()),
}
RULES: dict[tuple[str, str], Rule] = {
    **{(LINES, name): _whole("line", lambda made: _line(made[0])) for name in ("_makeline", "_make_line")},
    (AXES, "bar"): _each("bar", _bar),
    (AXES, "scatter"): _mapped("scatter", _first_face),
    **{(AXES, name): _whole(name, _line) for name in ("axhline", "axvline")},
    **{(AXES, name): _whole(name, _face) for name in ("axvspan", "axhspan")},
    **{(AXES, name): _whole(name, _edges) for name in ("hlines", "vlines")},
    (AXES, "_fill_between_x_or_y"): _whole("fill_between", _first_face),
    (AXES, "pie"): _each("pie", _face, lambda result: result[0]),
    (AXES, "boxplot"): _each("boxplot", _face, _boxes),
    (AXES, "violinplot"): _each("violinplot", _first_face, lambda result: result["bodies"]),
    (AXES, "hist"): _each("hist", _face, _hist_patches),
    **{(AXES, name): _whole(name, _faces) for name in ("quiver", "broken_barh")},
    **{(AXES, name): _whole(name, _map) for name in ("imshow", "pcolor", "contour", "contourf", "tripcolor")},
    (AXES, "fill"): _each("fill", _face),
    ("matplotlib.projections.polar:PolarAxes", "plot"): _polar_plot,
    ("matplotlib.image:NonUniformImage", "__init__"): _new("NonUniformImage", _map, "NonUniformImage"),
    ("matplotlib.patches:Ellipse", "__init__"): _new("Ellipse", _face, "Ellipse"),
    ("matplotlib.patches:Circle", "__init__"): _new("Ellipse", _face, "Circle"),
    ("matplotlib_venn._common:VennDiagram", "__init__"): _new("VennDiagram", _patches, "VennDiagram"),
    ("squarify", "plot"): _each("squarify", _face, _tiles),
    **{(owner, name): rule for name, rule in GRAPH_RULES.items() for owner in (GRAPH, "networkx")},
    (SOLID, "scatter"): _mapped("scatter_3d", _faces),
    (SOLID, "plot"): _each("plot_3d", _line),
    (SOLID, "plot_surface"): _mapped("plot_surface_3d", _first_face),
    (SOLID, "bar3d"): _whole("bar3d_3d", _first_face),
    (SOLID, "bar"): _each("bar_3d", _face),
    (SOLID, "add_collection3d"): _whole("add_collection3d_3d", _faces),
}
"""(owner, function) -> its rule."""
