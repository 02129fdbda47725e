"""What is drawn in an axes, read from its artists and not from the calls that made them.

An element is a dict of plain JSON values: `type`; `colors` (as they look on white paper); and its data as one of `rows` (marks,
one row of numbers each: bars, points, slices), `paths` (polylines: lines, outlines) or `grid` (rows of a heat map, from top to
bottom). Marks of one type are pooled per axes, so that a loop of single bars is the same element as one call.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from vlrl.sandbox.figure_boxes import pool_boxes
from vlrl.sandbox.figure_reading import (
    MAX_NUMBER,
    Read,
    finite_rows,
    floats,
    hex_colors,
    mapped_colors,
    plain,
    thin_paths,
    visible,
)

MAX_ROWS, ALL_ROWS = 1000, 16_000
MAX_PATH_POINTS, MIN_PATH_POINTS, ALL_PATH_POINTS = 300, 20, 50_000
"""Marks of one type in a panel, points of one element; and of the whole figure, about."""

MAX_GRID = 48
MAX_ELEMENTS = 60
TOUCHING = 1e-3
"""Bars whose gap is at most this share of their width touch: a histogram."""

Element = dict[str, Any]


@dataclass
class Scene:
    """An axes while its artists are read: `seen` are the artists that an element already accounts for."""

    axes: Any
    read_x: Read
    read_y: Read
    share: float
    found: list[Element] = field(default_factory=list)
    pools: dict[str, tuple[list[np.ndarray], list[str]]] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def xy(self, points: Any) -> np.ndarray:
        """Points as read off the axes."""
        array = floats(points).reshape(-1, 2)
        return np.column_stack([self.read_x(array[:, 0]), self.read_y(array[:, 1])])

    def take(self, *artists: Any) -> None:
        self.seen.update(id(artist) for artist in artists)

    def new(self, artists: Any) -> list[Any]:
        """The visible ones that no element accounts for yet."""
        return [artist for artist in artists if id(artist) not in self.seen and visible(artist)]

    def pool(self, kind: str, rows: Any, colors: list[str]) -> None:
        """Adds marks to the one element of that type."""
        if len(rows) and colors:
            all_rows, all_colors = self.pools.setdefault(kind, ([], []))
            all_rows.append(floats(rows).reshape(len(rows), -1))
            all_colors.extend(colors)

    def draw(self, kind: str, paths: list[np.ndarray], colors: list[str]) -> None:
        """Adds an element of polylines."""
        thin = thin_paths(paths, path_limit(self.axes, self.share))
        if thin and colors:
            self.found.append({"type": kind, "colors": colors, "paths": thin})

    def elements(self) -> list[Element]:
        marks = [
            element for kind, (rows, colors) in self.pools.items() for element in pooled_rows(kind, rows, colors, self.share)
        ]
        return (marks + self.found)[:MAX_ELEMENTS]


def path_limit(axes: Any, share: float) -> int:
    """Points that an element may have in a panel that gets this share of the whole figure's."""
    artists = max(1, min(MAX_ELEMENTS, len(axes.lines) + len(axes.collections) + len(axes.patches)))
    return max(MIN_PATH_POINTS, min(MAX_PATH_POINTS, int(ALL_PATH_POINTS * share / artists)))


def pooled_rows(kind: str, rows: list[np.ndarray], colors: list[str], share: float) -> list[Element]:
    """The one element of all marks of a type, unless there are none."""
    kept = finite_rows(np.concatenate(rows), min(MAX_ROWS, int(ALL_ROWS * share)))
    return [{"type": kind, "colors": hex_colors(sorted(set(colors))), "rows": plain(kept)}] if len(kept) else []


def flat_elements(axes: Any, share: float, read_x: Read, read_y: Read) -> list[Element]:
    """The elements of a two-dimensional axes, which gets this share of the numbers that are kept of the whole figure."""
    scene = Scene(axes, read_x, read_y, share)
    for step in (pool_boxes, _error_bars, _stems, _bars, _graph, _lines, _collections, _images, _patches):
        step(scene)
    if scene.new(axes.tables):
        scene.found.append({"type": "table", "colors": []})
    return scene.elements()


# ---- bars, errors, stems -------------------------------------------------------------------------------------------------


def _containers(scene: Scene, name: str) -> list[Any]:
    return [container for container in scene.axes.containers if type(container).__name__ == name]


def _bars(scene: Scene) -> None:
    for container in _containers(scene, "BarContainer"):
        bars = scene.new(container.patches)
        scene.take(*container.patches)
        flat = getattr(container, "orientation", "vertical") == "horizontal"
        corners = np.array(
            [[*bar.get_xy(), bar.get_x() + bar.get_width(), bar.get_y() + bar.get_height()] for bar in bars], dtype=float
        )
        _pool_bars(scene, corners.reshape(-1, 4), flat, [color for bar in bars for color in patch_colors(bar)])


def _pool_bars(scene: Scene, corners: np.ndarray, flat: bool, colors: list[str]) -> None:
    """Marks of bars from `x1 y1 x2 y2`: place, length, start, width."""
    low, high = scene.xy(corners[:, :2]), scene.xy(corners[:, 2:])
    along, across = (0, 1) if flat else (1, 0)
    width, start, end = np.abs(high - low)[:, across], low[:, along], high[:, along]
    centre = scene.xy((corners[:, :2] + corners[:, 2:]) / 2)[:, across]
    rows = np.column_stack([centre, end - start, start, width])
    adjoin = len(rows) > 2 and bool(np.all(np.abs(low[1:, across] - high[:-1, across]) <= TOUCHING * width[1:]))
    kind = "hist" if adjoin and np.ptp(start) == 0 and scene.axes.name == "rectilinear" else "bar"
    scene.pool(kind + "h" * flat, rows, colors)


def _error_bars(scene: Scene) -> None:
    for container in _containers(scene, "ErrorbarContainer"):
        _, caps, bars = container.lines
        shown = scene.new(bars)
        scene.take(*caps, *bars)
        for bar in shown:
            _pool_segments(scene, "errorbar", bar)


def _pool_segments(scene: Scene, kind: str, lines: Any) -> None:
    """Marks `x1 y1 x2 y2`, the smaller end first, of a collection of straight segments."""
    ends = [np.asarray(segment, dtype=float)[[0, -1]] for segment in lines.get_segments() if len(segment) >= 2]
    pairs = [sorted(scene.xy(pair).tolist()) for pair in ends]
    scene.pool(kind, np.array(pairs).reshape(-1, 4), hex_colors(lines.get_colors()))


def _stems(scene: Scene) -> None:
    for container in _containers(scene, "StemContainer"):
        parts = [container.markerline, container.stemlines, container.baseline]
        shown = bool(scene.new(parts[:1]))
        scene.take(*(parts[1] if isinstance(parts[1], list) else [parts[1]]), parts[0], parts[2])
        if shown:
            line = container.markerline
            scene.pool(
                "stem", scene.xy(line.get_xydata()), hex_colors([line.get_markerfacecolor(), line.get_color()], line.get_alpha())
            )


# ---- networks, lines -----------------------------------------------------------------------------------------------------


def _graph(scene: Scene) -> None:
    """A network: a scatter at whose points straight segments or arrows end. Marks `x1 y1 x2 y2`: edges, and nodes twice."""
    dots = [dot for dot in scene.new(scene.axes.collections) if is_a(dot, "PathCollection")]
    nodes = np.concatenate([floats(dot.get_offsets()).reshape(-1, 2) for dot in dots] or [np.empty((0, 2))])
    edges = {artist: ends for artist, ends in _edges(scene) if len(ends) and len(nodes) and _end_at(ends, nodes)}
    if not edges:
        return
    scene.take(*dots, *edges)
    for dot in dots:
        at = scene.xy(dot.get_offsets())
        scene.pool("graph", np.hstack([at, at]), dot_colors(dot))
    for artist, ends in edges.items():
        rows = np.array([sorted(scene.xy(pair).tolist()) for pair in ends]).reshape(-1, 4)
        scene.pool("graph", rows, hex_colors(artist.get_edgecolor()))


def _edges(scene: Scene) -> Iterator[tuple[Any, np.ndarray]]:
    for artist in scene.new(scene.axes.collections):
        if is_a(artist, "LineCollection"):
            ends = [np.asarray(segment)[[0, -1]] for segment in artist.get_segments() if len(segment) >= 2]
            yield artist, np.array(ends, dtype=float).reshape(-1, 2, 2)
    for patch in scene.new(scene.axes.patches):
        if is_a(patch, "FancyArrowPatch") and getattr(patch, "_posA_posB", None):
            yield patch, np.array([patch._posA_posB], dtype=float).reshape(-1, 2, 2)


def _end_at(ends: np.ndarray, nodes: np.ndarray) -> bool:
    known = {tuple(node) for node in nodes.round(9).tolist()}
    return all(tuple(end) in known for end in ends.reshape(-1, 2).round(9).tolist())


def _lines(scene: Scene) -> None:
    for line in scene.new(scene.axes.lines):
        scene.take(line)
        if is_a(line, "AxLine") or not len(line.get_xdata()):
            continue
        in_data = line.get_transform().contains_branch_seperately(scene.axes.transData)
        if all(in_data):
            _line(scene, line)
        elif any(in_data):
            _rule(scene, line, across=in_data[0])


def _line(scene: Scene, line: Any) -> None:
    points, alpha = scene.xy(line.get_xydata()), line.get_alpha()
    marked = line.get_marker() not in ("", " ", "None", "none", None)
    joined = line.get_linestyle() not in ("", " ", "None", "none", None) and line.get_linewidth() > 0
    if joined and len(points) > 1:
        scene.draw("line", [points], hex_colors(line.get_color(), alpha))
    elif marked:
        scene.pool(
            "scatter", points, hex_colors(line.get_markerfacecolor(), alpha) or hex_colors(line.get_markeredgecolor(), alpha)
        )


def _rule(scene: Scene, line: Any, across: bool) -> None:
    """A line through the whole axes, at one place: `hrule`, or `vrule` when it stands across the x axis."""
    place = scene.xy(line.get_xydata())[:1, 0 if across else 1]
    scene.pool("vrule" if across else "hrule", place.reshape(-1, 1), hex_colors(line.get_color(), line.get_alpha()))


# ---- collections ---------------------------------------------------------------------------------------------------------


def is_a(artist: Any, *names: str) -> bool:
    """True when a class of one of these names is among the artist's classes."""
    return any(kind.__name__ in names for kind in type(artist).__mro__)


def dot_colors(dots: Any) -> list[str]:
    """Colours of a scatter: those of its colour map, its faces, or its edges when it is hollow."""
    if dots.get_array() is not None:
        return mapped_colors(dots)
    return hex_colors(dots.get_facecolor()) or hex_colors(dots.get_edgecolor())


def _collections(scene: Scene) -> None:
    for artist in scene.new(scene.axes.collections):
        scene.take(artist)
        if is_a(artist, "QuadMesh"):
            _mesh(scene, artist)
        elif is_a(artist, "ContourSet"):
            kind = "filled contour" if artist.filled else "contour"
            paths = [polygon for path in artist.get_paths() for polygon in path.to_polygons(closed_only=False)]
            scene.draw(
                kind,
                [scene.xy(path) for path in paths],
                hex_colors(artist.get_facecolor() if artist.filled else artist.get_edgecolor()),
            )
        elif is_a(artist, "Quiver"):
            scene.pool("quiver", np.column_stack([scene.xy(artist.XY), artist.U, artist.V]), dot_colors(artist))
        elif is_a(artist, "Barbs"):
            scene.pool("quiver", np.column_stack([scene.xy(artist.get_offsets()), artist.u, artist.v]), dot_colors(artist))
        elif is_a(artist, "LineCollection"):
            _segments(scene, artist)
        elif is_a(artist, "PolyCollection"):
            _polygons(scene, artist)
        elif is_a(artist, "PathCollection", "RegularPolyCollection", "CircleCollection"):
            scene.pool("scatter", scene.xy(artist.get_offsets()), dot_colors(artist))
        elif artist.get_paths():
            paths = [scene.xy(path.vertices) for path in artist.get_paths()]
            scene.draw("shape", paths, dot_colors(artist))


def _segments(scene: Scene, lines: Any) -> None:
    """Straight segments are marks, longer ones are lines; with arrow heads beside them both are a stream plot."""
    segments = lines.get_segments()
    heads = any(is_a(patch, "FancyArrowPatch") for patch in scene.new(scene.axes.patches))
    if all(len(segment) == 2 for segment in segments):
        _pool_segments(scene, "stream" if heads else "segments", lines)
    else:
        paths = [scene.xy(segment) for segment in segments]
        scene.draw("stream" if heads else "line", paths, hex_colors(lines.get_colors()))


def _polygons(scene: Scene, polygons: Any) -> None:
    """Hexagons, triangles of a mesh, boxes of `broken_barh`, bodies of violins (each its own mirror image), filled areas."""
    colors, paths = dot_colors(polygons), [floats(path.vertices) for path in polygons.get_paths()]
    offsets = floats(polygons.get_offsets()).reshape(-1, 2)
    if len(offsets) > 1 and polygons.get_array() is not None:
        scene.pool("hexbin", np.column_stack([scene.xy(offsets), floats(polygons.get_array())]), colors)
    elif len(paths) > 1 and polygons.get_array() is not None:
        centres = np.array([path[:-1].mean(axis=0) for path in paths])
        scene.pool("mesh", np.column_stack([scene.xy(centres), floats(polygons.get_array())]), colors)
    elif paths and all(_is_rectangle(path) for path in paths):
        corners = np.array([[*path.min(axis=0), *path.max(axis=0)] for path in paths])
        _pool_bars(scene, corners, True, colors)
    else:
        for path in paths:
            scene.draw("violin" if _mirrored(path) else "area", [scene.xy(path)], colors)


def _is_rectangle(path: np.ndarray) -> bool:
    return len(path) in (4, 5) and all(len(np.unique(path[:, d])) == 2 for d in (0, 1))


def _mirrored(path: np.ndarray) -> bool:
    """True when the outline is its own mirror image, left to right or top to bottom."""
    points = np.unique(path[np.isfinite(path).all(axis=1)], axis=0)
    return len(points) > 20 and any(_symmetric(points, d) for d in (0, 1))


def _symmetric(points: np.ndarray, d: int) -> bool:
    centre = (points[:, d].min() + points[:, d].max()) / 2
    if len(np.unique(points[:, d].round(9))) < 5:
        return False  # a straight band
    offset, along = points[:, d] - centre, points[:, 1 - d]
    if np.unique(along.round(9), return_counts=True)[1].max() > 4:
        return False  # a curve over a base line
    sums: dict[float, float] = {}
    for place, side in zip(along.round(9).tolist(), offset.tolist(), strict=True):
        sums[place] = sums.get(place, 0.0) + side
    return max(map(abs, sums.values())) <= 1e-6 * max(np.ptp(offset), 1e-12) * 10


# ---- images, patches -----------------------------------------------------------------------------------------------------


def thin_grid(values: np.ndarray) -> list[list[Any]]:
    """At most `MAX_GRID` evenly spaced rows and columns; what is not a number becomes None."""
    picked = [np.unique(np.linspace(0, side - 1, min(side, MAX_GRID)).round().astype(int)) for side in values.shape]
    rows = plain(values[np.ix_(*picked)])
    return [[value if abs(value) <= MAX_NUMBER else None for value in row] for row in rows]


def _add_grid(scene: Scene, values: np.ndarray, upright: bool, forward: bool, artist: Any) -> None:
    seen = values[:: -1 if upright else 1, :: 1 if forward else -1]
    scene.found.append({"type": "heatmap", "colors": mapped_colors(artist), "grid": thin_grid(seen)})


def _rises(interval: Any) -> bool:
    return bool(interval[1] >= interval[0])


def _mesh(scene: Scene, mesh: Any) -> None:
    sides = np.asarray(mesh.get_coordinates()).shape[:2]
    values = floats(mesh.get_array())
    if values.ndim == 1:
        values = values.reshape(sides[0] - 1, sides[1] - 1)
    if values.ndim == 2:
        rows_up, columns_right = (_rises(interval) for interval in (scene.axes.get_ylim(), scene.axes.get_xlim()))
        _add_grid(scene, values, rows_up, columns_right, mesh)


def _images(scene: Scene) -> None:
    for image in scene.new(scene.axes.images):
        values = image.get_array()
        if values.ndim != 2:
            scene.found.append({"type": "image", "colors": []})
            continue
        left, right, bottom, top = image.get_extent()
        first, last = (top, bottom) if image.origin == "upper" else (bottom, top)
        upright = _rises((first, last)) == _rises(scene.axes.get_ylim())
        forward = _rises((left, right)) == _rises(scene.axes.get_xlim())
        _add_grid(scene, floats(values), upright, forward, image)


def patch_colors(patch: Any) -> list[str]:
    """Colour of a patch's face, or of its edge when it is hollow."""
    return hex_colors([patch.get_facecolor()]) or hex_colors([patch.get_edgecolor()])


def _patches(scene: Scene) -> None:
    slices = 0
    for patch in scene.new(scene.axes.patches):
        scene.take(patch)
        if is_a(patch, "Wedge"):
            scene.pool("pie", [[slices, (patch.theta2 - patch.theta1) / 360]], patch_colors(patch))
            slices += 1
        elif is_a(patch, "StepPatch"):
            values, edges, baseline = patch.get_data()
            base = np.broadcast_to(floats(baseline if baseline is not None else 0), len(values))
            corners = np.column_stack([edges[:-1], base, edges[1:], values])
            _pool_bars(scene, corners, patch.orientation == "horizontal", patch_colors(patch))
        elif not is_a(patch, "FancyArrowPatch"):
            outline = patch.get_patch_transform().transform_path(patch.get_path()).vertices
            scene.draw("area" if is_a(patch, "Polygon") else "shape", [scene.xy(outline)], patch_colors(patch))
