"""Plain facts of matplotlib figures, read from their artists: panels, texts, and what is drawn where.

Facts say what a reader sees, not how the code drew it. They are produced inside the sandbox, next to hostile code: whoever reads
them checks them.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from vlrl.sandbox.figure_elements import flat_elements
from vlrl.sandbox.figure_reading import as_number, axis_reader, has_words, span_of, tick_labels, visible
from vlrl.sandbox.figure_solids import solid_elements

MAX_AXES = 40
MAX_TEXTS = 600
MAX_TEXT_LENGTH = 200

Facts = dict[str, Any]
Rect = tuple[float, float, float, float]

UNIT: Rect = (0.0, 0.0, 1.0, 1.0)


def collect(figures: list[Any]) -> Facts:
    """The facts of some figures, as JSON values.

    `axes`: one entry per panel (colour bars are no panels) with `rect`, the panel's cells of the subplot grid as `[left, top,
    right, bottom]` of a unit square, the same for every code that makes the same grid (the second figure's lie in the next unit
    square to the right); `projection`; `spans`, the visible stretch of each axis; `log`, which axes are logarithmic; `elements`
    (`figure_elements`). `texts`: entries `axes` (index of the panel, None for the figure's own), `role` and `text`; `ticks`: the
    same of the tick labels that are mere numbers.
    """
    facts: Facts = {"axes": [], "texts": [], "ticks": []}
    for index, figure in enumerate(figures):
        _add_figure(facts, figure, index)
    texts = [entry for entry in facts["texts"] if entry["axes"] is None or entry["axes"] < MAX_AXES]
    words, numbers = ([entry for entry in texts if ("number" in entry) == is_number] for is_number in (False, True))
    ticks = [{"axes": entry["axes"], "role": entry["role"], "text": entry["number"]} for entry in numbers]
    return {"axes": facts["axes"][:MAX_AXES], "texts": words[:MAX_TEXTS], "ticks": ticks[:MAX_TEXTS]}


def _add_figure(facts: Facts, figure: Any, index: int) -> None:
    shown = [axes for axes in _all_axes(figure) if visible(axes)][:MAX_AXES]
    panels = [axes for axes in shown if not _is_colorbar(axes)]
    rects = _rects(panels)
    for axes in panels:
        left, top, right, bottom = rects[axes]
        place = [left + index, top, right + index, bottom]
        facts["texts"] += _axes_texts(axes, len(facts["axes"]))
        facts["axes"].append({"rect": [round(edge, 4) for edge in place], **_panel(axes, 1 / len(panels))})
    for axes in shown:
        if _is_colorbar(axes):
            facts["texts"] += _axes_texts(axes, None)
    facts["texts"] += _figure_texts(figure)


def _all_axes(figure: Any) -> list[Any]:
    """The figure's axes and the insets in them."""
    from matplotlib.axes import Axes

    return [axes for parent in figure.axes for axes in (parent, *parent.child_axes) if isinstance(axes, Axes)]


def _is_colorbar(axes: Any) -> bool:
    return hasattr(axes, "_colorbar") or axes.get_label() == "<colorbar>"


def _panel(axes: Any, share: float) -> Facts:
    if axes.name == "3d":
        dimensions = [axes.xaxis, axes.yaxis, axes.zaxis]
        readers, elements = [axis_reader(axis) for axis in dimensions], solid_elements(axes, share)
    else:
        dimensions = [axes.xaxis, axes.yaxis]
        readers = [axis_reader(axis) for axis in dimensions]
        elements = flat_elements(axes, share, *readers)
    spans = [span_of(axis, read) for axis, read in zip(dimensions, readers, strict=True)]
    logs = [axis.get_scale() in ("log", "symlog") for axis in dimensions]
    return {"projection": axes.name, "spans": spans, "log": logs, "elements": elements}


# ---- layout --------------------------------------------------------------------------------------------------------------


def _rects(panels: list[Any]) -> dict[Any, Rect]:
    """Where each panel lies in the grid. One that was placed by hand lies within all of those, an inset within the figure."""
    chains = {axes: _chain(axes.get_subplotspec()) for axes in panels}
    users = Counter(id(grid) for chain in chains.values() for grid in {spec.get_gridspec() for spec in chain[1:]})
    insets = {child for axes in panels for child in axes.child_axes}
    hull = np.array([axes.get_position().extents for axes, chain in chains.items() if not chain and axes not in insets])
    rects = {}
    for axes, chain in chains.items():
        real = [spec for i, spec in enumerate(chain) if i == 0 or users[id(spec.get_gridspec())] > 1]
        frame = np.array([UNIT]) if axes in insets else hull
        rects[axes] = _grid_rect(real) if chain else _relative(axes.get_position().extents, frame)
    return rects


def _chain(spec: Any) -> list[Any]:
    """The cell of the outermost grid, the cell of the grid inside it, and so on. A grid that one panel has for itself counts for
    nothing: it was made to set a colour bar beside the panel.
    """
    chain = []
    while spec is not None:
        chain.append(spec)
        spec = getattr(spec.get_gridspec(), "_subplot_spec", None)
    return chain[::-1]


def _grid_rect(chain: list[Any]) -> Rect:
    left, top, right, bottom = UNIT
    for spec in chain:
        rows, columns = spec.get_gridspec().get_geometry()
        width, height = (right - left) / columns, (bottom - top) / rows
        left, right = left + spec.colspan.start * width, left + spec.colspan.stop * width
        top, bottom = top + spec.rowspan.start * height, top + spec.rowspan.stop * height
    return left, top, right, bottom


def _relative(extents: np.ndarray, hull: np.ndarray) -> Rect:
    low, high = hull[:, :2].min(axis=0), hull[:, 2:].max(axis=0)
    size = np.maximum(high - low, 1e-9)
    (left, bottom), (right, top) = ((extents[:2] - low) / size).tolist(), ((extents[2:] - low) / size).tolist()
    return left, 1 - top, right, 1 - bottom


# ---- texts ---------------------------------------------------------------------------------------------------------------


def _text(axes: int | None, role: str, artist: Any) -> list[Facts]:
    if artist is None or not visible(artist) or not artist.get_text().strip():
        return []
    return [{"axes": axes, "role": role, "text": artist.get_text().strip()[:MAX_TEXT_LENGTH]}]


def _axes_texts(axes: Any, index: int | None) -> list[Facts]:
    titles = [axes.title, axes._left_title, axes._right_title]
    found = [entry for title in titles for entry in _text(index, "title", title)]
    dimensions = [(name, getattr(axes, f"{name}axis")) for name in "xyz" if hasattr(axes, f"{name}axis")]
    if not getattr(axes, "_axis3don", axes.axison):
        dimensions = []
    for name, axis in dimensions:
        if visible(axis):
            found += _text(index, f"{name}label", axis.label) + _ticks(index, f"{name}tick", axis)
    found += [entry for text in axes.texts for entry in _text(index, "note", text)]
    cells = [cell.get_text() for table in axes.tables if visible(table) for cell in table.get_celld().values()]
    found += [entry for cell in cells for entry in _text(index, "cell", cell)]
    return found + _legend_texts(index, axes.get_legend())


def _ticks(index: int | None, role: str, axis: Any) -> list[Facts]:
    """Tick labels; those that are numbers, or that no one wrote by hand, stand under `number` in place of `text`."""
    shown = [tick.label1 for tick in axis.get_major_ticks() if tick.label1.get_visible()]
    shown += [tick.label2 for tick in axis.get_major_ticks() if tick.label2.get_visible()]
    if not shown:
        return []
    labels = [label[:MAX_TEXT_LENGTH] for _, label in tick_labels(axis)]
    by_hand = has_words(axis)
    keys = ["text" if by_hand and as_number(label) is None else "number" for label in labels]
    return [{"axes": index, "role": role, key: label} for key, label in zip(keys, labels, strict=True)]


def _legend_texts(index: int | None, legend: Any) -> list[Facts]:
    if legend is None or not visible(legend):
        return []
    title = _text(index, "legend", legend.get_title())
    return title + [entry for text in legend.get_texts() for entry in _text(index, "legend", text)]


def _figure_texts(figure: Any) -> list[Facts]:
    own = {"title": figure._suptitle, "xlabel": figure._supxlabel, "ylabel": figure._supylabel}
    found = [entry for role, artist in own.items() for entry in _text(None, role, artist)]
    named = {id(artist) for artist in own.values()}
    found += [entry for text in figure.texts if id(text) not in named for entry in _text(None, "note", text)]
    return found + [entry for legend in figure.legends for entry in _legend_texts(None, legend)]
