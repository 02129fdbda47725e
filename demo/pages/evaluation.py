"""The Evaluation page: the rows of one evaluation, worst first, with picture, gold and prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from demo import families
from demo.cards import compact, reward_words, text_parts
from demo.pages import Page, chosen_run
from demo.records import read_sample, read_score
from demo.runs import Run, Runs
from demo.text import notice, number, safe, short, table
from demo.view import View

ROWS_PER_PAGE = 24
TILE_WIDTH = 250

Row = Mapping[str, Any]


def render(runs: Runs, view: View) -> str:
    """The choice of step and prompt mode, the evaluation's numbers, a page of its rows."""
    run = chosen_run(runs, view)
    evals = run.evals()
    if not evals:
        return notice("No evaluation yet.", "It appears here by itself once training has written one (evaluation.every).")
    wanted = view.number("step")
    summary = min(evals, key=lambda entry: abs(entry["step"] - (evals[-1]["step"] if wanted is None else wanted)))
    modes = list(summary.get("prompt_modes") or {})
    mode = view.get("mode") if view.get("mode") in modes else ""
    rows = worst_first([row for row in run.eval_rows(summary["step"]) if mode in ("", row.get("prompt_mode"))])
    start = min(
        (view.number("from") or 0) // ROWS_PER_PAGE * ROWS_PER_PAGE, max(len(rows) - 1, 0) // ROWS_PER_PAGE * ROWS_PER_PAGE
    )
    return (
        f'<div data-part="steps">{_bar(evals, summary, modes, mode, view)}</div>'
        f'<div data-part="rows">{_head(summary)}{_page(run, rows, start, view)}</div>'
    )


def worst_first(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Rows by score, lowest first; rows that could not be scored come last."""
    values = [read_score(row.get("score")).value for row in rows]
    keyed = sorted((math.inf if value is None else value, i) for i, value in enumerate(values))
    return [rows[i] for _, i in keyed]


def _bar(evals: Sequence[Row], summary: Row, modes: Sequence[str], mode: str, view: View) -> str:
    steps = [entry["step"] for entry in evals]
    at = steps.index(summary["step"])
    here = view.change(view="evaluation", **{"from": None})
    links = []
    for key, words, place in (("ArrowLeft", "← earlier", at - 1), ("ArrowRight", "later →", at + 1)):
        known = 0 <= place < len(steps)
        href = f'data-key="{key}" {here.href(step=steps[place])}' if known else ""
        links.append(f'<a class="button" {href}>{words}</a>' if known else f'<span class="button off">{words}</span>')
    chips = "".join(
        f'<a class="chip" aria-pressed="{str(name == mode).lower()}" {here.href(mode=name or None, step=steps[at])}>'
        f"{safe(name or 'all prompt modes')}</a>"
        for name in ["", *modes]
    )
    return f'<div class="controls">{links[0]}<b>step {steps[at]}</b>{links[1]}{chips if len(modes) > 1 else ""}</div>'


def _head(summary: Row) -> str:
    rows = [
        [
            safe(metric),
            safe(mode),
            f"<b>{number(value.get('mean'))}</b>",
            f"{number(low)} to {number(high)}",
            number(value.get("n")),
        ]
        for mode, values in (summary.get("prompt_modes") or {}).items()
        for metric, value in values.items()
        for low, high in [value.get("ci95") or (None, None)]
    ]
    return table(["metric", "prompt mode", "mean", "95% interval", "rows"], rows, "result") if rows else ""


def _page(run: Run, rows: Sequence[Row], start: int, view: View) -> str:
    if not rows:
        return notice("This evaluation has no rows.", "Choose another step or prompt mode.")
    shown = rows[start : start + ROWS_PER_PAGE]
    links = ""
    if start:
        links += f'<a class="button" data-key="k" {view.href(**{"from": start - ROWS_PER_PAGE})}>previous rows</a>'
    if start + ROWS_PER_PAGE < len(rows):
        links += f'<a class="button" data-key="j" {view.href(**{"from": start + ROWS_PER_PAGE})}>next rows</a>'
    position = f"rows {start + 1} to {start + len(shown)} of {len(rows)}, worst first"
    key = f'<p class="controls note"><span><span class="dash"></span>gold · coloured: prediction · {position}</span>{links}</p>'
    return f'{key}<div class="tiles">{"".join(_tile(run, row) for row in shown)}</div>'


def _tile(run: Run, row: Row) -> str:
    sample, score = read_sample(row.get("sample") or {}), read_score(row.get("score"))
    failure = f'<span class="badge bad">{safe(score.failure)}</span>' if score.failure else ""
    found = f"<code>{safe(compact(score.extracted))}</code>" if score.extracted is not None else ""
    picture = families.picture(sample, [score.extracted], run.roots, TILE_WIDTH)
    return (
        f'<article class="tile">{picture}'
        f'<div class="line"><b class="value">{reward_words(score)}</b>{failure}'
        f'<span class="note">{safe(sample.task)} · {safe(row.get("prompt_mode"))} · {safe(sample.id)}</span></div>'
        f"<p>{short(sample.question, 300)}</p>{text_parts(str(row.get('text') or ''), first=200)}{found}</article>"
    )


PAGE = Page("evaluation", "Evaluation", render)
