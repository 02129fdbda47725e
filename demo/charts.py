"""Series of numbers over steps -> small SVG charts. The page's script shows the values under the pointer."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

from demo.text import number, safe

WIDTH, HEIGHT = 420, 190
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 10, 24
MOST_POINTS = 300
MOST_WORDS = 8
LINE_COLOURS = ("#3B7DC4", "#D55E00", "#009E73", "#B0589A", "#B38A00", "#56B4E9")
"""Colour-blind safe, and dark enough on white and light enough on black."""


StepLink = str
"""The query string of the view of a step, which is put after it: `?view=groups&step=`."""


@dataclass(frozen=True, slots=True)
class Series:
    """One line: (step, value) in ascending steps, and for evaluations the interval (low, high) of each value. A line with an
    `ink` has that colour, from 1 on, and its name in the legend, in whatever company.
    """

    name: str
    points: Sequence[tuple[float, float]]
    intervals: Sequence[tuple[float, float]] = ()
    ink: int = 0


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from data to pixels."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


def ticks(low: float, high: float, most: int = 4) -> list[float]:
    """Round numbers that cover [low, high].

    >>> ticks(0.1, 0.83)
    [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]
    """
    raw = (high - low) / most or abs(high) / most or 1.0
    magnitude = 10.0 ** math.floor(math.log10(raw))
    step = next(m * magnitude for m in (1, 2, 2.5, 5, 10, 20) if m * magnitude >= raw * 0.999)
    first, last = math.floor(low / step + 1e-9), math.ceil(high / step - 1e-9)
    return [round(i * step, 12) for i in range(first, max(last, first + 1) + 1)]


def thin(points: Sequence[tuple[float, float]], most: int = MOST_POINTS) -> list[tuple[float, float]]:
    """At most `most` points: means of equal stretches of steps.

    >>> thin([(1, 0.0), (2, 1.0), (3, 2.0), (4, 4.0)], 2)
    [(2, 0.5), (4, 3.0)]
    """
    size = math.ceil(len(points) / most)
    if size <= 1:
        return list(points)
    stretches = [points[i : i + size] for i in range(0, len(points), size)]
    return [(stretch[-1][0], sum(value for _, value in stretch) / len(stretch)) for stretch in stretches]


def line_chart(title: str, series: Sequence[Series], hint: str = "", link: StepLink | None = None) -> str:
    """A chart of some lines over steps, with its title, legend and last values. `link` leads to a step's view."""
    drawn = [line if line.intervals else replace(line, points=thin(line.points)) for line in series if line.points]
    if not drawn:
        return ""
    x, y, y_ticks = _scales(drawn)
    marks = "".join(_line(line, _beside(x, i, len(drawn)) if line.intervals else x, y, i) for i, line in enumerate(drawn, 1))
    legend = "".join(_legend(line, i, len(drawn) == 1) for i, line in enumerate(drawn, 1))
    return _section(title, hint, legend, f"{_axes(x, y, y_ticks)}{marks}", _plot(drawn, x, link))


def area_chart(title: str, series: Sequence[Series], hint: str = "", link: StepLink | None = None) -> str:
    """Shares over steps, stacked from below on a scale of 0 to 1. All series have the same steps."""
    drawn = [replace(line, points=thin(line.points)) for line in series if line.points]
    if not drawn:
        return ""
    steps = [step for step, _ in drawn[0].points]
    if len(steps) == 1:  # an area needs two ends
        steps.append(steps[0] + 1)
        drawn = [replace(line, points=[*line.points, (steps[1], line.points[0][1])]) for line in drawn]
    x = Scale(steps[0], max(steps[-1], steps[0] + 1), LEFT + 8, WIDTH - RIGHT - 4)
    y = Scale(0.0, 1.0, HEIGHT - BOTTOM, TOP)
    below, marks = [0.0] * len(steps), ""
    for index, line in enumerate(drawn, 1):
        above = [low + value for low, (_, value) in zip(below, line.points, strict=True)]
        corners = [*zip(steps, above, strict=True), *zip(reversed(steps), reversed(below), strict=True)]
        path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in corners)
        marks += f'<polygon points="{path}" style="--c:{_ink(index)}"/>'
        below = above
    legend = "".join(_legend(line, i, False) for i, line in enumerate(drawn, 1))
    return _section(title, hint, legend, f"{_axes(x, y, ticks(0.0, 1.0))}{marks}", _plot(drawn, x, link))


def _section(title: str, hint: str, legend: str, drawing: str, plot: str) -> str:
    return (
        f'<section class="chart"><h4 title="{safe(hint)}">{safe(title)}</h4><p class="legend">{legend}</p>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{safe(title)}" {plot}>{drawing}</svg></section>'
    )


def _scales(drawn: Sequence[Series]) -> tuple[Scale, Scale, list[float]]:
    steps = [step for line in drawn for step, _ in line.points]
    values = [value for line in drawn for _, value in line.points]
    values += [end for line in drawn for interval in line.intervals for end in interval]
    lowest, highest = min(values), max(values)
    y_ticks = ticks(0.0 if 0 < lowest < highest / 2 else lowest, highest)
    first, last = min(steps), max(steps)
    x = Scale(first, last if last > first else first + 1, LEFT + 8, WIDTH - RIGHT - 4)
    return x, Scale(y_ticks[0], y_ticks[-1], HEIGHT - BOTTOM, TOP), y_ticks


def _axes(x: Scale, y: Scale, y_ticks: Sequence[float]) -> str:
    rows = "".join(
        f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        f'<text class="y" x="{LEFT - 6}" y="{y(v):.1f}">{v:g}</text>'
        for v in y_ticks
    )
    inside = sorted({round(v) for v in ticks(x.low, x.high, 5) if x.low <= v <= x.high})
    return rows + "".join(f'<text class="x" x="{x(v):.1f}" y="{HEIGHT - 6}">{v}</text>' for v in inside)


def _beside(x: Scale, index: int, total: int) -> Scale:
    """The same scale a few pixels aside, so that the intervals of several lines stand next to each other."""
    aside = 6 * (index - (total + 1) / 2)
    return Scale(x.low, x.high, x.start + aside, x.end + aside)


def _line(line: Series, x: Scale, y: Scale, index: int) -> str:
    path = " ".join(f"{x(step):.1f},{y(value):.1f}" for step, value in line.points)
    dotted = line.intervals or len(line.points) == 1
    dots = "".join(f'<circle cx="{x(step):.1f}" cy="{y(value):.1f}" r="3"/>' for step, value in line.points) if dotted else ""
    bars = "".join(
        f'<line class="interval" x1="{x(step):.1f}" x2="{x(step):.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}"/>'
        for (step, _), (low, high) in zip(line.points, line.intervals, strict=False)
    )
    return f'<g class="series" style="--c:{_ink(line.ink or index)}">{bars}<polyline points="{path}"/>{dots}</g>'


def _ink(index: int) -> str:
    return LINE_COLOURS[(index - 1) % len(LINE_COLOURS)]


def _legend(line: Series, index: int, alone: bool) -> str:
    name = "" if alone and not line.ink else safe(line.name)
    return f'<span style="--c:{_ink(line.ink or index)}">{name} <b>{number(line.points[-1][1])}</b></span>'


def _plot(drawn: Sequence[Series], x: Scale, link: StepLink | None) -> str:
    """The attributes from which the page's script shows the values under the pointer, and follows a click to its step."""
    at_step: dict[float, list[str]] = {}
    for line in drawn:
        for i, (step, value) in enumerate(line.points):
            interval = f" [{number(line.intervals[i][0])}, {number(line.intervals[i][1])}]" if line.intervals else ""
            name = line.name if len(drawn) > 1 or line.ink else ""
            at_step.setdefault(step, []).append(f"{name} {number(value)}{interval}".strip())
    plot = [[step, round(x(step), 1), *words[:MOST_WORDS]] for step, words in sorted(at_step.items())]
    target = f' data-step-link="{safe(link)}"' if link else ""
    return f'data-plot="{safe(json.dumps(plot))}"{target}'
