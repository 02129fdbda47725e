"""The Run page: what is wrong, the result, and the curves; a click on a step leads to its groups."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from demo.alarms import alarms
from demo.charts import Series, StepLink, area_chart, line_chart
from demo.index.read import StepRow
from demo.pages import Page, chosen_run
from demo.runs import Run, Runs
from demo.text import notice, number, percent, safe, table
from demo.view import View

Row = Mapping[str, Any]

CHARTS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("Reward and its parts", ("reward", "rewards/*/mean"), "means over all completions of a step"),
    ("Reward spread", ("reward_std", "reward_group_std"), "standard deviation over all completions, and the mean within groups"),
    ("Completion length", ("completions/mean_length",), "mean number of tokens"),
    ("Cut at the length limit", ("completions/clipped_ratio",), "share of completions"),
    ("Entropy", ("entropy",), "mean per token, in nats"),
    ("KL to the reference", ("kl",), "mean per token, in nats"),
    ("Clipped tokens", ("clip_ratio/low_mean", "clip_ratio/high_mean"), "share of tokens clipped below and above"),
    (
        "Sampling against training",
        ("sampling/logp_difference",),
        "mean gap of the log-probabilities of the same tokens; a gap that is not small means lost pixels or old weights",
    ),
)
FAILURES = ("Failures", ("failures/*",), "share of completions with each failure code")
SPLIT = {"right": "all right", "wrong": "all wrong", "equal": "other"}
NO_SPREAD = "Groups without spread"
NO_SPREAD_HINT = (
    "share of groups whose completions all earn the same, so that they teach nothing: all right, all wrong, or neither"
)
MOST_FAILURES = 6


def render(runs: Runs, view: View) -> str:
    """The overview of one run, or of several laid over each other."""
    run = chosen_run(runs, view)
    shown = shown_runs(runs, view, run)
    if len(shown) > 1:
        return _chips(runs, view, shown) + _several(shown, view)
    if not run.metrics() and not run.evals() and run.summary() is None and not run.steps():
        empty = notice(
            f"{run.name} has no metrics yet.", "Start training, or wait for its first step; this page follows by itself."
        )
        return _chips(runs, view, shown) + empty
    return _chips(runs, view, shown) + _one(run, view)


def shown_runs(runs: Runs, view: View, chosen: Run) -> list[Run]:
    """The runs that are laid over each other: those named in `over`, after the chosen one."""
    names = view.get("over").split("|")
    return [chosen, *(run for name, run in runs.items() if name in names and run is not chosen)]


def _chips(runs: Runs, view: View, shown: Sequence[Run]) -> str:
    """With several runs: one chip each, which lays it over the chosen run or takes it away."""
    if len(runs) == 1:
        return ""
    on = [run.name for run in shown[1:]]
    chips = []
    for name in runs:
        if name != shown[0].name:
            after = [other for other in on if other != name] + ([] if name in on else [name])
            pressed = "true" if name in on else "false"
            chips.append(f'<a class="chip" aria-pressed="{pressed}" {view.href(over="|".join(after) or None)}>{safe(name)}</a>')
    return f'<p class="chips" data-part="chips"><span class="note">lay over {safe(shown[0].name)}:</span> {"".join(chips)}</p>'


# one run


def _one(run: Run, view: View) -> str:
    metrics, summary, steps = run.metrics(), run.summary(), run.index.steps()
    link = _step_link(view)
    charts = [line_chart(title, _series(metrics, names), hint, link) for title, names, hint in CHARTS]
    charts[1:1] = [_no_spread_chart(steps, link), _failure_chart(metrics, steps, link)]
    return (
        f'<div data-part="head">{_head(run.name, metrics, summary)}{_alarms(run, view)}{_result(summary)}</div>'
        f'<div data-part="charts"><div class="charts">{"".join(_eval_charts([run], view))}{"".join(charts)}</div>'
        f"{_other_charts(metrics, link)}</div>"
    )


def _step_link(view: View) -> StepLink:
    return view.over("groups", step="").query()


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


def _alarms(run: Run, view: View) -> str:
    found = alarms(run)
    if not found:
        return ""
    items = []
    for alarm in found:
        target = view.over("groups").change(**alarm.link).href() if alarm.link else ""
        look = f" <a {target}>look</a>" if target else ""
        items.append(f'<li><b>{safe(alarm.text)}</b> <span class="note">{safe(alarm.advice)}</span>{look}</li>')
    return f'<ul class="alarms">{"".join(items)}</ul>'


def _result(summary: Row | None) -> str:
    metrics = (summary or {}).get("metrics") or {}
    if not metrics:
        return '<p class="note">The table of before and after appears when the run has written summary.json.</p>'
    ends = [abs(end) for values in metrics.values() for end in values.get("diff_ci95") or () if end is not None]
    rows = [_result_row(name, values, max(ends, default=0.0) or 1.0) for name, values in metrics.items()]
    return table(["metric", "before", "after", "difference", "95% interval", ""], rows, "result")


def _result_row(name: str, values: Row, widest: float) -> list[str]:
    before, after = values.get("before"), values.get("after")
    low, high = values.get("diff_ci95") or (None, None)
    difference = after - before if before is not None and after is not None else None
    interval = f"{number(low, signed=True)} to {number(high, signed=True)}"
    change = number(difference, signed=True)
    return [safe(name), number(before), f"<b>{number(after)}</b>", change, interval, _whisker(difference, low, high, widest)]


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
    found = [Series(_short(name), points(metrics, name)) for name in names]
    return [line for line in found if line.points]


def _names(metrics: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in metrics for name in row if name != "step"))


def points(metrics: Sequence[Row], name: str) -> list[tuple[float, float]]:
    """(step, value) of a metric. Training writes only the failure codes that occurred: an absent one is 0."""
    absent = 0.0 if name.startswith("failures/") else None
    found = [(row["step"], row.get(name, absent)) for row in metrics]
    return [(step, value) for step, value in found if isinstance(value, (int, float))]


def _short(name: str) -> str:
    """`rewards/grounding.iou/mean` -> `grounding.iou`, `failures/no_box` -> `no_box`."""
    return name.removeprefix("rewards/").removeprefix("failures/").removeprefix("clip_ratio/").removesuffix("/mean")


def _no_spread_chart(steps: Sequence[StepRow], link: StepLink | None) -> str:
    counted = [step for step in steps if step.groups]
    lines = [Series(words, [(step.step, getattr(step, kind) / step.groups) for step in counted]) for kind, words in SPLIT.items()]
    return area_chart(NO_SPREAD, lines, NO_SPREAD_HINT, link)


def _failure_chart(metrics: Sequence[Row], steps: Sequence[StepRow], link: StepLink | None) -> str:
    """The most frequent failure codes, from the metrics or else from the rollouts themselves."""
    lines = _series(metrics, FAILURES[1])
    if not lines:
        codes = {code for step in steps for code in step.failures}
        lines = [
            Series(code, [(step.step, step.failures.get(code, 0) / step.rollouts) for step in steps if step.rollouts])
            for code in sorted(codes)
        ]
    lines.sort(key=lambda line: -sum(value for _, value in line.points))
    return line_chart(FAILURES[0], lines[:MOST_FAILURES], FAILURES[2], link)


def _other_charts(metrics: Sequence[Row], link: StepLink) -> str:
    shown = [pattern for _, patterns, _ in (*CHARTS, FAILURES) for pattern in (*patterns, "frac_reward_zero_std*")]
    names = [name for name in _names(metrics) if not any(fnmatch(name, pattern) for pattern in shown)]
    charts = [chart for name in names if (chart := line_chart(name, [Series(name, points(metrics, name))], link=link))]
    if not charts:
        return ""
    grid = f'<div class="charts">{"".join(charts)}</div>'
    return f'<details class="more"><summary>{len(charts)} more metrics</summary>{grid}</details>'


# evaluations, and several runs


def _eval_charts(runs: Sequence[Run], view: View) -> list[str]:
    """One chart per metric, one line per prompt mode and run, with intervals; a click leads to the rows."""
    lines: dict[str, dict[str, list[tuple[float, Row]]]] = {}
    for run in runs:
        for entry in run.evals():
            for mode, values in (entry.get("prompt_modes") or {}).items():
                for metric, value in values.items():
                    if value.get("mean") is not None:
                        name = f"{run.name} {mode}" if len(runs) > 1 else mode
                        lines.setdefault(metric, {}).setdefault(name, []).append((entry["step"], value))

    link = view.over("evaluation", step="").query()
    names = list(dict.fromkeys(name for by_mode in lines.values() for name in by_mode))
    inks = {name: i if len(names) > 1 else 0 for i, name in enumerate(names, 1)}
    return [
        line_chart(metric, [_eval_series(name, found, inks[name]) for name, found in by_mode.items()], "evaluation", link)
        for metric, by_mode in lines.items()
    ]


def _eval_series(name: str, found: Sequence[tuple[float, Row]], ink: int) -> Series:
    intervals = [_interval(value) for _, value in found]
    return Series(name, [(step, value["mean"]) for step, value in found], intervals, ink)


def _interval(value: Row) -> tuple[float, float]:
    low, high = value.get("ci95") or (None, None)
    return (value["mean"] if low is None else low, value["mean"] if high is None else high)


def _several(runs: Sequence[Run], view: View) -> str:
    """Every metric as one chart with a line per run."""
    names = list(dict.fromkeys(name for run in runs for name in _names(run.metrics())))
    patterns = [pattern for _, patterns, _ in (*CHARTS, FAILURES) for pattern in patterns]
    ordered = list(dict.fromkeys(name for pattern in patterns for name in names if fnmatch(name, pattern)))
    link = _step_link(view)
    charts = [line_chart(_short(name), _line_per_run(runs, name), name, link) for name in ordered]
    flat = [
        Series(run.name, [(s.step, (s.right + s.wrong + s.equal) / s.groups) for s in run.index.steps() if s.groups], ink=i)
        for i, run in enumerate(runs, 1)
    ]
    charts.insert(1, line_chart(NO_SPREAD, flat, NO_SPREAD_HINT, link))
    rows = [_compared(run) for run in runs]
    head = table(["run", "steps", "last reward", "groups without spread", "state"], rows, "result")
    return (
        f'<div data-part="head"><header><h2>{len(runs)} runs</h2></header>{head}</div>'
        f'<div data-part="charts"><div class="charts">{"".join(_eval_charts(runs, view))}{"".join(charts)}</div></div>'
    )


def _line_per_run(runs: Sequence[Run], name: str) -> list[Series]:
    return [Series(run.name, points(run.metrics(), name), ink=i) for i, run in enumerate(runs, 1)]


def _compared(run: Run) -> list[str]:
    metrics, steps = run.metrics(), run.index.steps()
    reward = next((row["reward"] for row in reversed(metrics) if row.get("reward") is not None), None)
    last = steps[-1] if steps else None
    flat = percent((last.right + last.wrong + last.equal) / last.groups) if last and last.groups else "-"
    state = "finished" if run.summary() else "no result yet"
    return [safe(run.name), str(metrics[-1]["step"] if metrics else 0), f"<b>{number(reward)}</b>", flat, state]


PAGE = Page("run", "Run", render)
