"""Facts of two charts compared: texts, layout, types, colours, and the data that they draw (`vlrl.metrics.chart_data`).

Facts come from `vlrl.sandbox.figure_facts.collect`, out of a process that ran hostile code: `read_chart` believes nothing. Every
part is a soft F1 = 2 * (sum of the matched pairs' similarities) / (number in the gold + number in the prediction): what is added
without need lowers it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

from vlrl.metrics.chart import Chart, Panel, Text
from vlrl.metrics.chart_data import data_f1
from vlrl.metrics.color_difference import delta_e_2000, hex_to_lab
from vlrl.metrics.edit_distance import edit_distance
from vlrl.metrics.matching import best_pairs

SAME_PLACE = 0.9
"""IoU from which two panels occupy the same cells of the grid."""

ALIKE = 0.5
"""Strings whose edit similarity is lower have nothing in common."""

ELSEWHERE = 0.5
"""What a text is worth that stands in another role or another panel."""

COLOR_REACH = 30.0
"""CIEDE2000 difference at which two colours have nothing in common; 2 is barely visible."""

MAX_FUZZY = 80
"""Texts of each side, beyond the equal ones, that are compared letter by letter."""

BARS = ("bar", "barh", "hist", "histh")

Item = TypeVar("Item")


def chart_parts(predicted: Chart, gold: Chart) -> dict[str, float]:
    """`text`, `ticks`, `layout`, `type`, `colour` and `data`, each in 0..1. A part that neither chart has (no text at all) is
    left out.
    """
    panels = matched_panels(predicted, gold)
    parts = {
        "text": text_f1(predicted, gold, panels),
        "ticks": ticks_f1(predicted, gold, panels),
        "layout": layout_f1(predicted, gold),
        "type": type_f1(predicted, gold),
        "colour": color_f1(predicted, gold, panels),
        "data": data_f1(predicted, gold, panels),
    }
    return {name: value for name, value in parts.items() if value is not None}


def soft_f1(predicted: Sequence[Item], gold: Sequence[Item], similarity: Callable[[Item, Item], float]) -> float | None:
    """2 * (greatest sum of similarities of a one-to-one matching) / (number of both); None when there is nothing on either side.

    >>> soft_f1(["a", "b", "c"], ["a"], lambda a, b: float(a == b))
    0.5
    """
    if not predicted and not gold:
        return None
    return 2 * _matched_sum(predicted, gold, similarity) / (len(predicted) + len(gold))


def _matched_sum(predicted: Sequence[Item], gold: Sequence[Item], similarity: Callable[[Item, Item], float]) -> float:
    if not predicted or not gold:
        return 0.0
    matrix = np.array([[similarity(p, g) for g in gold] for p in predicted], dtype=float)
    return float(sum(matrix[pair] for pair in best_pairs(matrix)))


# ---- panels and types ----------------------------------------------------------------------------------------------------


def _rect_iou(a: Panel, b: Panel) -> float:
    from vlrl.metrics.box_iou import iou

    return iou(a.rect, b.rect)


def layout_f1(predicted: Chart, gold: Chart) -> float | None:
    """F1 of the panels' cells in the subplot grid, as fractions of the figure."""
    return soft_f1(predicted.panels, gold.panels, lambda a, b: float(_rect_iou(a, b) >= SAME_PLACE))


def kinds(panel: Panel) -> Counter[str]:
    """The chart types of a panel, each once, since a loop may draw one type in many calls; polar ones are types of their own."""
    prefix = "" if panel.projection in ("rectilinear", "3d") else f"{panel.projection} "
    return Counter({prefix + element.type for element in panel.elements})


def type_f1(predicted: Chart, gold: Chart) -> float | None:
    """F1 of the types in all panels."""
    of_predicted, of_gold = (sum((kinds(panel) for panel in chart.panels), Counter[str]()) for chart in (predicted, gold))
    total = of_predicted.total() + of_gold.total()
    return 2 * (of_predicted & of_gold).total() / total if total else None


def matched_panels(predicted: Chart, gold: Chart) -> dict[int, int]:
    """Predicted panel -> the gold panel that it stands for, by place in the grid, types and titles."""
    titles = [{(text.panel, text.text) for text in chart.texts if text.role == "title"} for chart in (predicted, gold)]

    def likeness(p: int, g: int) -> float:
        a, b = predicted.panels[p], gold.panels[g]
        shared, total = (kinds(a) & kinds(b)).total(), (kinds(a) + kinds(b)).total()
        same_title = {text for panel, text in titles[0] if panel == p} & {text for panel, text in titles[1] if panel == g}
        return 0.01 + 2 * (_rect_iou(a, b) >= SAME_PLACE) + 2 * shared / max(1, total) + 1.5 * bool(same_title)

    matrix = np.array([[likeness(p, g) for g in range(len(gold.panels))] for p in range(len(predicted.panels))])
    return dict(best_pairs(matrix)) if matrix.size else {}


# ---- texts ---------------------------------------------------------------------------------------------------------------


def text_f1(predicted: Chart, gold: Chart, panels: dict[int, int]) -> float | None:
    """F1 of the texts: titles, labels, legends, notes, worded tick labels.

    Similarity is 1 - edit distance / longer length where that is at least `ALIKE`, and equality for texts without letters: a
    wrong number is wrong. In another role or panel a text is worth `ELSEWHERE`. The figure's own texts stand in any panel.
    """
    placed, wanted = _placed(predicted.texts, panels), gold.texts
    if not placed and not wanted:
        return None
    left_p, left_g = list((Counter(placed) - Counter(wanted)).elements()), list((Counter(wanted) - Counter(placed)).elements())
    equal = len(placed) - len(left_p)
    rest = _matched_sum(left_p[:MAX_FUZZY], left_g[:MAX_FUZZY], text_similarity)
    return 2 * (equal + rest) / (len(placed) + len(wanted))


def ticks_f1(predicted: Chart, gold: Chart, panels: dict[int, int]) -> float | None:
    """F1 of the tick labels that are mere numbers: do the axes have the same scale? Equal ones on the same axis count."""
    of_predicted, of_gold = Counter(_placed(predicted.ticks, panels)), Counter(gold.ticks)
    total = of_predicted.total() + of_gold.total()
    return 2 * (of_predicted & of_gold).total() / total if total else None


def _placed(texts: Sequence[Text], panels: dict[int, int]) -> list[Text]:
    """Texts of the prediction, moved to the gold panels that theirs stand for."""
    return [text.moved(None if text.panel is None else panels.get(text.panel, -1)) for text in texts]


def text_similarity(a: Text, b: Text) -> float:
    """Similarity of two texts in 0..1, their places taken into account."""
    same_panel = a.panel == b.panel or None in (a.panel, b.panel)
    return string_similarity(a.text, b.text) * (1.0 if same_panel and a.role == b.role else ELSEWHERE)


def string_similarity(a: str, b: str) -> float:
    """1 - edit distance / longer length, 0 below `ALIKE`; texts without letters must be equal.

    >>> string_similarity("Stock", "Stocks"), string_similarity("35%", "36%")
    (0.8333333333333334, 0.0)
    """
    if a == b:
        return 1.0
    longer = max(len(a), len(b))
    worded = any(map(str.isalpha, a)) and any(map(str.isalpha, b))
    if not worded or min(len(a), len(b)) < ALIKE * longer:
        return 0.0
    similarity = 1 - edit_distance(a, b) / longer
    return similarity if similarity >= ALIKE else 0.0


# ---- colours -------------------------------------------------------------------------------------------------------------


def color_f1(predicted: Chart, gold: Chart, panels: dict[int, int]) -> float | None:
    """F1 of the distinct colours of each type in each panel (all bars are one type here): max(0, 1 - CIEDE2000 / 30)."""
    of_predicted = {(panels.get(index, -1), kind): found for (index, kind), found in _palettes(predicted).items()}
    of_gold = _palettes(gold)
    total = sum(map(len, of_predicted.values())) + sum(map(len, of_gold.values()))
    if not total:
        return None
    matched = sum(_palette_match(of_predicted[key], of_gold[key]) for key in of_predicted.keys() & of_gold.keys())
    return 2 * matched / total


def _palettes(chart: Chart) -> dict[tuple[int, str], list[str]]:
    found: dict[tuple[int, str], set[str]] = {}
    for index, panel in enumerate(chart.panels):
        for element in panel.elements:
            kind = BARS[0] if element.type in BARS else element.type
            found.setdefault((index, kind), set()).update(element.colors)
    return {key: sorted(colors) for key, colors in found.items() if colors}


def _palette_match(a: list[str], b: list[str]) -> float:
    difference = delta_e_2000(hex_to_lab(a)[:, None], hex_to_lab(b)[None])
    similarity = np.maximum(0, 1 - difference / COLOR_REACH)
    return float(sum(similarity[pair] for pair in best_pairs(similarity)))
