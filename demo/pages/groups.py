"""The Groups page: the groups of a step, and one of them opened: its media with gold and predictions beside its completions."""

from __future__ import annotations

import json
from collections.abc import Sequence

from demo import families
from demo.cards import card
from demo.forms import hidden, select
from demo.index.read import GroupRow
from demo.pages import Page, chosen_run, chosen_step, no_rollouts
from demo.records import GroupRecord
from demo.runs import Run, Runs
from demo.text import notice, number, plural, safe, text_block
from demo.view import View
from vlrl.report.look import best_first, largest_advantage
from vlrl.types import RolloutGroup

LISTED = 100
MOST_CARDS = 64
ORDERS = {"spread": "largest spread first", "low": "lowest mean first", "high": "highest mean first", "file": "as in the file"}
SHOWN = {
    "": "all groups",
    "mixed": "with spread",
    "flat": "without spread",
    "right": "all right",
    "wrong": "all wrong",
    "equal": "other equal",
}


def render(runs: Runs, view: View) -> str:
    """The bar of steps, the list of groups, the opened group."""
    run = chosen_run(runs, view)
    step = chosen_step(run, view)
    if step is None:
        return no_rollouts()
    run.ready(step)
    rows = listed(run, step, view)
    current = opened(run, step, view, rows)
    bar = f'<div data-part="steps">{step_bar(run, step, view)}{_list_form(run, step, view)}</div>'
    if current is None:
        empty = notice("No group of this step is like that.", "Choose another step, or show all groups.")
        return f'{bar}<div data-part="group">{empty}</div>'
    return (
        f'{bar}<div class="beside"><div data-part="list">{_list(rows, run, step, view, current)}</div>'
        f'<div data-part="group">{group_view(run, current, view)}</div></div>'
    )


def listed(run: Run, step: int, view: View) -> list[GroupRow]:
    """The groups that the list shows."""
    start = (view.number("from") or 0) // LISTED * LISTED
    return run.index.groups(step, view.choice("sort", ORDERS), view.choice("show", SHOWN), LISTED, start)


def opened(run: Run, step: int, view: View, rows: Sequence[GroupRow]) -> GroupRow | None:
    """The group that the address names by its line, else the first of the list."""
    line = view.number("group")
    named = run.index.group(step, line) if line is not None else None
    return named or (rows[0] if rows else None)


def step_bar(run: Run, step: int, view: View) -> str:
    """Where we are among the steps, with links to the neighbours."""
    steps = run.steps()
    at = steps.index(step)
    here = view.change(view="groups", group=None, rollout=None, **{"from": None})
    links = []
    for key, words, place in (("ArrowLeft", "← earlier", at - 1), ("ArrowRight", "later →", at + 1)):
        if 0 <= place < len(steps):
            links.append(f'<a class="button" data-key="{key}" {here.href(step=steps[place])}>{words}</a>')
        else:
            links.append(f'<span class="button off">{words}</span>')
    newest = f'<a class="button" {here.href(step=steps[-1])}>newest</a>' if at < len(steps) - 1 else ""
    typed = f'<label>step <input name="step" value="{step}" inputmode="numeric" size="6" data-auto></label>'
    return (
        f'<div class="controls">{links[0]}<form>{hidden(here, ("step",))}{typed}</form>{links[1]}{newest}'
        f'<span class="note">{at + 1} of {plural(len(steps), "step")} with rollouts</span>'
        '<span class="space"></span>'
        '<span class="note keys"><kbd>j</kbd> <kbd>k</kbd> groups <kbd>←</kbd> <kbd>→</kbd> steps</span></div>'
    )


def _list_form(run: Run, step: int, view: View) -> str:
    counts = run.index.kinds(step)
    counts |= {"": sum(counts.values()), "flat": sum(counts.get(kind, 0) for kind in ("right", "wrong", "equal"))}
    words = {name: f"{words} ({counts.get(name, 0)})" for name, words in SHOWN.items()}
    shown = select("show", words, view.choice("show", SHOWN), "show")
    ordered = select("sort", ORDERS, view.choice("sort", ORDERS), "sort")
    here = view.change(view="groups", group=None, **{"from": None})
    return f'<form class="controls">{hidden(here, ("show", "sort"))}{shown}{ordered}</form>'


# the list


def _list(rows: Sequence[GroupRow], run: Run, step: int, view: View, current: GroupRow) -> str:
    start = (view.number("from") or 0) // LISTED * LISTED
    values = [value for row in rows for value in row.rewards] or [0.0]
    low, high = min(*values, 0.0), max(*values, 1.0)
    lines = [row.line for row in rows]
    at = lines.index(current.line) if current.line in lines else -1
    keys = {at + 1: "j", at - 1: "k"} if at >= 0 else {0: "j"}
    items = "".join(_group_link(row, row.line == current.line, keys.get(i, ""), low, high, view) for i, row in enumerate(rows))
    more = ""
    if start:
        more += f'<a class="button" {view.href(**{"from": start - LISTED}, group=None)}>the {LISTED} before</a>'
    if len(rows) == LISTED and run.index.groups(step, "file", view.choice("show", SHOWN), 1, start + LISTED):
        key = 'data-key="j"' if at == len(rows) - 1 else ""
        more += f'<a class="button" {key} {view.href(**{"from": start + LISTED}, group=None)}>the next {LISTED}</a>'
    return f'<div class="group-list" data-keep-scroll="groups">{items}{more}</div>'


WORDS = {"right": "all right", "wrong": "all wrong", "equal": "no spread", "unscored": "not scored", "unreadable": "unreadable"}


def _group_link(row: GroupRow, is_open: bool, key: str, low: float, high: float, view: View) -> str:
    dots = "".join(f'<circle cx="{5 + 110 * (v - low) / (high - low):.1f}" cy="6" r="3.2"/>' for v in row.rewards)
    words = "" if row.mean is None else f"mean {number(row.mean)} · spread {number(row.spread)}"
    badge = f' <span class="badge">{WORDS[row.kind]}</span>' if row.kind in WORDS else ""
    hotkey = f'data-key="{key}"' if key else ""
    return (
        f'<a class="group-link" {view.href(view="groups", step=row.step, group=row.line, rollout=None)} {hotkey}'
        f' aria-current="{str(is_open).lower()}"><span class="task">{safe(row.task)}</span>'
        f'<span class="question">{safe(row.question)}</span>'
        f'<svg viewBox="0 0 120 12"><line x1="5" x2="115" y1="6" y2="6"/>{dots}</svg><small>{words}{badge}</small></a>'
    )


# the group


def group_view(run: Run, row: GroupRow, view: View) -> str:
    """One group: its media with gold and all predictions beside the completions, best first."""
    record = run.group(row)
    group = record.group
    sample = group.sample
    media = families.media(record, run.roots)
    others = view.to("compare", what="prompt", sample=row.sample, task=row.task)
    head = (
        f"<header><h3>{safe(sample.question[:2000]) or 'a prompt without a question'}</h3>"
        f'<span class="note">{safe(sample.task)} · {safe(sample.id)} · step {row.step}</span>'
        f"<a {others}>same prompt at other steps</a></header>"
    )
    body = f'<div class="left">{media}{_details(group)}</div><div class="cards">{cards(run, record, row, view)}</div>'
    css = "wide" if families.is_wide(sample) else ""
    return f'<div class="group">{head}<div class="split {css}">{body}</div></div>'


def cards(run: Run, record: GroupRecord, row: GroupRow, view: View) -> str:
    """The completions as cards."""
    group = record.group
    largest = largest_advantage(group)
    here = view.change(view="completion", step=row.step, group=row.line)
    ranked = list(enumerate(best_first(group), 1))
    shown = ranked if view.get("all") else ranked[:MOST_CARDS]
    more = f'<a class="button" {view.href(all=1)}>show all {len(ranked)} completions</a>' if len(shown) < len(ranked) else ""
    drawn = (
        card(rank, place, rollout, largest, here.href(rollout=place), families.below(group.sample, rollout, place))
        for rank, (place, rollout) in shown
    )
    return "".join(drawn) + more


def _details(group: RolloutGroup) -> str:
    sample = group.sample
    answer = text_block(json.dumps(sample.answer, ensure_ascii=False, indent=1))
    source = f'<p class="note">{safe(sample.source)}</p>' if sample.source else ""
    return (
        f"<details open><summary>prompt</summary>{text_block(group.prompt, first=600)}</details>"
        f"<details><summary>gold answer</summary>{answer}{source}</details>"
    )


PAGE = Page("groups", "Groups", render, families.ACTIONS)
