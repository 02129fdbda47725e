"""Do two polylines, or two outlines, run the same way? Where their code put the points does not matter."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from vlrl.metrics.chart import Array, Panel
from vlrl.metrics.chart_tolerance import LOG_TOLERANCE, MOST_PLACE, MOST_VALUE, SMALLEST, scaled, tolerances

FEW_TURNS = 2
"""A function's graph turns back in no direction, the outline of an area or a violin twice at most."""

SAMPLES = 100
SLACK = 1 + 1e-9

Paths = Sequence[Array]


def curves_f1(predicted: Paths, gold: Paths, kind: str, panel: Panel, budget: int) -> float:
    """Similarity in 0..1 of two elements made of polylines; `panel` is the gold one, whose axes set the tolerances.

    Graphs and outlines are read like a function: F1 of the shares of each one's points, and of its segments' middles, at whose
    place the other has that value, within 5 %. Other single lines are compared point by point along their length; other drawings
    by the shares of points that lie near the other. At most `budget` points of each are looked at.
    """
    a, b = (_thin([_scaled(path, panel) for path in paths], budget) for paths in (predicted, gold))
    if len(panel.spans) == 2:
        turns = [max(_turns(path[:, d]) for path in (*a, *b)) for d in (0, 1)]
        if min(turns) <= FEW_TURNS:
            return _f1(*(_read_share(x, y, int(np.argmin(turns)), panel) for x, y in ((a, b), (b, a))))
        if kind == "line":
            return _walk_share(a[0], b[0], panel) if len(a) == len(b) == 1 else 0.0
    return _f1(_near_share(a, b, panel), _near_share(b, a, panel))


def _f1(precision: float, recall: float) -> float:
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _scaled(path: Array, panel: Panel) -> Array:
    return np.column_stack([scaled(path[:, d], log) for d, log in enumerate(panel.log)])


def _thin(paths: Paths, budget: int) -> list[Array]:
    """The same paths with at most about `budget` points in all, evenly spaced."""
    keep = min(1.0, budget / sum(map(len, paths)))
    counts = [max(2, int(len(path) * keep)) for path in paths]
    return [path[np.unique(np.linspace(0, len(path) - 1, n).round().astype(int))] for path, n in zip(paths, counts, strict=True)]


def _turns(values: Array) -> int:
    """How often a sequence changes between rising and falling."""
    steps = np.sign(np.diff(values))
    steps = steps[steps != 0]
    return int((steps[1:] != steps[:-1]).sum())


def _pieces(paths: Paths) -> tuple[Array, Array, Array]:
    """All points with the segments' middles; starts and steps of the segments. A single point is a segment without length."""
    starts = np.concatenate([path[:-1] if len(path) > 1 else path for path in paths])
    steps = np.concatenate([np.diff(path, axis=0) if len(path) > 1 else np.zeros_like(path) for path in paths])
    return np.concatenate([*paths, starts + steps / 2]), starts, steps


def _place_unit(d: int, panel: Panel) -> float:
    return LOG_TOLERANCE if panel.log[d] else panel.spans[d] * MOST_PLACE


def _read_share(paths: Paths, others: Paths, d: int, panel: Panel) -> float:
    """Share of the points at whose place, in dimension `d`, the others have the same value, in the other dimension."""
    points, _, _ = _pieces(paths)
    _, starts, steps = _pieces(others)
    ends = starts + steps
    low, high = np.minimum(starts, ends), np.maximum(starts, ends)
    at, edges = points[:, d], (low[:, d].min(), high[:, d].max())
    outside = np.abs(at - np.clip(at, *edges)) > _place_unit(d, panel) / 2
    place = np.clip(at, *edges)[:, None]
    with np.errstate(all="ignore"):
        share = np.nan_to_num(np.clip((place - starts[None, :, d]) / steps[None, :, d], 0, 1))
    value = starts[None, :, 1 - d] + share * steps[None, :, 1 - d]
    upright = steps[:, d] == 0
    value = np.where(upright, np.clip(points[:, None, 1 - d], low[None, :, 1 - d], high[None, :, 1 - d]), value)
    away = np.abs(value - points[:, None, 1 - d])
    slack = 1e-6 * _place_unit(d, panel)
    away[(place < low[None, :, d] - slack) | (place > high[None, :, d] + slack)] = np.inf
    most = MOST_VALUE if d == 0 else MOST_PLACE
    allowed = tolerances(points[:, 1 - d], panel.spans[1 - d], panel.log[1 - d], most)
    return float(((away.min(axis=1) <= allowed * SLACK) & ~outside).mean())


def _walk_share(path: Array, other: Array, panel: Panel) -> float:
    """Share of evenly spaced points along one line that are near those of the other; either way round."""
    units = np.array([_place_unit(d, panel) for d in (0, 1)])
    a, b = (_walk(line / units) for line in (path, other))
    return float(max((((a - way) ** 2).sum(axis=1) <= SLACK).mean() for way in (b, b[::-1])))


def _walk(line: Array) -> Array:
    length = np.concatenate([[0.0], np.cumsum(np.sqrt((np.diff(line, axis=0) ** 2).sum(axis=1)))])
    at = np.linspace(0, length[-1], SAMPLES)
    return np.column_stack([np.interp(at, length, line[:, d]) for d in (0, 1)])


def _near_share(paths: Paths, others: Paths, panel: Panel) -> float:
    """Share of the points that lie on the others, within half a place's tolerance."""
    points, _, _ = _pieces(paths)
    _, starts, steps = _pieces(others)
    units = np.array([_place_unit(d, panel) / 2 for d in range(len(panel.spans))])
    with np.errstate(all="ignore"):
        away, along = (points[:, None] - starts[None]) / units, steps[None] / units
        length = np.maximum((along**2).sum(axis=2), SMALLEST)
        share = np.clip((away * along).sum(axis=2) / length, 0, 1)
        distance = ((away - share[..., None] * along) ** 2).sum(axis=2)
    return float((np.nan_to_num(distance, nan=np.inf).min(axis=1) <= SLACK).mean())
