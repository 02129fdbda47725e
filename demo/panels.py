"""Records -> the HTML of the pages, built here from escaped strings: the browser gets no templates and no scripts."""

from __future__ import annotations

import json
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from demo.charts import Series, line_chart, number
from demo.drawing import Prediction, colours, draw_sample, prediction, safe, text_block
from vlrl.types import Completion, Rollout, RolloutGroup, Sample, Score

Row = Mapping[str, Any]

CHARTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Reward and its parts", ("reward", "rewards/*/mean"), "means over all completions of a step"),
    ("Reward spread", ("reward_std", "reward_group_std"), "standard deviation over all completions, and the mean within groups"),
    (
        "Groups without spread",
        ("frac_reward_zero_std", "frac_reward_zero_std/*"),
        "share of groups whose completions all earn the same, so that they teach nothing",
    ),
    ("Failures", ("failures/*",), "share of completions with each failure code"),
    ("Completion length", ("completions/mean_length",), "mean number of tokens"),
    ("Cut at the length limit", ("completions/clipped_ratio",), "share of completions"),
    ("KL to the reference", ("kl",), "mean per token"),
    ("Entropy", ("entropy",), "mean per token, in nats"),
    ("Clipped tokens", ("clip_ratio/low_mean", "clip_ratio/high_mean"), "share of tokens clipped below and above"),
)
MOST_GROUPS = 200
ROWS_PER_PAGE = 24


def page(*parts: str, css: str = "") -> str:
    """The root element that carries the inspector's styles."""
    return f'<div class="vl {css}">{"".join(parts)}</div>'


def notice(text: str, todo: str = "") -> str:
    """An empty state: what is missing, and what to do about it."""
    return page(f'<div class="notice"><p>{safe(text)}</p><p class="note">{safe(todo)}</p></div>')


# run


def run_page(name: str, metrics: Sequence[Row], evals: Sequence[Row], summary: Row | None) -> str:
    """The overview of a run: result, evaluations, curves."""
    if not metrics and not evals and summary is None:
        return notice(f"{name} has no metrics yet.", "Start training, or wait for its first step; this page follows by itself.")
    charts = [line_chart(title, _series(metrics, names), hint) for title, names, hint in CHARTS]
    return page(
        _head(name, metrics, summary),
        _result(summary),
        f'<div class="charts">{"".join(_eval_charts(evals))}{"".join(charts)}</div>',
        _other_charts(metrics),
    )


def _head(name: str, metrics: Sequence[Row], summary: Row | None) -> str:
    last = metrics[-1]["step"] if metrics else 0
    facts = [f"{last} steps" if summary else f"step {last}"]
    if summary and isinstance(summary.get("seconds"), (int, float)):
        facts.append(_duration(summary["seconds"]))
    if summary and "seed" in summary:
        facts.append(f"seed {summary['seed']}")
    state = '<span class="badge good">finished</span>' if summary else '<span class="badge">no result yet</span>'
    return f'<header><h2>{safe(name)}</h2>{state}<span class="note">{safe(" · ".join(facts))}</span></header>'


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _result(summary: Row | None) -> str:
    metrics = (summary or {}).get("metrics") or {}
    if not metrics:
        return '<p class="note">The table of before and after appears when the run has written summary.json.</p>'
    ends = [abs(end) for values in metrics.values() for end in values.get("diff_ci95") or () if end is not None]
    rows = "".join(_result_row(name, values, max(ends, default=0.0) or 1.0) for name, values in metrics.items())
    return _table(("metric", "before", "after", "difference", "95% interval", ""), rows)


def _table(head: Sequence[str], rows: str) -> str:
    names = "".join(f"<th>{name}</th>" for name in head)
    return f'<table class="result"><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>'


def _result_row(name: str, values: Row, widest: float) -> str:
    before, after = values.get("before"), values.get("after")
    low, high = values.get("diff_ci95") or (None, None)
    difference = after - before if before is not None and after is not None else None
    interval = f"{number(low, signed=True)} to {number(high, signed=True)}"
    change = number(difference, signed=True)
    cells = [number(before), f"<b>{number(after)}</b>", change, interval, _whisker(difference, low, high, widest)]
    return f"<tr><td>{safe(name)}</td>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _whisker(value: float | None, low: float | None, high: float | None, widest: float) -> str:
    """The difference with its interval, against zero in the middle."""
    if value is None or low is None or high is None:
        return ""
    at = [60 + 54 * max(-1.0, min(1.0, v / widest)) for v in (value, low, high)]
    sure = "up" if low > 0 else "down" if high < 0 else "open"
    words = {"up": "higher", "down": "lower", "open": "no clear change"}[sure]
    return (
        f'<span class="whisker {sure}"><svg viewBox="0 0 120 16"><line class="zero" x1="60" x2="60" y1="0" y2="16"/>'
        f'<line x1="{at[1]:.1f}" x2="{at[2]:.1f}" y1="8" y2="8"/><circle cx="{at[0]:.1f}" cy="8" r="3.5"/></svg>{words}</span>'
    )


def _series(metrics: Sequence[Row], patterns: Iterable[str]) -> list[Series]:
    names = list(dict.fromkeys(name for pattern in patterns for name in _names(metrics) if fnmatch(name, pattern)))
    found = [Series(_short(name), _points(metrics, name)) for name in names]
    return [line for line in found if line.points]


def _names(metrics: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in metrics for name in row if name != "step"))


def _points(metrics: Sequence[Row], name: str) -> list[tuple[float, float]]:
    absent = 0.0 if name.startswith("failures/") else None  # training writes only the codes that occurred
    found = [(row["step"], row.get(name, absent)) for row in metrics]
    return [(step, value) for step, value in found if isinstance(value, (int, float))]


def _short(name: str) -> str:
    """`rewards/grounding.iou/mean` -> `grounding.iou`, `failures/no_box` -> `no_box`."""
    return name.removeprefix("rewards/").removeprefix("failures/").removeprefix("clip_ratio/").removesuffix("/mean")


def _eval_charts(evals: Sequence[Row]) -> list[str]:
    lines: dict[str, dict[str, list[tuple[float, Row]]]] = {}
    for entry in evals:
        for mode, values in (entry.get("prompt_modes") or {}).items():
            for metric, value in values.items():
                if value.get("mean") is not None:
                    lines.setdefault(metric, {}).setdefault(mode, []).append((entry["step"], value))
    return [
        line_chart(metric, [_eval_series(*item) for item in by_mode.items()], "evaluation") for metric, by_mode in lines.items()
    ]


def _eval_series(mode: str, found: Sequence[tuple[float, Row]]) -> Series:
    intervals = [_interval(value) for _, value in found]
    return Series(mode, [(step, value["mean"]) for step, value in found], intervals)


def _interval(value: Row) -> tuple[float, float]:
    low, high = value.get("ci95") or (None, None)
    return (value["mean"] if low is None else low, value["mean"] if high is None else high)


def _other_charts(metrics: Sequence[Row]) -> str:
    shown = [pattern for _, patterns, _ in CHARTS for pattern in patterns]
    names = [name for name in _names(metrics) if not any(fnmatch(name, pattern) for pattern in shown)]
    charts = [chart for name in names if (chart := line_chart(name, [Series(name, _points(metrics, name))]))]
    if not charts:
        return ""
    grid = f'<div class="charts">{"".join(charts)}</div>'
    return f'<details class="more"><summary>{len(charts)} more metrics</summary>{grid}</details>'


# groups


def spread(group: RolloutGroup) -> float:
    """The standard deviation of a group's rewards; unscored completions do not count."""
    values = _values(group)
    return statistics.pstdev(values) if values else 0.0


def _values(group: RolloutGroup) -> list[float]:
    return [r.score.value for r in group.rollouts if r.score.value is not None and math.isfinite(r.score.value)]


def by_spread(groups: Sequence[RolloutGroup]) -> list[int]:
    """The groups' positions in their file, largest spread of rewards first."""
    return sorted(range(len(groups)), key=lambda i: -spread(groups[i]))


def group_list(groups: Sequence[RolloutGroup]) -> str:
    """The groups of a step as buttons (`data-group` = position in the file); the first one is marked as open."""
    if not groups:
        return notice("No rollouts yet.", "Training writes them step by step.")
    order = by_spread(groups)
    values = [value for group in groups for value in _values(group)] or [0.0]
    low, high = min(*values, 0.0), max(*values, 1.0)
    buttons = "".join(_group_button(groups[i], i, i == order[0], low, high) for i in order[:MOST_GROUPS])
    more = f"; the first {MOST_GROUPS} are shown" if len(groups) > MOST_GROUPS else ""
    return page(f'<p class="note">{len(groups)} groups, largest spread first{more}</p>{buttons}', css="group-list")


def _group_button(group: RolloutGroup, index: int, is_open: bool, low: float, high: float) -> str:
    values = _values(group)
    dots = "".join(f'<circle cx="{5 + 110 * (v - low) / (high - low):.1f}" cy="6" r="3.2"/>' for v in values)
    deviation = spread(group)
    words = f"mean {number(statistics.fmean(values))} · spread {number(deviation)}" if values else "not scored"
    flat = ' <span class="badge">no spread</span>' if values and deviation == 0 else ""
    return (
        f'<button type="button" data-group="{index}" aria-pressed="{str(is_open).lower()}">'
        f'<span class="task">{safe(group.sample.task)}</span><span class="question">{safe(group.sample.question[:200])}</span>'
        f'<svg viewBox="0 0 120 12"><line x1="5" x2="115" y1="6" y2="6"/>{dots}</svg><small>{words}{flat}</small></button>'
    )


def best_first(group: RolloutGroup) -> list[tuple[int, Rollout]]:
    """The completions with their positions in the record, highest reward first; those without one come last."""
    indexed = enumerate(group.rollouts)
    return sorted(indexed, key=lambda item: math.inf if item[1].score.value is None else -item[1].score.value)


def group_page(group: RolloutGroup) -> str:
    """One group: the picture with gold and all predictions beside the completions, best first."""
    ranked = best_first(group)
    shapes = [shape for rank, (_, r) in enumerate(ranked, 1) if (shape := prediction(rank, r.score.extracted))]
    largest = max((abs(r.advantage) for r in group.rollouts if math.isfinite(r.advantage)), default=0.0) or 1.0
    cards = "".join(_card(rank, index, r, largest) for rank, (index, r) in enumerate(ranked, 1))
    left = draw_sample(group.sample, shapes) + _key(len(shapes), len(ranked)) + _details(group.sample, group.prompt)
    return page(
        f"<header><h3>{safe(group.sample.question[:2000])}</h3>"
        f'<span class="note">{safe(group.sample.task)} · {safe(group.sample.id)} · step {group.step}</span></header>'
        f'<div class="split"><div class="left">{left}</div><div class="cards">{cards}</div></div>',
        css="group",
    )


def _key(drawn: int, total: int) -> str:
    rest = f"; {total - drawn} of {total} completions have nothing to draw" if drawn < total else ""
    words = f"gold · coloured: predictions, 1 is the best{rest}. Point at one to see it alone."
    return f'<p class="note"><span class="dash"></span>{words}</p>'


def _details(sample: Sample, prompt: str) -> str:
    answer = text_block(json.dumps(sample.answer, ensure_ascii=False))
    source = f'<p class="note">{safe(sample.source)}</p>' if sample.source else ""
    return (
        f"<details open><summary>prompt</summary>{text_block(prompt, first=600)}</details>"
        f"<details><summary>gold answer</summary>{answer}{source}</details>"
    )


def _card(rank: int, index: int, rollout: Rollout, largest: float) -> str:
    score, completion = rollout.score, rollout.completion
    return (
        f'<article class="card" data-i="{rank}" tabindex="0" style="{colours(rank)}" title="rollouts[{index}]">'
        f'<div class="line"><span class="tag">{rank}</span><span class="part">reward <b class="value">{_value(score)}</b></span>'
        f"{_advantage(rollout.advantage, largest)}</div>"
        f'{text_block(completion.text)}<div class="line facts">{_facts(score, completion)}</div></article>'
    )


def _value(score: Score) -> str:
    return "not scored" if score.value is None else number(score.value)


def _advantage(value: float, largest: float) -> str:
    """A bar that grows from the middle: right and blue when the completion is encouraged, left and orange when discouraged."""
    share = 50 * min(abs(value) / largest, 1.0) if math.isfinite(value) else 0.0
    left = 50.0 if value >= 0 else 50.0 - share
    bar = f'<i class="{"plus" if value >= 0 else "minus"}" style="left:{left:.1f}%;width:{share:.1f}%"></i>'
    return f'<span class="advantage">advantage <b>{number(value, signed=True)}</b><i class="bar">{bar}</i></span>'


def _facts(score: Score, completion: Completion) -> str:
    marks = [f'<span class="badge bad">{safe(score.failure)}</span>'] if score.failure else []
    if score.correct is not None:
        marks.append('<span class="badge good">correct</span>' if score.correct else '<span class="badge">wrong</span>')
    if completion.finish_reason == "length":
        marks.append('<span class="badge bad">cut at the length limit</span>')
    marks += [f'<span class="part">{safe(name)} <b>{number(value)}</b></span>' for name, value in score.parts.items()]
    count = len(completion.token_ids)
    marks.append(f"<span>{count} token{'s' if count != 1 else ''} · {safe(completion.finish_reason)}</span>")
    if score.extracted is not None:
        marks.append(f'<code title="extracted, in original pixels">{safe(_compact(score.extracted))}</code>')
    return "".join(marks)


def _compact(extracted: Any) -> str:
    if isinstance(extracted, (list, tuple)):
        return f"[{', '.join(f'{v:.5g}' if isinstance(v, float) else str(v) for v in extracted)}]"[:200]
    return str(extracted)[:400]


# evaluation


def worst_first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by score, lowest first; rows that could not be scored come last."""
    return sorted(rows, key=lambda row: math.inf if row["score"]["value"] is None else row["score"]["value"])


def eval_page(summary: Row, rows: Sequence[Row], start: int) -> str:
    """One page of an evaluation's rows (already sorted): picture, gold and prediction, under the evaluation's numbers."""
    if not rows:
        return notice("This evaluation has no rows.", "Choose another step or prompt mode.")
    shown = rows[start : start + ROWS_PER_PAGE]
    position = f"rows {start + 1} to {start + len(shown)} of {len(rows)}, worst first"
    key = f'<p class="note"><span class="dash"></span>gold · coloured: prediction · {position}</p>'
    tiles = f'<div class="tiles">{"".join(_tile(row) for row in shown)}</div>'
    return page(_eval_head(summary), key, tiles)


def _eval_head(summary: Row) -> str:
    rows = "".join(
        f"<tr><td>{safe(metric)}</td><td>{safe(mode)}</td><td><b>{number(value.get('mean'))}</b></td>"
        f"<td>{number(low)} to {number(high)}</td><td>{number(value.get('n'))}</td></tr>"
        for mode, values in (summary.get("prompt_modes") or {}).items()
        for metric, value in values.items()
        for low, high in [value.get("ci95") or (None, None)]
    )
    return _table(("metric", "prompt mode", "mean", "95% interval", "rows"), rows) if rows else ""


def _tile(row: Row) -> str:
    sample, score = Sample.from_json(row["sample"]), Score.from_json(row["score"])
    shape: Prediction | None = prediction(1, score.extracted)
    failure = f'<span class="badge bad">{safe(score.failure)}</span>' if score.failure else ""
    found = f"<code>{safe(_compact(score.extracted))}</code>" if score.extracted is not None else ""
    return (
        f'<article class="tile">{draw_sample(sample, [shape] if shape else [], shown_width=250)}'
        f'<div class="line"><b class="value">{_value(score)}</b>{failure}'
        f'<span class="note">{safe(sample.task)} · {safe(row["prompt_mode"])} · {safe(sample.id)}</span></div>'
        f"<p>{safe(sample.question[:300])}</p>{text_block(row['text'] or '', first=200)}{found}</article>"
    )
