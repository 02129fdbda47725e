"""A chart's gold program and a completion's, both drawn in the sandbox, and what differs: texts, types, colours, scores."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from PIL import Image

from demo.index.read import GroupRow
from demo.media import encode_picture
from demo.pages import chosen_run, chosen_step
from demo.runs import Run, Runs
from demo.text import notice, number, safe, short
from demo.view import View
from vlrl import sandbox
from vlrl.metrics.chart import Chart, read_chart
from vlrl.metrics.chart_facts import chart_parts, kinds

SHOWN_SIDE = 640
MOST_LISTED = 12
PART_WORDS = {"text": "text", "ticks": "ticks", "layout": "layout", "type": "type", "colour": "colour", "data": "data"}


@dataclass(frozen=True, slots=True)
class Drawn:
    """A program's picture as a data URI and its facts, or why there are none."""

    uri: str = ""
    chart: Chart | None = None
    problem: str = ""


def draw_chart(runs: Runs, view: View, fields: Mapping[str, str]) -> str:
    """The action behind a chart's card: the gold beside what the completion's program draws."""
    run = chosen_run(runs, view)
    step, place = chosen_step(run, view), fields.get("place", "")
    row = None if step is None else _row(run, step, view)
    if row is None or not place.isdecimal():
        return notice("This group is gone.", "Reload the page.")
    group = run.group(row).group
    if int(place) >= len(group.rollouts):
        return notice("This completion is gone.", "Reload the page.")
    program, gold = group.rollouts[int(place)].score.extracted, group.sample.answer.get("code")
    if not isinstance(program, str) or not isinstance(gold, str):
        return notice("There is no program to draw.")
    return compared(gold, program)


def _row(run: Run, step: int, view: View) -> GroupRow | None:
    line = view.number("group")
    if line is not None:
        return run.index.group(step, line)
    return next(iter(run.index.groups(step, limit=1)), None)


def compared(gold: str, program: str) -> str:
    """Both drawings side by side, and their differences in words."""
    ours, theirs = draw(program), draw(gold)
    pictures = _figure("gold", theirs) + _figure("completion", ours)
    if ours.chart is None or theirs.chart is None:
        return f'<div class="beside-charts">{pictures}</div>'
    return f'<div class="beside-charts">{pictures}</div>{_differences(ours.chart, theirs.chart)}'


@lru_cache(maxsize=128)
def draw(program: str) -> Drawn:
    """What a program draws in the sandbox. Never raises for any program."""
    try:
        result = sandbox.run(program)
    except sandbox.SandboxError as error:
        return Drawn(problem=f"{error} (`vlrl sandbox --check` says more)")
    if result.failure is not None or result.png is None:
        return Drawn(problem=f"{result.failure}: {result.message}")
    try:
        with Image.open(io.BytesIO(result.png), formats=["PNG"]) as image:
            picture = encode_picture(image.convert("RGB"), SHOWN_SIDE)
        return Drawn(picture.uri, read_chart(result.facts))
    except (ValueError, OSError) as error:
        return Drawn(problem=f"bad_result: {error}")


def _figure(name: str, drawn: Drawn) -> str:
    content = f'<img src="{drawn.uri}" alt="{name}">' if drawn.uri else f'<p class="warn">{short(drawn.problem, 400)}</p>'
    return f"<figure><figcaption>{name}</figcaption>{content}</figure>"


def _differences(ours: Chart, theirs: Chart) -> str:
    parts = chart_parts(ours, theirs)
    scores = " ".join(f'<span class="part">{PART_WORDS[name]} <b>{number(value)}</b></span>' for name, value in parts.items())
    lines = [
        *_listed("text", _texts(ours), _texts(theirs)),
        *_listed("tick", _ticks(ours), _ticks(theirs)),
        *_listed("type", _types(ours), _types(theirs)),
        *_colours(ours, theirs),
    ]
    body = (
        f"<ul>{''.join(f'<li>{line}</li>' for line in lines)}</ul>"
        if lines
        else "<p>no difference in texts, types and colours</p>"
    )
    return f'<div class="differences"><div class="line">{scores}</div>{body}</div>'


def _texts(chart: Chart) -> Counter[str]:
    return Counter(f"{text.role} “{text.text}”" for text in chart.texts)


def _ticks(chart: Chart) -> Counter[str]:
    return Counter(f"{text.role} {text.text}" for text in chart.ticks)


def _types(chart: Chart) -> Counter[str]:
    return sum((kinds(panel) for panel in chart.panels), Counter[str]())


def _listed(kind: str, ours: Counter[str], theirs: Counter[str]) -> list[str]:
    """What one side has and the other has not."""
    lines = []
    for words, missing in (("missing", theirs - ours), ("added", ours - theirs)):
        if missing:
            shown = ", ".join(short(text, 60) for text in list(missing.elements())[:MOST_LISTED])
            more = f" and {missing.total() - MOST_LISTED} more" if missing.total() > MOST_LISTED else ""
            lines.append(f'<b class="{words}">{kind} {words}</b> {shown}{more}')
    return lines


def _colours(ours: Chart, theirs: Chart) -> list[str]:
    palettes = [
        sorted({c for panel in chart.panels for element in panel.elements for c in element.colors}) for chart in (theirs, ours)
    ]
    if palettes[0] == palettes[1]:
        return []
    gold, completion = (
        "".join(f'<i class="swatch" style="background:{safe(c)}" title="{safe(c)}"></i>' for c in p) for p in palettes
    )
    return [f"<b>colours</b> gold {gold or 'none'} completion {completion or 'none'}"]
