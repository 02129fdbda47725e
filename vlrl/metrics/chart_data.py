"""Do two charts draw the same values? Within 5 %, element by element."""

from __future__ import annotations

import numpy as np

from vlrl.metrics.chart import Array, Chart, Element, Panel
from vlrl.metrics.chart_curves import curves_f1
from vlrl.metrics.chart_tolerance import LEAST, MOST_PLACE, MOST_VALUE, scaled, tolerances
from vlrl.metrics.matching import best_pairs

CROWDED = 0.25
"""Among n marks a place may be off by this over the square root of n at most: in a crowd everything is near something."""

WORK = 2e7
"""Point-to-segment distances that one comparison of curves may cost."""

COLUMNS = {
    "bar": ("x", "yyw"), "hist": ("x", "yyw"), "barh": ("y", "xxw"), "histh": ("y", "xxw"),
    "box": ("x", "yyyyy"), "boxh": ("y", "xxxxx"), "stem": ("x", "y"), "hrule": ("", "y"), "vrule": ("", "x"),
    "scatter": ("xy", ""), "errorbar": ("xyxy", ""), "segments": ("xyxy", ""), "stream": ("xyxy", ""), "graph": ("xyxy", ""),
    "pie": ("i", "v"), "quiver": ("xy", "vv"), "hexbin": ("xy", "v"), "mesh": ("xy", "v"),
    "scatter3d": ("xyz", ""), "surface": ("xyz", ""), "bar3d": ("xyz", ""),
}  # fmt: skip
"""Meaning of the columns of each type's rows: places, then values. x, y, z: on that axis; i: a number in a sequence; v: a value
without an axis; w: a width, half of which is the place's tolerance."""


def data_f1(predicted: Chart, gold: Chart, panels: dict[int, int]) -> float | None:
    """F1 over the elements that hold data, in matched panels; an element's similarity is the F1 of its values."""
    total = sum(element.has_data for chart in (predicted, gold) for panel in chart.panels for element in panel.elements)
    if not total:
        return None
    return 2 * sum(_panel_sum(predicted.panels[p], gold.panels[g]) for p, g in panels.items()) / total


def _panel_sum(predicted: Panel, gold: Panel) -> float:
    """Sum of the matched elements' similarities."""
    found = 0.0
    for kind in sorted({element.type for element in gold.elements if element.has_data}):
        a, b = (
            [element for element in panel.elements if element.type == kind and element.has_data] for panel in (predicted, gold)
        )
        if a and len(predicted.spans) == len(gold.spans):
            budget = max(8, int((WORK / (len(a) * len(b))) ** 0.5 / 2))
            matrix = np.array([[element_similarity(p, g, gold, budget) for g in b] for p in a])
            found += float(sum(matrix[pair] for pair in best_pairs(matrix)))
    return found


def element_similarity(predicted: Element, gold: Element, panel: Panel, budget: int = 400) -> float:
    """Similarity in 0..1 of two elements of one type; `panel` is the gold one, whose axes set the tolerances."""
    if predicted.rows is not None and gold.rows is not None and gold.type in COLUMNS:
        return rows_f1(predicted.rows, gold.rows, gold.type, panel)
    if predicted.grid is not None and gold.grid is not None:
        return grid_similarity(predicted.grid, gold.grid)
    if predicted.paths and gold.paths:
        return curves_f1(predicted.paths, gold.paths, gold.type, panel, budget)
    return 0.0


# ---- marks ---------------------------------------------------------------------------------------------------------------


def rows_f1(predicted: Array, gold: Array, kind: str, panel: Panel) -> float:
    """F1 of marks matched one to one. A pair counts when its places agree and its first value does, by the share of values that
    do.
    """
    places, values = COLUMNS[kind]
    width = len(places) + len(values)
    if (
        predicted.shape[1] != width
        or gold.shape[1] != width
        or not set(places + values) <= set("ivw" + "xyz"[: len(panel.spans)])
    ):
        return 0.0
    hits = [_hits(predicted, gold, column, kind, panel) for column in range(width) if (places + values)[column] != "w"]
    similarity = np.ones((len(predicted), len(gold)))
    for hit in hits[: len(places) + 1]:
        similarity *= hit
    if len(hits) > len(places):
        similarity *= np.mean(hits[len(places) :], axis=0)
    return 2 * float(sum(similarity[pair] for pair in best_pairs(similarity))) / (len(predicted) + len(gold))


def _hits(predicted: Array, gold: Array, column: int, kind: str, panel: Panel) -> Array:
    places, values = COLUMNS[kind]
    letter, is_place = (places + values)[column], column < len(places)
    p, g = predicted[:, column], gold[:, column]
    if letter == "i":
        allowed = np.full(g.shape, 0.5)
    elif is_place and values.endswith("w"):
        allowed = np.maximum(gold[:, -1] / 2, LEAST * panel.spans["xyz".index(letter)])
    elif letter == "v":
        allowed = tolerances(g, float(np.abs(g).max()), False, MOST_VALUE)
    else:
        axis = "xyz".index(letter)
        p, g = (scaled(numbers, panel.log[axis]) for numbers in (p, g))
        most = min(MOST_PLACE, CROWDED / len(g) ** 0.5) if is_place else MOST_VALUE
        allowed = tolerances(g, panel.spans[axis], panel.log[axis], most)
    return (np.abs(p[:, None] - g[None]) <= allowed * (1 + 1e-9)).astype(float)


# ---- heat maps -----------------------------------------------------------------------------------------------------------


def grid_similarity(predicted: Array, gold: Array) -> float:
    """Share of the cells of a heat map that agree; 0 when the shapes differ."""
    if predicted.shape != gold.shape:
        return 0.0
    known = gold[~np.isnan(gold)]
    span = float(np.ptp(known)) if known.size else 0.0
    allowed = tolerances(gold, span or 1.0, False, MOST_VALUE)
    both_empty = np.isnan(predicted) & np.isnan(gold)
    return float(((np.abs(predicted - gold) <= allowed * (1 + 1e-9)) | both_empty).mean())
