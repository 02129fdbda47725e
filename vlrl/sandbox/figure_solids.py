"""What is drawn in a three-dimensional axes: the same elements as in two, with three coordinates."""

from __future__ import annotations

from typing import Any

import numpy as np

from vlrl.sandbox.figure_elements import MAX_ELEMENTS, Element, dot_colors, is_a, path_limit, pooled_rows
from vlrl.sandbox.figure_reading import floats, hex_colors, thin_paths, visible

Marks = dict[str, tuple[list[np.ndarray], list[str]]]


def solid_elements(axes: Any, share: float) -> list[Element]:
    """The elements of a three-dimensional axes.

    Points (`scatter3d`) and centres of faces (`surface`, and `bar3d` when every face is parallel to an axis) are marks; `line3d`
    and `wireframe` have paths.
    """
    found: list[Element] = []
    pools: Marks = {}
    limit = path_limit(axes, share)
    for artist in (*axes.lines, *axes.collections):
        if visible(artist):
            _add(artist, found, pools, limit)
    return [element for kind, pool in pools.items() for element in pooled_rows(kind, *pool, share)] + found[:MAX_ELEMENTS]


def _add(artist: Any, found: list[Element], pools: Marks, limit: int) -> None:
    if is_a(artist, "Line3D"):
        points = np.column_stack([floats(values) for values in artist.get_data_3d()])
        if artist.get_linestyle() not in ("", " ", "None", "none", None):
            _draw(found, "line3d", [points], hex_colors(artist.get_color(), artist.get_alpha()), limit)
        else:
            _pool(pools, "scatter3d", points, hex_colors(artist.get_markerfacecolor(), artist.get_alpha()))
    elif is_a(artist, "Path3DCollection"):
        _pool(pools, "scatter3d", np.column_stack([floats(values) for values in artist._offsets3d]), dot_colors(artist))
    elif is_a(artist, "Line3DCollection"):
        _draw(found, "wireframe", [floats(segment) for segment in artist._segments3d], hex_colors(artist.get_edgecolor()), limit)
    elif is_a(artist, "Poly3DCollection"):
        faces = [floats(face) for face in _faces(artist)]
        flat = all(bool((np.ptp(face, axis=0) == 0).any()) for face in faces)
        centres = np.array([face.mean(axis=0) for face in faces]).reshape(-1, 3)
        _pool(pools, "bar3d" if flat else "surface", centres, dot_colors(artist))


def _faces(polygons: Any) -> list[Any]:
    """Corners of the faces: matplotlib keeps them as one array (since 3.10), or as one matrix with slices into it."""
    faces = getattr(polygons, "_faces", None)
    if faces is not None:
        return list(faces)
    return [polygons._vec[:3, piece].T for piece in polygons._segslices]


def _pool(pools: Marks, kind: str, rows: np.ndarray, colors: list[str]) -> None:
    if len(rows) and colors:
        all_rows, all_colors = pools.setdefault(kind, ([], []))
        all_rows.append(rows)
        all_colors.extend(colors)


def _draw(found: list[Element], kind: str, paths: list[np.ndarray], colors: list[str], limit: int) -> None:
    kept = thin_paths(paths, limit)
    if kept and colors:
        found.append({"type": kind, "colors": colors, "paths": kept})
